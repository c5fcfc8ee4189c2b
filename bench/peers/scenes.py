"""The clips: flat textured walls, a known camera per frame, and the exact way of every point.

Numpy only. World and camera axes: x right, y down, z forward, metres. Pixels: centres at integers,
origin the centre of the top-left pixel. `T_cam_world` maps world to camera.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.walls import F64, Wall, hit, pose, project, tremor


@dataclass(frozen=True)
class ClipSpec:
    """One clip. `camera` gives (centre (3,), yaw, pitch, roll [deg]) at time 0..1."""

    name: str
    walls: tuple[Wall, ...]
    camera: Callable[[float], tuple[tuple[float, float, float], float, float, float]]
    n_frames: int
    size: tuple[int, int] = (1280, 720)
    focal_px: float = 1000.0
    shake_deg: float = 0.25  # hand-held rotation, one standard deviation
    shake_m: float = 0.01
    noise: float = 1.0  # camera noise, one standard deviation [grey levels]
    exposure: float = 0.0  # brightness swings by this share over the clip
    seed: int = 0

    @property
    def K(self) -> F64:
        """(3, 3) camera matrix for pixel centres at integers."""
        f, (w, h) = self.focal_px, self.size
        return np.array([[f, 0, w / 2 - 0.5], [0, f, h / 2 - 0.5], [0, 0, 1.0]])

    def fingerprint(self) -> str:
        """Identify the pictures, but for changes to the texture makers themselves."""
        light = (self.noise, self.exposure)
        settings = (self.name, self.walls, self.n_frames, self.size, self.focal_px, *light)
        text = repr(settings).encode() + self.cameras().round(9).tobytes()
        return hashlib.sha256(text).hexdigest()[:16]

    def cameras(self) -> F64:
        """(n, 4, 4) `T_cam_world` of every frame, hand-held shake included."""
        shake = tremor(np.random.default_rng(self.seed), np.arange(self.n_frames) / 30.0)
        poses = []
        for i in range(self.n_frames):
            centre, *angles = self.camera(i / (self.n_frames - 1))
            turn = np.radians(np.array(angles) + self.shake_deg * shake[:3, i])
            poses.append(pose(np.array(centre) + self.shake_m * shake[3:, i], *turn))
        return np.stack(poses)


def lift(spec: ClipSpec, T_cam_world: F64, xy_px: F64) -> tuple[NDArray[np.intp], F64]:
    """Wall index and world point (n, 3) seen at each pixel (n, 2); NaN where nothing is."""
    R, t = T_cam_world[:3, :3], T_cam_world[:3, 3]
    origin = -R.T @ t
    rays = np.concatenate([xy_px, np.ones((len(xy_px), 1))], 1) @ np.linalg.inv(spec.K).T @ R
    which, s = hit(spec.walls, origin, rays)
    return which, origin + np.where(which >= 0, s, np.nan)[:, None] * rays


def on_one_wall(spec: ClipSpec, T_cam_world: F64, xy_px: F64, half: float) -> NDArray[np.bool_]:
    """Tell where the square of 2 * half px about a pixel shows one wall only."""
    which, _ = lift(spec, T_cam_world, xy_px)
    same = which >= 0
    for dx in (-half, 0.0, half):
        for dy in (-half, 0.0, half):
            same &= lift(spec, T_cam_world, xy_px + np.array((dx, dy)))[0] == which
    return same


def truth(spec: ClipSpec, cameras: F64, start_px: F64) -> F64:
    """(n, n_frames, 2) exact pixels of the points seen at `start_px` in frame 0; NaN unseen."""
    _, X_world = lift(spec, cameras[0], start_px)
    xy_px = np.full((len(start_px), len(cameras), 2), np.nan)
    w, h = spec.size
    for i, T in enumerate(cameras):
        p = project(spec.K, T, X_world)
        origin = -T[:3, :3].T @ T[:3, 3]
        _, s = hit(spec.walls, origin, X_world - origin)
        seen = (s > 1 - 1e-6) & (p >= 0).all(1) & (p[:, 0] <= w - 1) & (p[:, 1] <= h - 1)
        xy_px[seen, i] = p[seen]
    return xy_px


def _room(back: str, floor: str, left: str, right: str) -> tuple[Wall, ...]:
    return (
        Wall(back, (-3.5, -2.2, 9.0), (7.0, 0, 0), (0, 4.0, 0)),
        Wall(floor, (-3.5, 1.6, -1.0), (7.0, 0, 0), (0, 0, 10.5)),
        Wall(left, (-3.2, -2.4, -1.0), (0, 0, 10.5), (0, 4.2, 0)),
        Wall(right, (3.2, -2.4, 9.5), (0, 0, -10.5), (0, 4.2, 0)),
        Wall(left, (-3.5, -2.1, -1.0), (7.0, 0, 0), (0, 0, 10.5)),
    )


def _smooth(t: float) -> float:
    return t * t * (3 - 2 * t)


def _orbit(t: float) -> tuple[tuple[float, float, float], float, float, float]:
    angle = np.radians(26 - 42 * t)
    radius = 5.2
    return (-radius * np.sin(angle), -1.1, -radius * np.cos(angle)), np.degrees(angle), -11.0, 0.0


_PILLAR = Wall("leaves", (0.7, -2.4, 5.0), (0.5, 0, 0.1), (0, 4.2, 0))
_CRATE = (
    Wall("rock", (-1.0, -1.0, -1.0), (2.0, 0, 0), (0, 2.0, 0), 500),
    Wall("photos", (-1.0, -1.0, 1.0), (0, 0, -2.0), (0, 2.0, 0), 500),
    Wall("facade", (1.0, -1.0, -1.0), (0, 0, 2.0), (0, 2.0, 0), 500),
    Wall("plaster", (-1.0, -1.0, 1.0), (2.0, 0, 0), (0, 0, -2.0), 500),
    Wall("rock", (-8.0, 1.0, -4.0), (16.0, 0, 0), (0, 0, 9.0)),
    Wall("leaves", (-8.0, -5.0, 4.5), (16.0, 0, 0), (0, 6.2, 0), 200),
    Wall("photos", (-7.8, -5.0, -4.0), (0, 0, 8.6), (0, 6.2, 0), 200),
    Wall("facade", (7.8, -5.0, 4.6), (0, 0, -8.6), (0, 6.2, 0), 200),
)

CLIPS = (
    # A hand-held walk down a room, a pillar hiding part of it.
    ClipSpec(
        "walk", (*_room("leaves", "rock", "photos", "facade"), _PILLAR),
        lambda t: (
            (0.25 * np.sin(9 * t), 0.03 * np.sin(40 * t), 1.5 * t), 2 * np.sin(5 * t), 0, 0
        ),
        n_frames=100, shake_deg=0.35, shake_m=0.02, noise=1.5, seed=1,
    ),
    # A dolly straight at a wall of photographs hung at an angle: pictures grow 1.7 times.
    ClipSpec(
        "dolly",
        (Wall("photos", (-6.0, -3.6, 7.5), (11.0, 0, -2.6), (0, 6.6, 0)),
         Wall("plaster", (-6.0, 1.5, -1.0), (12.0, 0, 0), (0, 0, 9.5))),
        lambda t: ((0.2 * t, 0.1 * t, 2.6 * _smooth(t)), 0, 0, 0),
        n_frames=80, shake_deg=0.1, shake_m=0.005, seed=2,
    ),
    # 42 degrees around a crate: one face turns away, another turns up, the room moves behind.
    ClipSpec("orbit", _CRATE, _orbit, n_frames=100, shake_deg=0.1, noise=1.5, seed=3),
    # A camera rolling by 50 degrees before a slanted facade.
    ClipSpec(
        "roll",
        (Wall("facade", (-9.0, -7.0, 9.0), (18.0, 0, -5.0), (0, 14.0, 0), 180),
         Wall("leaves", (-9.0, 2.0, -1.0), (18.0, 0, 0), (0, 0, 11.0), 220)),
        lambda t: ((0.3 * t, 0, 0.5 * t), 0, 0, 50 * _smooth(t)),
        n_frames=60, shake_deg=0.15, seed=4,
    ),
    # A whip pan out and back, 17 (up to 35) px per frame, while the exposure swings.
    ClipSpec(
        "pan", _room("photos", "leaves", "rock", "leaves"),
        lambda t: ((0, 0, 0.3 * t), -10 + 24 * np.sin(np.pi * t) ** 2, 0, 0),
        n_frames=60, shake_deg=0.3, shake_m=0.02, noise=2.0, exposure=0.1, seed=5,
    ),
    # A full-HD walk, closer to its textures' own grain.
    ClipSpec(
        "hd_walk", (*_room("rock", "photos", "leaves", "photos"), _PILLAR),
        lambda t: ((-0.5 + 0.4 * t, 0.02 * np.sin(25 * t), 0.5 + 1.0 * t), 8 - 6 * t, -3, 2 * t),
        n_frames=60, size=(1920, 1080), focal_px=1600.0, shake_deg=0.25, noise=1.5, seed=6,
    ),
)  # fmt: skip
