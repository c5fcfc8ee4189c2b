"""What stands in the room of `ParallaxScene`, and what it is covered with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from trackcore.synth._formulas import MEAN, PERIOD, Mosaic, PlaneWaves
from trackcore.synth._surfaces import Layers, Rectangle, Rings, Shadows, SurfaceTexture
from trackcore.synth.textures import (
    corners,
    mosaic,
    pink_noise,
    plane_waves,
    repetitive,
)

TEXELS_PER_M = 130.0  # so that a texel is about a pixel at 4 m
_LEFT, _RIGHT, _BACK, _FRONT, _CEILING = -3.4, 3.4, 6.2, -1.5, -2.9


def furnished_room(rng: np.random.Generator) -> list[Rectangle]:
    """Return all surfaces: the room is closed, so every ray hits one.

    World: x right, y down, z away from the door where the camera starts; the floor is y = 0 [m].
    """
    boxes = [
        # x, z of the centre; width, height, depth [m]; turned by [rad]; height above the floor
        (-1.35, 3.7, (0.95, 0.85, 0.9), 0.45, 0.0),
        (-1.42, 3.72, (0.5, 0.42, 0.5), -0.2, 0.85),
        (1.6, 4.8, (0.9, 1.65, 0.6), -0.3, 0.0),
        (-0.35, 2.75, (0.5, 0.42, 0.45), 0.65, 0.0),
        (0.35, 4.4, (0.45, 0.7, 0.45), 0.2, 0.0),
        (0.6, 2.7, (0.12, -_CEILING, 0.14), 0.35, 0.0),
    ]
    covers = _covers(rng)
    surfaces = _walls(rng, [(x, z, w + d) for x, z, (w, _, d), _, up in boxes if up == 0])
    surfaces += _posters(rng)
    for (x, z, size, turn, above), cover in zip(boxes, covers, strict=True):
        x, z = x + rng.uniform(-0.04, 0.04), z + rng.uniform(-0.04, 0.04)
        surfaces += _box((x, -above, z), size, turn + rng.uniform(-0.1, 0.1), cover)
    return surfaces


def _walls(rng: np.random.Generator, stands: list[tuple[float, float, float]]) -> list[Rectangle]:
    """Return floor, ceiling and four walls; `stands` are x, z and extent of things on the floor."""
    k, width, depth = TEXELS_PER_M, _RIGHT - _LEFT, _BACK - _FRONT
    blots = tuple(((x - _LEFT) * k, (z - _FRONT) * k, 0.42 * extent * k) for x, z, extent in stands)
    floor = Shadows(_detailed(_planks(rng), _grain(rng, 0.9, 6), 0.8), blots, 0.55)
    bricks = _detailed(_bricks(rng), _grain(rng), 0.4)
    plaster = pink_noise(int(rng.integers(1 << 31)), n_waves=24, rms_contrast=18)
    up, right, away = (0, -1, 0), (1, 0, 0), (0, 0, 1)
    return [
        _rectangle((_LEFT, 0, _FRONT), right, away, (width, depth), floor, 1.0),
        _rectangle((_LEFT, _CEILING, _FRONT), right, away, (width, depth), plaster, 1.45),
        _rectangle((_LEFT, 0, _BACK), right, up, (width, -_CEILING), bricks, 1.0),
        _rectangle((_LEFT, 0, _FRONT), right, up, (width, -_CEILING), plaster, 1.0),
        _rectangle((_LEFT, 0, _FRONT), away, up, (depth, -_CEILING), plaster, 0.95),
        _rectangle((_RIGHT, 0, _FRONT), away, up, (depth, -_CEILING), plaster, 1.2),
    ]


def _posters(rng: np.random.Generator) -> list[Rectangle]:
    """Return pictures, a centimetre in front of the walls."""
    k, seed = TEXELS_PER_M, int(rng.integers(1 << 31))
    art = corners(seed, cell_px=0.13 * k)
    z, right, up = _BACK - 0.01, (1, 0, 0), (0, -1, 0)
    return [
        _rectangle((-2.5, -1.35, z), right, up, (0.95, 1.2), art, 1.05),
        _rectangle((0.15, -1.5, z), right, up, (1.3, 0.85), pink_noise(seed, n_waves=32), 1.2),
        _rectangle(
            (_LEFT + 0.01, -1.2, 3.6), (0, 0, 1), up, (1.4, 0.9),
            repetitive(seed, period_px=0.16 * k), 1.1,
        ),
        _rectangle(
            (_RIGHT - 0.01, -1.0, 4.0), (0, 0, 1), up, (1.1, 1.3),
            corners(seed + 1, cell_px=0.2 * k), 1.2,
        ),
        _target((2.35, -1.65, z), 0.84),
    ]  # fmt: skip


def _covers(rng: np.random.Generator) -> list[SurfaceTexture]:
    """Return the boxes' textures, in their order."""
    k = TEXELS_PER_M
    seeds = [int(s) for s in rng.integers(1 << 31, size=4)]
    slats = mosaic(
        rng, (40 * k, 0.14 * k), 0.0, 28, mean=140, jitter=0.03, line_px=0.014 * k, edge_px=1.0
    )
    checks = _checks(rng, 0.1 * k)
    return [
        _detailed(slats, _grain(rng, 5, 0.9), 0.8),
        _detailed(checks, plane_waves(seeds[0], n_waves=20), 0.3),
        _detailed(corners(seeds[1], cell_px=0.16 * k), plane_waves(seeds[2], n_waves=20), 0.3),
        plane_waves(seeds[3], std_rad_per_px=0.35, n_waves=32, rms_contrast=36),
        repetitive(seeds[0], period_px=0.09 * k),
        corners(seeds[2], cell_px=0.07 * k),
    ]


def _box(
    foot_world: tuple[float, float, float],
    size_m: tuple[float, float, float],
    turn_rad: float,
    texture: SurfaceTexture,
) -> list[Rectangle]:
    """Return the four sides and the top of an upright box, lit from the right and above."""
    width, height, depth = size_m
    right = np.array([np.cos(turn_rad), 0, np.sin(turn_rad)])
    away = np.array([-np.sin(turn_rad), 0, np.cos(turn_rad)])
    up, foot = np.array([0.0, -1, 0]), np.array(foot_world)
    near = foot - right * width / 2 - away * depth / 2
    far, top = foot + right * width / 2 + away * depth / 2, near + up * height
    ahead, round_corner = width + depth, width
    return [
        _rectangle(near, right, up, (width, height), texture, 0.95),
        _rectangle(near, away, up, (depth, height), texture, 0.6, start_m=ahead + width),
        _rectangle(far, -right, up, (width, height), texture, 0.7, start_m=ahead),
        _rectangle(far, -away, up, (depth, height), texture, 1.15, start_m=round_corner),
        _rectangle(top, right, away, (width, depth), texture, 1.15, start_m=2 * ahead),
    ]


def _rectangle(
    origin: ArrayLike,
    s_axis: ArrayLike,
    t_axis: ArrayLike,
    size_m: tuple[float, float],
    texture: SurfaceTexture,
    brightness: float,
    *,
    start_m: float = 0.0,
) -> Rectangle:
    axes = np.array([s_axis, t_axis], np.float64)
    corner = np.asarray(origin, np.float64)
    return Rectangle(corner, axes, size_m, texture, TEXELS_PER_M, brightness, start_m)


def _detailed(base: SurfaceTexture, detail: PlaneWaves, weight: float) -> Layers:
    return Layers(base, detail, weight, MEAN)


def _grain(rng: np.random.Generator, along: float = 1.0, across: float = 1.0) -> PlaneWaves:
    """Return fine random detail, drawn out along its two axes by the given factors."""
    waves = plane_waves(int(rng.integers(1 << 31)), std_rad_per_px=0.55, n_waves=20)
    return replace(waves, cycles_per_px=waves.cycles_per_px / (along, across))


def _planks(rng: np.random.Generator) -> Mosaic:
    """Return floor boards that run away from the camera."""
    k, joint = TEXELS_PER_M, rng.uniform(0, 1, PERIOD)
    return mosaic(
        rng, (1.6 * k, 0.17 * k), np.pi / 2, 22, mean=128, jitter=0.02, row_shift=joint,
        line_px=0.012 * k, line_grey=45, edge_px=1.0,
    )  # fmt: skip


def _bricks(rng: np.random.Generator) -> Mosaic:
    k, shift = TEXELS_PER_M, np.arange(PERIOD) % 2 / 2
    return mosaic(
        rng, (0.3 * k, 0.12 * k), 0.0, 16, mean=118, jitter=0.02, row_shift=shift,
        line_px=0.016 * k, line_grey=178, edge_px=1.0,
    )  # fmt: skip


def _checks(rng: np.random.Generator, side_px: float) -> Mosaic:
    """Return a draughts board."""
    board = mosaic(rng, (side_px, side_px), 0.0, 0, jitter=0.0)
    row, column = np.indices(board.grey.shape)
    board.grey[:] = np.where((row + column) % 2, 205, 55)
    return board


def _target(center: tuple[float, float, float], side_m: float) -> Rectangle:
    """Return a square poster of rings, facing the camera."""
    x, y, z = center
    middle = side_m / 2 * TEXELS_PER_M
    rings = Rings((middle, middle), 0.085 * TEXELS_PER_M, 75)
    return _rectangle(
        (x - side_m / 2, y + side_m / 2, z), (1, 0, 0), (0, -1, 0), (side_m, side_m), rings, 1.1
    )
