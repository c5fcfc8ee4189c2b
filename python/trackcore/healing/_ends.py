"""The ends of tracks: from where on a track can be believed, seen from the gap beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackcore.healing._motion import Floats, Neighbours, Walk
from trackcore.tracks import Tracks

_LOOKS = (0, 3, 8, 16, 26)  # frames from the end at which a patch may be looked at
_BEYOND = 10  # frames behind the deepest look that tell who moves along
_LEAST_DEPTH = 0.4  # of the track; agreement of a shorter part proves too little
_SLID_PX = 0.75  # a track so far from where its neighbours carry it has left its surface


@dataclass(frozen=True, slots=True)
class End:
    """One end of a track, beside a gap.

    A track that is being hidden often slides along with what hides it before it is lost, and a
    new one may ride on the edge at first. Neighbours tell: looks nearer to the gap than the first
    that disagrees are dropped.

    Attributes
    ----------
    row : int
    looks : tuple of int
        Array indices at which the track is believed, nearest to the gap first.
    trust : (n_tracks,) float64
        Who moves with it.
    """

    row: int
    looks: tuple[int, ...]
    trust: Floats

    @property
    def calm(self) -> int:
        """The believed frame nearest to the gap."""
        return self.looks[0]


def end_of(tracks: Tracks, neighbours: Neighbours, row: int, step: int) -> End:
    """Return a track's last part (`step` -1: looking back from its end) or its first (+1)."""
    seen = tracks.seen[row]
    edge = int(tracks.last_index[row] if step < 0 else tracks.first_index[row])
    looks = [edge + step * k for k in _LOOKS]
    looks = [i for i in looks if 0 <= i < len(seen) and seen[i]]
    best = _believed(tracks, neighbours, row, step, looks)
    # the deepest look may be on what hides the other end
    life = int(tracks.last_index[row] - tracks.first_index[row])
    least = _LEAST_DEPTH * min(life, _LOOKS[-1])
    while len(best.looks) < len(looks) and abs(looks[-2] - edge) >= least:
        looks = looks[:-1]
        other = _believed(tracks, neighbours, row, step, looks)
        if len(other.looks) > len(best.looks):
            best = other
    return best


def _believed(tracks: Tracks, neighbours: Neighbours, row: int, step: int, looks: list[int]) -> End:
    """Return the looks from the deepest towards the gap, as far as its neighbours confirm them."""
    seen = tracks.seen[row]
    edge, deep = looks[0], looks[-1]
    other = deep
    while 0 <= other + step < len(seen) and seen[other + step] and abs(other - deep) < _BEYOND:
        other += step
    one = deep + (edge - deep) // 2 if abs(other - deep) < _BEYOND // 2 else deep
    trust = neighbours.companions(row, one, other)
    walk = Walk(neighbours, tracks.xy_px[row, deep], deep, edge, trust)
    believed = [deep]
    for look in reversed(looks[:-1]):
        carried = walk.at(look)
        if carried is not None:
            off = np.hypot(*(carried.xy_px - tracks.xy_px[row, look]))
            if off > _SLID_PX + 2 * carried.sigma_px:
                break
            trust = carried.trust
        believed.insert(0, look)
    return End(row, tuple(believed), trust)
