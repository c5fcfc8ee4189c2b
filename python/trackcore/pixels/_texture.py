"""What of a picture can be tracked, and how well."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.detect import detect_features
from trackcore.frame_regions import REGIONS, region_index
from trackcore.options import FeatureOptions
from trackcore.pixels import _blocks
from trackcore.pixels._noise import noise_sigma, working_noise
from trackcore.pyramid import FramePyramid

Floats = NDArray[np.float64]

_BLOCK_PX = 7  # a corner is judged on as many pixels squared
_SPACING = 64  # features along the longer side, as documented: 20 px at 1280
_MARGIN = 160  # of the longer side, as documented: 8 px at 1280
_CELLS = 4  # of a region along each side: what has a corner is textured
_DIGITS = 2.5  # a threshold of 1 asks for 10^-2.5 px


@dataclass(frozen=True, slots=True)
class WorkingFrame:
    """A frame at the size at which texture is judged, and its noise there.

    `image` is that level, as a pyramid of its own; `scale` its pixels in pixels of the frame;
    `sigma` the noise of its pixels [grey levels].
    """

    image: FramePyramid
    scale: int
    sigma: float


def working_frame(
    pyramid: FramePyramid, levels: int, threads: int, sigma: float | None = None
) -> WorkingFrame:
    """Return the frame at its working size, with `levels` levels.

    `sigma` is the noise of the frame itself; measured if not given.
    """
    level = min(_blocks.texture_level(pyramid.size), pyramid.levels - 1)
    if sigma is None:
        sigma = frame_noise(pyramid, threads)
    at_level, _ = working_noise(level, sigma, pyramid.dtype)
    if level == 0 and pyramid.levels >= levels:
        return WorkingFrame(pyramid, 1, at_level)
    image = FramePyramid(pyramid.level(level), levels, copy=False, threads=threads)
    return WorkingFrame(image, 2**level, at_level)


def frame_noise(pyramid: FramePyramid, threads: int) -> float:
    """Return the noise of a frame [grey levels]; 0 where it cannot be measured."""
    groups = _blocks.MOMENTS | _blocks.ROUGH | _blocks.SLOPES
    stats = _blocks.block_stats(
        pyramid, 0, groups, blocks=_blocks.blocks_of(pyramid.size),
        row_step=max(1, pyramid.size[1] // _blocks.FINE_ROWS), threads=threads,
    )  # fmt: skip
    sigma = noise_sigma(stats, stats.mean, _blocks.white_level(pyramid.dtype))
    return 0.0 if math.isnan(sigma) else sigma


def sigma_px_at(threshold: float) -> float:
    """Return how well a corner of this strength fixes a position [px of the working size].

    The documented thresholds of 0 .. 1 had no unit. Here they ask for a precision: 1 px at 0,
    0.1 px at 0.4, 0.056 px at 0.5, whatever the resolution, the bit depth and the noise.
    """
    return float(10.0 ** (-_DIGITS * threshold))


def predicted_sigma_px(min_eigenvalue: ArrayLike, sigma: float, pixels: int) -> Floats:
    """Return the best precision of a match on so many pixels, each of that mean eigenvalue.

    Cramer-Rao along the worse direction, both pictures with noise `sigma` (Robinson & Milanfar
    2004): sqrt(2) sigma / sqrt(pixels * eigenvalue). Infinite without texture.
    """
    eigenvalue = np.asarray(min_eigenvalue, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = math.sqrt(2.0) * sigma / np.sqrt(pixels * eigenvalue)
    return np.asarray(np.where(eigenvalue > 0, bound, np.inf))


def trackable(frame: WorkingFrame, threshold: float, *, threads: int) -> tuple[Floats, Floats]:
    """Return corners that fix a position well enough, strongest first.

    (n, 2) positions [px, working size], and (n,) the precision of each, as `sigma_px_at` has it.
    """
    pixels = _BLOCK_PX**2
    score = 2.0 * frame.sigma**2 / (pixels * sigma_px_at(threshold) ** 2)
    side = max(frame.image.size)
    options = FeatureOptions(
        max_features=0, quality=0.0, block=_BLOCK_PX, min_score=score,
        min_distance=max(1.0, side / _SPACING),
    )  # fmt: skip
    found = detect_features(frame.image, options=options, threads=threads)
    margin = side / _MARGIN
    beyond = np.array(frame.image.size) - 1 - margin
    inner = ((found.xy_px >= margin) & (found.xy_px <= beyond)).all(axis=1)
    sigma_px = predicted_sigma_px(found.score[inner], frame.sigma, pixels)
    return found.xy_px[inner], sigma_px


def per_region(xy_px: Floats, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return (9,) how many of the points are in each region."""
    return np.bincount(region_index(xy_px, size), minlength=len(REGIONS)).astype(np.int64)


def textured_share(xy_px: Floats, size: tuple[int, int]) -> Floats:
    """Return (9,) by region the share of its 4 x 4 cells that have a point."""
    n = 3 * _CELLS
    cells = np.zeros((n, n))
    at = np.floor((xy_px + 0.5) / size * n).astype(np.int64)
    column, row = np.clip(at, 0, n - 1).T
    cells[row, column] = 1.0
    return _blocks.by_region(cells)
