"""Ready-made textures, each from a seed, and the registry of texture classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trackcore.errors import InputError
from trackcore.synth._args import non_negative, positive, seed_number, whole
from trackcore.synth._formulas import (
    MEAN,
    PERIOD,
    Floats,
    GaborNoise,
    Mosaic,
    PlaneWaves,
    Texture,
)


def plane_waves(
    seed: int = 0,
    *,
    std_rad_per_px: float = 0.5,
    n_waves: int = 100,
    rms_contrast: float = 34.0,
) -> PlaneWaves:
    """Return a random texture with a Gaussian spectrum.

    Parameters
    ----------
    seed : int
    std_rad_per_px : float
        Standard deviation of the wave vectors per axis [rad/px]: 0.25 smooth, 0.5, 0.8 fine.
        The rms gradient per axis is `std_rad_per_px * rms_contrast` less the pixel's blur.
    n_waves : int
    rms_contrast : float
        Standard deviation of the grey levels.
    """
    rng = np.random.default_rng(seed_number(seed))
    positive("std_rad_per_px", std_rad_per_px)
    omega = rng.normal(0, std_rad_per_px, (whole("n_waves", n_waves, 1), 2))
    return _waves(rng, omega, rms_contrast)


def white_noise(seed: int = 0, *, n_waves: int = 200, rms_contrast: float = 34.0) -> PlaneWaves:
    """Return a texture with equal power up to the pixel grid's limit: as fine as one can be."""
    rng = np.random.default_rng(seed_number(seed))
    limit = 0.95 * np.pi
    omega = rng.uniform(-limit, limit, (whole("n_waves", n_waves, 1), 2))
    return _waves(rng, omega, rms_contrast)


def pink_noise(
    seed: int = 0,
    *,
    n_waves: int = 150,
    rms_contrast: float = 34.0,
    rad_per_px: tuple[float, float] = (0.03, 1.6),
) -> PlaneWaves:
    """Return a texture with equal power in every octave, as photographs have on average."""
    rng = np.random.default_rng(seed_number(seed))
    lo, hi = positive("rad_per_px[0]", rad_per_px[0]), positive("rad_per_px[1]", rad_per_px[1])
    if lo > hi:
        raise InputError(f"rad_per_px: expected (lowest, highest), got {rad_per_px}")
    size = whole("n_waves", n_waves, 1)
    radius, angle = (
        np.exp(rng.uniform(np.log(lo), np.log(hi), size)),
        rng.uniform(0, 2 * np.pi, size),
    )
    omega = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _waves(rng, omega, rms_contrast)


def low_gradient(seed: int = 0, *, rms_contrast: float = 12.0) -> PlaneWaves:
    """Return slow shades, under one grey level per pixel: little for a tracker to hold."""
    return plane_waves(seed, std_rad_per_px=0.06, n_waves=40, rms_contrast=rms_contrast)


def repetitive(seed: int = 0, *, period_px: float = 14.0, rms_contrast: float = 32.0) -> PlaneWaves:
    """Return a wallpaper that repeats every `period_px` along two perpendicular axes."""
    rng = np.random.default_rng(seed_number(seed))
    positive("period_px", period_px)
    harmonics = [(i, j) for i in range(3) for j in range(-2, 3) if (i, j) > (0, 0)]
    angle = rng.uniform(0, 2 * np.pi)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    omega = 2 * np.pi / period_px * np.array(harmonics, float) @ axes
    return _waves(rng, omega, rms_contrast)


def gabor_noise(
    seed: int = 0,
    *,
    wavelength_px: float = 9.0,
    per_cell: int = 2,
    rms_contrast: float = 34.0,
) -> GaborNoise:
    """Return random wave packets of one wavelength in all directions."""
    rng = np.random.default_rng(seed_number(seed))
    positive("wavelength_px", wavelength_px)
    shape = (PERIOD, PERIOD, whole("per_cell", per_cell, 1))
    angle = rng.uniform(0, 2 * np.pi, shape)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    # variance: packets per area x their energy, pi R^2 / 14 for (1 - r^2/R^2)^3 cos
    amplitude = non_negative("rms_contrast", rms_contrast) * np.sqrt(14 / np.pi / per_cell)
    return GaborNoise(
        cell_px=1.3 * wavelength_px,
        center=rng.uniform(0, 1, (*shape, 2)),
        cycles_per_px=direction / (wavelength_px * rng.uniform(0.8, 1.25, shape)[..., None]),
        phase=rng.uniform(0, 1, shape),
        amplitude=float(amplitude),
    )


def corners(seed: int = 0, *, cell_px: float = 12.0, rms_contrast: float = 55.0) -> Mosaic:
    """Return an irregular, rotated mosaic: corners of every contrast between flat areas."""
    rng = np.random.default_rng(seed_number(seed))
    side = positive("cell_px", cell_px)
    return mosaic(rng, (side, side), rng.uniform(0, 2 * np.pi), rms_contrast)


def edge_only(seed: int = 0, *, spacing_px: float = 16.0, rms_contrast: float = 55.0) -> Mosaic:
    """Return straight parallel edges: nothing fixes a point along them."""
    rng = np.random.default_rng(seed_number(seed))
    side = positive("spacing_px", spacing_px)
    stripes = mosaic(rng, (side, side), rng.uniform(0, 2 * np.pi), rms_contrast)
    stripes.grey[:] = stripes.grey[0]
    return stripes


def mosaic(
    rng: np.random.Generator,
    cell_px: tuple[float, float],
    angle_rad: float,
    rms_contrast: float,
    *,
    mean: float = MEAN,
    jitter: float = 0.3,
    row_shift: Floats | None = None,
    edge_px: float = 1.5,
    line_px: float = 0.0,
    line_grey: float = 40.0,
) -> Mosaic:
    """Return a `Mosaic` with random grey levels, uniform around `mean`, and random lines."""
    spread = non_negative("rms_contrast", rms_contrast) * np.sqrt(3)
    return Mosaic(
        cell_px=cell_px,
        angle_rad=angle_rad,
        grey=mean + rng.uniform(-spread, spread, (PERIOD, PERIOD)),
        jitter=rng.uniform(-jitter, jitter, (2, PERIOD)),
        row_shift=np.zeros(PERIOD) if row_shift is None else row_shift,
        edge_px=edge_px,
        line_px=line_px,
        line_grey=line_grey,
    )


def _waves(rng: np.random.Generator, omega: Floats, rms_contrast: float) -> PlaneWaves:
    """Return waves of equal power and random phase."""
    n = len(omega)
    amplitude = non_negative("rms_contrast", rms_contrast) * np.sqrt(2 / n)
    return PlaneWaves(omega / (2 * np.pi), rng.uniform(0, 1, n), np.full(n, amplitude))


def _smooth(seed: int = 0) -> PlaneWaves:
    return plane_waves(seed, std_rad_per_px=0.25)


def _fine(seed: int = 0) -> PlaneWaves:
    return plane_waves(seed, std_rad_per_px=0.8)


TEXTURES: dict[str, Callable[[int], Texture]] = {
    "smooth": _smooth,
    "medium": plane_waves,
    "fine": _fine,
    "pink": pink_noise,
    "gabor": gabor_noise,
    "corners": corners,
    "repetitive": repetitive,
    "low_gradient": low_gradient,
    "edge_only": edge_only,
    "white_noise": white_noise,
}
"""Texture classes by name: `TEXTURES["corners"](seed)`."""
