"""Lens models in pixels, one formula a line, as libmv (Blender) and OpenCV publish them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def radial(model: str, k: tuple[float, ...], r: float) -> float:
    """Return where a radius goes: ideal to distorted, but for NUKE, distorted to ideal."""
    if model == "POLYNOMIAL":
        return r * (1 + k[0] * r**2 + k[1] * r**4 + k[2] * r**6)
    return r / (1 + k[0] * r**2 + k[1] * r**4)  # DIVISION; NUKE the other way


def by_bisection(model: str, k: tuple[float, ...], target: float, top: float) -> float:
    """Return the first radius that `radial` takes to `target`, by walking up and halving."""
    low, step = 0.0, top / 20000
    while low < top and radial(model, k, low + step) < target:
        low += step
    high = low + step
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if radial(model, k, middle) < target else (low, middle)
    return high


def nuke_undistorted_px(
    xy_px: NDArray[Any], k: tuple[float, float], size: tuple[int, int], centre_px: NDArray[Any]
) -> NDArray[Any]:
    """Return Blender's NUKE model in its own words: half of the longer side is 1."""
    half = max(size) / 2
    d = (xy_px - centre_px) / half
    r2 = (d**2).sum(axis=1, keepdims=True)
    return np.asarray(d / (1 + k[0] * r2 + k[1] * r2**2) * half + centre_px)
