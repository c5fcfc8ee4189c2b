"""Flights as two cameras see them: positions, sizes and streaks in every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.ballistics import INCH_M, BallPhysics
from trackcore.errors import InputError
from trackcore.synth._args import non_negative, positive, seed_number
from trackcore.synth._formulas import Floats
from trackcore.synth.pitches import Flight


class PitchCamera(Protocol):
    """What filming needs of a `Camera`."""

    @property
    def K(self) -> Floats:
        """(3, 3) [px]."""

    @property
    def T_cam_world(self) -> Floats:
        """(4, 4) pose."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture [px]."""

    def project(self, X_world: ArrayLike) -> Floats:
        """Return where the camera sees points, (n, 2) [px]."""


class PitchRig(Protocol):
    """What filming needs of a `StereoRig`."""

    @property
    def cameras(self) -> tuple[PitchCamera, PitchCamera]:
        """The left and the right one."""


@dataclass(frozen=True, slots=True)
class StereoPitch:
    """What two free-running cameras see of a flight, and what is true.

    Attributes
    ----------
    flight : Flight
    left_t_ns, right_t_ns : (n,), (m,) int64
        Stamps of the frames, each on its own camera's clock [ns].
    left_px, right_px : (n, 2), (m, 2) float64
        Where the ball is seen [px], with noise; NaN where it is not.
    release_ns : int
        When the ball left the hand, on the left clock.
    clock_offset_s : float
        To be added to stamps of the right camera to have them on the left clock [s].
    noise_px : float
        Standard deviation of each coordinate.
    """

    flight: Flight
    left_t_ns: NDArray[np.int64]
    left_px: Floats
    right_t_ns: NDArray[np.int64]
    right_px: Floats
    release_ns: int
    clock_offset_s: float
    noise_px: float


@dataclass(frozen=True, slots=True)
class FilmedPitch:
    """Every frame of one camera around a pitch, for drawing it: NaN where there is no ball.

    Attributes
    ----------
    t_ns : (n,) int64
        Stamps, of the middle of each exposure, on the camera's own clock [ns].
    xy_px : (n, 2) float64
        Centre of the ball then [px].
    radius_px : (n,) float64
        Its size [px], as of a disc.
    streak_px : (n, 2) float64
        Way of its centre during the exposure [px].
    """

    t_ns: NDArray[np.int64]
    xy_px: Floats
    radius_px: Floats
    streak_px: Floats


def film_pitch(
    rig: PitchRig,
    flight: Flight,
    *,
    seed: int,
    fps: float = 120.0,
    exposure_s: float = 0.5e-3,
    before_s: float = 0.5,
    after_s: float = 0.5,
    clock_offset_s: float = 0.0,
    phase_s: float | None = None,
    radius_m: float = BallPhysics().radius_m,
    z_from_m: float = -math.inf,
    z_to_m: float = -24 * INCH_M,
    release_ns: int = 1_000_000_000,
) -> tuple[FilmedPitch, FilmedPitch]:
    """Return all frames of the left and of the right camera, from before a pitch until after it.

    Parameters
    ----------
    rig : StereoRig
        Its world is that of `Throw`.
    flight : Flight
    seed : int
        Of where the frames fall.
    fps : float
        Of both cameras [1/s].
    exposure_s : float
        How long the shutter is open [s].
    before_s, after_s : float
        Frames before the release and after the end of the flight [s].
    clock_offset_s : float
        Added to stamps of the right camera it gives the left clock [s].
    phase_s : float, optional
        By which the right camera exposes later than the left one [s]. Default: anything within a
        frame.
    radius_m : float
        Of the ball [m].
    z_from_m, z_to_m : float
        Only between these planes is the ball seen [m].
    release_ns : int
        When the ball leaves the hand, on the left clock [ns].

    Raises
    ------
    InputError
        If a number is none.
    """
    rng = np.random.default_rng(seed_number(seed))
    period, half = 1 / positive("fps", fps), 0.5 * non_negative("exposure_s", exposure_s)
    before, after = non_negative("before_s", before_s), non_negative("after_s", after_s)
    if not np.isfinite(clock_offset_s):
        raise InputError(f"clock_offset_s: expected a finite number, got {clock_offset_s!r}")
    first, later = rng.uniform(0, period), rng.uniform(0, period)
    shift = later if phase_s is None else float(phase_s)
    frames = np.arange(-int(before / period), int((flight.t_s[-1] + after - first) / period) + 1)
    films = []
    for side, camera in enumerate(rig.cameras):
        t = first + side * shift + period * frames
        off = clock_offset_s if side else 0.0
        t_ns = release_ns + np.rint((t - off) * 1e9).astype(np.int64)
        ball = on_film(camera, flight, t, half, positive("radius_m", radius_m), z_from_m, z_to_m)
        films.append(FilmedPitch(t_ns, *ball))
    return films[0], films[1]


def on_film(
    camera: PitchCamera, flight: Flight, t_s: ArrayLike, half_s: float, radius_m: float,
    z_from_m: float, z_to_m: float,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Return centre (n, 2), radius (n,) and streak (n, 2) [px] of a ball at times of its flight."""
    t = np.asarray(t_s, np.float64)
    X = flight.at(t)[0]
    X[~((X[:, 2] >= z_from_m) & (X[:, 2] <= z_to_m))] = np.nan
    depth = X @ camera.T_cam_world[2, :3] + camera.T_cam_world[2, 3]
    ends = [camera.project(flight.at(t + h)[0]) for h in (-half_s, half_s)]
    streak = np.where(np.isfinite(depth)[:, None], ends[1] - ends[0], np.nan)
    return camera.project(X), camera.K[0, 0] * radius_m / depth, streak


def see_pitch(
    rig: PitchRig,
    flight: Flight,
    *,
    seed: int,
    fps: float = 120.0,
    noise_px: float = 0.1,
    clock_offset_s: float = 0.0,
    phase_s: float | None = None,
    z_from_m: float = -math.inf,
    z_to_m: float = -24 * INCH_M,
    release_ns: int = 1_000_000_000,
) -> StereoPitch:
    """Return where two cameras see a flight.

    Parameters
    ----------
    rig : StereoRig
        Its world is that of `Throw`.
    flight : Flight
    seed : int
        Of the noise and of where the frames fall.
    fps : float
        Of both cameras [1/s].
    noise_px : float
        Standard deviation of each coordinate [px].
    clock_offset_s : float
        Added to stamps of the right camera it gives the left clock [s].
    phase_s : float, optional
        By which the right camera exposes later than the left one [s]. Default: anything within a
        frame.
    z_from_m, z_to_m : float
        Only between these planes is the ball seen [m].
    release_ns : int
        When the ball leaves the hand, on the left clock [ns].

    Raises
    ------
    InputError
        If a number is none.
    """
    noise = non_negative("noise_px", noise_px)
    films = film_pitch(
        rig, flight, seed=seed, fps=fps, exposure_s=0.0, before_s=0.0, after_s=0.0,
        clock_offset_s=clock_offset_s, phase_s=phase_s, z_from_m=z_from_m, z_to_m=z_to_m,
        release_ns=release_ns,
    )  # fmt: skip
    rng = np.random.default_rng([1, seed])
    sides = []
    for film in films:
        seen = np.isfinite(film.xy_px).all(axis=1)
        uv = film.xy_px[seen]
        sides.append((film.t_ns[seen], uv + noise * rng.normal(size=uv.shape)))
    (left_t, left), (right_t, right) = sides
    return StereoPitch(
        flight, left_t, left, right_t, right, release_ns, float(clock_offset_s), noise
    )
