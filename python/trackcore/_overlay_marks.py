"""The marks of an overlay, antialiased at sub-pixel places, and the footage behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

_RIM: Colour = (20, 20, 20)
_SUB = 4  # fractional bits of OpenCV's drawing coordinates


def white_level(image: NDArray[Any]) -> float:
    """Return the value that is shown as white: of 8 bits the highest, else nearly the brightest."""
    if image.dtype == np.uint8:
        return 255.0
    values = np.nan_to_num(image.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    return max(float(np.percentile(values, 99.5)), 1e-6)


def as_u8(image: NDArray[Any], white: float) -> Image:
    """Return any footage with 8 bits, for the eye; float footage is linear light."""
    if image.dtype == np.uint8:
        return image.astype(np.uint8, copy=False)
    values = np.nan_to_num(image.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    light = np.clip(values / white, 0, 1)
    if image.dtype.kind == "f":
        light = light ** (1 / 2.2)
    return np.asarray(light * 255, dtype=np.uint8)


def draw_dots(
    canvas: Image,
    places: NDArray[np.float64],
    unit: float,
    colours: Sequence[Colour],
    rings: Sequence[Colour | None] | None = None,
) -> None:
    """Draw live tracks: dots with a dark rim, and a ring around those that are new.

    OpenCV draws small circles as diamonds, so the coverage of each pixel is computed here.

    Parameters
    ----------
    canvas : (h, w, 3) uint8
        Drawn upon.
    places : (n, 2) float
        Centres [px of the canvas], pixel centres at integers.
    unit : float
        Size of the marks, 1 for a canvas 480 px high.
    colours, rings : n colours
        Of the dots; of the rings, None for no ring.
    """
    radius, rim, ring, line = 2.2 * unit, 0.9 * unit, 5.2 * unit, 1.2 * max(unit, 0.8)
    distance, corners = _distances(places, radius + rim)
    inner = np.clip(radius + 0.5 - distance, 0, 1)[..., None]
    outer = np.clip(radius + rim + 0.5 - distance, 0, 1)[..., None]
    dark = np.array(_RIM, np.float32)
    bright = np.array(colours, np.float32).reshape(-1, 1, 1, 3)
    _blend(canvas, corners, outer, outer * (dark + inner * (bright - dark)))
    new = [i for i, colour in enumerate(rings or []) if colour is not None]
    if rings and new:
        distance, corners = _distances(places[new], ring + line / 2)
        circle = np.clip(line / 2 + 0.5 - np.abs(distance - ring), 0, 1)[..., None]
        bright = np.array([rings[i] for i in new], np.float32).reshape(-1, 1, 1, 3)
        _blend(canvas, corners, circle, circle * bright)


def _distances(
    places: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return squares of pixels that hold circles around `places`, and their top-left corners.

    Returns
    -------
    distance : (n, k, k) float32
        Of each pixel's centre from the circle's [px].
    corners : (n, 2) int
    """
    reach = int(np.ceil(radius)) + 1
    corners = np.floor(places).astype(np.int64) - reach
    offsets = corners[:, None] + np.arange(2 * reach + 2)[:, None] - places[:, None]
    away = np.hypot(offsets[:, None, :, 0], offsets[:, :, None, 1])
    return away.astype(np.float32), corners


def _blend(
    canvas: Image, corners: NDArray[np.int64], opacity: NDArray[np.float32],
    light: NDArray[np.float32],
) -> None:  # fmt: skip
    """Lay stamps on the canvas: `light` (n, k, k, 3) over what `opacity` (n, k, k, 1) leaves."""
    h, w = canvas.shape[:2]
    k = opacity.shape[1]
    clear = 1 - opacity
    light = light + np.float32(0.5)  # rounds
    for (x, y), through, added in zip(corners.tolist(), clear, light, strict=True):
        if 0 <= x <= w - k and 0 <= y <= h - k:
            patch = canvas[y : y + k, x : x + k]
        else:
            left, top, right, bottom = max(x, 0), max(y, 0), min(x + k, w), min(y + k, h)
            if right <= left or bottom <= top:
                continue
            inside = slice(top - y, bottom - y), slice(left - x, right - x)
            patch, through, added = canvas[top:bottom, left:right], through[inside], added[inside]
        patch[...] = patch * through + added


def draw_cross(
    canvas: Image, place: NDArray[np.float64], unit: float, colour: Colour, opacity: float = 1.0
) -> None:
    """Draw where a track ended: a cross with a dark rim."""
    cv2 = load_cv2()
    arm = 4.2 * unit
    reach = int(np.ceil(arm + 4 * unit))
    left, top = max(0, int(place[0]) - reach), max(0, int(place[1]) - reach)
    patch = canvas[top : int(place[1]) + reach + 1, left : int(place[0]) + reach + 1]
    if not patch.size:
        return
    local = place - (left, top)
    layer = patch.copy()
    core = max(1, round(1.5 * unit))
    for shade, width in ((_RIM, core + 2 * max(1, round(0.8 * unit))), (colour, core)):
        for dx, dy in ((arm, arm), (arm, -arm)):
            diagonal = np.array([dx, dy])
            start, end = _fixed(local - diagonal), _fixed(local + diagonal)
            cv2.line(layer, start, end, shade, width, cv2.LINE_AA, _SUB)
    cv2.addWeighted(layer, opacity, patch, 1 - opacity, 0, dst=layer)
    patch[...] = layer


def draw_label(canvas: Image, text: str, unit: float) -> None:
    """Write `text` on a dark box in the top-left corner."""
    cv2 = load_cv2()
    font, scale, pad = cv2.FONT_HERSHEY_SIMPLEX, 0.5 * max(unit, 0.8), round(5 * unit)
    (w, h), _ = cv2.getTextSize(text, font, scale, 1)
    box = canvas[: h + 2 * pad, : w + 2 * pad]
    box[...] = box // 3
    cv2.putText(canvas, text, (pad, pad + h), font, scale, (225, 225, 225), 1, cv2.LINE_AA)


def draw_paths(canvas: Image, paths: NDArray[np.float64], colour: Colour, width: int) -> None:
    """Draw lines through points, `paths` (n, n_points, 2) [px], broken where they are NaN."""
    cv2 = load_cv2()
    whole = ~np.isnan(paths[..., 0]).any(axis=1)
    lines = list(_fixed_path(paths[whole]))
    lines += [_fixed_path(piece) for path in paths[~whole] for piece in _unbroken(path)]
    cv2.polylines(canvas, lines, False, colour, width, cv2.LINE_AA, _SUB)  # noqa: FBT003


def _unbroken(path: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Split a path at its gaps; pieces of one point draw nothing."""
    gaps = np.flatnonzero(np.isnan(path[:, 0]))
    pieces = np.split(path, np.union1d(gaps, gaps + 1))
    return [p for p in pieces if len(p) > 1 and not np.isnan(p[0, 0])]


def _fixed_path(path: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.rint(path * (1 << _SUB)).astype(np.int32)


def _fixed(place: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(place[0]) * (1 << _SUB)), round(float(place[1]) * (1 << _SUB))
