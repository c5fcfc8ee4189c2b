"""What a frame pyramid is, in a few lines of integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINOMIAL = np.array([1, 4, 6, 4, 1])
LUMA_15_BIT = {"rgb": (9798, 19235, 3735), "bgr": (3735, 19235, 9798)}
LUMA = {"rgb": (0.299, 0.587, 0.114), "bgr": (0.114, 0.587, 0.299)}


def grey(image: NDArray[np.generic], color: str = "bgr") -> NDArray[np.generic]:
    """Return the (h, w) luma of an (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) image."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 1:
        return image[..., 0]
    channels = np.moveaxis(image[..., :3], 2, 0)
    if image.dtype == np.float32:
        weighted = (w * c.astype(np.float64) for w, c in zip(LUMA[color], channels, strict=True))
        return sum(weighted).astype(np.float32)
    weighted = (w * c.astype(np.int64) for w, c in zip(LUMA_15_BIT[color], channels, strict=True))
    return ((sum(weighted) + (1 << 14)) >> 15).astype(image.dtype)


def halved(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return every second pixel of every second row of the smoothed image."""
    exact = np.float64 if image.dtype == np.float32 else np.int64
    padded = np.pad(image.astype(exact), 2, mode="reflect")
    h, w = image.shape
    total = np.zeros((h, w), exact)
    for i in range(5):
        for j in range(5):
            total += BINOMIAL[i] * BINOMIAL[j] * padded[i : i + h, j : j + w]
    total = total[::2, ::2]
    if exact is np.float64:
        return (total / 256).astype(image.dtype)
    return ((total + 128) // 256).astype(image.dtype)


def pyramid(
    image: NDArray[np.generic], levels: int, color: str = "bgr"
) -> list[NDArray[np.generic]]:
    """Return the levels, largest first: as many as wanted, while the sides are at least 2."""
    out = [grey(image, color)]
    while len(out) < levels and min(out[-1].shape) >= 4:
        out.append(halved(out[-1]))
    return out
