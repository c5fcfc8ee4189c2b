"""Samples that leap out of the motion around them.

A sample's innovation is its distance from where its neighbours in time put it. What the picture as
a whole does (a shake, a stop) is in every track's innovation; it is fitted per frame as an affine
field and taken out, so that only the track's own unrest is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    seen = np.isfinite(xy_px[..., 0])
    before, before2 = _neighbours(seen)
    after, after2 = (xy_px.shape[1] - 1 - i[:, ::-1] for i in _neighbours(seen[:, ::-1]))
    inside = _predicted(xy_px, frame_numbers, before, after)
    forward = _predicted(xy_px, frame_numbers, before, before2)
    backward = _predicted(xy_px, frame_numbers, after, after2)
    size = _own_part(xy_px, xy_px - inside, seen)
    for ends in (forward, backward):
        missing = np.isnan(size) & np.isfinite(ends[..., 0])
        own = _own_part(xy_px, xy_px - ends, missing) / _NOISE_GAIN_ENDS
        size = np.where(missing, own, size)
    return size


def _neighbours(seen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the index of the last and last but one sample before each; -1 where there is none."""
    n_tracks, n_frames = seen.shape
    index = np.where(seen, np.arange(n_frames), -1)
    last = np.full((n_tracks, n_frames + 1), -1, np.int64)
    np.maximum.accumulate(index, axis=1, out=last[:, 1:])
    before = last[:, :-1]
    before2 = np.where(before >= 0, np.take_along_axis(last, np.maximum(before, 0), axis=1), -1)
    return before, before2


def _predicted(xy: Floats, numbers: Floats, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
    """Return where the line through samples `a` and `b` puts each sample; NaN if too far."""
    n_frames = len(numbers)
    known = (a >= 0) & (b >= 0) & (a < n_frames) & (b < n_frames)
    ia, ib = np.where(known, a, 0), np.where(known, b, 0)
    now = numbers[None, :]
    ta, tb = numbers[ia], numbers[ib]
    step = np.median(np.diff(numbers)) if n_frames > 1 else 1.0
    reach = np.maximum(np.abs(now - ta), np.abs(now - tb))
    known &= (reach <= _LONGEST_GAP_FRAMES * step) & (ta != tb)
    share = np.where(known, (now - ta) / np.where(ta == tb, 1.0, tb - ta), np.nan)
    pa = np.take_along_axis(xy, ia[..., None], axis=1)
    pb = np.take_along_axis(xy, ib[..., None], axis=1)
    return np.asarray(pa + (pb - pa) * share[..., None])


def _own_part(xy: Floats, innovation: Floats, wanted: NDArray[np.bool_]) -> Floats:
    """Return the length of what is left of the innovations when each frame's field is removed.

    (n_tracks, n_frames); NaN in frames where none is wanted.
    """
    size = np.full(innovation.shape[:2], np.nan)
    for f in np.flatnonzero(wanted.any(axis=0)).tolist():
        known = np.flatnonzero(np.isfinite(innovation[:, f, 0]))
        if not len(known):
            continue
        v = innovation[known, f]
        if len(known) >= _LEAST_FOR_A_FIELD:
            v = v - _affine_field(xy[known, f], v)
        size[known, f] = np.hypot(v[:, 0], v[:, 1])
    return size


def _affine_field(at: Floats, v: Floats) -> Floats:
    """Return the affine field through vectors `v` at points `at` (robust least squares)."""
    centre = np.median(at, axis=0)
    spread = np.abs(at - centre).max() + 1e-9
    A = np.column_stack([np.ones(len(at)), (at - centre) / spread])
    field = np.broadcast_to(np.median(v, axis=0), v.shape)
    for _ in range(_FIELD_STEPS):
        r = np.hypot(*(v - field).T)
        scale = 1.48 * np.median(r) + 1e-9
        w = np.clip(1 - (r / (4 * scale)) ** 2, 0, None) ** 2
        AtW = A.T * w
        normal = AtW @ A + 1e-9 * np.eye(3)
        field = A @ np.linalg.solve(normal, AtW @ v)
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
