"""Where a patch went, by brute least squares in float64.

The window of `prev` is every whole pixel it touches, those at its edges weighted so that its
centre of mass is the point; `next` is interpolated with a wide sinc and its own exact derivative,
and Gauss-Newton minimises the sum of squared differences over the position and whatever
brightness change is allowed. No pyramid, no fixed point, no
inverse-compositional shortcut: only the answer is meant to be the same. It needs a start within a
pixel or two, and knows no borders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Weights = Callable[[float], Floats]
"""From a fraction of a pixel to an even number of weights of the pixels around it."""


class BorderError(ValueError):
    """A window reaches beyond an image."""


@dataclass(frozen=True)
class Match:
    """One point: where it went [px] and how alike the patches are."""

    xy_px: Floats
    ncc: float
    residual: float


def bilinear(fraction: float) -> Floats:
    """Return two weights."""
    return np.array([1 - fraction, fraction])


def eight_taps(fraction: float) -> Floats:
    """Return the 8 weights that come closest to a shift of all waves up to 2 rad/px.

    Least squares over a grid of frequencies, finer ones counting 1e-4, under two conditions:
    constants and ramps come out exactly.
    """
    t = np.arange(-3, 5) - fraction
    omega = (np.arange(4000) + 0.5) / 4000 * np.pi
    weight = np.where(omega < 2.0, 1.0 + 1e-4, 1e-4)
    even, odd = np.cos(np.outer(omega, t)), np.sin(np.outer(omega, t))
    normal = (even.T * weight) @ even + (odd.T * weight) @ odd
    exact = np.stack([np.ones(8), t])
    system = np.block([[normal, exact.T], [exact, np.zeros((2, 2))]])
    return np.linalg.solve(system, np.concatenate([even.T @ weight, [1.0, 0.0]]))[:8]


def wide_sinc(fraction: float) -> Floats:
    """Return 16 weights of a Kaiser-windowed sinc: exact to 1e-3 up to 2.6 rad/px."""
    t = np.arange(-7, 9) - fraction
    inside = np.clip(1 - (t / 8) ** 2, 0, None)
    weights = np.sinc(t) * np.i0(8.0 * np.sqrt(inside))
    return np.asarray(weights / weights.sum())


def track_point(
    prev: NDArray[np.generic],
    next: NDArray[np.generic],
    xy_px: ArrayLike,
    start_px: ArrayLike,
    *,
    window: int = 21,
    photometric: str = "none",
    steps: int = 50,
) -> Match:
    """Follow one point."""
    template, corner = _template(prev, xy_px, window)
    at = np.array(start_px, np.float64)
    fixed = _brightness_columns(template, photometric)
    across, down = (
        _edge_weights(*axis) for axis in zip(-corner, template.shape[::-1], strict=True)
    )
    weights = np.outer(down, across).ravel()
    for _ in range(steps):
        patch, along_x, along_y = (
            _resampled(next, at + corner, template.shape, wide_sinc, derivative)
            for derivative in ("", "x", "y")
        )
        columns = np.stack([-along_x.ravel(), -along_y.ravel(), *fixed], axis=1)
        difference = (patch - template).ravel()
        weighted = columns.T * weights
        step = np.linalg.solve(weighted @ columns, weighted @ difference)[:2]
        at += step
        if np.hypot(*step) < 1e-6:
            break
    ncc, residual = quality(prev, next, xy_px, at, window=window, photometric=photometric)
    return Match(at, ncc, residual)


def quality(
    prev: NDArray[np.generic],
    next: NDArray[np.generic],
    xy_px: ArrayLike,
    at_px: ArrayLike,
    *,
    window: int = 21,
    photometric: str = "none",
    weights: Weights = wide_sinc,
) -> tuple[float, float]:
    """Return ncc and rms residual of the patches at `xy_px` of `prev` and `at_px` of `next`."""
    template, corner = _template(prev, xy_px, window)
    patch = _resampled(next, np.asarray(at_px) + corner, template.shape, weights)
    t, j = template.ravel() - template.mean(), patch.ravel() - patch.mean()
    ncc = float(t @ j / np.sqrt((t @ t) * (j @ j)))
    difference = (patch - template).ravel()
    fixed = _brightness_columns(template, photometric)
    if fixed:
        columns = np.stack(fixed, axis=1)
        difference = difference - columns @ np.linalg.lstsq(columns, difference, rcond=None)[0]
    return ncc, float(np.sqrt(np.mean(difference**2)))


def _brightness_columns(template: Floats, photometric: str) -> list[Floats]:
    ones, grey = np.ones(template.size), template.ravel()
    return {"none": [], "bias": [ones], "gain_bias": [ones, grey]}[photometric]


def _template(image: NDArray[np.generic], xy_px: ArrayLike, window: int) -> tuple[Floats, Floats]:
    """Return the pixels a window touches and the way from the point to the first of them."""
    point = np.asarray(xy_px, np.float64)
    first = np.floor(point - (window - 1) / 2)
    last = np.ceil(point + (window - 1) / 2)
    return _cut(image, first.astype(int), (last - first).astype(int) + 1), first - point


def _edge_weights(center: float, size: int) -> Floats:
    """Return weights of `size` pixels in a row: one lighter end moves their mean to `center`."""
    weights = np.ones(size)
    too_far = (size - 1) / 2 - center  # positive: the last pixel is too heavy
    end = -1 if too_far > 0 else 0
    weights[end] = 1 - 2 * abs(too_far) * size / (size - 1 + 2 * abs(too_far))
    return weights


def _cut(image: NDArray[np.generic], first: NDArray[np.intp], size: NDArray[np.intp]) -> Floats:
    (x, y), (width, height) = first, size
    if min(x, y) < 0 or x + width > image.shape[1] or y + height > image.shape[0]:
        raise BorderError
    return image[y : y + height, x : x + width].astype(np.float64)


def _resampled(
    image: NDArray[np.generic],
    first_px: Floats,
    shape: tuple[int, ...],
    weights: Weights,
    derivative: str = "",
) -> Floats:
    """Return a patch whose first pixel is at `first_px` of `image`, or its derivative."""
    whole = np.floor(first_px).astype(int)
    taps = len(weights(0.0))
    size = np.array(shape[::-1])
    pixels = _cut(image, whole - (taps // 2 - 1), size + taps - 1)
    across, down = (
        _filter(weights, fraction, side, slope=axis == derivative)
        for fraction, side, axis in zip(first_px - whole, size, "xy", strict=True)
    )
    return np.asarray(down @ pixels @ across.T)


def _filter(weights: Weights, fraction: float, side: int, *, slope: bool) -> Floats:
    """Return the (side, side + taps - 1) matrix that interpolates, or its derivative."""
    h = 1e-4
    row = weights(fraction)
    if slope:
        row = (weights(fraction + h) - weights(fraction - h)) / (2 * h)
    matrix = np.zeros((side, side + len(row) - 1))
    for i in range(side):
        matrix[i, i : i + len(row)] = row
    return matrix
