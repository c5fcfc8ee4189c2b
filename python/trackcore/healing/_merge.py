"""Accepted gaps -> one set of tracks in which the later track goes on under the earlier's id."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._bridge import moved_by
from trackcore.healing._fill import Gap
from trackcore.healing._motion import Floats, Neighbours
from trackcore.options import Fill, HealOptions
from trackcore.tracks import Tracks
from trackcore.types import PointStatus


def merge(
    tracks: Tracks, neighbours: Neighbours, gaps: list[Gap], options: HealOptions
) -> tuple[Tracks, Floats]:
    """Return the joined tracks and the interpolated positions of their hidden samples."""
    xy, status, ncc = tracks.xy_px.copy(), tracks.status.copy(), tracks.ncc.copy()
    hidden = np.full_like(xy, np.nan)
    onwards = {gap.verdict.candidate.lost: gap for gap in gaps}
    later = {gap.verdict.candidate.born for gap in gaps}
    for root in onwards.keys() - later:
        row, offset = root, np.zeros(2)
        while row in onwards:
            gap = onwards[row]
            c = gap.verdict.candidate
            frames, confirmed = gap.bridge.frames, np.isfinite(gap.ncc)
            # what had slid off before the point was hidden goes
            slid = status[root, gap.bridge.last + 1 : gap.bridge.first] == PointStatus.TRACKED
            status[root, gap.bridge.last + 1 : gap.bridge.first][slid] = PointStatus.LOST
            xy[root, frames] = gap.xy_px + offset
            ncc[root, frames] = gap.ncc
            status[root, frames[confirmed]] = PointStatus.TRACKED
            hidden[root, frames[~confirmed]] = gap.bridge.xy_px[~confirmed] + offset
            assert gap.verdict.offset_px is not None
            offset = gap.verdict.offset_px + c.carried.linear @ offset
            at = slice(gap.bridge.first, int(tracks.last_index[c.born]) + 1)
            moved = moved_by(tracks, neighbours, c.born, offset)
            xy[root, at] = moved[at]
            ncc[root, at.start :] = tracks.ncc[c.born, at.start :]
            status[root, at.start :] = tracks.status[c.born, at.start :]
            offset = moved[at.stop - 1] - tracks.xy_px[c.born, at.stop - 1]
            row = c.born
    _fill_hidden(xy, status, hidden, tracks.frame_size, options)
    keep = np.ones(len(tracks.ids), bool)
    keep[list(later)] = False
    joined = Tracks(
        tracks.ids[keep], xy[keep], status[keep], ncc[keep], tracks.t_ns, tracks.frame_size,
        tracks.fps, tracks.first_frame, tracks.frame_numbers,
    )  # fmt: skip
    return joined, hidden[keep]


def _fill_hidden(
    xy: Floats, status: NDArray[np.uint8], hidden: Floats, size: tuple[int, int],
    options: HealOptions,
) -> None:  # fmt: skip
    """Make positions of interpolated samples inside the frame where the user asked for them."""
    if options.fill is not Fill.ALL:
        return
    inside = ((hidden >= -0.5) & (hidden <= np.array(size) - 0.5)).all(axis=2)
    xy[inside] = hidden[inside]
    status[inside] = PointStatus.TRACKED
