"""Pitches seen by two cameras, for the tests of everything in `trackcore.pitch`."""

from __future__ import annotations

import numpy as np

import trackcore as tc
from trackcore import synth

RIG = tc.lane_rig()
INCH, FOOT, MPH = 0.0254, 0.3048, 0.44704


def sightings(seen: synth.StereoPitch) -> tuple[tc.Sightings, tc.Sightings]:
    return (
        tc.Sightings(seen.left_t_ns, seen.left_px),
        tc.Sightings(seen.right_t_ns, seen.right_px),
    )


def pitch(seed: int, rig: tc.StereoRig = RIG, **how: object):
    """Return a random pitch: its flight, what is seen, and the fit's two arguments."""
    flight = synth.fly(synth.random_throw(seed))
    seen = synth.see_pitch(rig, flight, seed=seed, **how)
    return flight, seen, sightings(seen)


def straight(spin_axis=(-1.0, 0.0, 0.0), spin_rpm=0.0, drag=0.35, physics=None, **how: object):
    """Return a pitch down the middle, without noise."""
    throw = synth.Throw(
        release=(0.0, 1.8, -16.5), velocity=(0.0, 0.3, 40.0), spin_axis=spin_axis,
        spin_rpm=spin_rpm, drag=drag,
    )  # fmt: skip
    flight = synth.fly(throw, physics=physics, ground_m=-5.0)
    seen = synth.see_pitch(RIG, flight, seed=0, noise_px=0.0, **how)
    return flight, seen, sightings(seen)


def thrown(X0, V0, A, n: int = 60, dt: float = 1 / 120, rig: tc.StereoRig = RIG):
    """Return the sightings of a parabola."""
    t = dt * (np.arange(n) - n // 2)
    s = t[:, None]
    X = np.asarray(X0) + s * np.asarray(V0) + 0.5 * s**2 * np.asarray(A)
    uv = rig.project(X)
    t_ns = 5_000_000_000 + np.rint(t * 1e9).astype(np.int64)
    return tc.Sightings(t_ns, uv[:, 0]), tc.Sightings(t_ns, uv[:, 1])


def frames(seen: synth.StereoPitch, *, clutter: float = 0.0, miss: float = 0.0, seed: int = 0,
           gap_ms: tuple[float, float] | None = None):  # fmt: skip
    """Yield (side, balls) of both cameras in the order in which they come."""
    rng = np.random.default_rng(seed)
    late = round(seen.clock_offset_s * 1e9)
    queue = [("left", t, t, uv) for t, uv in zip(seen.left_t_ns, seen.left_px, strict=True)]
    queue += [
        ("right", t + late, t, uv) for t, uv in zip(seen.right_t_ns, seen.right_px, strict=True)
    ]
    for side, common, t_ns, uv in sorted(queue, key=lambda f: f[1]):
        since = (common - seen.release_ns) * 1e-6
        hidden = gap_ms is not None and gap_ms[0] <= since <= gap_ms[1]
        own = np.zeros((0, 2)) if rng.random() < miss or hidden else uv[None]
        stray = rng.uniform((0, 0), (1920, 1080), (rng.poisson(clutter), 2))
        xy = rng.permutation(np.concatenate([own, stray]))
        yield side, tc.FrameBalls(int(t_ns), xy[:, 0], xy[:, 1])
