"""The nine regions of the frame and their documented names."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

REGIONS = (
    "top-left", "top-center", "top-right",
    "mid-left", "center", "mid-right",
    "bottom-left", "bottom-center", "bottom-right",
)  # fmt: skip
"""Names by index, row by row from the top-left of the picture."""

EDGE_REGIONS = ("top-left", "top-right", "bottom-left", "bottom-right")
"""The corners, where lenses distort most."""

NO_REGION = -1
"""Index of what has no position."""


def region_index(xy_px: ArrayLike, frame_size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the index into `REGIONS` of positions (..., 2) [px], `NO_REGION` where NaN.

    Regions are thirds of the frame; a position outside the frame belongs to the nearest region.

    >>> REGIONS[region_index([0, 0], (300, 300))]
    'top-left'
    """
    thirds = np.floor((np.asarray(xy_px, np.float64) + 0.5) / frame_size * 3)
    column, row = np.clip(np.moveaxis(thirds, -1, 0), 0, 2)
    index = row * 3 + column
    return np.where(np.isnan(index), NO_REGION, index).astype(np.int64)
