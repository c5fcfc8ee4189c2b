"""Rotations, reprojection and triangulation over whole arrays of tracks and frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
REFINEMENTS = 6


def rotation(w: Floats) -> Floats:
    """Return the rotations (n, 3, 3) of rotation vectors (n, 3) [rad]; Rodrigues' formula."""
    angle = np.linalg.norm(w, axis=-1)[..., None, None]
    W = cross_matrix(w)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(angle > 1e-8, np.sin(angle) / angle, 1.0)
        b = np.where(angle > 1e-8, (1 - np.cos(angle)) / angle**2, 0.5)
    return np.asarray(np.eye(3) + a * W + b * (W @ W))


def cross_matrix(w: Floats) -> Floats:
    """Return (..., 3, 3) with `cross_matrix(w) @ x == cross(w, x)`."""
    out = np.zeros((*w.shape[:-1], 3, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -w[..., 2], w[..., 1], -w[..., 0]
    return np.asarray(out - np.swapaxes(out, -1, -2))


def centres(T: Floats) -> Floats:
    """Return where cameras (n, 4, 4) are in the world (n, 3)."""
    return np.asarray(-np.einsum("nji,nj->ni", T[:, :3, :3], T[:, :3, 3]))


def reproject(T: Floats, X: Floats, focal: Floats, k: tuple[float, float]) -> Floats:
    """Return where points appear (n_points, n_frames, 2) [centred px]; NaN behind the camera.

    `focal` is one number per frame; `k`: distorted = ideal (1 + k1 r^2 + k2 r^4).
    """
    Y = np.einsum("fab,nb->nfa", T[:, :3, :3], X) + T[:, :3, 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        ideal = np.where(Y[..., 2:] > 0, Y[..., :2] / Y[..., 2:], np.nan)
    if any(k):
        r2 = (ideal**2).sum(axis=-1, keepdims=True)
        ideal = ideal * (1 + r2 * (k[0] + r2 * k[1]))
    return np.asarray(ideal * focal[None, :, None])


def rays(uv: Floats, focal: Floats, k: tuple[float, float]) -> Floats:
    """Return ideal positions in focal lengths of observations (n, n_frames, 2)."""
    seen = uv / focal[None, :, None]
    if not any(k):
        return np.asarray(seen)
    ideal = seen
    for _ in range(8):  # a fixed point: distortions of real lenses contract quickly
        r2 = (ideal**2).sum(axis=-1, keepdims=True)
        ideal = seen / (1 + r2 * (k[0] + r2 * k[1]))
    return np.asarray(ideal)


def triangulate(T: Floats, xy: Floats, robust: float) -> Floats:
    """Return the points (n, 3) that tracks see; NaN where fewer than two frames do.

    Linear start (Hartley & Zisserman 2004, 12.2), then Gauss-Newton on the reprojection error
    with weights that fade beyond `robust`.

    Parameters
    ----------
    T : (n_frames, 4, 4) float64
        NaN where a frame has no camera.
    xy : (n, n_frames, 2) float64
        Ideal positions in focal lengths, NaN where unseen.
    robust : float
        In focal lengths.
    """
    usable: NDArray[np.bool_] = np.asarray(np.isfinite(T).all(axis=(1, 2)))
    P, xy = T[usable, :3], xy[:, usable]
    seen = np.isfinite(xy[..., 0])
    many = seen.sum(axis=1) >= 2
    X = np.full((len(xy), 3), np.nan)
    if not many.any():
        return X
    xy, seen = np.where(seen[..., None], xy, 0.0)[many], seen[many]
    rows = xy[..., None] * P[None, :, None, 2] - P[None, :, :2]  # (n, f, 2, 4)
    rows = np.where(seen[..., None, None], rows, 0.0).reshape(len(xy), -1, 4)
    _, vectors = np.linalg.eigh(np.swapaxes(rows, 1, 2) @ rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        start = vectors[:, :3, 0] / vectors[:, 3:, 0]
    X[many] = _refined(P, xy, seen, start, robust)
    return X


def _refined(P: Floats, xy: Floats, seen: NDArray[np.bool_], X: Floats, robust: float) -> Floats:
    R, t = P[:, :, :3], P[:, :, 3]
    with np.errstate(all="ignore"):
        for _ in range(REFINEMENTS):
            Y = np.einsum("fab,nb->nfa", R, X) + t
            iz = 1 / Y[..., 2:]
            p = Y[..., :2] * iz
            e = np.where(seen[..., None], p - xy, 0.0)
            J = (R[None, :, :2] - p[..., None] * R[None, :, None, 2]) * iz[..., None]
            w = np.where(seen, 1 / (1 + (e**2).sum(axis=-1) / robust**2), 0.0)
            Jw = J * w[..., None, None]
            A = np.einsum("nfki,nfkj->nij", Jw, J)
            b = np.einsum("nfki,nfk->ni", Jw, e)
            A += 1e-12 * np.trace(A, axis1=1, axis2=2)[:, None, None] * np.eye(3)
            good = np.asarray(np.isfinite(A).all(axis=(1, 2)) & np.isfinite(b).all(axis=1))
            good[good] &= np.abs(np.linalg.det(A[good])) > 0
            X = X.copy()
            X[good] -= np.linalg.solve(A[good], b[good][..., None])[..., 0]
            X[~good] = np.nan
    return X


def directions(T: Floats, ideal: Floats) -> Floats:
    """Return where a turning camera sees tracks (n, 3), median directions; NaN where nowhere."""
    solved = np.isfinite(T[:, 0, 0])
    d = np.concatenate([ideal, np.ones((*ideal.shape[:2], 1))], axis=-1)
    d /= np.linalg.norm(d, axis=-1, keepdims=True)
    world = np.einsum("fba,nfb->nfa", T[solved, :3, :3], d[:, solved])
    known = np.isfinite(world[..., 0]).any(axis=1)
    out = np.full((len(ideal), 3), np.nan)
    out[known] = np.nanmedian(world[known], axis=1)
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))


def largest_angle(T: Floats, X: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Return the widest angle [rad] under which each point is seen, from its first or last frame.

    NaN where it is not seen twice.
    """
    out = np.full(len(X), np.nan)
    usable = np.isfinite(T).all(axis=(1, 2))
    known = np.asarray(np.isfinite(X).all(axis=1))
    C, seen = centres(T)[usable], seen[:, usable] & known[:, None]
    twice = seen.sum(axis=1) >= 2
    if not twice.any():
        return out
    seen = seen[twice]
    d = X[twice][:, None] - C
    d /= np.linalg.norm(d, axis=-1, keepdims=True)
    n = np.arange(len(d))
    first, last = seen.argmax(axis=1), seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    least = np.ones(len(d))
    for end in (first, last):
        cosine = np.einsum("nfi,ni->nf", d, d[n, end])
        least = np.minimum(least, np.where(seen, cosine, 1.0).min(axis=1))
    out[twice] = np.arccos(np.clip(least, -1, 1))
    return out
