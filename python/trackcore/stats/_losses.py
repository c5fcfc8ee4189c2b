"""Which tracks failed, which merely ended, and when too many ended at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.stats._core_rows import Sums, sums
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

EARLY_SHARE = 0.3
"""A drop-out lived less than this share of the frames that were left to it."""
CRITICAL_SHARE = 0.5
"""So many of a frame's tracks ending at once is a critical drop ..."""
CRITICAL_LEFT = 0.3
"""... and so is having no more than this share of the most there were."""
LEAST_ACTIVE = 4
"""Fewer tracks than this cannot drop critically."""

_NO_FAILURE = (PointStatus.TRACKED, PointStatus.OUT_OF_FRAME)


def failed_tracks(tracks: Tracks, *, threads: int = 0) -> NDArray[np.bool_]:
    """Return which tracks were lost inside the frame: a failure, unlike leaving it or the end.

    Parameters
    ----------
    tracks : Tracks
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    (n_tracks,) bool
        Where nobody says why a track ended, it left if its next step would have left the frame.
    """
    return failed(tracks, sums(tracks, threads))


def failed(tracks: Tracks, found: Sums) -> NDArray[np.bool_]:
    """Return (n_tracks,) True where a track was lost inside the frame, at either end.

    A track that reaches the end of the clip or leaves the frame did not fail. Where nobody says
    why a track ended, it left if its next step would have taken it out of the frame. A track
    followed backwards in time fails at its start, where a reason says so.
    """
    ended = tracks.end_status
    at_end = ~np.isin(ended, _NO_FAILURE) & ~(
        (ended == PointStatus.UNSEEN) & _leaving(tracks, found)
    )
    began = tracks.start_status
    at_start = ~np.isin(began, (*_NO_FAILURE, PointStatus.UNSEEN))
    backwards = at_start & (ended == PointStatus.UNSEEN)
    return np.where(backwards, at_start, at_end) & (found.n_samples > 0)


def dropout_rate(tracks: Tracks, found: Sums) -> float:
    """Return the share of tracks that failed early; NaN without tracks."""
    some = found.n_samples > 0
    if not some.any():
        return float("nan")
    life = found.last - found.first + 1
    backwards = ~np.isin(tracks.start_status, (*_NO_FAILURE, PointStatus.UNSEEN))
    room = np.where(backwards, found.last + 1, tracks.n_frames - found.first)
    early = failed(tracks, found) & (life < EARLY_SHARE * room)
    return float(early[some].mean())


def frame_of_failure(tracks: Tracks, found: Sums) -> int | None:
    """Return the clip frame number where the track count first dropped critically, or None.

    Half of a frame's tracks, and at least 4, are gone in this frame for good; or no more than 0.3
    of the most there were are left.
    """
    active = found.frame_active
    if len(active) < 2:
        return None
    ended = np.bincount(found.last[found.n_samples > 0], minlength=tracks.n_frames)
    most = np.maximum.accumulate(active)[:-1]
    at_once = (active[:-1] >= LEAST_ACTIVE) & (ended[:-1] >= CRITICAL_SHARE * active[:-1])
    few = (most >= LEAST_ACTIVE) & (active[1:] <= CRITICAL_LEFT * most)
    critical = np.flatnonzero(at_once | few)
    return int(tracks.frame_numbers[critical[0] + 1]) if len(critical) else None


def _leaving(tracks: Tracks, found: Sums) -> NDArray[np.bool_]:
    """Return (n_tracks,) True where the next step would have left the frame."""
    n = len(tracks)
    if not tracks.n_frames:
        return np.zeros(n, bool)
    each, last = np.arange(n), np.maximum(found.last, 0)
    here = tracks.xy_px[each, last]
    step = here - tracks.xy_px[each, np.maximum(last - 1, 0)]
    there = here + np.nan_to_num(step)
    outside = (there < -0.5) | (there > np.array(tracks.frame_size) - 0.5)
    return np.asarray(outside.any(axis=1))
