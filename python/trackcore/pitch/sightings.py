"""What a stereo tracker takes and makes: balls of a frame, sightings, tracks, observations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore.pitch._filter import BallFilter, Expected

Floats = NDArray[np.float64]


class Balls(Protocol):
    """What a detector found in a frame: `BallDetector`'s `Candidates`, or `FrameBalls`."""

    @property
    def t_ns(self) -> int:
        """Stamp of the frame [ns]."""

    @property
    def u(self) -> Floats:
        """(n,) [px]."""

    @property
    def v(self) -> Floats:
        """(n,) [px]."""


@dataclass(frozen=True, slots=True)
class FrameBalls:
    """Balls of a frame that some other detector found.

    Attributes
    ----------
    t_ns : int
        Stamp of the frame, on its camera's clock [ns].
    u, v : (n,) float64
        Centres [px].
    covariance : (n, 2, 2) float64, optional
        Of (u, v) [px^2]. Default: `StereoTrackOptions.sigma_px`.
    confidence : (n,) float64, optional
        0 .. 1. Default: 1.
    """

    t_ns: int
    u: Floats
    v: Floats
    covariance: Floats | None = None
    confidence: Floats | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One candidate of a frame: `given` is its own covariance, `covariance` what tracking takes."""

    side: int
    t_ns: int
    common_ns: int
    number: int
    uv_px: Floats
    flat_px: Floats
    covariance: Floats
    given: Floats | None
    confidence: float


@dataclass(frozen=True, slots=True)
class StereoObservation:
    """A ball seen by both cameras.

    Attributes
    ----------
    t_ns, right_t_ns : int
        Stamps of the left and the right frame, each on its own clock [ns].
    left_px, right_px : (2,) float64
        As the pictures show it [px].
    X_world : (3,) float64
        Where it was at the left frame's time [m]: the right position is moved there along the
        track before the rays are crossed.
    V_world : (3,) float64
        Velocity of the track then [m/s].
    covariance : (3, 3) float64
        Of `X_world`, from the noise of the positions [m^2].
    epipolar_px : float
        How far the moved positions are from being one point (Sampson) [px].
    quality : float
        e^(-d^2 / 2), d that distance in standard deviations: 1 is perfect.
    confidence : float
        The lower one of the two candidates'.
    left_number, right_number : int
        Which candidates of their frames they were.
    """

    t_ns: int
    right_t_ns: int
    left_px: Floats
    right_px: Floats
    X_world: Floats
    V_world: Floats
    covariance: Floats
    epipolar_px: float
    quality: float
    confidence: float
    left_number: int
    right_number: int


@dataclass(slots=True)
class BallTrack:
    """A ball followed through space.

    Attributes
    ----------
    id : int
        Counted from 1, in the order of confirmation; 0 while it is a guess.
    sightings : list of Sighting
        All that belong to it, the first included, in the order they came.
    """

    id: int
    filter: BallFilter
    sightings: list[Sighting]
    last_ns: list[int]
    counts: list[int]
    d2: float = 0.0
    paired: int = 0
    observations: list[StereoObservation] = field(default_factory=list)
    pairs: list[tuple[Sighting, Sighting]] = field(default_factory=list)

    @property
    def X_world(self) -> Floats:
        """(3,) where it is [m], at the last frame that was pushed."""
        return self.filter.x[:3]

    @property
    def V_world(self) -> Floats:
        """(3,) its velocity [m/s]."""
        return self.filter.x[3:6]

    @property
    def covariance(self) -> Floats:
        """(6, 6) of place and velocity."""
        return self.filter.P[:6, :6]

    @property
    def worth(self) -> tuple[int, float]:
        """For sorting: more sightings, then better fitting ones."""
        return len(self.sightings), -self.d2 / max(len(self.sightings) - 2, 1)

    def take(self, seen: Sighting, expected: Expected, d2: float) -> None:
        """Add a sighting."""
        self.filter.update(expected, seen.flat_px, seen.covariance)
        self.sightings.append(seen)
        self.last_ns[seen.side] = seen.common_ns
        self.counts[seen.side] += 1
        self.d2 += d2


def key(s: Sighting) -> tuple[int, int, int]:
    """Return what tells a sighting from all others."""
    return s.side, s.t_ns, s.number


def keys(track: BallTrack) -> set[tuple[int, int, int]]:
    """Return the keys of all sightings of a track."""
    return {key(s) for s in track.sightings}


def copied(track: BallTrack) -> BallTrack:
    """Return a track that can go another way."""
    return BallTrack(
        track.id, track.filter.copy(), list(track.sightings), list(track.last_ns),
        list(track.counts), track.d2,
    )  # fmt: skip


def different(tracks: list[BallTrack]) -> list[BallTrack]:
    """Return tracks without those that end in the same sightings as an earlier one."""
    tails: set[tuple[tuple[int, int, int], ...]] = set()
    kept = []
    for track in tracks:
        tail = tuple(sorted(key(s) for s in track.sightings[-3:]))
        if tail not in tails:
            tails.add(tail)
            kept.append(track)
    return kept
