"""Statistics of a frame by block, slow and obvious: what `_core.frame_stats` must agree with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bounds(size: int, n: int) -> list[int]:
    """Return where n blocks begin, and the end: the pixel nearest to i * size / n."""
    return [int(np.ceil(i * size / n - 0.5)) for i in range(n + 1)]


def frame_stats(
    image: NDArray, *, columns: int, rows: int, row_step: int, edge: float, white: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (6, rows, columns) measures and the histogram of 64 bins."""
    grey = image.astype(np.float64)
    h, w = grey.shape
    looked = np.zeros((h, w), bool)
    looked[row_step // 2 :: row_step] = True
    inner = np.zeros((h, w), bool)
    inner[1:-1, 1:-1] = True
    dx, dy, rough = (np.zeros((h, w)) for _ in range(3))
    if h > 2 and w > 2:
        dx[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
        dy[1:-1] = (grey[2:] - grey[:-2]) / 2
        bent = grey[2:] - 2 * grey[1:-1] + grey[:-2]
        rough[1:-1, 1:-1] = np.abs(bent[:, 2:] - 2 * bent[:, 1:-1] + bent[:, :-2])
    slope2 = dx**2 + dy**2
    out = np.full((6, rows, columns), np.nan)
    y, x = bounds(h, rows), bounds(w, columns)
    for i in range(rows):
        for j in range(columns):
            block = (slice(y[i], y[i + 1]), slice(x[j], x[j + 1]))
            levels = grey[block][looked[block]]
            if levels.size:
                out[:2, i, j] = levels.mean(), levels.var()
            here = looked[block] & inner[block]
            if here.any():
                measures = (rough, dx**2, dy**2, slope2 > edge**2)
                out[2:, i, j] = [m[block][here].mean() for m in measures]
    counted = grey[row_step // 2 :: row_step][::4]
    bins = np.clip(np.floor(np.float32(counted) * np.float32(64 / white)), 0, 63).astype(int)
    return out, np.bincount(bins.ravel(), minlength=64)
