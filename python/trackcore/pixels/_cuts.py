"""Where one shot ends and the next begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.pixels._alike import alike, structure

Floats = NDArray[np.float64]

_LEAST_CHANGE = 0.55  # 1 - likeness of the two frames at a cut
_ABOVE_NEIGHBOURS = 2.0  # times the change before and after it
_AGAIN = 0.6  # likeness of frames that show one shot
_REACH = 3  # frames a flash, or what passes close by, may last


def changes(pictures: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return how much each picture differs from the one before, and where shots begin.

    Parameters
    ----------
    pictures : (n, h, w) float
        The frames, small, as shares of white.

    Returns
    -------
    change : (n,) float64
        1 - likeness to the frame before (see `alike`): about 0 within a shot whatever the
        exposure and however fast the pan, 0.6 to 0.9 across a cut. NaN for the first.
    cuts : (k,) int64
        Indices of the first frames of new shots.

    Notes
    -----
    A cut is a large change between frames that themselves change little: fast zooms, spins and
    pans change much in many frames in a row. It must not be a flash: no frame of the three before
    looks like one of the three from it on.
    """
    n = len(pictures)
    shapes = structure(pictures)
    change = np.full(n, np.nan)
    change[1:] = 1.0 - alike(shapes[:-1], shapes[1:])
    known = np.nan_to_num(change, nan=0.0)
    before, after = np.roll(known, 1), np.roll(known, -1)
    after[-1:] = 0.0
    neighbours = np.maximum(before, after)
    large = (known > _LEAST_CHANGE) & (known >= _ABOVE_NEIGHBOURS * neighbours)
    cuts = [k for k in np.flatnonzero(large) if not _comes_back(shapes, int(k))]
    return change, np.array(cuts, np.int64)


def _comes_back(shapes: Floats, k: int) -> bool:
    before = np.arange(max(0, k - _REACH), k)
    since = np.arange(k, min(len(shapes), k + _REACH))
    i, j = (a.ravel() for a in np.meshgrid(before, since, indexing="ij"))
    return bool((alike(shapes[i], shapes[j]) > _AGAIN).any())
