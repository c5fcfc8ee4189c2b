"""Where a pattern went and how it deformed: correlation everywhere, then brute least squares.

Slow and obvious, in float64. `zncc_map` is the definition, window by window. `align` samples
`next` with a wide sinc at every pixel of the warped pattern and lets Gauss-Newton, with derivatives
by differences, minimise the squared difference over the motion and the brightness. No template
gradients, no inverse composition, no grid of samples: only the answer is meant to be the same. It
needs a start within a pixel or two, and knows no borders.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def zncc_map(pattern: NDArray[np.generic], area: NDArray[np.generic]) -> Floats:
    """Return the correlation of the pattern with each window; NaN where a window is flat."""
    t = pattern.astype(np.float64) - pattern.astype(np.float64).mean()
    windows = sliding_window_view(area.astype(np.float64), pattern.shape)
    differences = windows - windows.mean(axis=(2, 3), keepdims=True)
    size = np.sqrt((differences**2).sum(axis=(2, 3)) * (t**2).sum())
    flat = np.ptp(windows, axis=(2, 3)) == 0
    with np.errstate(invalid="ignore"):
        return np.where(flat, np.nan, (differences * t).sum(axis=(2, 3)) / size)


def motion(model: str, p: Floats, center_px: Floats) -> Floats:
    """Return the homography of a model's parameters; the first two are the shift of the centre."""
    a, b, c, d, e, f = 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
    if model == "LocRot":
        a, b, c, d = np.cos(p[2]), -np.sin(p[2]), np.sin(p[2]), np.cos(p[2])
    elif model == "LocScale":
        a = d = 1 + p[2]
    elif model == "LocRotScale":
        a = d = 1 + p[2]
        b, c = -p[3], p[3]
    elif model in ("Affine", "Perspective"):
        a, b, c, d = 1 + p[2], p[3], p[4], 1 + p[5]
        if model == "Perspective":
            e, f = p[6:8]
    about = np.array([[a, b, 0], [c, d, 0], [e, f, 1]])
    back, there = np.eye(3), np.eye(3)
    back[:2, 2], there[:2, 2] = -center_px, center_px + p[:2]
    return np.asarray(there @ about @ back)


def moved(warp: Floats, xy_px: Floats) -> Floats:
    """Return points moved by a homography, whatever lies between them and the origin."""
    there = xy_px @ warp[:, :2].T + warp[:, 2]
    return np.asarray(there[:, :2] / there[:, 2:])


PARAMETERS = {
    "Loc": 2, "LocRot": 3, "LocScale": 3, "LocRotScale": 4, "Affine": 6, "Perspective": 8
}  # fmt: skip


def pattern_pixels(xy_px: ArrayLike, pattern: int) -> Floats:
    """Return the (pattern^2, 2) whole pixels of the pattern around a point."""
    first = np.floor(np.asarray(xy_px, np.float64) - (pattern - 1) / 2 + 0.5)
    y, x = np.mgrid[0:pattern, 0:pattern].astype(np.float64)
    return np.stack([x.ravel(), y.ravel()], axis=1) + first


def sample(image: NDArray[np.generic], at_px: Floats, reach: int = 8) -> Floats:
    """Return an image's values between pixels, by a Kaiser-windowed sinc of 2 * reach taps."""
    whole = np.floor(at_px).astype(int)
    offsets = np.arange(1 - reach, reach + 1)

    def weights(fraction: Floats) -> Floats:
        t = offsets - fraction[:, None]
        inside = np.clip(1 - (t / reach) ** 2, 0, None)
        w = np.sinc(t) * np.i0(8.0 * np.sqrt(inside))
        return np.asarray(w / w.sum(axis=1, keepdims=True))

    wx, wy = weights(at_px[:, 0] - whole[:, 0]), weights(at_px[:, 1] - whole[:, 1])
    rows = whole[:, 1, None] + offsets
    columns = whole[:, 0, None] + offsets
    values = image.astype(np.float64)[rows[:, :, None], columns[:, None, :]]
    return np.asarray(np.einsum("nij,ni,nj->n", values, wy, wx))


def align(
    prev: NDArray[np.generic],
    next: NDArray[np.generic],
    xy_px: ArrayLike,
    start_warp: Floats,
    model: str,
    *,
    pattern: int = 21,
    normalize: bool = True,
    steps: int = 30,
) -> tuple[Floats, float, float]:
    """Return the warp, the correlation and the rms residual at it."""
    pixels = pattern_pixels(xy_px, pattern)
    center = pixels.mean(axis=0)
    template = prev[pixels[:, 1].astype(int), pixels[:, 0].astype(int)].astype(np.float64)
    fixed = [np.ones_like(template), template] if normalize else []
    unit = np.array([1, 1, *[2 / pattern] * 4, *[4 / pattern**2] * 2])[: PARAMETERS[model]]

    def at(p: Floats) -> Floats:
        warp = start_warp @ motion(model, p * unit, center)
        return sample(next, moved(warp, pixels))

    p = np.zeros(len(unit))
    for _ in range(steps):
        step = 1e-3 * np.eye(len(p))
        columns = [(at(p + s) - at(p - s)) / 2e-3 for s in step]
        system = np.stack([*columns, *(-c for c in fixed)], axis=1)
        change = np.linalg.lstsq(system, template - at(p), rcond=None)[0][: len(p)]
        p += change
        if np.abs(change).max() < 1e-5:
            break
    values = at(p)
    t, j = template - template.mean(), values - values.mean()
    left = values - template
    if normalize:
        basis = np.stack(fixed, axis=1)
        left = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    warp = start_warp @ motion(model, p * unit, center)
    ncc = float(t @ j / np.sqrt((t @ t) * (j @ j)))
    return warp / warp[2, 2], ncc, float(np.sqrt(np.mean(left**2)))
