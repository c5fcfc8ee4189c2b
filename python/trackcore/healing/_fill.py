"""Positions in a gap that the pixels confirm: the patches of both its ends agree on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._bridge import Bridge
from trackcore.healing._evidence import Verdict
from trackcore.healing._motion import Floats
from trackcore.healing._patches import Crop, Match, crop_side, cut, find
from trackcore.options import HealOptions

_NEAR_PX = 2.0  # furthest from the interpolated position
_AGREE_PX = 0.3  # furthest apart of the two patches' answers


@dataclass(slots=True)
class Gap:
    """One accepted gap while it is filled; `xy_px` and `ncc` per frame of it, NaN while hidden."""

    verdict: Verdict
    bridge: Bridge
    xy_px: Floats
    ncc: Floats

    @classmethod
    def empty(cls, verdict: Verdict, bridge: Bridge) -> Gap:
        """Return a gap of which nothing is confirmed yet."""
        n = len(bridge.frames)
        return cls(verdict, bridge, np.full((n, 2), np.nan), np.full(n, np.nan))

    def see(self, index: int, image: NDArray[np.generic], options: HealOptions) -> None:
        """Look for the point in one frame of the gap."""
        assert self.verdict.patches is not None
        before, after, linear = self.verdict.patches
        k = int(index - self.bridge.frames[0])
        expected = self.bridge.xy_px[k]
        here = cut(image, expected, crop_side(options))
        share = (index - before[0]) / (after[0] - before[0])
        onwards = (1 - share) * np.eye(2) + share * linear
        backwards = onwards @ np.linalg.inv(linear)
        one = _found(before, here, Match(expected, onwards, 1.0), options)
        other = _found(after, here, Match(expected, backwards, 1.0), options)
        if one is None or other is None:
            return
        if np.hypot(*(one.xy_px - other.xy_px)) <= _AGREE_PX:
            self.xy_px[k] = (1 - share) * one.xy_px + share * other.xy_px
            self.ncc[k] = min(one.ncc, other.ncc)


def _found(
    patch: tuple[int, Floats, Crop], here: Crop, expected: Match, options: HealOptions
) -> Match | None:
    _, xy, crop = patch
    if crop.image.shape != here.image.shape:
        return None
    return find(crop, xy, here, expected, _NEAR_PX, options)
