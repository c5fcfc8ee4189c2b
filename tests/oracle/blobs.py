"""The search for blobs, slow and obvious: every scale at full resolution."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

STEP = 2 ** (1 / 3)
DISC_RESPONSE = 0.736 * np.log(STEP)


def blurred(image: NDArray, sigma: float) -> NDArray:
    """Return an image blurred by a Gaussian of 6 sigmas, the border repeated."""
    n = int(np.ceil(6 * sigma))
    taps = np.exp(-0.5 * (np.arange(-n, n + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        wide = np.pad(image, [(n, n) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        image = np.apply_along_axis(np.convolve, axis, wide, taps, mode="valid")
    return image


def maxima(
    image: NDArray, min_radius: float, n_scales: int, weakest: float
) -> list[tuple[int, int, float, float]]:
    """Return column, row, radius and contrast of maxima of either sign that are round."""
    sigmas = min_radius / 2**0.5 / STEP**1.5 * STEP ** np.arange(n_scales + 3)
    smooth = [blurred(image.astype(float), float(np.sqrt(s**2 - 0.25))) for s in sigmas]
    responses = np.array([a - b for a, b in pairwise(smooth)])
    found = []
    for sign in (1, -1):
        r = sign * responses
        for i in range(1, n_scales + 1):
            for y, x in np.argwhere(r[i] > weakest * DISC_RESPONSE):
                if not (0 < y < image.shape[0] - 1 and 0 < x < image.shape[1] - 1):
                    continue
                here = r[i, y, x]
                around = r[i, y - 1 : y + 2, x - 1 : x + 2]
                if here < max(around.max(), r[i - 1, y, x], r[i + 1, y, x]):
                    continue
                xx = around[1, 0] + around[1, 2] - 2 * here
                yy = around[0, 1] + around[2, 1] - 2 * here
                xy = (around[2, 2] + around[0, 0] - around[0, 2] - around[2, 0]) / 4
                if (xx + yy) ** 2 * 2**2 >= (1 + 2**2) ** 2 * (xx * yy - xy**2):
                    continue
                radius = float(2**0.5 * sigmas[i] * STEP**0.5)
                found.append((int(x), int(y), radius, float(sign * here / DISC_RESPONSE)))
    return found
