"""A texture as a camera sees it: averaged over pixels, with noise, rounded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from trackcore._check import Dims
from trackcore.errors import InputError
from trackcore.synth._args import generator, image_dtype, image_size, non_negative, whole
from trackcore.synth._formulas import Floats, PlaneWaves, Texture

UINT16_SCALE = 256.0
"""Grey levels of a uint16 picture per grey level of the texture."""

_BLOCK = 1 << 15  # pixels worked on at once: keeps temporaries in the cache
_STEP_PX = 0.05  # of `gradient`: its error is below 0.1 % up to 1.5 rad/px


def render(
    texture: Texture,
    size: tuple[int, int] = (320, 240),
    *,
    warp: ArrayLike | None = None,
    dtype: DTypeLike = np.uint8,
    noise: float = 0.0,
    shot_noise: float = 0.0,
    gain: float = 1.0,
    bias: float = 0.0,
    rng: np.random.Generator | None = None,
    supersample: int = 4,
) -> NDArray[np.generic]:
    """Return a picture of a texture, as moved by a warp.

    Parameters
    ----------
    texture : Texture
        Grey level by position.
    size : (w, h)
        Of the picture [px].
    warp : (3, 3) float, optional
        Homography from texture positions (pixels of the picture without warp) to pixels of this
        picture: the pixel centred at `q` shows the texture at `inverse(warp) q`.
    dtype : uint8, uint16 (256 times the grey level) or float32 (not rounded)
    noise : float
        Standard deviation of Gaussian noise [grey levels].
    shot_noise : float
        Variance of Poisson noise per grey level.
    gain, bias : float
        The picture is `gain * texture + bias`, before noise.
    rng : numpy.random.Generator
        Source of the noise; needed only for noise.
    supersample : int
        Points per pixel and axis over which a texture is averaged. `PlaneWaves` do not need it:
        they are averaged by formula, exactly for affine warps.

    Returns
    -------
    (h, w) array of `dtype`

    Raises
    ------
    InputError
        If the warp is singular or sends part of the picture to infinity, or noise has no `rng`.
    """
    found = image_dtype(dtype)
    to_texture = inverse_warp("warp", warp)
    grey = average(texture, image_size(size), to_texture, whole("supersample", supersample, 1))
    return develop(gain * grey + bias, found, noise=noise, shot_noise=shot_noise, rng=rng)


def gradient(
    texture: Texture, size: tuple[int, int], *, warp: ArrayLike | None = None, supersample: int = 4
) -> Floats:
    """Return the (h, w, 2) gradient d/dx, d/dy of the noise-free picture [grey levels/px].

    Central differences of two renderings 0.1 px apart, so independent of any pixel kernel.
    """
    to_texture = inverse_warp("warp", warp)
    w_h, per_axis = image_size(size), whole("supersample", supersample, 1)

    def moved(dx: float, dy: float) -> Floats:
        shift = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]])
        return average(texture, w_h, to_texture @ shift, per_axis)

    h = _STEP_PX
    along_x = (moved(h, 0) - moved(-h, 0)) / (2 * h)
    along_y = (moved(0, h) - moved(0, -h)) / (2 * h)
    return np.stack([along_x, along_y], axis=-1)


def crlb_px(
    gradient: ArrayLike,
    xy_px: ArrayLike,
    *,
    noise: float | tuple[float, float],
    window: int = 21,
) -> Floats:
    """Return how well a translation can be known at best: the Cramer-Rao bound per point.

    cov >= (s1^2 + s2^2) inverse(G), G the sum of g g^T over the window, g from the noise-free
    picture (Robinson & Milanfar 2004). Where G is isotropic, the median length of the best
    estimator's errors is 1.177 times this.

    Parameters
    ----------
    gradient : (h, w, 2) float
        Noise-free, from `gradient` [grey levels/px].
    xy_px : (n, 2) float
        Points [px]; the window is the one around the nearest pixel.
    noise : float or (float, float)
        Standard deviation of both pictures' noise, or of each [grey levels]. Rounding to
        integers adds 1/12 to the variance.
    window : int
        Side of the window [px].

    Returns
    -------
    (n,) float64
        Standard deviation per axis, sqrt(trace(cov) / 2) [px]. Infinite where the window has no
        gradient or only one direction of it; NaN where it leaves the picture.
    """
    dims = Dims()
    g = dims.array("gradient", gradient, ("h", "w", 2))
    points = dims.array("xy_px", xy_px, ("n_points", 2))
    side = whole("window", window, 1)
    pair = noise if isinstance(noise, tuple) else (noise, noise)
    variance = sum(non_negative("noise", s) ** 2 for s in pair)
    h, w = g.shape[:2]
    table = np.zeros((3, h + 1, w + 1))
    products = (g[..., 0] ** 2, g[..., 1] ** 2, g[..., 0] * g[..., 1])
    table[:, 1:, 1:] = np.cumsum(np.cumsum(products, axis=1), axis=2)
    lo = np.floor(points + 0.5) - (side - 1) // 2
    inside = ((lo >= 0) & (lo + side <= (w, h))).all(axis=1)
    x, y = lo[inside].astype(np.intp).T
    gxx, gyy, gxy = (
        t[y + side, x + side] - t[y, x + side] - t[y + side, x] + t[y, x] for t in table
    )
    sigma = np.full(len(points), np.nan)
    trace, det = gxx + gyy, gxx * gyy - gxy**2
    # differences of cumulated sums leave rounding in place of zero
    known = det > 1e-9 * trace**2
    known &= trace > 1e-12 * table[:2, -1, -1].sum()
    sigma[inside] = np.inf
    bound = np.sqrt(variance * trace[known] / (2 * det[known]))
    sigma[np.flatnonzero(inside)[known]] = bound
    return sigma


def inverse_warp(name: str, warp: ArrayLike | None) -> Floats:
    """Return the inverse of a (3, 3) homography, its last row exactly (0, 0, 1) if affine."""
    if warp is None:
        return np.eye(3)
    forward = Dims().array(name, warp, (3, 3))
    if not np.isfinite(forward).all() or abs(np.linalg.det(forward)) < 1e-12:
        raise InputError(f"{name}: expected an invertible homography, got {forward.tolist()}")
    inverse = np.linalg.inv(forward)
    if (forward[2, :2] == 0).all():
        inverse[2] = 0, 0, 1 / forward[2, 2]
    return np.asarray(inverse / inverse[2, 2])


def average(texture: Texture, size: tuple[int, int], to_texture: Floats, per_axis: int) -> Floats:
    """Return the (h, w) noise-free picture: the texture averaged over every pixel."""
    w, h = size
    corners = np.array([[x, y, 1.0] for x in (-0.5, w - 0.5) for y in (-0.5, h - 0.5)])
    if (corners @ to_texture[2] <= 0).any():
        raise InputError("warp: sends part of the picture to infinity")
    affine = (to_texture[2, :2] == 0).all()
    if affine and isinstance(texture, PlaneWaves):
        return texture.grid(to_texture[:2], size)

    def block(u: Floats, v: Floats) -> Floats:
        if isinstance(texture, PlaneWaves):
            x, y, scale = _homography(to_texture, u, v)
            a = to_texture
            return texture.average(
                x, y,
                ((a[0, 0] - x * a[2, 0]) * scale, (a[0, 1] - x * a[2, 1]) * scale,
                 (a[1, 0] - y * a[2, 0]) * scale, (a[1, 1] - y * a[2, 1]) * scale),
            )  # fmt: skip
        grey = np.zeros(u.shape)
        offsets = (np.arange(per_axis) + 0.5) / per_axis - 0.5
        for dv in offsets:
            for du in offsets:
                x, y, _ = _homography(to_texture, u + du, v + dv)
                grey += texture(x, y)
        return grey / per_axis**2

    return over_blocks(size, block)


def over_blocks(size: tuple[int, int], block: Callable[[Floats, Floats], Floats]) -> Floats:
    """Return `block(u, v)` over all pixel centres of a picture, some rows (n,) at a time."""
    w, h = size
    grey = np.empty((h, w))
    rows = max(1, _BLOCK // w)
    for top in range(0, h, rows):
        v, u = np.mgrid[top : min(top + rows, h), 0:w].astype(np.float64).reshape(2, -1)
        grey[top : top + rows] = block(u, v).reshape(-1, w)
    return grey


def _homography(m: Floats, u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the mapped positions and 1 / denominator."""
    scale = 1 / (m[2, 0] * u + m[2, 1] * v + m[2, 2])
    x = (m[0, 0] * u + m[0, 1] * v + m[0, 2]) * scale
    y = (m[1, 0] * u + m[1, 1] * v + m[1, 2]) * scale
    return x, y, scale


def develop(
    grey: Floats,
    dtype: np.dtype[np.generic],
    *,
    noise: float,
    shot_noise: float,
    rng: np.random.Generator | None,
) -> NDArray[np.generic]:
    """Return noise-free grey levels as a picture: noise, scale, rounding, saturation."""
    non_negative("noise", noise)
    non_negative("shot_noise", shot_noise)
    if noise or shot_noise:
        random = generator(rng)
        if shot_noise:
            grey = shot_noise * random.poisson(np.maximum(grey, 0) / shot_noise).astype(np.float64)
        if noise:
            grey = grey + noise * random.standard_normal(grey.shape)
    if dtype == np.float32:
        return grey.astype(np.float32)
    scale, top = (1.0, 255.0) if dtype == np.uint8 else (UINT16_SCALE, 65535.0)
    return np.clip(np.rint(grey * scale), 0, top).astype(dtype)
