"""The cost of cameras that may zoom, and its slope, by differences: slow and obvious."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._poses import rotation

Floats = NDArray[np.float64]


def cost(T: Floats, X: Floats, focal: Floats, uv: Floats, use: Floats, loss_px: float) -> float:
    """Sum of the Cauchy losses of all reprojection errors."""
    total = 0.0
    for i, j in np.argwhere(use):
        Y = T[j, :3, :3] @ X[i] + T[j, :3, 3]
        error = Y[:2] / Y[2] * focal[j] - uv[i, j]
        total += loss_px**2 * np.log1p(error @ error / loss_px**2)
    return total


def turned(T: Floats, frame: int, w: Floats) -> Floats:
    """The cameras with one of them turned by w [rad]."""
    out = T.copy()
    out[frame, :3, :3] = rotation(w[None])[0] @ T[frame, :3, :3]
    return out
