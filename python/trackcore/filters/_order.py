"""Order statistics of few numbers, without what `numpy.median` and `numpy.quantile` ask first.

The filters take thousands of them, of a few hundred numbers each: most of the time went there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def median(x: Floats) -> Floats:
    """Return `np.median(x, axis=0)` of finite numbers, to the bit."""
    middle = len(x) // 2
    if len(x) % 2:
        return np.asarray(np.partition(x, middle, axis=0)[middle])
    part = np.partition(x, (middle - 1, middle), axis=0)
    return np.asarray((part[middle - 1] + part[middle]) / 2)


def quantiles(x: Floats, q: list[float]) -> Floats:
    """Return `np.quantile(x, q)` of finite numbers (n,), to the bit."""
    at = np.multiply(q, len(x) - 1)
    below = at.astype(np.int64)
    ordered, share = np.sort(x), at - below
    a, b = ordered[below], ordered[np.minimum(below + 1, len(x) - 1)]
    return np.where(share < 0.5, a + (b - a) * share, b - (b - a) * (1 - share))
