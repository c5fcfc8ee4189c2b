"""Which lost track might be which later one: time, place and the surface's motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._ends import End, end_of
from trackcore.healing._motion import Carried, Floats, Neighbours, Walk
from trackcore.options import HealOptions
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

_COARSE_PX = 16.0  # more than motion leaves the straight line between two frames of a walk
_LEAST_RADIUS_PX = 4.0  # neighbours that agree may all be of the occluder: the pixels will tell
_BY_ANCHORS, _BY_VELOCITY = "anchor_weighted", "constant_velocity"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Track row `lost` might go on as track row `born`.

    Attributes
    ----------
    lost, born : int
        Rows of the two tracks.
    last, first : int
        Array indices of the last position before and the first after the gap.
    before, after : End
        Where the two can be believed.
    carried : Carried
        The lost point, from `before.calm` to `after.calm`.
    linear : tuple of (2, 2) float64
        How offsets deform from each look before the gap to `after.calm`.
    radius_px : float
        How far from there the point may be.
    method : str
    """

    lost: int
    born: int
    last: int
    first: int
    before: End
    after: End
    carried: Carried
    linear: tuple[Floats, ...]
    radius_px: float
    method: str


class _Finder:
    def __init__(self, tracks: Tracks, neighbours: Neighbours, options: HealOptions) -> None:
        self._tracks, self._neighbours, self._options = tracks, neighbours, options
        self._starts: dict[int, End] = {}

    def start(self, row: int) -> End:
        if row not in self._starts:
            self._starts[row] = end_of(self._tracks, self._neighbours, row, 1)
        return self._starts[row]

    def of_track(self, row: int, born: NDArray[np.int64]) -> list[Candidate]:
        tracks, options, neighbours = self._tracks, self._options, self._neighbours
        xy, last = tracks.xy_px, int(tracks.last_index[row])
        before = end_of(tracks, neighbours, row, -1)
        starts = [self.start(int(other)) for other in born]
        calm = before.calm
        furthest = max(start.calm for start in starts)
        walk = Walk(neighbours, xy[row, calm], calm, furthest, before.trust)
        back = Walk(neighbours, xy[row, calm], calm, before.looks[-1], before.trust)
        earlier = [back.at(look) for look in before.looks]
        found = []
        calms = np.array([start.calm for start in starts])
        rows = np.array([start.row for start in starts])
        # NaN, beyond the walk, is not far: there the track's own velocity has a say
        far_off = np.hypot(*(xy[rows, calms] - walk.roughly(calms)).T) > _COARSE_PX
        for start in (start for start, far in zip(starts, far_off, strict=True) if not far):
            first = int(tracks.first_index[start.row])
            carried, method = walk.at(start.calm), _BY_ANCHORS
            if carried is None:
                gap = tracks.frame_numbers[first] - tracks.frame_numbers[last] - 1
                if gap > options.max_gap_alone:
                    continue
                carried, method = neighbours.extrapolate(row, calm, start.calm), _BY_VELOCITY
            radius = _LEAST_RADIUS_PX + 3.0 * carried.sigma_px
            far = np.hypot(*(xy[start.row, start.calm] - carried.xy_px))
            if radius > options.max_search_px or far > radius + options.max_offset_px:
                continue
            linear = tuple(
                carried.linear if e is None else carried.linear @ np.linalg.inv(e.linear)
                for e in earlier
            )
            found.append(
                Candidate(
                    row, start.row, last, first, before, start, carried, linear, radius, method
                )
            )
        return found


def find_candidates(
    tracks: Tracks, neighbours: Neighbours, options: HealOptions, protected: NDArray[np.bool_]
) -> list[Candidate]:
    """Return all pairs worth a look at the pixels, in the order in which the gaps end."""
    first, last = tracks.first_index, tracks.last_index
    ended = tracks.end_status
    lost = (last >= 0) & (ended != PointStatus.TRACKED) & (ended != PointStatus.OUT_OF_FRAME)
    finder = _Finder(tracks, neighbours, options)
    found = []
    for row in np.flatnonzero(lost & ~protected):
        at = int(last[row])
        gap = tracks.frame_numbers[np.maximum(first, 0)] - tracks.frame_numbers[at] - 1
        born = np.flatnonzero((first > at) & (gap <= options.max_gap) & ~protected)
        if len(born):
            found += finder.of_track(int(row), born)
    return sorted(found, key=lambda c: (c.first, c.lost, c.born))
