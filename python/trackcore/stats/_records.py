"""Numbers on their way into records: plain JSON types, None where there is no number."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

POSITION_DIGITS = 6
"""Decimals of a share of the frame: a hundredth of a pixel at 8K."""


def number(value: float | None) -> float | None:
    """Return a finite number with six significant digits, or None."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


def numbers(values: Iterable[float]) -> list[float | None]:
    """Return `number` of each value."""
    return [number(value) for value in values]


def points(xy: NDArray[np.float64]) -> list[list[float] | None]:
    """Return (n, 2) positions as pairs, None where there is none."""
    rounded = np.round(xy, POSITION_DIGITS).tolist()
    seen = np.isfinite(xy[:, 0]).tolist()
    return [pair if there else None for pair, there in zip(rounded, seen, strict=True)]
