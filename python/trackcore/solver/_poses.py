"""Rotations, reprojection and triangulation over whole arrays of tracks and frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.triangulate import TriangulationMethod
from trackcore.triangulate import triangulate as core_triangulate
from trackcore.types import Points

Floats = NDArray[np.float64]
LEAST_NEAR = 3
"""A point that fewer frames agree on is left where all of them put it."""


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


def in_cameras(T: Floats, X: Floats) -> Floats:
    """Return where points (n_points, 3) are in each camera (n_points, n_frames, 3)."""
    turned = X @ T[:, :3, :3].reshape(-1, 3).T
    return np.asarray(turned.reshape(len(X), len(T), 3) + T[:, :3, 3])


def reproject(T: Floats, X: Floats, focal: Floats, k: tuple[float, float]) -> Floats:
    """Return where points appear (n_points, n_frames, 2) [centred px]; NaN behind the camera.

    `focal` is one number per frame; `k`: distorted = ideal (1 + k1 r^2 + k2 r^4).
    """
    Y = in_cameras(T, X)
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


def triangulate(T: Floats, xy: Floats, tolerance: float) -> Floats:
    """Return the points (n, 3) that tracks see, by `trackcore.triangulate`.

    Found once from all that a track saw, and again without what is then further off than
    `tolerance`. NaN where fewer than two frames see it, rays are parallel or meet behind a camera.

    Parameters
    ----------
    T : (n_frames, 4, 4) float64
        NaN where a frame has no camera.
    xy : (n, n_frames, 2) float64
        Ideal positions in focal lengths, NaN where unseen.
    tolerance : float
        In focal lengths.
    """
    usable = np.isfinite(T).all(axis=(1, 2))
    P, xy = T[usable, :3], xy[:, usable]
    if len(P) < 2 or not len(xy):
        return np.full((len(xy), 3), np.nan)
    found = _refined(P, xy, tolerance)
    X: Floats = found.X_world.copy()
    error: Floats = found.view_error_px
    with np.errstate(invalid="ignore"):
        near, far = error <= tolerance, error > tolerance
    again = np.flatnonzero(far.any(axis=1) & (near.sum(axis=1) >= LEAST_NEAR))
    if len(again):
        better = _refined(P, np.where(far[again, :, None], np.nan, xy[again]), tolerance).X_world
        X[again] = np.where(np.isfinite(better), better, X[again])
    return X


def _refined(P: Floats, xy: Floats, tolerance: float) -> Points:
    return core_triangulate(
        P, xy, method=TriangulationMethod.REFINED, robust_px=tolerance, covariance=False
    )


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
