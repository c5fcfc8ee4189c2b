"""A baseball field as grey levels: grass, dirt, chalk, a plate, a wall behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import FOOT_M, INCH_M
from trackcore.synth._formulas import MEAN, Floats
from trackcore.synth.filming import PitchCamera
from trackcore.synth.textures import plane_waves

Flags = NDArray[np.bool_]

_PER_AXIS = 3
_GRASS, _DIRT, _CHALK, _WHITE, _WALL, _RAIL, _DARK = 46.0, 82.0, 148.0, 190.0, 34.0, 60.0, 22.0
_WALL_Z, _WALL_TOP = -45.0, 3.0
_MOUND_Z = -59.0 * FOOT_M
_RUBBER_Z = -60.5 * FOOT_M
_GRAIN_M = 0.12  # of the coarser texture of the ground


def field_picture(camera: PitchCamera, size: tuple[int, int], seed: int) -> Floats:
    """Return what a camera sees of the empty field: (h, w) grey levels, without noise.

    Edges are averaged over each pixel, texture fades where it is finer than a pixel.
    """
    w, h = size
    offsets = (np.arange(_PER_AXIS) + 0.5) / _PER_AXIS - 0.5
    grey = np.zeros((h, w))
    for dy in offsets:
        for dx in offsets:
            grey += _levels(*_hits(camera, size, dx, dy))
    grey /= _PER_AXIS**2
    return grey + _grain(*_hits(camera, size, 0.0, 0.0), camera, seed)


def _hits(
    camera: PitchCamera, size: tuple[int, int], dx: float, dy: float
) -> tuple[Floats, Floats, Floats]:
    """Return where each pixel's ray meets the ground (x, z), or the wall (x, height): y >= 0."""
    w, h = size
    u, v = np.meshgrid(np.arange(w) + dx, np.arange(h) + dy)
    R, t = camera.T_cam_world[:3, :3], camera.T_cam_world[:3, 3]
    eye = -R.T @ t
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ (R.T @ np.linalg.inv(camera.K)).T
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.where(rays[..., 1] < 0, -eye[1] / rays[..., 1], np.inf)
        wall = np.where(rays[..., 2] < 0, (_WALL_Z - eye[2]) / rays[..., 2], np.inf)
    reach = np.minimum(far, wall)[..., None]
    X = eye + np.where(np.isfinite(reach), reach, 1e4) * rays
    return X[..., 0], np.maximum(X[..., 1], 0.0), X[..., 2]


def _levels(x: Floats, y: Floats, z: Floats) -> Floats:
    grey = np.where(np.floor(z / 2.2) % 2 == 0, _GRASS + 3, _GRASS - 3)  # mown in stripes
    infield = np.hypot(x, z - 0.2) < 13 * FOOT_M
    lane = (np.abs(x) < 0.75) & (z < 0) & (z > _MOUND_Z)
    mound = np.hypot(x, z - _MOUND_Z) < 9 * FOOT_M
    grey = np.where(infield | lane | mound, _DIRT, grey)
    grey = np.where(_chalk(x, z), _CHALK, grey)
    rubber = (np.abs(x) < 12 * INCH_M) & (np.abs(z - _RUBBER_Z) < 3 * INCH_M)
    grey = np.where(_plate(x, z) | rubber, _WHITE, grey)
    up = np.where(y > _WALL_TOP, _DARK, np.where(np.abs(y - _WALL_TOP) < 0.12, _RAIL, _WALL))
    seams = np.abs((x / 2.4) % 1.0 - 0.5) > 0.485
    up = np.where(seams & (y < _WALL_TOP), _WALL - 8, up)
    return np.asarray(np.where((y > 1e-6) | (z <= _WALL_Z + 1e-6), up, grey))


def _plate(x: Floats, z: Floats) -> Flags:
    half = 8.5 * INCH_M
    sides = (np.abs(x) < half) & (z > 0) & (z < half)
    tip = (z >= half) & (np.abs(x) < 2 * half - z)
    return sides | tip


def _chalk(x: Floats, z: Floats) -> Flags:
    """Return the batters' boxes and the foul lines."""
    line, inner = 3 * INCH_M, 14.5 * INCH_M
    outer, long = inner + 4 * FOOT_M, 3 * FOOT_M
    across, along = np.abs(x), np.abs(z - 8.5 * INCH_M)
    box = (across > inner) & (across < outer) & (along < long)
    hollow = (across > inner + line) & (across < outer - line) & (along < long - line)
    foul = (np.abs(across + (z - 17 * INCH_M)) < line) & (across > outer)
    return (box & ~hollow) | foul


def _grain(x: Floats, y: Floats, z: Floats, camera: PitchCamera, seed: int) -> Floats:
    """Return the texture, which fades with the size of a pixel on what it shows."""
    eye = camera.T_cam_world[:3, :3].T @ -camera.T_cam_world[:3, 3]
    away = np.sqrt((x - eye[0]) ** 2 + (y - eye[1]) ** 2 + (z - eye[2]) ** 2)
    pixel_m = away / camera.K[0, 0] * away / max(float(eye[1]), 0.5)  # seen at a flat angle
    texture = plane_waves(seed, std_rad_per_px=1.0, n_waves=24, rms_contrast=1.0)
    ground = y <= 1e-6
    fine = texture(x / _GRAIN_M, np.where(ground, z, y) / _GRAIN_M) - MEAN
    coarse = texture(x / (9 * _GRAIN_M), np.where(ground, z, y) / (9 * _GRAIN_M)) - MEAN
    fade = np.exp(-0.5 * (pixel_m / _GRAIN_M) ** 2)
    return np.asarray(np.where(ground, 3.5, 1.0) * (fine * fade + coarse))
