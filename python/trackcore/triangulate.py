"""Points in space from where calibrated cameras see them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims, threads_count
from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.types import Points


class TriangulationMethod(StrEnum):
    """How rays that do not quite meet become a point."""

    DLT = "dlt"
    OPTIMAL = "optimal"
    REFINED = "refined"


_METHODS = {member.value: (number, member) for number, member in enumerate(TriangulationMethod)}
"""What the core calls each, by name."""


def triangulate(
    P_img_world: ArrayLike,
    uv_px: ArrayLike,
    *,
    method: str = TriangulationMethod.DLT,
    sigma_px: float = 1.0,
    robust_px: float | None = None,
    min_angle_rad: float = 0.0,
    covariance: bool = True,
    threads: int = 1,
) -> Points:
    """Triangulate points seen by two or more calibrated cameras.

    Parameters
    ----------
    P_img_world : (n_cams, 3, 4) float
        Projections, world [m] to image [px]. Pixel centres are at integers. The third row is depth,
        as in K [R | t]; see Notes.
    uv_px : (n_points, n_cams, 2) float
        Observations, undistorted [px]. NaN where a camera does not see a point.
    method : "dlt", "optimal" or "refined"
        Linear least squares; the least squared move of two positions that makes their rays meet; or
        the least sum of squared distances in the images. "optimal" is of two cameras only; for
        two, it and "refined" are the same place by different ways.
    sigma_px : float
        Standard deviation of one coordinate of an observation [px]: the scale of `covariance`.
    robust_px : float, optional
        "refined" only: distances beyond this count in proportion and not squared (Huber) [px].
    min_angle_rad : float
        Points whose rays all cross at less are not given a place: `SMALL_ANGLE`.
    covariance : bool
        False: do not make it, `Points.covariance` is None.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    Points
        `X_world` (n_points, 3) [m], `status` (n_points,), `covariance` (n_points, 3, 3),
        `reprojection_px`, `view_error_px` (n_points, n_cams), `angle_rad`.

    Raises
    ------
    InputError
        If an argument has the wrong type, shape or range, a projection is not of a camera with a
        centre, or "optimal" is asked of other than two cameras. A point that cannot be triangulated
        does not raise: its status says why.

    Notes
    -----
    "dlt" solves the equations u P[2] - P[0], v P[2] - P[1] unscaled, as `cv2.triangulatePoints`
    does (Hartley & Zisserman 2004, sec. 12.2). "optimal" is Lindstrom 2010. "refined" starts from
    "dlt" and takes Gauss-Newton steps, damped where they would not help. The covariance is
    sigma_px^2 times the inverse of the normal matrix of the reprojection error: exact to first
    order for the last two, and a little small for "dlt", which is not the most likely place.

    A world may be left-handed: signs are taken as they are. Only if some projections have a
    negative determinant (of the left 3 x 3) and others a positive one are they made alike.

    O(n_points * n_cams), the angle O(n_points * n_cams^2). Releases the GIL.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> P = tc.synth.ring_of_cameras(3)
    >>> uv = tc.synth.project(P, [[0.1, -0.2, 0.3], [0.0, 0.1, 0.2]])
    >>> uv[1, 1:] = np.nan
    >>> points = tc.triangulate(P, uv)
    >>> points.X_world[0].round(6).tolist()
    [0.1, -0.2, 0.3]
    >>> tc.Triangulation(points.status[1]).name
    'TOO_FEW_VIEWS'
    """
    workers = threads_count(threads)
    dims = Dims()
    P = _projections(dims.array("P_img_world", P_img_world, ("n_cams", 3, 4)))
    uv = dims.array("uv_px", uv_px, ("n_points", "n_cams", 2))
    number, chosen = _method(method)
    if chosen is TriangulationMethod.OPTIMAL and len(P) != 2:
        raise InputError(
            f'method: expected "dlt" or "refined" for {len(P)} cameras, got "optimal", which is of'
            " two"
        )
    if robust_px is not None and chosen is not TriangulationMethod.REFINED:
        raise InputError(f'robust_px: expected None unless method="refined", got {robust_px!r}')
    if not isinstance(covariance, (bool, np.bool_)):
        raise InputError(f"covariance: expected True or False, got {covariance!r}")
    robust = math.inf if robust_px is None else _number("robust_px", robust_px, 0.0, math.inf)
    sigma = _number("sigma_px", sigma_px, 0.0, math.inf)
    angle = _number("min_angle_rad", min_angle_rad, -math.inf, math.pi)
    if angle < 0:
        raise InputError(f"min_angle_rad: expected an angle >= 0, got {min_angle_rad!r}")
    return Points(
        *_core.triangulate(P, uv, number, sigma, robust, angle, bool(covariance), workers)
    )


def _method(method: object) -> tuple[int, TriangulationMethod]:
    if isinstance(method, str) and method.lower() in _METHODS:
        return _METHODS[method.lower()]
    raise InputError(f"method: expected one of {', '.join(_METHODS)}, got {method!r}")


def _number(name: str, value: object, above: float, below: float) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or isinstance(value, bool) or not above < float(value) < below:  # type: ignore[arg-type]
        raise InputError(
            f"{name}: expected a number between {above:g} and {below:g}, got {value!r}"
        )
    return float(value)  # type: ignore[arg-type]


def _projections(P: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `P`, or say which of them is not of a camera with a centre."""
    if len(P) < 2:
        raise InputError(f"P_img_world: expected two cameras or more, got {len(P)}")
    bad = _core.first_without_center(P)
    if bad < len(P):
        raise InputError(
            f"P_img_world[{bad}]: expected finite numbers and a regular left 3 x 3, as K R is,"
            f" got {P[bad].tolist()}"
        )
    return P
