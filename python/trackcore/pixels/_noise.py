"""How strong a frame's noise is, and what the pyramid leaves of it."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.pixels._blocks import BlockStats

Floats = NDArray[np.float64]

# |N| of white Gaussian noise has the mean 6 sigma sqrt(2 / pi): the mask's squares sum to 36.
_PER_ROUGH = math.sqrt(math.pi / 2) / 6.0
_FLAT_SHARE = 0.2  # the least textured blocks of a frame, which show its noise
_CODING_SIGMA = 1.0  # grey levels of 8-bit pictures
_LEAST_OF_WHITE, _MOST_OF_WHITE = 0.02, 0.98  # darker and brighter blocks may be clipped


def noise_sigma(stats: BlockStats, mean: Floats, white: float) -> float:
    """Return the standard deviation of a frame's noise [grey levels]; NaN if not measurable.

    `stats` holds slopes and roughness by block, `mean` the blocks' grey levels.

    Immerkaer 1996 ("Fast noise variance estimation") block by block, and the median over the 20 %
    of blocks with the smallest slopes: texture adds to the measure and never takes from it, and
    as noise's slopes do not depend on its mask response, to choose by them does not choose among
    the answers. In a frame with fine texture everywhere the result is an upper bound.
    """
    share = mean / white
    slopes = stats.across + stats.down
    known = np.isfinite(stats.rough) & np.isfinite(slopes)
    usable = known & (share > _LEAST_OF_WHITE) & (share < _MOST_OF_WHITE)
    chosen = usable if usable.any() else known
    rough, slope = stats.rough[chosen], slopes[chosen]
    if not len(rough):
        return math.nan
    flattest = slope <= np.quantile(slope, _FLAT_SHARE)
    return float(np.median(rough[flattest])) * _PER_ROUGH


def noise_at(level: int, sigma: float, *, whole: bool) -> tuple[float, float]:
    """Return the noise of a pyramid level's pixels and of their slopes (I(x+1) - I(x-1)) / 2.

    White noise of `sigma` at level 0 passes the pyramid's filters; every level of whole numbers
    (`whole`) is rounded, which adds 1/12 to the variance.
    """
    value, slope = (sigma**2 * gain for gain in _gains(level))
    if whole:
        # what level 0 was rounded to cannot be seen in flat blocks
        at_least = 1 / 12 * _gains(level)[0], 1 / 12 * _gains(level)[1]
        value, slope = max(value, at_least[0]), max(slope, at_least[1])
        for since in range(level):
            value += _gains(since)[0] / 12
            slope += _gains(since)[1] / 12
    return math.sqrt(value), math.sqrt(slope)


def working_noise(level: int, sigma: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return `noise_at` a level, but no less than what lossy coding hides in 8-bit pictures.

    A coder takes the noise out of flat areas and leaves blocks and rings, which no single frame
    shows to be noise: corners weaker than one grey level's noise would make them do not last.
    """
    value, slope = noise_at(level, sigma, whole=dtype.kind == "u")
    if dtype == np.uint8:
        value, slope = max(value, _CODING_SIGMA), max(slope, _CODING_SIGMA * math.sqrt(0.5))
    return value, slope


@cache
def _gains(level: int) -> tuple[float, float]:
    """Variance of pixels and of slopes at a level, for white noise of variance 1 at level 0."""
    kernel = np.ones(1)
    for i in range(level):
        taps = np.zeros(4 * 2**i + 1)
        taps[:: 2**i] = np.array([1, 4, 6, 4, 1]) / 16
        kernel = np.convolve(kernel, taps)
    difference = np.zeros(2 * 2**level + 1)
    difference[[0, -1]] = -0.5, 0.5
    across = (kernel**2).sum()
    return float(across**2), float((np.convolve(kernel, difference) ** 2).sum() * across)
