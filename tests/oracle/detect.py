"""Corner detection, slow and obvious: what `detect_features` must agree with, bit for bit."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trackcore import FeatureOptions


def _windows(a: NDArray, before: int, after: int) -> list[NDArray]:
    """Return `a` shifted along axis 0 by -before .. after, mirrored at its ends."""
    padded = np.pad(a, ((before, after), (0, 0)), mode="reflect")
    return [padded[i : i + len(a)] for i in range(before + after + 1)]


def strengths(image: NDArray, block: int) -> NDArray[np.float32]:
    """Return twice the smaller eigenvalue of the sums of Sobel products, at every pixel."""
    above, here, below = _windows(image.astype(np.float32), 1, 1)
    smooth, diff = (above + below) + (here + here), below - above
    left, _, right = (a.T for a in _windows(smooth.T, 1, 1))
    dx = right - left
    left, mid, right = (a.T for a in _windows(diff.T, 1, 1))
    dy = (mid + mid) + (left + right)

    def box(a: NDArray) -> NDArray:
        before, after = block // 2, block - 1 - block // 2
        down = sum(_windows(a, before, after), np.zeros_like(a))
        return sum(_windows(down.T, before, after), np.zeros_like(a.T)).T

    dx, dy = dx.astype(np.float64), dy.astype(np.float64)
    xx, xy, yy = box(dx * dx), box(dx * dy), box(dy * dy)
    if image.dtype == np.uint8:  # exact so far; from here on the core works in float
        xx, xy, yy = (a.astype(np.float32) for a in (xx, xy, yy))
    twice = xy + xy
    least = (xx + yy) - np.sqrt((xx - yy) * (xx - yy) + twice * twice)
    return np.where(least > 0, least, 0).astype(np.float32)


def detect(
    image: NDArray,
    options: FeatureOptions,
    existing_px: NDArray | None = None,
    mask: NDArray | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return `xy_px (n, 2)` and `score (n,)`, strongest first."""
    h, w = image.shape
    if h < 3 or w < 3:
        return np.zeros((0, 2)), np.zeros(0, np.float32)
    allowed = np.ones((h, w), bool) if mask is None else mask != 0
    strength = strengths(image, options.block)
    scale = np.float32(1) / np.float32(128 * options.block**2)
    threshold = np.float32(np.where(allowed, strength, 0).max() * np.float64(options.quality))
    rows_max = np.maximum.reduce(_windows(strength, 1, 1))
    around = np.maximum.reduce(_windows(rows_max.T, 1, 1)).T
    good = allowed & (strength > threshold) & (strength * scale >= options.min_score)
    good &= strength == around
    good[[0, -1]] = good[:, [0, -1]] = False  # as in OpenCV
    corners = [(strength[y, x], y, x) for y, x in np.argwhere(good)]
    kept = choose(sorted(corners, reverse=True), (w, h), options, existing_px)
    xy = np.array([(x, y) for _, y, x in kept], np.float64).reshape(-1, 2)
    return xy, np.array([s * scale for s, _, _ in kept], np.float32)


def choose(corners: list, size: tuple[int, int], options: FeatureOptions, existing_px) -> list:
    """Keep the strongest that are far enough from each other; see `detect_features`."""
    w, h = size
    existing = [] if existing_px is None else existing_px[np.isfinite(existing_px).all(axis=1)]
    inside = [(x, y) for x, y in existing if -0.5 <= x < w - 0.5 and -0.5 <= y < h - 0.5]
    columns = min(max(options.cells, 1), w)
    rows = min(max(math.floor(columns * h / w + 0.5), 1), h)
    balance = options.cells > 0 and options.max_features > 0

    def cell(x: float, y: float) -> tuple[int, int]:
        return int(x + 0.5) * columns // w, int(y + 0.5) * rows // h

    def near(p, q) -> bool:
        return (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 < options.min_distance**2

    wanted = options.max_features or len(corners)
    held = dict.fromkeys([(i, j) for i in range(columns) for j in range(rows)], 0)
    for x, y in inside:
        held[cell(x, y)] += 1
    share = -(-(len(inside) + wanted) // len(held)) if balance else len(corners) + len(inside)
    kept, taken, open_ = [], list(existing), corners
    while open_ and len(kept) < wanted:
        waiting = []
        for corner in open_:
            _, y, x = corner
            if len(kept) == wanted or any(near((x, y), p) for p in taken):
                continue
            if held[cell(x, y)] >= share:
                waiting.append(corner)
                continue
            held[cell(x, y)] += 1
            kept.append(corner)
            taken.append((x, y))
        open_ = [c for c in waiting if not any(near((c[2], c[1]), p) for p in taken)]
        rich = {cell(x, y) for _, y, x in open_}
        if rich:
            least = min(held[c] for c in rich)
            share = max(share, least) + -(-(wanted - len(kept)) // len(rich))
    return sorted(kept, reverse=True)
