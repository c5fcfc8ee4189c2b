"""Which frames are adjusted together, where all of them would be too much work."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ENOUGH_FRAMES, ALL_FRAMES = 40, 120
"""Adjusted together while cameras are compared, and in the last fit. The work grows with the
square of how many frames see a point, and with the cube of the frames; what is learnt does not."""
LEAST_SIGHTINGS = 5
"""In so many of them a track should be seen, at the median."""


def thinned(use: NDArray[np.bool_], frames: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return some of `frames` (array indices), evenly spread, the first and the last among them.

    No more than `most`, unless tracks live too shortly for that.

    Parameters
    ----------
    use : (n_tracks, n_frames) bool
        Which observations count.
    frames : (n,) int64
    most : int
    """
    if len(frames) <= most:
        return frames
    life = use[:, frames].sum(axis=1)
    typical = float(np.median(life[life > 0])) if life.any() else 0.0
    wanted = -(-len(frames) // most)
    step = min(wanted, max(int(typical / LEAST_SIGHTINGS), 1, -(-len(frames) // ALL_FRAMES)))
    return np.union1d(frames[::step], frames[-1:])


def spacing(frames: NDArray[np.int64]) -> float:
    """Return how many frames apart these are, at the median."""
    return float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
