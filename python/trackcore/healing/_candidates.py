"""Which lost track might be which later one: time, place and the surface's motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._motion import Carried, Floats, Neighbours
from trackcore.options import HealOptions
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

_LOOKS = (0, 3, 8, 16, 26)  # frames from a track's end at which its patch is looked at
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
    looks_lost, looks_born : tuple of int
        Array indices at which the patches are compared, nearest to the gap first.
    carried : tuple of Carried
        The lost point of each of `looks_lost`, in frame `first`.
    radius_px : float
        How far from there it may be.
    method : str
    """

    lost: int
    born: int
    last: int
    first: int
    looks_lost: tuple[int, ...]
    looks_born: tuple[int, ...]
    carried: tuple[Carried, ...]
    radius_px: float
    method: str


def find_candidates(
    tracks: Tracks, neighbours: Neighbours, options: HealOptions, protected: NDArray[np.bool_]
) -> list[Candidate]:
    """Return all pairs worth a look at the pixels, in the order in which the gaps end."""
    first, last = tracks.first_index, tracks.last_index
    ended = tracks.end_status
    lost = (last >= 0) & (ended != PointStatus.TRACKED) & (ended != PointStatus.OUT_OF_FRAME)
    found = []
    for row in np.flatnonzero(lost & ~protected):
        at = int(last[row])
        gap = tracks.frame_numbers[np.maximum(first, 0)] - tracks.frame_numbers[at] - 1
        near_in_time = (first > at) & (gap <= options.max_gap) & ~protected
        born = np.flatnonzero(near_in_time)
        if len(born):
            found += _of_track(tracks, neighbours, options, int(row), born)
    return sorted(found, key=lambda c: (c.first, c.lost, c.born))


def _of_track(
    tracks: Tracks, neighbours: Neighbours, options: HealOptions, row: int, born: NDArray[np.int64]
) -> list[Candidate]:
    xy, last = tracks.xy_px, int(tracks.last_index[row])
    looks = _looks(tracks.seen[row], last, -1)
    # the last frames before an occluder are often its own: judge motion from before them
    calm = looks[min(2, len(looks) - 1)]
    companions = neighbours.companions(row, calm, -1)
    first = tracks.first_index[born]
    found = []
    for target in np.unique(first):
        here = born[first == target]
        carried = neighbours.carry(xy[row, calm], calm, int(target), companions)
        method = _BY_ANCHORS
        if carried is None:
            gap = tracks.frame_numbers[target] - tracks.frame_numbers[last] - 1
            if gap > options.max_gap_alone:
                continue
            carried, method = neighbours.extrapolate(row, calm, int(target)), _BY_VELOCITY
        radius = 2.0 + 3.0 * carried.sigma_px
        if not radius <= options.max_search_px:
            continue
        distance = np.hypot(*(xy[here, target] - carried.xy_px).T)
        for other in here[distance <= radius + options.max_offset_px]:
            from_looks = tuple(
                _carried(neighbours, xy[row, look], look, int(target), companions, carried)
                for look in looks
            )
            found.append(
                Candidate(
                    row, int(other), last, int(target), looks,
                    _looks(tracks.seen[other], int(target), 1), from_looks, radius, method,
                )
            )  # fmt: skip
    return found


def _carried(
    neighbours: Neighbours,
    xy: Floats,
    source: int,
    target: int,
    companions: tuple[NDArray[np.int64], Floats],
    otherwise: Carried,
) -> Carried:
    found = neighbours.carry(xy, source, target, companions) if len(otherwise.rows) else None
    return otherwise if found is None else found


def _looks(seen: NDArray[np.bool_], at: int, step: int) -> tuple[int, ...]:
    indices = (at + step * look for look in _LOOKS)
    return tuple(i for i in indices if 0 <= i < len(seen) and seen[i])
