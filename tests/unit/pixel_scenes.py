"""Pictures with a known blur, noise, motion or cut, for the tests of `trackcore.pixels`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trackcore import synth

_ERF = np.vectorize(math.erf)


def edges(sigma_px: float, noise: float = 0.0, size: tuple[int, int] = (480, 360)) -> NDArray:
    """Return float levels of bars and steps in both directions, blurred by formula."""
    w, h = size
    rng = np.random.default_rng(5)

    def profile(n: int) -> NDArray:
        at = np.arange(n)[:, None]
        places = np.arange(30, n - 30, 40) + rng.uniform(0, 1, len(range(30, n - 30, 40)))
        steps = rng.uniform(0.5, 1, len(places)) * (-1.0) ** np.arange(len(places))
        s = max(sigma_px, 1e-6) * math.sqrt(2)
        fine = np.linspace(-0.375, 0.375, 4)  # average over the pixel
        shape = sum(_ERF((at + d - places) / s) for d in fine) / 8
        return (shape * steps).sum(axis=1)

    levels = 128 + 60 * profile(w)[None, :] + 60 * profile(h)[:, None]
    return levels + np.random.default_rng(6).normal(0, noise, levels.shape)


def as_u8(levels: NDArray) -> NDArray[np.uint8]:
    return np.clip(np.floor(levels + 0.5), 0, 255).astype(np.uint8)


def panning(
    shift_px: tuple[float, float], n_frames: int, size: tuple[int, int] = (320, 240), seed: int = 1
) -> NDArray[np.uint8]:
    """Return frames of a texture that moves by the same step each time."""
    texture = synth.pink_noise(seed)
    dx, dy = shift_px
    return np.stack(
        [
            synth.render(texture, size, warp=np.array([[1, 0, i * dx], [0, 1, i * dy], [0, 0, 1]]))
            for i in range(n_frames)
        ]
    )
