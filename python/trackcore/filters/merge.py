"""Averaging tracks that follow the same thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.filters._duplicates import duplicate_pairs
from trackcore.filters.report import track_flags
from trackcore.options import FilterOptions, require_options
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

_ALL = FilterOptions()


@dataclass(frozen=True, slots=True, eq=False)
class MergedTracks:
    """What `merge_duplicates` made.

    Attributes
    ----------
    tracks : Tracks
        Without the duplicates; the better track of each pair keeps its id.
    merged_into : dict of int to int
        Id of each track that is gone, and of the one it went into.
    """

    tracks: Tracks
    merged_into: dict[int, int]


def merge_duplicates(
    tracks: Tracks, options: FilterOptions = _ALL, *, protected: ArrayLike | None = None
) -> MergedTracks:
    """Average tracks that follow the same thing, instead of having it count twice in a solve.

    Parameters
    ----------
    tracks : Tracks
    options : FilterOptions
        `duplicate_px`, `duplicate_share`, `duplicate_frames`: what a duplicate is.
    protected : (n_tracks,) bool, optional
        The user's own tracks: never moved and never removed.

    Returns
    -------
    MergedTracks

    Raises
    ------
    InputError
        If `protected` is not one boolean per track.

    Notes
    -----
    The worse track is shifted by its median distance from the better one, so that its points are
    the better one's; then both count alike where both are seen, and it fills in where the better
    one is not. Averaging two independent measurements halves the variance.
    """
    require_options(options, FilterOptions)
    mine = track_flags("protected", protected, len(tracks))
    pairs = duplicate_pairs(tracks, options, mine)
    xy, status, ncc = tracks.xy_px.copy(), tracks.status.copy(), tracks.ncc.copy()
    count = tracks.seen.astype(np.int64)
    gone = np.zeros(len(tracks), bool)
    into: dict[int, int] = {}
    for kept, dropped in zip(pairs.kept.tolist(), pairs.dropped.tolist(), strict=True):
        if mine[dropped]:
            continue
        gone[dropped] = True
        into[int(tracks.ids[dropped])] = int(tracks.ids[kept])
        if not mine[kept]:
            _add(xy, status, ncc, count, kept, dropped, tracks)
    merged = Tracks(
        tracks.ids, xy, status, ncc, tracks.t_ns, tracks.frame_size, tracks.fps,
        tracks.first_frame, tracks.frame_numbers,
    )  # fmt: skip
    return MergedTracks(merged.select(~gone), into)


def _add(
    xy: NDArray[np.float64], status: NDArray[np.uint8], ncc: NDArray[np.float32],
    count: NDArray[np.int64], kept: int, dropped: int, tracks: Tracks,
) -> None:  # fmt: skip
    """Average the samples of `dropped` into those of `kept`, in place."""
    seen = tracks.seen[dropped]
    both = seen & tracks.seen[kept]
    shift = np.median(tracks.xy_px[kept, both] - tracks.xy_px[dropped, both], axis=0)
    moved = tracks.xy_px[dropped] + shift
    n = count[kept, seen][:, None]
    before = np.where(n > 0, xy[kept, seen], 0.0)
    xy[kept, seen] = (before * n + moved[seen]) / (n + 1)
    fresh = seen & (count[kept] == 0)
    status[kept, fresh] = PointStatus.TRACKED
    ncc[kept, fresh] = tracks.ncc[dropped, fresh]
    count[kept, seen] += 1
