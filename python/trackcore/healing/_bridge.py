"""Where the point was during a gap, and where it is along the later track."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._evidence import Verdict
from trackcore.healing._motion import Carried, Floats, Neighbours, Walk
from trackcore.tracks import Tracks

_STRIDE = 5  # frames between fits of how offsets deform along a track
_SLID_PX = 0.6  # a position so far from the neighbours' belongs to what hides the point
_SMALL_PX = 0.02  # an offset that no deformation makes worth a fit


@dataclass(frozen=True, slots=True)
class Bridge:
    """One gap and what surrounds it. Positions are those of the lost point.

    Attributes
    ----------
    last, first : int
        Array indices of the last believed position before the gap and the first after it.
    frames : (k,) int64
        Array indices between them.
    xy_px : (k, 2) float64
        From the neighbours' motion.
    rows : (m,) int64
        Tracks that told the motion.
    weights : (m,) float64
        How well each agreed.
    """

    last: int
    first: int
    frames: NDArray[np.int64]
    xy_px: Floats
    rows: NDArray[np.int64]
    weights: Floats


def build_bridge(tracks: Tracks, neighbours: Neighbours, verdict: Verdict) -> Bridge:
    """Interpolate a gap: carried from both ends by the neighbours, blended by time.

    The gap is widened over positions that had slid off with what hid the point.
    """
    c = verdict.candidate
    assert verdict.patches is not None
    assert verdict.offset_px is not None
    (source, at_source, _), (target, at_target, _), _ = verdict.patches
    one, other = c.before.calm, c.after.calm
    ahead = Walk(neighbours, at_source, source, target, c.before.trust)
    back = Walk(neighbours, at_target, target, source, c.after.trust)
    start, end = tracks.xy_px[c.lost, one], tracks.xy_px[c.born, other] + verdict.offset_px
    carried: list[Carried] = []
    xy = np.empty((other - one - 1, 2))
    for k, index in enumerate(range(one + 1, other)):
        share = (index - one) / (other - one)
        ways = [(1 - share, ahead.at(index)), (share, back.at(index))]
        found = [(weight, way) for weight, way in ways if way is not None]
        carried += [way for _, way in found]
        total = sum(weight for weight, _ in found)
        if found:
            xy[k] = sum(weight * way.xy_px for weight, way in found) / total
        else:
            xy[k] = (1 - share) * start + share * end
    last, first = one, other
    before, after = tracks.xy_px[c.lost], tracks.xy_px[c.born] + verdict.offset_px
    while last < c.last and _on(before[last + 1], xy[last - one]):
        last += 1
    while first > c.first and first > last + 1 and _on(after[first - 1], xy[first - 2 - one]):
        first -= 1
    frames = np.arange(last + 1, first)
    rows, weights = _witnesses([*carried, c.carried])
    return Bridge(last, first, frames, xy[frames - one - 1], rows, weights)


def _on(xy: Floats, expected: Floats) -> bool:
    return bool(np.hypot(*(xy - expected)) <= _SLID_PX)


def _witnesses(carried: list[Carried]) -> tuple[NDArray[np.int64], Floats]:
    n = len(carried[0].trust)
    total, count = np.zeros(n), np.zeros(n)
    for one in carried:
        total[one.used] += one.trust[one.used]
        count[one.used] += 1
    rows = np.flatnonzero(count)
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
            trust = neighbours.companions(row, t, after)
            here = Carried(tracks.xy_px[row, t], np.eye(2), 0.0, trust, np.zeros(0, np.int64))
            carried = neighbours.carry(here, t, after)
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
