"""The best camera that a scene's tracks allow: bundle adjustment started at the truth.

No solver, as it is told the answer: a yardstick for those that are not. Where even this misses a
target, the tracks or the scene are to blame. The lens and the kind of shot are given, the focal
length (per frame where it zooms) is not. Numpy: dense normal equations, points eliminated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bench.solve_metrics import best_points
from bench.solve_truth import Truth
from numpy.typing import NDArray

F64 = NDArray[np.float64]
LOSS_PX = 1.0  # Cauchy
LOST_PX = 5.0  # tracks further off than this under the truth are on something that moves
ITERATIONS = 15


@dataclass
class Fit:
    """Cameras and points: `R` (n, 3, 3), `t` (n, 3), `focal` (n,), `X` (m, 3)."""

    R: F64
    t: F64
    focal: F64
    X: F64


def best_camera(truth: Truth, xy_px: F64) -> tuple[F64, F64, F64, float]:
    """Cameras (n, 4, 4), focal lengths (n,), points (p, 3; NaN: none), mean error [px]."""
    points, off_px = best_points(truth, xy_px)
    error_px = np.sqrt(np.nanmean(off_px**2, axis=1, where=np.isfinite(off_px)))
    good = np.isfinite(points).all(1) & (error_px < LOST_PX)
    flat = np.stack([truth.rays(xy_px[good, i], i) for i in range(len(truth))], 1)
    track, frame = np.nonzero(np.isfinite(flat[..., 0]))
    seen = flat[track, frame] * truth.focal_px[frame, None]  # without lens and principal point
    fit = Fit(
        truth.T_cam_world[:, :3, :3].copy(), truth.T_cam_world[:, :3, 3].copy(),
        truth.focal_px.copy(), points[good].copy(),
    )  # fmt: skip
    fit, r = adjusted(fit, seen, track, frame, columns(truth))
    T = np.repeat(np.eye(4)[None], len(truth), axis=0)
    T[:, :3, :3], T[:, :3, 3] = fit.R, fit.t
    X = np.full((len(xy_px), 3), np.nan)
    X[good] = fit.X
    return T, fit.focal, X, float(np.linalg.norm(r, axis=1).mean())


def adjusted(
    fit: Fit, seen: F64, track: NDArray[np.intp], frame: NDArray[np.intp], free: NDArray[np.intp]
) -> tuple[Fit, F64]:
    """Levenberg and Marquardt: the best fit near this one, and its residuals (k, 2) [px]."""
    damping = 1e-4
    r, *J = linearise(fit, seen, track, frame)
    for _ in range(ITERATIONS):
        new = moved(fit, *normal_step(r, *J, track, frame, free, damping))
        r_new, *J_new = linearise(new, seen, track, frame)
        gain = 1 - robust_cost(r_new) / robust_cost(r)
        if gain < 0:
            damping *= 10
            continue
        fit, r, J, damping = new, r_new, J_new, max(damping / 5, 1e-9)
        if gain < 1e-6:
            break
    return fit, r


def columns(truth: Truth) -> NDArray[np.intp]:
    """(n, 7) column of each frame's turn, shift and focal length; -1: not free."""
    n = len(truth)
    free = np.arange(7 * n).reshape(n, 7)
    if truth.kind in ("tripod", "tripod_zoom"):
        free[:, 3:6] = -1
    if "zoom" not in truth.kind:
        free[:, 6] = free[0, 6]
    used, place = np.unique(free, return_inverse=True)
    return place.reshape(n, 7) - (used[0] == -1)


def linearise(
    fit: Fit, seen: F64, track: NDArray[np.intp], frame: NDArray[np.intp]
) -> tuple[F64, F64, F64]:
    """Residuals (k, 2) [px] and their derivatives by camera (k, 2, 7) and point (k, 2, 3)."""
    R, focal = fit.R[frame], fit.focal[frame]
    turned = np.einsum("kij,kj->ki", R, fit.X[track])
    x, y, z = (turned + fit.t[frame]).T
    r = focal[:, None] * np.stack([x / z, y / z], 1) - seen
    by_camera_point = np.zeros((len(r), 2, 3))
    by_camera_point[:, 0, 0] = by_camera_point[:, 1, 1] = focal / z
    by_camera_point[:, 0, 2], by_camera_point[:, 1, 2] = -focal * x / z**2, -focal * y / z**2
    cross = np.zeros((len(r), 3, 3))  # d(exp(w) v) = -[v] w
    a, b, c = turned.T
    cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = c, -b, a
    cross[:, 1, 0], cross[:, 2, 0], cross[:, 2, 1] = -c, b, -a
    J_camera = np.concatenate(
        [by_camera_point @ cross, by_camera_point, np.stack([x / z, y / z], 1)[..., None]], 2
    )
    return r, J_camera, by_camera_point @ R


def robust_cost(r: F64) -> float:
    """Cauchy's."""
    return float(np.log1p((r**2).sum(1) / LOSS_PX**2).sum())


def normal_step(
    r: F64,
    J_camera: F64,
    J_point: F64,
    track: NDArray[np.intp],
    frame: NDArray[np.intp],
    free: NDArray[np.intp],
    damping: float,
) -> tuple[F64, F64]:
    """Camera (n, 7) and point (m, 3) steps of Levenberg and Marquardt."""
    weight = 1 / (1 + (r**2).sum(1) / LOSS_PX**2)
    n_points, n_columns = int(track.max()) + 1, int(free.max()) + 1
    column = free[frame]
    J_camera = np.where((column >= 0)[:, None], J_camera, 0.0)
    column = np.maximum(column, 0)
    WJ = weight[:, None, None] * J_camera
    H = np.zeros((n_columns, n_columns))
    np.add.at(H, (column[:, :, None], column[:, None, :]), np.einsum("kai,kaj->kij", WJ, J_camera))
    g = np.zeros(n_columns)
    np.add.at(g, column, np.einsum("kai,ka->ki", WJ, r))
    V, h = np.zeros((n_points, 3, 3)), np.zeros((n_points, 3))
    np.add.at(V, track, np.einsum("k,kai,kaj->kij", weight, J_point, J_point))
    np.add.at(h, track, np.einsum("k,kai,ka->ki", weight, J_point, r))
    W = np.zeros((n_points, n_columns, 3))
    np.add.at(W, (track[:, None], column), np.einsum("kai,kaj->kij", WJ, J_point))
    diagonal = np.einsum("mii->mi", V)
    diagonal *= 1 + damping
    diagonal += 1e-12 * diagonal.max() + 1e-30
    V_inverse = np.linalg.inv(V)
    WV = W @ V_inverse
    flat = WV.transpose(1, 0, 2).reshape(n_columns, -1)
    S = H + np.diag(damping * np.diag(H) + 1e-12 * np.diag(H).max())
    S -= flat @ W.transpose(1, 0, 2).reshape(n_columns, -1).T
    camera = np.linalg.lstsq(S, -(g - np.einsum("mci,mi->c", WV, h)), rcond=1e-14)[0]
    point = -np.einsum("mij,mj->mi", V_inverse, h + np.einsum("mci,c->mi", W, camera))
    return np.where(free >= 0, camera[np.maximum(free, 0)], 0.0), point


def moved(fit: Fit, camera: F64, point: F64) -> Fit:
    """Take a step."""
    w = camera[:, :3]
    angle = np.linalg.norm(w, axis=1)[:, None, None]
    K = np.zeros((len(w), 3, 3))
    K[:, 0, 1], K[:, 0, 2], K[:, 1, 2] = -w[:, 2], w[:, 1], -w[:, 0]
    K -= K.transpose(0, 2, 1)
    turn = np.eye(3) + np.sinc(angle / np.pi) * K + np.sinc(angle / 2 / np.pi) ** 2 / 2 * K @ K
    return Fit(turn @ fit.R, fit.t + camera[:, 3:6], fit.focal + camera[:, 6], fit.X + point)
