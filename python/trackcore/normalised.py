"""Coordinates as stored records have them: shares of the frame, origin bottom-left, y up.

The rest of the package works in pixels (docs/conventions.md); only what is written to records, or
carries a documented field name, is in these units.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def diagonal_px(frame_size: tuple[int, int]) -> float:
    """Return the frame's diagonal [px], by which velocities in records are divided."""
    return math.hypot(*frame_size)


def normalised(xy_px: ArrayLike, frame_size: tuple[int, int]) -> NDArray[np.float64]:
    """Return positions (..., 2) [px] as shares of the frame: x from the left, y from the bottom.

    The frame's outer edges are 0 and 1; pixel centres are at integers, so the centre of the
    top-left pixel of a (w, h) frame is (0.5 / w, 1 - 0.5 / h).

    >>> normalised([-0.5, 99.5], (200, 100)).tolist()
    [0.0, 0.0]
    """
    xy = (np.asarray(xy_px, np.float64) + 0.5) / frame_size
    xy[..., 1] = 1.0 - xy[..., 1]
    return np.asarray(xy)


def in_pixels(xy: ArrayLike, frame_size: tuple[int, int]) -> NDArray[np.float64]:
    """Return normalised positions (..., 2) in pixels: the inverse of `normalised`."""
    shares = np.array(xy, np.float64)
    shares[..., 1] = 1.0 - shares[..., 1]
    return np.asarray(shares * frame_size - 0.5)


def normalised_velocity(xy_px: ArrayLike, frame_size: tuple[int, int]) -> NDArray[np.float64]:
    """Return displacements (..., 2) [px] in diagonals of the frame, y up.

    >>> normalised_velocity([3.0, 4.0], (300, 400)).tolist()
    [0.006, -0.008]
    """
    return np.asarray(
        np.asarray(xy_px, np.float64) * (1.0, -1.0) / diagonal_px(frame_size), np.float64
    )
