"""The clips: flat textured walls, a known camera per frame, and the exact way of every point.

Numpy only. World and camera axes: x right, y down, z forward, metres. Pixels: centres at integers,
origin the centre of the top-left pixel. `T_cam_world` maps world to camera.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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
