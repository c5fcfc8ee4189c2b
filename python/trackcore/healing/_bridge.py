"""Where the point was during a gap, and where it is along the later track."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._evidence import Verdict
from trackcore.healing._motion import Carried, Floats, Neighbours
from trackcore.tracks import Tracks

_STRIDE = 5  # frames between fits of how offsets deform along a track
_SMALL_PX = 0.02  # an offset that no deformation makes worth a fit


@dataclass(frozen=True, slots=True)
class Bridge:
    """One gap and what surrounds it. Positions are those of the lost point.

    Attributes
    ----------
    frames : (k,) int64
        Array indices of the frames in the gap.
    xy_px : (k, 2) float64
        From the neighbours' motion.
    rows, weights : (m,)
        Tracks that told the motion, and how well each agreed.
    """

    frames: NDArray[np.int64]
    xy_px: Floats
    rows: NDArray[np.int64]
    weights: Floats


def build_bridge(tracks: Tracks, neighbours: Neighbours, verdict: Verdict) -> Bridge:
    """Interpolate a gap: carried from both ends by the neighbours, blended by time."""
    c = verdict.candidate
    assert verdict.patches is not None
    assert verdict.offset_px is not None
    (source, at_source, _), (target, at_target, _), _ = verdict.patches
    frames = np.arange(c.last + 1, c.first)
    before = neighbours.companions(c.lost, source, -1)
    after = neighbours.companions(c.born, target, 1)
    ahead = [neighbours.carry(at_source, source, int(t), before) for t in frames]
    back = [neighbours.carry(at_target, target, int(t), after) for t in frames]
    start = tracks.xy_px[c.lost, c.last]
    end = tracks.xy_px[c.born, c.first] + verdict.offset_px
    xy = np.empty((len(frames), 2))
    for k, (one, other) in enumerate(zip(ahead, back, strict=True)):
        share = (k + 1) / (len(frames) + 1)
        if one is not None and other is not None:
            xy[k] = (1 - share) * one.xy_px + share * other.xy_px
        elif one is not None or other is not None:
            xy[k] = (one or other).xy_px  # type: ignore[union-attr]
        else:
            xy[k] = (1 - share) * start + share * end
    rows, weights = _witnesses([*ahead, *back, *c.carried], len(tracks.ids))
    return Bridge(frames, xy, rows, weights)


def _witnesses(carried: list[Carried | None], n: int) -> tuple[NDArray[np.int64], Floats]:
    total, count = np.zeros(n), np.zeros(n)
    for one in carried:
        if one is not None:
            total[one.rows] += one.weights
            count[one.rows] += 1
    rows = np.flatnonzero(total > 0)
    return rows, total[rows] / count[rows]


def deformation(tracks: Tracks, neighbours: Neighbours, row: int, first: int, last: int) -> Floats:
    """Return how offsets from a track deform from frame `first` to each frame up to `last`.

    (last - first + 1, 2, 2): fitted to the neighbours every few frames, linear between.
    """
    knots = [*range(first, last, _STRIDE), last]
    at_knots = [np.eye(2)]
    for t, after in pairwise(knots):
        step = np.eye(2)
        if np.isfinite(tracks.xy_px[row, [t, after]]).all():
            companions = neighbours.companions(row, t, 1)
            carried = neighbours.carry(tracks.xy_px[row, t], t, after, companions)
            if carried is not None:
                step = carried.linear
        at_knots.append(step @ at_knots[-1])
    stack = np.stack(at_knots)
    out = np.empty((last - first + 1, 2, 2))
    for i in range(2):
        for j in range(2):
            out[:, i, j] = np.interp(np.arange(first, last + 1), knots, stack[:, i, j])
    return out


def moved_by(tracks: Tracks, neighbours: Neighbours, row: int, offset_px: Floats) -> Floats:
    """Return the positions of a point beside a track, (n_frames, 2); NaN where it is unseen."""
    xy = tracks.xy_px[row].copy()
    first, last = int(tracks.first_index[row]), int(tracks.last_index[row])
    if np.hypot(*offset_px) < _SMALL_PX:
        return np.asarray(xy + offset_px)
    linear = deformation(tracks, neighbours, row, first, last)
    xy[first : last + 1] += linear @ offset_px
    return np.asarray(xy)
