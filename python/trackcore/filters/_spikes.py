"""Samples that leap out of the motion around them.

A sample's innovation is its distance from where its neighbours in time put it. What the picture as
a whole does (a shake, a stop) is in every track's innovation; it is fitted per frame as an affine
field and taken out, so that only the track's own unrest is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.filters._order import median
from trackcore.filters.report import Evidence
from trackcore.options import FilterOptions
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]

_LEAST_FOR_A_FIELD = 8
_FIELD_STEPS = 4
_LONGEST_GAP_FRAMES = 4
_ROUNDS = 3
_NOISE_GAIN_ENDS = 2.0  # an extrapolated point is this much less certain than an interpolated one


@dataclass(frozen=True, slots=True)
class Spikes:
    """Spiking samples, the tracks they spoil, and the evidence per track."""

    samples: NDArray[np.bool_]
    whole_track: NDArray[np.bool_]
    evidence: Evidence


def spikes(tracks: Tracks, options: FilterOptions) -> Spikes:
    """Flag tracks with samples off the local motion by `max_spike_px` and `spike_sigma`."""
    xy = tracks.xy_px.copy()
    numbers = tracks.frame_numbers.astype(float)
    samples = np.zeros(tracks.status.shape, bool)
    worst = np.full(len(tracks), np.nan)
    limit = np.full(len(tracks), options.max_spike_px)
    frame = np.zeros(len(tracks), np.int64)
    left_over = np.zeros(len(tracks), bool)
    for round_ in range(_ROUNDS if tracks.n_frames > 2 and len(tracks) else 0):
        unrest = innovation_px(xy, numbers)
        allowed = np.maximum(options.max_spike_px, options.spike_sigma * _usual(unrest))
        size = np.nan_to_num(unrest, nan=0.0)
        over = size > allowed[:, None]
        at = size.argmax(axis=1)
        if round_ == 0:
            worst, limit, frame = size.max(axis=1), allowed, tracks.frame_numbers[at]
            worst[np.isnan(unrest).all(axis=1)] = np.nan
        left_over[:] = over.any(axis=1)
        if round_ == _ROUNDS - 1 or not left_over.any():
            break
        peaks = over & _is_peak(size)
        samples |= peaks
        xy[peaks] = np.nan
    seen = np.maximum(tracks.seen.sum(axis=1), 1)
    whole = left_over | (samples.sum(axis=1) / seen > options.max_spike_share)
    flagged = np.asarray(samples.any(axis=1))
    return Spikes(samples, whole & flagged, Evidence(flagged, worst, limit, frame))


def innovation_px(xy_px: Floats, frame_numbers: Floats) -> Floats:
    """Return how far each sample is from its neighbours' motion, (n_tracks, n_frames) [px].

    Inside a track the neighbours before and after interpolate; at its ends two neighbours
    extrapolate, which is less certain and counted accordingly. NaN where a track has fewer than
    three samples near enough in time.
    """
    # every sample by itself, frame by frame: most of the array is empty where tracks live shortly
    frame, track = np.nonzero(np.isfinite(xy_px[..., 0]).T)
    samples = _Samples(track, frame, xy_px[track, frame], frame_numbers)
    before2, before, after, after2 = samples.neighbours()
    size = samples.own_part(samples.off(before, after))
    for first, second in ((before, before2), (after, after2)):
        off = samples.off(first, second)
        missing = np.isnan(size) & np.isfinite(off[:, 0])
        own = samples.own_part(off, missing) / _NOISE_GAIN_ENDS
        size = np.where(missing, own, size)
    found = np.full(xy_px.shape[:2], np.nan)
    found[track, frame] = size
    return found


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of all tracks in the order of their frames, there in that of the tracks."""

    track: NDArray[np.int64]  # (n,)
    frame: NDArray[np.int64]  # (n,) array indices, rising
    xy: Floats  # (n, 2)
    numbers: Floats  # (n_frames,)

    def neighbours(self) -> list[NDArray[np.int64]]:
        """Return the samples two and one before and after each in its track; -1: there is none."""
        n = len(self.track)
        order = np.argsort(self.track, kind="stable")  # track by track
        found = []
        for step in (-2, -1, 1, 2):
            other = np.arange(n) + step
            inside = (other >= 0) & (other < n)
            other = np.where(inside, other, 0)
            same = inside & (self.track[order[other]] == self.track[order])
            at = np.empty(n, np.int64)
            at[order] = np.where(same, order[other], -1)
            found.append(at)
        return found

    def off(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
        """Return how far (n, 2) each is from the line through samples `a` and `b` in time.

        NaN where one of them is missing or too far.
        """
        known = (a >= 0) & (b >= 0)
        now = self.numbers[self.frame]
        ta, tb = now[a], now[b]
        step = np.median(np.diff(self.numbers)) if len(self.numbers) > 1 else 1.0
        reach = np.maximum(np.abs(now - ta), np.abs(now - tb))
        known &= reach <= _LONGEST_GAP_FRAMES * step
        share = np.where(known, (now - ta) / np.where(known, tb - ta, 1.0), np.nan)
        line = self.xy[a] + (self.xy[b] - self.xy[a]) * share[:, None]
        return np.asarray(self.xy - line)

    def own_part(self, off: Floats, wanted: NDArray[np.bool_] | None = None) -> Floats:
        """Return the lengths (n,) of what is left of `off` when each frame's field is removed.

        NaN in frames where none is wanted.
        """
        size = np.full(len(off), np.nan)
        frames = np.arange(len(self.numbers)) if wanted is None else np.unique(self.frame[wanted])
        begin, end = (np.searchsorted(self.frame, frames, side) for side in ("left", "right"))
        finite = np.isfinite(off[:, 0])
        for i, j in zip(begin.tolist(), end.tolist(), strict=True):
            known = i + np.flatnonzero(finite[i:j])
            if not len(known):
                continue
            v = off[known]
            if len(known) >= _LEAST_FOR_A_FIELD:
                v = v - _affine_field(self.xy[known], v)
            size[known] = np.hypot(v[:, 0], v[:, 1])
        return size


def _affine_field(at: Floats, v: Floats) -> Floats:
    """Return the affine field through vectors `v` at points `at` (robust least squares)."""
    centre = median(at)
    spread = np.abs(at - centre).max() + 1e-9
    A = np.ones((len(at), 3))
    A[:, 1:] = (at - centre) / spread
    floor = 1e-9 * np.eye(3)
    field = np.broadcast_to(median(v), v.shape)
    for _ in range(_FIELD_STEPS):
        off = v - field
        r = np.hypot(off[:, 0], off[:, 1])
        scale = 1.48 * median(r) + 1e-9
        w = np.maximum(1 - (r / (4 * scale)) ** 2, 0) ** 2
        AtW = A.T * w
        field = A @ np.linalg.solve(AtW @ A + floor, AtW @ v)
    return np.asarray(field)


def _usual(unrest: Floats) -> Floats:
    """Return each track's usual innovation: its median, at least half the median of all."""
    size = np.where(np.isnan(unrest), np.inf, unrest)
    count = np.isfinite(size).sum(axis=1)
    ordered = np.sort(size, axis=1)
    middle = np.maximum(count - 1, 0) // 2
    own = ordered[np.arange(len(size)), middle]
    own[count == 0] = 0.0
    everyone = float(np.median(own[count > 0])) if (count > 0).any() else 0.0
    return np.asarray(np.maximum(own, everyone / 2))


def _is_peak(size: Floats) -> NDArray[np.bool_]:
    """Return True where no neighbour in time is larger (the first of equals)."""
    edge = np.zeros((len(size), 1))
    left = np.concatenate([edge, size[:, :-1]], axis=1)
    right = np.concatenate([size[:, 1:], edge], axis=1)
    return np.asarray((size > left) & (size >= right))
