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


class Triangulation(IntEnum):
    """Why a point has a place in space, or has none. The values match those in the C++ core.

    `TOO_FEW_VIEWS`: fewer than two cameras see it. `AT_INFINITY`: its rays are parallel (within
    1e-7 rad), or all leave one centre. `BEHIND_CAMERA`: the rays meet behind a camera that sees it.
    `SMALL_ANGLE`: they cross at less than was asked for, or lie on one line. `NOT_CONVERGED`: the
    refinement did not settle.
    """

    OK = 0
    TOO_FEW_VIEWS = 1
    AT_INFINITY = 2
    BEHIND_CAMERA = 3
    SMALL_ANGLE = 4
    NOT_CONVERGED = 5


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


@dataclass(frozen=True, slots=True)
class Points:
    """Points in space. All but `status` is NaN where there is none, `angle_rad` below two views.

    Attributes
    ----------
    X_world : (n, 3) float64
        Positions [m].
    status : (n,) uint8
        `Triangulation` of each point.
    covariance : (n, 3, 3) float64 or None
        Of the position [m^2], for the `sigma_px` that was given.
    reprojection_px : (n,) float64
        Rms over the views of the distance between where the point was seen and where it projects.
    view_error_px : (n, n_cams) float64
        That distance in each view; NaN also where the view does not see the point.
    angle_rad : (n,) float64
        The largest angle between two of the rays, 0 .. pi.
    """

    X_world: NDArray[np.float64]
    status: NDArray[np.uint8]
    covariance: NDArray[np.float64] | None
    reprojection_px: NDArray[np.float64]
    view_error_px: NDArray[np.float64]
    angle_rad: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.status)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(n,) True where the point has a place."""
        good: NDArray[np.bool_] = self.status == Triangulation.OK
        return good
