"""Triangulation, slow and obvious: what the core must agree with."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray


def dlt(P: NDArray, uv: NDArray) -> NDArray:
    """Return one point from its views (n_cams, 2), NaN where unseen, by singular values."""
    rows = [p[2] * x - p[k] for p, xy in zip(P, uv, strict=True) if np.isfinite(xy).all()
            for k, x in enumerate(xy)]  # fmt: skip
    if len(rows) < 4:
        return np.full(3, np.nan)
    X = np.linalg.svd(np.array(rows))[2][-1]
    return X[:3] / X[3]


def residuals(P: NDArray, uv: NDArray, X: NDArray) -> NDArray:
    """Return where a point projects less where it was seen (n_cams, 2), NaN where unseen."""
    h = P[:, :, :3] @ X + P[:, :, 3]
    return h[:, :2] / h[:, 2:] - uv


def cost(P: NDArray, uv: NDArray, X: NDArray, robust_px: float = math.inf) -> float:
    """Return the sum over the views of the squared distance, or of Huber's function of it."""
    d = np.linalg.norm(residuals(P, uv, X), axis=1)
    d = d[np.isfinite(d)]
    far = d > robust_px
    return float(
        (d[~far] ** 2).sum() + (2 * robust_px * d[far] - robust_px**2).sum()
        if far.any()
        else (d**2).sum()
    )


def covariance(P: NDArray, uv: NDArray, X: NDArray, sigma_px: float) -> NDArray:
    """Return sigma^2 (J'J)^-1 from central differences of the projection."""
    seen = np.isfinite(uv).all(axis=1)
    step = 1e-5
    J = np.stack([
        (residuals(P[seen], uv[seen], X + step * e) - residuals(P[seen], uv[seen], X - step * e))
        .ravel() / (2 * step)
        for e in np.eye(3)
    ], axis=1)  # fmt: skip
    return sigma_px**2 * np.linalg.inv(J.T @ J)


def angle(P: NDArray, uv: NDArray, X: NDArray) -> float:
    """Return the largest angle between two of the rays from the cameras to a point."""
    rays = [X + np.linalg.solve(p[:, :3], p[:, 3])
            for p, xy in zip(P, uv, strict=True) if np.isfinite(xy).all()]  # fmt: skip
    return max(
        math.atan2(np.linalg.norm(np.cross(a, b)), a @ b)
        for a, b in itertools.combinations(rays, 2)
    )
