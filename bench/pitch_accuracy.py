"""Errors of `fit_pitch` over synthetic pitches, against the truth and against its own covariance.

    python -m bench.pitch_accuracy --pitches 2000
    python -m bench.pitch_accuracy --pitches 200 --fps 60 --noise 0.3 --outliers 0.03

Pitches are `synth.random_throw`: drag and a spin that fades, integrated by another method than the
fit's. Two free-running cameras 4 ft apart stand behind the plate (`lane_rig`), the right clock is 0
to 8 ms off, the ball is seen until 24 inches before the plate. Chi-square is the squared error
measured in the reported covariance, per degree of freedom: 1 is honest. Times are CPU times.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
from bench._measure import machine, table

import trackcore as tc
from trackcore import synth
from trackcore.ballistics import FOOT_M, INCH_M, MPH_MPS

PLANE_40_M = -(40 - 17 / 12) * FOOT_M
PLANE_50_M = -(50 - 17 / 12) * FOOT_M
SHELL_M = 0.15 * INCH_M


@dataclass(frozen=True)
class Truth:
    plate: np.ndarray
    speed: float
    release: np.ndarray
    moved: np.ndarray
    depth: float


def truth_of(flight: synth.Flight, options: tc.PitchFitOptions, zone: tc.StrikeZone) -> Truth:
    plate = flight.crossing(0.0)[1]
    _, X, V = flight.crossing(PLANE_40_M)
    plain = synth.fly(
        replace(flight.throw, release=tuple(X), velocity=tuple(V), spin_rpm=0.0), ground_m=-10.0
    )
    release = flight.crossing(-options.release_plane_z_ft * FOOT_M)[1]
    over = flight.t_s[np.abs(flight.X_world[:, 2]) < 1.2]
    t = np.arange(over[0], over[-2], 2e-5)
    depth = tc.BallPhysics().radius_m - zone.margin_m(flight.at(t)[0]).min()
    speed = float(np.linalg.norm(flight.crossing(PLANE_50_M)[2]))
    return Truth(plate, speed, release, (plate - plain.crossing(0.0)[1])[:2], float(depth))


def spoilt(xy: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    off = rng.random(len(xy)) < share
    return xy + off[:, None] * rng.uniform(-30, 30, xy.shape)


@dataclass
class Figures:
    error: dict[str, list[float]]
    square: dict[str, list[tuple[float, int]]]
    cpu_ms: list[float]
    wrong_calls: int = 0
    in_shell: int = 0
    failed: int = 0

    def add(self, name: str, error: np.ndarray, covariance: np.ndarray) -> None:
        e = np.atleast_1d(error)
        self.square.setdefault(name, []).append(
            (float(e @ np.linalg.solve(np.atleast_2d(covariance), e)), len(e))
        )


def one(seed: int, args: argparse.Namespace, figures: Figures) -> None:
    rng = np.random.default_rng(seed + 10_000_000)
    rig = tc.lane_rig(baseline_m=args.baseline * FOOT_M, focal_px=args.focal)
    options = tc.PitchFitOptions(sigma_px=args.noise, model=args.model)
    zone = tc.StrikeZone.of_batter()
    flight = synth.fly(synth.random_throw(seed))
    seen = synth.see_pitch(rig, flight, seed=seed, fps=args.fps, noise_px=args.noise,
                           clock_offset_s=rng.uniform(0, 8e-3))  # fmt: skip
    left = tc.Sightings(seen.left_t_ns, spoilt(seen.left_px, args.outliers, rng))
    right = tc.Sightings(seen.right_t_ns, spoilt(seen.right_px, args.outliers, rng))
    start = time.process_time()
    fit = tc.fit_pitch(rig, left, right, options=options)
    figures.cpu_ms.append(1e3 * (time.process_time() - start))
    if fit.status != "OK":
        figures.failed += 1
        return
    truth = truth_of(flight, options, zone)
    plate, release = fit.plate.X_world - truth.plate, fit.release.X_world - truth.release
    speed, clock = fit.at_50ft.speed - truth.speed, fit.clock_offset_s - seen.clock_offset_s
    moved = np.array([fit.break_40ft.across, fit.break_40ft.up]) - truth.moved
    for name, value in (
        ("plate X [in]", plate[0] / INCH_M), ("plate Y [in]", plate[1] / INCH_M),
        ("speed at 50 ft [mph]", speed / MPH_MPS), ("clock offset [ms]", 1e3 * clock),
        ("HB [in]", moved[0] / INCH_M), ("iVB [in]", moved[1] / INCH_M),
        ("release X [in]", release[0] / INCH_M), ("release Y [in]", release[1] / INCH_M),
        ("strike margin [in]", (fit.strike.margin_m - truth.depth) / INCH_M),
    ):  # fmt: skip
        figures.error.setdefault(name, []).append(float(value))
    t = np.array([(fit.reference_ns - seen.release_ns) * 1e-9])
    X, V = flight.at(t)
    known = [0, 1, 2, 3, 4, 5, -1]
    state = fit.flight.q[known] - np.concatenate([X[0], V[0], [seen.clock_offset_s]])
    figures.add("place, velocity, clock", state, fit.flight.covariance[np.ix_(known, known)])
    figures.add("plate X, Y", plate[:2], fit.plate.covariance[:2, :2])
    figures.add("speed at 50 ft", np.array([speed]), np.array([[fit.at_50ft.sigma_speed**2]]))
    figures.add("clock offset", np.array([clock]), np.array([[fit.sigma_clock_s**2]]))
    figures.square.setdefault("residuals", []).append((fit.flight.chi2, fit.flight.dof))
    if abs(truth.depth) < SHELL_M:
        figures.in_shell += 1
    elif fit.strike.is_strike != (truth.depth > 0):
        figures.wrong_calls += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pitches", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fps", type=float, default=120.0)
    parser.add_argument("--noise", type=float, default=0.1, help="px")
    parser.add_argument("--baseline", type=float, default=4.0, help="ft")
    parser.add_argument("--focal", type=float, default=1800.0, help="px")
    parser.add_argument("--outliers", type=float, default=0.0, help="share of sightings 30 px off")
    parser.add_argument("--model", default="physics", choices=[m.value for m in tc.FlightModel])
    args = parser.parse_args()
    figures = Figures({}, {}, [])
    one(args.seed, args, figures)  # what is loaded lazily is loaded
    figures = Figures({}, {}, [])
    for i in range(args.pitches):
        one(args.seed + i, args, figures)
    print(f"{machine()}\n\n{args.pitches} pitches, {args.fps:g} fps, {args.noise:g} px,")
    print(f"outliers {args.outliers:g}, {args.model}: {figures.failed} without status OK\n")
    rows = []
    for name, errors in figures.error.items():
        e = np.abs(np.array(errors))
        rows.append([name, f"{np.sqrt((e**2).mean()):.4f}", f"{np.mean(errors):+.4f}",
                     f"{np.quantile(e, 0.99):.4f}", f"{e.max():.4f}"])  # fmt: skip
    print(table(["error of", "rms", "mean", "99 %", "worst"], rows))
    rows = [
        [name, f"{sum(s for s, _ in pairs) / sum(n for _, n in pairs):.3f}"]
        for name, pairs in figures.square.items()
    ]
    print(table(["covariance of", "chi-square per degree"], rows))
    cpu = np.array(figures.cpu_ms)
    print(f"calls wrong outside a shell of 0.15 in: {figures.wrong_calls}"
          f" ({figures.in_shell} pitches in it)\nfit [ms CPU]: median {np.median(cpu):.1f},"
          f" 95 % {np.quantile(cpu, 0.95):.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
