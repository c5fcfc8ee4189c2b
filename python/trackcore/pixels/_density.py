"""How many features there are to track, by region, at a quarter, half and three quarters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.pixels._texture import (
    per_region,
    sigma_px_at,
    textured_share,
    trackable,
    working_frame,
)
from trackcore.pyramid import FramePyramid

Floats = NDArray[np.float64]

TIMES = {"25": 0.25, "50": 0.5, "75": 0.75}
"""Where in a clip, in percent."""

MOST_COUNTED = 200
"""The documented end of `contrast_estimate`."""

_FRAMES = 3  # one after another, at each of the times
_THRESHOLD, _STRONG = 0.4, 0.5  # of the density, and of the contrast estimate, as documented


@dataclass(frozen=True, slots=True)
class Density:
    """Features of one frame: (9,) counts, (9,) share of cells with one, number of strong ones."""

    counts: NDArray[np.int64]
    textured: Floats
    n_strong: int


def density(pyramid: FramePyramid, sigma: float | None, threads: int) -> Density:
    """Count the features of a frame with noise `sigma` (measured if None)."""
    frame = working_frame(pyramid, 1, threads, sigma)
    xy, sigma_px = trackable(frame, _THRESHOLD, threads=threads)
    # the spacing is granted to the strongest first: these would be found without the rest
    n_strong = int((sigma_px <= sigma_px_at(_STRONG)).sum())
    size = frame.image.size
    return Density(per_region(xy, size), textured_share(xy, size), n_strong)


def positions(n_frames: int) -> dict[str, list[int]]:
    """Return the positions of the frames to count in, by time: three around it, or what there is.

    >>> positions(100)["25"], positions(2)["75"]
    ([24, 25, 26], [0, 1])
    """
    last = max(0, n_frames - _FRAMES)
    starts = {
        name: min(max(round(share * (n_frames - 1)) - 1, 0), last) for name, share in TIMES.items()
    }
    return {name: list(range(s, min(s + _FRAMES, n_frames))) for name, s in starts.items()}
