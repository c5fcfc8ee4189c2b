"""Footage of pitches with a known answer: two cameras, a field, a ball: `trackcore pitch demo`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import FOOT_M, INCH_M, MPH_MPS, BallPhysics
from trackcore.errors import InputError
from trackcore.options import require_options
from trackcore.synth._args import non_negative, positive, seed_number, whole
from trackcore.synth._field import field_picture
from trackcore.synth.balls import Ball, draw_balls
from trackcore.synth.filming import FilmedPitch, PitchRig, on_film
from trackcore.synth.pitches import Flight, fly, random_throw

SIDES = ("left", "right")
_CAUGHT_Z_M = 2 * FOOT_M
_LEVEL, _SHADE = 222.0, (-14.0, -22.0)
_START_NS = 10_000_000_000
_REACH_PX = 3


class PitchScene:
    """A lane from behind the plate and pitches along it, seen by two free-running cameras.

    Parameters
    ----------
    rig : StereoRig
        Its world is that of `Throw`.
    seed : int
        Of the throws, of textures and noise, and of where the frames fall.
    n_pitches : int
    fps : float
        Of both cameras [1/s].
    exposure_s : float
        How long the shutter is open [s].
    noise : float
        Standard deviation of Gaussian noise [grey levels].
    physics : BallPhysics, optional
        Of the balls and the air. Default: baseballs.
    clock_offset_s : float
        Added to stamps of the right camera it gives the left clock [s].
    before_s, after_s : float
        Footage before each release and after each flight [s].

    Attributes
    ----------
    radius_m : float
        Of the balls [m].
    flights : tuple of Flight
    release_ns : tuple of int
        When each ball leaves the hand, on the left clock.
    films : {"left", "right"} -> FilmedPitch
        Where the ball is in each frame; NaN where there is none.
    """

    def __init__(
        self,
        rig: PitchRig,
        seed: int = 0,
        *,
        n_pitches: int = 3,
        fps: float = 120.0,
        exposure_s: float = 0.4e-3,
        noise: float = 1.0,
        physics: BallPhysics | None = None,
        clock_offset_s: float = 3.2e-3,
        before_s: float = 0.4,
        after_s: float = 0.4,
    ) -> None:
        self.rig, self.seed = rig, seed_number(seed)
        self.fps, self.exposure_s = positive("fps", fps), non_negative("exposure_s", exposure_s)
        self.noise = non_negative("noise", noise)
        if not np.isfinite(clock_offset_s):
            raise InputError(f"clock_offset_s: expected a finite number, got {clock_offset_s!r}")
        self.clock_offset_s = float(clock_offset_s)
        n = whole("n_pitches", n_pitches, 1)
        before, after = non_negative("before_s", before_s), non_negative("after_s", after_s)
        air = BallPhysics() if physics is None else physics
        require_options(air, BallPhysics, "physics")
        self.radius_m = air.radius_m
        throws = [random_throw(1000 * self.seed + i, physics=physics) for i in range(n)]
        self.flights = tuple(fly(t, physics=physics, until_z_m=_CAUGHT_Z_M) for t in throws)
        starts, end = [], 0.0
        for flight in self.flights:
            starts.append(end + before)
            end += before + float(flight.t_s[-1]) + after
        self._starts_s, self._end_s = tuple(starts), end
        self.release_ns = tuple(_START_NS + round(s * 1e9) for s in starts)
        self.films = self._filmed()
        self._fields: dict[str, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        """Return the number of frames of each camera."""
        return len(self.films["left"].t_ns)

    def frame(self, side: str, index: int) -> NDArray[np.uint8]:
        """Return one frame (h, w); the same bytes whatever was rendered before."""
        film, which = self.films[side], SIDES.index(side)
        grey = self._field(side).copy()
        if np.isfinite(film.xy_px[index]).all():
            _draw(grey, film, index)
        if self.noise:
            rng = np.random.default_rng([self.seed, 1 + which, index])
            grey += np.float32(self.noise) * rng.standard_normal(grey.shape, np.float32)
        return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)

    def frames(self, side: str) -> Iterator[NDArray[np.uint8]]:
        """Yield all frames of a camera in order."""
        return (self.frame(side, i) for i in range(len(self)))

    def truth(self) -> dict[str, Any]:
        """Return what is true of every pitch as plain numbers, ready for JSON."""
        return {
            "seed": self.seed,
            "fps": self.fps,
            "clock_offset_s": self.clock_offset_s,
            "pitches": [
                _true(flight, ns) for flight, ns in zip(self.flights, self.release_ns, strict=True)
            ],
        }

    def _filmed(self) -> dict[str, FilmedPitch]:
        rng = np.random.default_rng([self.seed, 0])
        n = int(self._end_s * self.fps)
        films = {}
        for side, camera in zip(SIDES, self.rig.cameras, strict=True):
            t = (np.arange(n) + rng.uniform(0, 1)) / self.fps
            off = self.clock_offset_s if side == "right" else 0.0
            stamps = _START_NS + np.rint((t - off) * 1e9).astype(np.int64)
            xy, radius, streak = (
                np.full((n, 2), np.nan),
                np.full(n, np.nan),
                np.full((n, 2), np.nan),
            )
            for flight, start in zip(self.flights, self._starts_s, strict=True):
                ball = on_film(
                    camera, flight, t - start, 0.5 * self.exposure_s, self.radius_m, -np.inf,
                    _CAUGHT_Z_M,
                )  # fmt: skip
                seen = np.isfinite(ball[0]).all(axis=1) & np.isfinite(ball[2]).all(axis=1)
                for whole_film, part in zip((xy, radius, streak), ball, strict=True):
                    whole_film[seen] = part[seen]
            films[side] = FilmedPitch(stamps, xy, radius, streak)
        return films

    def _field(self, side: str) -> NDArray[np.float32]:
        if side not in self._fields:
            camera = self.rig.cameras[SIDES.index(side)]
            picture = field_picture(camera, camera.size, self.seed)
            self._fields[side] = picture.astype(np.float32)
        return self._fields[side]


def _draw(grey: NDArray[np.float32], film: FilmedPitch, index: int) -> None:
    """Draw the ball of a frame into the part of the picture that it can touch."""
    (x, y), radius = film.xy_px[index].tolist(), float(film.radius_px[index])
    dx, dy = film.streak_px[index].tolist()
    at = np.array([x, y])
    reach = radius + np.abs([dx, dy]) / 2 + _REACH_PX
    h, w = grey.shape
    x0, y0 = np.maximum(np.floor(at - reach), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(at + reach) + 1, [w, h]).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    ball = Ball(
        xy_px=(x - x0, y - y0), radius_px=radius, level=_LEVEL, streak_px=(dx, dy), shade=_SHADE
    )
    grey[y0:y1, x0:x1] = draw_balls(grey[y0:y1, x0:x1].astype(np.float64), [ball])


def _true(flight: Flight, release_ns: int) -> dict[str, Any]:
    """Return a pitch in the documented words: feet, inches, mph, the left-handed frame."""
    t, X, V = flight.crossing(0.0)
    at_50 = flight.crossing(-50 * FOOT_M + 17 * INCH_M)[2]
    return {
        "release_t_ns": release_ns,
        "plate_t_ns": release_ns + round(t * 1e9) if np.isfinite(t) else None,
        "plate_x_in": _number(X[0] / INCH_M),
        "plate_y_in": _number(X[1] / INCH_M),
        "speed_50ft_mph": _number(np.linalg.norm(at_50) / MPH_MPS),
        "speed_plate_mph": _number(np.linalg.norm(V) / MPH_MPS),
        "release_xyz_ft": [v / FOOT_M for v in (flight.throw.release * np.array([1, 1, -1]))],
        "spin_rpm": flight.throw.spin_rpm,
    }


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
