"""A frame in blocks: the core's statistics of it, at the levels where they are wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore import _core
from trackcore.pyramid import FramePyramid

Floats = NDArray[np.float64]

MOMENTS, ROUGH, SLOPES, HISTOGRAM = 1, 2, 4, 8
"""Groups of measures, as `FrameStatsGroup` in the core has them."""

BINS = 64
"""Of the histogram, over 0 .. white."""

LONGEST_SIDE_PX = 1024
"""Texture is judged on the pyramid's first level that is no longer: what a corner or an edge is
then depends on the picture, not on its resolution."""

FINE_ROWS = 135
"""About how many rows of a frame at full size are looked at: 5 in each block at 1080p."""

_BLOCKS = 48 * 27  # of about square blocks: 40 px each at 1080p
_LEAST_BLOCK_PX = 8
_MOST_PER_REGION = 64  # along one side: a strip of film 1000 times as wide as high is no reason


@dataclass(frozen=True, slots=True)
class BlockStats:
    """The core's statistics by block (rows, columns); NaN where a block has no pixel.

    `mean`, `variance` of the grey levels, `rough` the mean of |N| with Immerkaer's mask N,
    `across`, `down` the mean squared slopes [(grey level / px)^2], `edges` the share of pixels
    whose slope exceeds the one asked for. `histogram` (BINS,) counts.
    """

    mean: Floats
    variance: Floats
    rough: Floats
    across: Floats
    down: Floats
    edges: Floats
    histogram: NDArray[np.int64]


def block_stats(
    pyramid: FramePyramid,
    level: int,
    groups: int,
    *,
    blocks: tuple[int, int],
    row_step: int = 1,
    edge: float = 0.0,
    threads: int = 1,
) -> BlockStats:
    """Measure one level of a frame in `blocks` (columns, rows), on every row_step-th row."""
    measures, histogram = _core.frame_stats(
        pyramid._core, level, groups=groups, columns=blocks[0], rows=blocks[1],
        row_step=row_step, edge=edge, white=white_level(pyramid.dtype), threads=threads,
    )  # fmt: skip
    mean, variance, rough, across, down, edges = measures
    return BlockStats(mean, variance, rough, across, down, edges, histogram)


def white_level(dtype: np.dtype[Any]) -> float:
    """Return the grey level that is white: the largest of whole numbers, 1 of floats."""
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0


def blocks_of(size: tuple[int, int]) -> tuple[int, int]:
    """Return columns and rows of about square blocks, multiples of 3, so that regions are blocks.

    >>> blocks_of((1920, 1080)), blocks_of((30, 20))
    ((48, 27), (3, 3))
    """
    side = max(_LEAST_BLOCK_PX, math.sqrt(size[0] * size[1] / _BLOCKS))
    columns, rows = (3 * min(max(round(n / (3 * side)), 1), _MOST_PER_REGION) for n in size)
    return columns, rows


def texture_level(size: tuple[int, int]) -> int:
    """Return the pyramid level on which texture is judged.

    >>> [texture_level((w, 1)) for w in (640, 1920, 2048, 3840, 4096)]
    [0, 1, 1, 2, 2]
    """
    return max(0, math.ceil(math.log2(max(size) / LONGEST_SIDE_PX)))


def by_region(blocks: Floats) -> Floats:
    """Return the (9,) means of blocks over the regions, as `REGIONS` orders them."""
    rows, columns = blocks.shape
    parts = blocks.reshape(3, rows // 3, 3, columns // 3).transpose(0, 2, 1, 3).reshape(9, -1)
    return mean_of_known(parts)


def mean_of_known(values: Floats) -> Floats:
    """Return the mean over the last axis of what is finite; NaN if nothing is."""
    known = np.isfinite(values)
    if known.all() and values.shape[-1]:
        return np.asarray(values.mean(axis=-1))
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
