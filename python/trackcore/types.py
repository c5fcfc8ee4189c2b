"""The currency between stages: frozen, validated structs of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class PointStatus(IntEnum):
    """Why a point has a position, or has none. The values match `PointStatus` in the C++ core."""

    TRACKED = 0
    OUT_OF_FRAME = 1
    LOW_TEXTURE = 2
    NOT_CONVERGED = 3
    LOW_CORRELATION = 4
    FAILED_FB = 5
    LOST = 6
    UNSEEN = 7


@dataclass(frozen=True, slots=True)
class PointMatches:
    """Where points went, from one image to the next. Everything but `status` is NaN where lost.

    Attributes
    ----------
    xy_px : (n, 2) float64
        Positions in the next image [px], pixel centres at integers.
    status : (n,) uint8
        `PointStatus` of each point.
    ncc : (n,) float32
        Normalised cross-correlation of the two patches at the result, -1 .. 1.
    residual : (n,) float32
        Rms difference of the two patches after the photometric model [grey levels].
    sigma_px : (n,) float32
        One standard deviation of the position per axis [px], from the local Hessian and the
        measured residual.
    fb_px : (n,) float32
        Distance from the start after tracking back [px]; NaN unless asked for.
    """

    xy_px: NDArray[np.float64]
    status: NDArray[np.uint8]
    ncc: NDArray[np.float32]
    residual: NDArray[np.float32]
    sigma_px: NDArray[np.float32]
    fb_px: NDArray[np.float32]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(n,) True where the point was tracked."""
        tracked: NDArray[np.bool_] = self.status == PointStatus.TRACKED
        return tracked


@dataclass(frozen=True, slots=True)
class RegionMatches(PointMatches):
    """`PointMatches` plus how each pattern deformed.

    Attributes
    ----------
    warp : (n, 3, 3) float64
        Homography from pixels of the previous image to pixels of the next; NaN where lost.
    """

    warp: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Features:
    """Places worth tracking, strongest first.

    Attributes
    ----------
    xy_px : (n, 2) float64
        Positions [px], pixel centres at integers.
    score : (n,) float32
        Smaller eigenvalue of the structure tensor, in squared grey levels per squared pixel.
    """

    xy_px: NDArray[np.float64]
    score: NDArray[np.float32]
