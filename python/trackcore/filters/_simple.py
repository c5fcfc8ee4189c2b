"""Tracks that are short, or match badly."""

from __future__ import annotations

import numpy as np

from trackcore.filters.report import Evidence
from trackcore.options import FilterOptions
from trackcore.tracks import Tracks


def short(tracks: Tracks, options: FilterOptions) -> Evidence:
    """Flag tracks that live fewer clip frames than `min_lifespan`; worst where they end."""
    first, last = tracks.first_index, tracks.last_index
    none = first < 0
    numbers = _frames(tracks)
    life = np.where(none, 0, numbers[last] - numbers[first] + 1).astype(float)
    return Evidence(
        life < options.min_lifespan, life, np.full(len(tracks), float(options.min_lifespan)),
        numbers[np.maximum(last, 0)],
    )  # fmt: skip


def low_correlation(tracks: Tracks, options: FilterOptions) -> Evidence:
    """Flag tracks whose median ncc is below `min_ncc`; a track without any is not judged."""
    known = np.isfinite(tracks.ncc)
    ncc = np.where(known, tracks.ncc, np.inf).astype(float)
    ordered = np.sort(ncc, axis=1)
    count = known.sum(axis=1)
    rows = np.arange(len(tracks))
    if not tracks.n_frames:
        median = np.full(len(tracks), np.nan)
    else:
        low = ordered[rows, np.maximum(count - 1, 0) // 2]
        high = ordered[rows, np.minimum(count // 2, tracks.n_frames - 1)]
        median = np.where(count > 0, (low + high) / 2, np.nan)
    worst = ncc.argmin(axis=1) if tracks.n_frames else np.zeros(len(tracks), np.int64)
    return Evidence(
        median < options.min_ncc, median, np.full(len(tracks), options.min_ncc),
        _frames(tracks)[worst],
    )  # fmt: skip


def _frames(tracks: Tracks) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return tracks.frame_numbers if tracks.n_frames else np.array([tracks.first_frame])
