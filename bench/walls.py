"""Flat textured walls, cameras and rays: the geometry of the rendered benchmark clips.

Numpy only: the renderer inside Blender imports it. World and camera axes: x right, y down, z
forward, metres. `T_cam_world` maps world to camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Wall:
    """A textured parallelogram: corner + a * edge_u + b * edge_v, a and b in 0..1."""

    texture: str
    corner: tuple[float, float, float]
    edge_u: tuple[float, float, float]
    edge_v: tuple[float, float, float]
    px_per_m: float = 260.0

    @property
    def texture_size(self) -> tuple[int, int]:
        """Texture width and height [px]: multiples of 256, so that mip levels halve exactly."""
        sides = np.linalg.norm(self.edge_u), np.linalg.norm(self.edge_v)
        w, h = (int(np.clip(round(s * self.px_per_m / 256), 2, 16)) * 256 for s in sides)
        return w, h


def tremor(rng: np.random.Generator, t_s: F64) -> F64:
    """(6, n) of a hand at times [s]: sums of sines of 0.5 .. 6 Hz, weaker the faster."""
    hz = rng.uniform(0.5, 6.0, (6, 5))
    phase = rng.uniform(0, 2 * np.pi, (6, 5))
    waves = np.sin(2 * np.pi * hz[..., None] * t_s + phase[..., None]) / hz[..., None]
    return waves.sum(1) * 0.9


def pose(centre: F64, yaw: float, pitch: float, roll: float) -> F64:
    """(4, 4) `T_cam_world` of a camera at `centre` [m]; yaw right, pitch up, roll [rad]."""
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    R_cam_world = (about_y @ about_x @ about_z).T
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R_cam_world, -R_cam_world @ centre
    return T


def project(K: F64, T_cam_world: F64, X_world: F64) -> F64:
    """(n, 2) pixels of (n, 3) points; NaN behind the camera."""
    X_cam = X_world @ T_cam_world[:3, :3].T + T_cam_world[:3, 3]
    front = np.where(X_cam[:, 2:] > 1e-6, X_cam[:, 2:], np.nan)
    return (X_cam / front @ K.T)[:, :2]


def hit(walls: tuple[Wall, ...], origin: F64, rays: F64) -> tuple[NDArray[np.intp], F64]:
    """Nearest wall (-1: none) each ray (n, 3) meets, and the ray parameter where it does."""
    best = np.full(len(rays), np.inf)
    which = np.full(len(rays), -1, np.intp)
    for i, wall in enumerate(walls):
        u, v = np.array(wall.edge_u), np.array(wall.edge_v)
        # origin + s * ray = corner + a * u + b * v
        system = np.stack([rays, *(np.broadcast_to(-e, rays.shape) for e in (u, v))], -1)
        flat = np.abs(np.linalg.det(system)) < 1e-9
        system[flat] = np.eye(3)
        s, a, b = np.linalg.solve(system, (np.array(wall.corner) - origin)[None, :, None])[..., 0].T
        closer = ~flat & (s > 1e-6) & (s < best) & (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
        best[closer], which[closer] = s[closer], i
    return which, best
