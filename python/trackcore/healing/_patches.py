"""Small cut-outs of frames, and how one is found in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._motion import Floats
from trackcore.options import HealOptions, MotionModel, RegionOptions
from trackcore.pyramid import FramePyramid
from trackcore.regions import track_regions

_PEAK_PX = 4.0  # a likeness nearer than this belongs to the same peak


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a frame: `image[0, 0]` is the frame's pixel `corner_px` (x, y)."""

    image: NDArray[Any]
    corner_px: Floats


@dataclass(frozen=True, slots=True)
class Match:
    """Where a patch was found [px of the frame], how it had deformed, and how alike it is."""

    xy_px: Floats
    linear: Floats
    ncc: float


def grey(image: NDArray[Any]) -> NDArray[Any]:
    """Return a frame as one grey plane."""
    return image if image.ndim == 2 else FramePyramid(image, 1, copy=False).level(0)


def cut(image: NDArray[Any], xy_px: Floats, side: int) -> Crop:
    """Copy the square around a position, moved inside the frame where it sticks out."""
    h, w = image.shape
    x, y = (
        int(np.clip(np.rint(c) - side // 2, 0, max(n - side, 0)))
        for c, n in ((xy_px[0], w), (xy_px[1], h))
    )
    return Crop(image[y : y + side, x : x + side].copy(), np.array([x, y], np.float64))


def crop_side(options: HealOptions) -> int:
    """Return the side of a crop that holds a turned patch and the furthest search [px]."""
    return int(2 * options.pattern + 2 * options.max_search_px) + 2


def find(
    source: Crop, xy_px: Floats, target: Crop, expected: Match, radius_px: float,
    options: HealOptions, *, min_ncc: float | None = None,
) -> Match | None:  # fmt: skip
    """Find a patch of one crop in another, within `radius_px` of where it is expected."""
    side = min(source.image.shape)
    search = int(np.clip(options.pattern + 2 * np.ceil(radius_px), options.pattern, min(255, side)))
    warp = np.eye(3)
    warp[:2, :2] = expected.linear
    at = xy_px - source.corner_px
    warp[:2, 2] = expected.xy_px - target.corner_px - expected.linear @ at
    found = track_regions(
        source.image, target.image, at[None], guess_warp=warp[None],
        options=RegionOptions(
            pattern=options.pattern, search=search, model=MotionModel.AFFINE,
            min_correlation=options.min_ncc if min_ncc is None else min_ncc,
        ),
    )  # fmt: skip
    if not found.ok[0]:
        return None
    xy = found.xy_px[0] + target.corner_px
    if np.hypot(*(xy - expected.xy_px)) > radius_px + 1.0:
        return None
    return Match(xy, found.warp[0, :2, :2].copy(), float(found.ncc[0]))


def ambiguity(
    source: Crop, xy_px: Floats, target: Crop, found: Match, center_px: Floats, radius_px: float,
    options: HealOptions,
) -> float:  # fmt: skip
    """Return (1 - ncc) of a match over that of the best other place within the radius.

    0 where the match is the only place that looks like the patch, 1 where another does as well.
    """
    half = options.pattern // 2
    offsets = np.arange(-half, half + 1.0)
    u, v = np.meshgrid(offsets, offsets)
    back = np.linalg.inv(found.linear)
    away = np.stack([u.ravel(), v.ravel()], axis=1) @ back.T
    template = _bilinear(source.image, xy_px - source.corner_px + away)
    # on the same pixel grid as the match, so that neither suffers from sub-pixel shifts
    whole = np.rint(found.xy_px - target.corner_px)
    shift = found.xy_px - target.corner_px - whole
    template = _bilinear(source.image, xy_px - source.corner_px + away - shift @ back.T)
    reach = int(np.ceil(radius_px)) + half + 3  # rivals, and what is beside them
    middle = np.rint(center_px - target.corner_px).astype(int)
    x0, y0 = np.maximum(middle - reach, 0)
    image = target.image[y0 : middle[1] + reach + 1, x0 : middle[0] + reach + 1].astype(np.float64)
    if min(image.shape) <= 2 * half:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(image, (2 * half + 1, 2 * half + 1))
    rows = windows.reshape(len(windows) * windows.shape[1], -1)
    unit = template - template.mean()
    unit = unit / max(float(np.linalg.norm(unit)), 1e-9)
    mean = rows.mean(axis=1)
    norm = np.sqrt(np.maximum((rows * rows).sum(axis=1) - rows.shape[1] * mean**2, 1e-9))
    likeness = (rows @ unit / norm).reshape(windows.shape[:2])
    y, x = np.indices(likeness.shape) + np.reshape((y0 + half, x0 + half), (2, 1, 1)).astype(float)
    of_match = np.hypot(x - whole[0], y - whole[1])
    of_center = np.hypot(*((center_px - target.corner_px)[:, None, None] - (x, y)))
    here = likeness[of_match <= 1.0]
    padded = np.pad(likeness, 1, constant_values=-1.0)
    peak = np.ones(likeness.shape, bool)
    h, w = likeness.shape
    for dy in range(3):
        for dx in range(3):
            peak &= likeness >= padded[dy : dy + h, dx : dx + w]
    rivals = likeness[peak & (of_match > _PEAK_PX) & (of_center <= radius_px + 1.0)]
    if not here.size or not rivals.size:
        return 0.0
    return float((1 - here.max()) / max(1 - rivals.max(), 1e-9))


def _bilinear(image: NDArray[Any], xy: Floats) -> Floats:
    h, w = image.shape
    x, y = np.clip(xy[:, 0], 0, w - 1), np.clip(xy[:, 1], 0, h - 1)
    i, j = np.minimum(x.astype(int), w - 2), np.minimum(y.astype(int), h - 2)
    a, b = x - i, y - j
    top = (1 - a) * image[j, i] + a * image[j, i + 1]
    bottom = (1 - a) * image[j + 1, i] + a * image[j + 1, i + 1]
    return np.asarray((1 - b) * top + b * bottom)
