"""Bundle adjustment where COLMAP has none: points at infinity, a focal length for every frame.

Levenberg-Marquardt with the points eliminated (Triggs et al. 2000, "Bundle adjustment - a modern
synthesis"), dense in numpy: tracks live long, so the reduced matrix is full anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._cancel import proceed
from trackcore.solver._poses import cross_matrix, in_cameras, rotation
from trackcore.solver._thinned import ENOUGH_FRAMES

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MOST_DAMPING, LEAST_DAMPING = 1e10, 1e-10


@dataclass(frozen=True, slots=True)
class Model:
    """What moves.

    `travels`: the camera has a position and points have a depth; otherwise it only turns and
    points are directions. `focal`: "fixed", "shared", or "free" in every frame. `steady`: how
    far log(focal) may bend from one frame to the next, one standard deviation. `loss_px`: errors
    beyond count less and less (Cauchy). `most_frames`: adjusted together.
    """

    travels: bool
    focal: str
    loss_px: float
    steady: float = 0.002
    iterations: int = 40
    most_frames: int = ENOUGH_FRAMES

    def apart(self, frames: float) -> Model:
        """Return the model of frames so far from each other: a bend goes with the square."""
        return replace(self, steady=self.steady * frames**2)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Cameras (n, 4, 4) world to camera, points or directions (n, 3), focal lengths (n,) [px]."""

    T: Floats
    X: Floats
    focal: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Normal:
    """The normal equations: camera blocks, camera-point blocks, point blocks."""

    A: Floats  # (cameras' parameters squared), points eliminated below
    g: Floats
    E: Floats  # (n_points, q, cameras' parameters)
    B: Floats  # (n_points, q, q)
    b: Floats  # (n_points, q)


def adjust(start: Estimate, uv: Floats, use: Flags, model: Model) -> Estimate:
    """Return what fits the observations best.

    Parameters
    ----------
    start : Estimate
        Without NaN: select frames and tracks first.
    uv : (n_tracks, n_frames, 2) float64
        [centred px]; what `use` does not mark is not looked at.
    use : (n_tracks, n_frames) bool
    model : Model
    """
    uv = np.where(use[..., None], uv, 0.0)
    current, damping = start, 1e-3
    cost = _cost(current, uv, use, model)
    for _ in range(model.iterations):
        proceed()
        normal = _normal(current, uv, use, model)
        while damping < MOST_DAMPING:
            trial = _moved(current, *_step(normal, damping), model)
            trial_cost = _cost(trial, uv, use, model)
            if trial_cost < cost:
                break
            damping = max(damping, 1e-6) * 10
        else:
            break
        gained, cost, current = cost - trial_cost, trial_cost, trial
        damping = max(damping / 10, LEAST_DAMPING)
        if gained < 1e-6 * cost:
            break
    return current


def information(estimate: Estimate, uv: Floats, use: Flags, model: Model) -> Floats:
    """Return the information matrix of the cameras' free parameters, points eliminated.

    In units of one pixel of noise; per frame: rotation (3), position in its own frame (3, if it
    travels), then what of the focal length is free, at the end where all share it.
    """
    normal = _normal(estimate, np.where(use[..., None], uv, 0.0), use, model)
    return _reduced(normal, 0.0)[0]


def _width(model: Model) -> int:
    return 7 if model.travels else 4


def _tangent(X: Floats, model: Model) -> Floats:
    """Return (n, 3, q): how a point moves with its own parameters."""
    if model.travels:
        return np.broadcast_to(np.eye(3), (len(X), 3, 3))
    other = np.eye(3)[np.abs(X).argmin(axis=1)]
    u = np.cross(X, other)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    return np.stack([u, np.cross(X, u)], axis=2)


def _predicted(e: Estimate) -> tuple[Floats, Floats]:
    """Return points in the cameras (n, f, 3) and their pictures (n, f, 2) in focal lengths."""
    Y = in_cameras(e.T, e.X)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Y, Y[..., :2] / Y[..., 2:]


def _cost(e: Estimate, uv: Floats, use: Flags, model: Model) -> float:
    Y, p = _predicted(e)
    with np.errstate(invalid="ignore", over="ignore"):
        squared = ((p * e.focal[None, :, None] - uv) ** 2).sum(axis=-1)
        behind = use & ~(Y[..., 2] > 0)
    if behind.any() or not np.isfinite(squared[use]).all():
        return float("inf")
    cost = model.loss_px**2 * np.log1p(squared[use] / model.loss_px**2).sum()
    bend = np.diff(np.log(e.focal), 2) / model.steady if model.focal == "free" else np.zeros(1)
    return float(cost + (bend**2).sum())


def _normal(e: Estimate, uv: Floats, use: Flags, model: Model) -> _Normal:
    Y, p = _predicted(e)
    n, f = use.shape
    focal = e.focal[None, :, None]
    r = np.where(use[..., None], p * focal - uv, 0.0)
    w = np.where(use, 1 / (1 + (r**2).sum(axis=-1) / model.loss_px**2), 0.0)
    D = np.zeros((n, f, 2, 3))  # of the picture by the point in the camera
    D[..., 0, 0] = D[..., 1, 1] = 1.0
    D[..., 2] = -p
    with np.errstate(divide="ignore", invalid="ignore"):
        D *= (focal / Y[..., 2:])[..., None]
    D = np.where(use[..., None, None], D, 0.0)
    turned = np.where(use[..., None], Y - e.T[:, :3, 3], 0.0)
    parts = [D @ -cross_matrix(turned)]
    parts += [D] if model.travels else []
    parts += [np.where(use[..., None], p * focal, 0.0)[..., None]]
    Jc = np.concatenate(parts, axis=-1)
    Jp = D @ e.T[None, :, :3, :3] @ _tangent(e.X, model)[:, None]
    weighted = Jc * w[..., None, None]
    c = _width(model)
    A = np.zeros((f, c, f, c))
    by_frame = weighted.transpose(1, 0, 2, 3).reshape(f, 2 * n, c)
    A[np.arange(f), :, np.arange(f)] = by_frame.transpose(0, 2, 1) @ Jc.transpose(
        1, 0, 2, 3
    ).reshape(f, 2 * n, c)
    E = (np.swapaxes(Jp, 2, 3) @ weighted).transpose(0, 2, 1, 3).reshape(n, -1, f * c)
    by_point = (Jp * w[..., None, None]).reshape(n, 2 * f, -1)
    B = np.swapaxes(by_point, 1, 2) @ Jp.reshape(n, 2 * f, -1)
    g = (r.transpose(1, 0, 2).reshape(f, 1, 2 * n) @ by_frame).ravel()
    b = (r.reshape(n, 1, 2 * f) @ by_point)[:, 0]
    full = A.reshape(f * c, f * c)
    if model.focal == "free" and f > 2:
        D2 = np.diff(np.eye(f), 2, axis=0) / model.steady
        at = np.arange(f) * c + c - 1
        full[np.ix_(at, at)] += D2.T @ D2
        g[at] += D2.T @ (D2 @ np.log(e.focal))
    return _tied(_Normal(full, g, E, B, b), f, model)


def _tied(normal: _Normal, n_frames: int, model: Model) -> _Normal:
    """Return the equations with the focal lengths tied together, or fixed."""
    if model.focal == "free":
        return normal
    c = _width(model)
    last = np.arange(n_frames * c) % c == c - 1

    def tied(x: Floats) -> Floats:
        """Leave the focal lengths out of the last axis, or put their sum at its end."""
        kept = x[..., ~last]
        if model.focal == "fixed":
            return kept
        return np.concatenate([kept, x[..., last].sum(axis=-1, keepdims=True)], axis=-1)

    return replace(normal, A=tied(tied(normal.A).T), g=tied(normal.g), E=tied(normal.E))


def _reduced(normal: _Normal, damping: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the cameras' equations without the points, and what points need to follow."""
    q = normal.B.shape[-1]
    scale = np.trace(normal.B, axis1=1, axis2=2)[:, None, None] / q + 1e-300
    B = normal.B + (damping + 1e-12) * scale * np.eye(q)
    inverse = np.linalg.inv(B)
    BE = inverse @ normal.E
    m = normal.E.shape[-1]
    A = normal.A - normal.E.reshape(-1, m).T @ BE.reshape(-1, m)
    g = normal.g - np.einsum("nqm,nq->m", BE, normal.b)
    return A, g, BE, inverse


def _step(normal: _Normal, damping: float) -> tuple[Floats, Floats]:
    A, g, BE, inverse = _reduced(normal, damping)
    A = A + np.diag(damping * np.diag(normal.A) + 1e-12 * np.diag(normal.A).max())
    try:
        cameras = -np.linalg.solve(A, g)
    except np.linalg.LinAlgError:
        cameras = np.zeros_like(g)
    points = -np.einsum("nij,nj->ni", inverse, normal.b) - BE @ cameras
    return np.asarray(cameras), np.asarray(points)


def _moved(e: Estimate, cameras: Floats, points: Floats, model: Model) -> Estimate:
    f, c = len(e.T), _width(model)
    if model.focal == "free":
        change = cameras.reshape(f, c)
    else:
        shared = cameras[-1] if model.focal == "shared" else 0.0
        change = np.column_stack([cameras[: f * (c - 1)].reshape(f, c - 1), np.full(f, shared)])
    T = e.T.copy()
    T[:, :3, :3] = rotation(change[:, :3]) @ e.T[:, :3, :3]
    if model.travels:
        T[:, :3, 3] += change[:, 3:6]
    X = e.X + np.einsum("nij,nj->ni", _tangent(e.X, model), points)
    if not model.travels:
        X /= np.linalg.norm(X, axis=1, keepdims=True)
    return Estimate(T, X, e.focal * np.exp(np.clip(change[:, -1], -1, 1)))
