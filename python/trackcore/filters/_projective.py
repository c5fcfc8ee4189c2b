"""Several frames as views of one rigid scene, without knowing the cameras.

A point at x in the reference frame is at H_k x + rho e_k in frame k: twelve numbers per frame, one
(rho, the parallax) per point. With rho = 0 this is a homography, so flat scenes and turning cameras
are no special case, and points may not move along their epipolar lines either, because one rho
serves all frames. Source: Hartley & Zisserman, Multiple View Geometry, 2nd ed., sec. 9.5, 7.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.filters._epipolar import (
    Floats,
    cost,
    cross_matrices,
    dominant_homography,
    draw,
    fundamentals,
    homogeneous,
    projected_distance,
    smallest_eigenvectors,
)
from trackcore.filters._order import median, quantiles

_ROUNDS = 8
_RESECTION_SAMPLES = 60
_RHO_STEPS = 3
_MOST_POINTS = 400  # that take part in a fit; more would only take longer
_CELLS = 8  # along the frame's diagonal
LEAST_POINTS = 16
"""Twice the eight points that determine two views: below, agreement proves nothing."""


@dataclass(frozen=True, slots=True)
class RigidFit:
    """How well points agree with one rigid motion.

    Attributes
    ----------
    P : (n_views, 3, 4) float64
        [H | e] of each view.
    residual : (n_points,) float64
        Rms distance over the views, per degree of freedom [normalised]; NaN where too few views
        see the point.
    worst_view : (n_points,) int64
        View with the largest distance.
    scale : float
        Typical residual of the points that agree.
    cost : float
        Misfit of the trusted points seen in all views, cells of the frame (`frame_weight`).
    """

    P: Floats
    residual: Floats
    worst_view: NDArray[np.int64]
    scale: float
    cost: float


def fit_rigid(
    reference: Floats,
    views: Floats,
    limit: float,
    rng: np.random.Generator,
    *,
    trusted: NDArray[np.bool_],
    starts: int = 1,
    flat: bool = False,
) -> RigidFit | None:
    """Fit the rigid motion that most of the frame agrees with, and judge all points.

    Parameters
    ----------
    reference : (n_points, 2) float
        Positions in the reference frame [normalised].
    views : (n_views, n_points, 2) float
        Positions in the others; NaN where unseen. The last view has the widest baseline.
    limit : float
        Residual that is always allowed [normalised].
    trusted : (n_points,) bool
        Points that may take part in the fit; all are judged.
    starts : int
        Different hypotheses that are followed to the end. With more than one, what disagrees with
        the best of them is fitted by itself as well, in case it is the scene.
    flat : bool
        No parallax: a homography per view.

    Returns
    -------
    RigidFit or None
        None with fewer than `LEAST_POINTS` trusted points seen in all views.
    """
    whole = np.flatnonzero(np.isfinite(views[..., 0]).all(axis=0) & trusted)
    if len(whole) < LEAST_POINTS:
        return None
    if len(whole) > _MOST_POINTS:
        whole = np.sort(rng.choice(whole, _MOST_POINTS, replace=False))
    x, seen = homogeneous(reference[whole]), views[:, whole]
    weight = frame_weight(reference[whole])
    everyone = np.ones(len(x), bool)
    P, least, r = _best(x, seen, weight, everyone, limit, rng, starts=starts, flat=flat)
    apart = r > max(limit, 3 * robust_scale(r))
    if starts > 1 and apart.sum() >= LEAST_POINTS:
        other, its, _ = _best(x, seen, weight, apart, limit, rng, starts=starts, flat=flat)
        P, least = (other, its) if its < least else (P, least)
    x = homogeneous(reference)
    rho = np.zeros(len(x)) if flat else _parallax(P, x, views)
    distance = _distances(P, x, rho, views)
    r = _rms(distance)
    worst = np.where(np.isfinite(distance), distance, -1.0).argmax(axis=0)
    return RigidFit(P, r, worst, robust_scale(r[trusted]), least)


def frame_weight(reference: Floats) -> Floats:
    """Return weights (n,) by which each part of the frame counts alike, however many points it has.

    An object close to the camera can have more tracks than the scene behind it, but rarely more of
    the frame.
    """
    cells = np.floor(reference * (_CELLS / 2)).astype(np.int64)
    _, cell, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[cell.ravel()])


def adapted(
    P: Floats, reference: Floats, views: Floats, limit: float, *, flat: bool
) -> tuple[Floats, float]:
    """Return cameras refined from `P` on points seen in all views, and their cost."""
    x = homogeneous(reference)
    rho = np.zeros(len(x)) if flat else _parallax(P, x, views)
    P, r = _refined(P, rho, x, views, limit, flat=flat)
    return P, float(cost(r, frame_weight(reference), limit))


def _best(
    x: Floats, views: Floats, weight: Floats, some: NDArray[np.bool_], limit: float,
    rng: np.random.Generator, *, starts: int, flat: bool,
) -> tuple[Floats, float, Floats]:  # fmt: skip
    """Return the cameras from `some` points that all agree with best, their cost and residuals."""
    if flat:
        begin = [_start_flat(x[some], views[:, some], limit, rng)]
    else:
        begin = _starts(x[some], views[:, some], weight[some], limit, rng, count=starts)
    fits = []
    for P, rho in begin:
        P, _ = _refined(P, rho, x[some], views[:, some], limit, flat=flat)
        rho = np.zeros(len(x)) if flat else _parallax(P, x, views)
        r = _rms(_distances(P, x, rho, views))
        fits.append((P, float(cost(r, weight, limit)), r))
    return min(fits, key=lambda fit: fit[1])


def _refined(
    P: Floats, rho: Floats, x: Floats, views: Floats, limit: float, *, flat: bool
) -> tuple[Floats, Floats]:
    """Return the cameras after alternating with the parallax, and the residuals."""
    for _ in range(_ROUNDS):
        r = _rms(_distances(P, x, rho, views))
        weight = np.clip(1 - (r / (3 * max(limit, robust_scale(r)))) ** 2, 0, None) ** 2
        if flat:
            P = _resect(x, rho, views, P, weight, columns=3)
        else:
            rho, P = _gauge(rho, P, weight)
            P = _resect(x, rho, views, P, weight)
            rho = _parallax(P, x, views)
    return P, _rms(_distances(P, x, rho, views))


def robust_scale(residual: Floats) -> float:
    """Return the median of the residuals that are not outliers to it; 0 if there are none."""
    r = residual[np.isfinite(residual)]
    if not len(r):
        return 0.0
    scale = float(median(r))
    for _ in range(4):
        scale = float(median(r[r <= 3 * scale]))
    return scale


def _starts(
    x: Floats, views: Floats, weight: Floats, limit: float, rng: np.random.Generator, *, count: int
) -> list[tuple[Floats, Floats]]:
    """Return cameras and parallax from the epipolar geometry of the last view, several times."""
    found = fundamentals(x, homogeneous(views[-1]), weight, limit, rng, count=count)
    return [_start(F, x, views, limit, rng) for F in found]


def _start(
    F: Floats, x: Floats, views: Floats, limit: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return cameras and parallax that belong to one fundamental matrix of the last view."""
    epipole = np.linalg.svd(F.T)[2][-1]  # e^T F = 0
    last = np.column_stack([cross_matrices(epipole) @ F, epipole])
    rho = _parallax(last[None], x, views[-1:])
    inlier = np.abs(_distances(last[None], x, rho, views[-1:])[0]) < 2 * limit
    rho, _ = _gauge(rho, last[None], inlier.astype(float))
    usable = np.flatnonzero(inlier & np.isfinite(rho) & (np.abs(rho) < 50))
    if len(usable) < 8:
        usable = np.arange(len(x))
        rho = np.zeros(len(x))
    sample = usable[draw(len(usable), min(7, len(usable) - 1), _RESECTION_SAMPLES, rng)]
    rows = _resection_rows(x, rho, views)  # (views, n, 2, 12)
    chosen = rows[:, sample].reshape(len(views), len(sample), -1, 12)
    P = smallest_eigenvectors(np.swapaxes(chosen, -1, -2) @ chosen).reshape(
        len(views), len(sample), 3, 4
    )
    cost = np.zeros(len(sample))
    for k, candidates in enumerate(P):
        d = _transfer(candidates, x, rho, views[k])
        cost += np.minimum((d / (2 * limit)) ** 2, 1.0).sum(axis=-1)
    return P[:, int(np.argmin(cost))], rho


def _start_flat(
    x: Floats, views: Floats, limit: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the dominant homography of every view, and no parallax."""
    H = [dominant_homography(x, homogeneous(view), 2 * limit, rng) for view in views]
    return np.stack([np.column_stack([h, np.zeros(3)]) for h in H]), np.zeros(len(x))


def _gauge(rho: Floats, P: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the same with parallax of median 0 and unit spread over the points that count."""
    counts = (weight > 0.1) & np.isfinite(rho)
    if counts.sum() < 3:
        return rho, P
    low, middle, high = quantiles(rho[counts], [0.16, 0.5, 0.84])
    spread = max((high - low) / 2, 1e-12)
    P = np.concatenate([P[..., :3] + 0, P[..., 3:] * spread], axis=-1)
    P[..., 2:3] += P[..., 3:] * (middle / spread)
    return np.clip((rho - middle) / spread, -1e3, 1e3), P


def _parallax(P: Floats, x: Floats, views: Floats) -> Floats:
    """Return each point's rho that fits its views best (iteratively weighted least squares)."""
    base = P[..., :3] @ x.T  # (views, 3, n)
    e = P[..., 3:]
    u, v = views[..., 0], views[..., 1]
    # image error * depth = (base + rho e)_xy - uv (base + rho e)_z = c + rho g
    cu, cv = base[:, 0] - u * base[:, 2], base[:, 1] - v * base[:, 2]
    gu, gv = e[:, 0] - u * e[:, 2], e[:, 1] - v * e[:, 2]
    cg, gg = np.nan_to_num(cu * gu + cv * gv), np.nan_to_num(gu * gu + gv * gv)
    floor = 1e-12 * (base[:, 2] ** 2).max() + 1e-30
    rho = np.zeros(x.shape[0])
    for _ in range(_RHO_STEPS):
        w = 1.0 / np.maximum((base[:, 2] + rho * e[:, 2]) ** 2, floor)
        rho = -(w * cg).sum(axis=0) / np.maximum((w * gg).sum(axis=0), 1e-30)
    return np.asarray(rho)


def _resect(
    x: Floats, rho: Floats, views: Floats, P: Floats, weight: Floats, *, columns: int = 4
) -> Floats:
    """Return the cameras that fit points with known parallax best; with 3 columns, e = 0."""
    X = np.column_stack([x, rho])
    depth = P[:, 2] @ X.T
    depth /= np.sqrt((P**2).sum(axis=(1, 2)))[:, None]
    w = weight / np.maximum(depth**2, 1e-10)
    w /= w.sum(axis=1, keepdims=True) + 1e-30
    rows = _resection_rows(x, rho, views)
    rows = (rows * np.sqrt(w)[..., None, None]).reshape(len(views), -1, 12)
    used = np.arange(12).reshape(3, 4)[:, :columns].ravel()
    rows = rows[..., used]
    found = np.zeros((len(views), 12))
    found[:, used] = smallest_eigenvectors(np.swapaxes(rows, -1, -2) @ rows)
    return found.reshape(-1, 3, 4)


def _resection_rows(x: Floats, rho: Floats, views: Floats) -> Floats:
    X = np.broadcast_to(np.column_stack([x, rho]), (len(views), len(x), 4))
    zero = np.zeros_like(X)
    u, v = views[..., :1], views[..., 1:]
    return np.stack(
        [np.concatenate([X, zero, -u * X], -1), np.concatenate([zero, X, -v * X], -1)], axis=2
    )


def _transfer(P: Floats, x: Floats, rho: Floats, view: Floats) -> Floats:
    """Return the distances (..., n) of cameras (..., 3, 4) of one view."""
    return projected_distance(P, np.column_stack([x, rho]).T, view)


def _distances(P: Floats, x: Floats, rho: Floats, views: Floats) -> Floats:
    """Return the distances (n_views, n_points), NaN where unseen."""
    return np.stack(
        [_transfer(camera, x, rho, view) for camera, view in zip(P, views, strict=True)]
    )


def _rms(distance: Floats) -> Floats:
    """Return the rms per degree of freedom; NaN with fewer than two views."""
    count = np.isfinite(distance).sum(axis=0)
    total = np.nansum(distance**2, axis=0)
    return np.where(count >= 2, np.sqrt(total / np.maximum(2 * count - 1, 1)), np.nan)
