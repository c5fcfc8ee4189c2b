"""Tracks that follow the same thing: near each other for most of the time both are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.filters.report import Evidence
from trackcore.options import FilterOptions
from trackcore.tracks import Tracks

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of duplicates, the better track first.

    Attributes
    ----------
    kept, dropped : (n_pairs,) int64
        Indices of tracks; a track is dropped at most once, and none that is kept is dropped.
    distance_px : (n_pairs,) float64
        Median distance over the common frames.
    frame_index : (n_pairs,) int64
        Where they are nearest.
    """

    kept: Indices
    dropped: Indices
    distance_px: NDArray[np.float64]
    frame_index: Indices


def duplicates(
    tracks: Tracks, options: FilterOptions, protected: NDArray[np.bool_]
) -> tuple[Evidence, Indices]:
    """Flag the worse of two duplicates, and name the better by index (-1: no duplicate)."""
    pairs = duplicate_pairs(tracks, options, protected)
    n = len(tracks)
    of = np.full(n, -1, np.int64)
    value = np.full(n, np.nan)
    frame = np.zeros(n, np.int64)
    of[pairs.dropped] = pairs.kept
    value[pairs.dropped] = pairs.distance_px
    frame[pairs.dropped] = tracks.frame_numbers[pairs.frame_index]
    return Evidence(of >= 0, value, np.full(n, options.duplicate_px), frame), of


def duplicate_pairs(tracks: Tracks, options: FilterOptions, protected: NDArray[np.bool_]) -> Pairs:
    """Find duplicates. The better track is protected, else longer, else matches better."""
    a, b, close = _close_counts(tracks, options.duplicate_px)
    seen = tracks.seen
    common = np.array([np.count_nonzero(seen[i] & seen[j]) for i, j in zip(a, b, strict=True)])
    same = (close >= options.duplicate_frames) & (close >= options.duplicate_share * common)
    with np.errstate(invalid="ignore"):
        ncc = np.nansum(tracks.ncc, axis=1) / np.maximum(np.isfinite(tracks.ncc).sum(axis=1), 1)
    order = np.lexsort((tracks.ids, -ncc, -seen.sum(axis=1), ~protected))
    rank = np.empty(len(tracks), np.int64)
    rank[order] = np.arange(len(tracks))
    better: dict[int, list[int]] = {}
    for i, j in zip(a[same].tolist(), b[same].tolist(), strict=True):
        kept, dropped = (i, j) if rank[i] < rank[j] else (j, i)
        better.setdefault(dropped, []).append(kept)
    gone: dict[int, int] = {}
    for i in order.tolist():  # best first, so that what drops a track is itself settled
        keepers = [k for k in better.get(i, []) if k not in gone]
        if keepers and not protected[i]:
            gone[i] = min(keepers, key=lambda k: int(rank[k]))
    dropped_, kept_ = np.array(list(gone), np.int64), np.array(list(gone.values()), np.int64)
    distance = np.linalg.norm(tracks.xy_px[kept_] - tracks.xy_px[dropped_], axis=-1)
    median = np.nanmedian(distance, axis=1) if len(gone) else np.zeros(0)
    nearest = (
        np.where(np.isnan(distance), np.inf, distance).argmin(axis=1)
        if len(gone)
        else np.zeros(0, np.int64)
    )
    return Pairs(kept_, dropped_, median, nearest)


def _close_counts(tracks: Tracks, limit_px: float) -> tuple[Indices, Indices, Indices]:
    """Return pairs that are ever near each other, and in how many frames they are."""
    n = len(tracks)
    codes: list[Indices] = []
    for f in range(tracks.n_frames):
        alive = np.flatnonzero(tracks.seen[:, f])
        xy = tracks.xy_px[alive, f]
        order = np.argsort(xy[:, 0], kind="stable")
        alive, xy = alive[order], xy[order]
        for step in range(1, len(alive)):
            near_x = xy[step:, 0] - xy[:-step, 0] <= limit_px
            if not near_x.any():
                break
            k = np.flatnonzero(near_x)
            k = k[np.hypot(*(xy[k + step] - xy[k]).T) <= limit_px]
            i, j = alive[k], alive[k + step]
            codes.append(np.minimum(i, j) * n + np.maximum(i, j))
    if not codes:
        none = np.zeros(0, np.int64)
        return none, none, none
    code, count = np.unique(np.concatenate(codes), return_counts=True)
    return code // n, code % n, count.astype(np.int64)
