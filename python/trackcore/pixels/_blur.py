"""How blurred a frame is, from how much of its slopes a known blur takes away."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COARSE_LEVEL = 2
"""The pyramid level the frame's slopes are compared with: its filters are the known blur."""

_MOST_PX = 20.0
_LEAST_SIGNAL = 0.1  # of the noise's own slopes: below, their uncertainty is as large


def sharpness(fine: float, coarse: float, fine_noise: float, coarse_noise: float) -> float:
    """Return how strong a frame's finest slopes are beside those of a coarser level.

    Parameters
    ----------
    fine, coarse : float
        Mean squared slopes of the frame and of its level `COARSE_LEVEL` [(grey level / px)^2].
    fine_noise, coarse_noise : float
        How much of each is noise.

    Returns
    -------
    float
        1 for edges as sharp as pixels allow, less for blurred ones; NaN where there is too little
        texture to tell.
    """
    sharp, soft = fine - fine_noise, coarse - coarse_noise
    if not (sharp > _LEAST_SIGNAL * fine_noise and soft > _LEAST_SIGNAL * coarse_noise):
        return math.nan
    return sharp * 4.0**COARSE_LEVEL / soft * float(_curve()[1][0])


def blur_px(sharpness: Floats) -> Floats:
    """Return the sigma of the Gaussian blur that makes edges so sharp [px]; 0 for 1 and more.

    Blurring an edge again with a known blur takes the less from its slope the more blurred it was
    (Zhuo & Sim 2011, "Defocus map estimation from a single image"). Here with sums of squared
    slopes instead of single edges: their ratio is a known function of sigma for step edges, and
    for natural pictures, whose spectrum falls as that of an edge. A motion blur of length L reads
    as about 0.28 L.
    """
    sigmas, ratios = _curve()
    with np.errstate(divide="ignore"):
        return np.asarray(np.interp(ratios[0] / sharpness, ratios, sigmas))


@cache
def _curve() -> tuple[Floats, Floats]:
    """Ratio of mean squared slopes [per px of the frame] of an edge, by its sigma [px]."""
    omega = (np.arange(1 << 12) + 0.5) * (16 * np.pi / (1 << 12))
    pixel = np.sinc(omega / (2 * np.pi)) ** 2
    fine = pixel * (np.sin(omega) / omega) ** 2
    step = 2**COARSE_LEVEL
    filters = np.prod([np.cos(2**i * omega / 2) ** 8 for i in range(COARSE_LEVEL)], axis=0)
    coarse = pixel * filters * (np.sin(step * omega) / (step * omega)) ** 2
    sigmas = np.concatenate([np.arange(0, 2, 0.02), np.geomspace(2, _MOST_PX, 60)])
    blur = np.exp(-np.square(sigmas[:, None] * omega))
    return sigmas, (blur @ coarse) / (blur @ fine)
