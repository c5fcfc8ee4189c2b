"""Tracks of points in space seen by cameras that turn, move and zoom: the answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

import trackcore as tc
from trackcore.synth.cameras import intrinsics, project

SIZE = (1280, 720)
N_FRAMES = 60


def from_xy(xy_px: ArrayLike, size: tuple[int, int] = SIZE, **known: object) -> tc.Tracks:
    return tc.Tracks.from_positions(xy_px, frame_size=size, **known)


def moving(velocity_px: ArrayLike, n_tracks: int = 40, n_frames: int = 40, seed: int = 0):
    """Return positions of tracks, each with its own or all with one constant velocity."""
    start = np.random.default_rng(seed).uniform(300, 600, (n_tracks, 1, 2))
    velocity = np.broadcast_to(np.asarray(velocity_px, float), (n_tracks, 2))
    return start + np.arange(n_frames)[None, :, None] * velocity[:, None]


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> NDArray:
    """Return a rotation from angles [rad]."""
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (yaw, pitch, roll))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def cloud(
    n: int = 1500, *, depth_m: tuple[float, float] = (3, 12), wide: float = 1.5, seed: int = 0
) -> NDArray:
    """Return points (n, 3) [m] ahead of the camera, `wide` times as far aside as deep."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(*depth_m, n)
    return np.column_stack([rng.uniform(-wide, wide, n) * z, rng.uniform(-0.6, 0.6, n) * z, z])


def filmed(
    X_world: NDArray,
    *,
    focal_px: float | Sequence[float] = 1000.0,
    R: Sequence[NDArray] | NDArray | None = None,
    eye_m: ArrayLike = (0, 0, 0),
    n_frames: int = N_FRAMES,
    noise_px: float = 0.1,
    seed: int = 0,
) -> tc.Tracks:
    """Return the tracks of points; one value or one for each frame of focal length, turn, place."""
    focal = np.broadcast_to(focal_px, (n_frames,))
    turn = np.broadcast_to(np.eye(3) if R is None else np.asarray(R), (n_frames, 3, 3))
    eye = np.broadcast_to(np.asarray(eye_m, float), (n_frames, 3))
    P = np.stack([
        intrinsics(f, SIZE) @ np.column_stack([r, -r @ e])
        for f, r, e in zip(focal, turn, eye, strict=True)
    ])  # fmt: skip
    xy = project(P, X_world)
    inside = ((xy > -0.5) & (xy < np.array(SIZE) - 0.5)).all(axis=-1)
    xy[~inside] = np.nan
    xy += np.random.default_rng(seed).normal(0, noise_px, xy.shape)
    return from_xy(xy, fps=25.0)


def along(step_m: ArrayLike, n_frames: int = N_FRAMES) -> NDArray:
    """Return the places of a camera that moves evenly."""
    return np.arange(n_frames)[:, None] * np.asarray(step_m, float)


def pan(degrees_per_frame: float, focal_px: float = 1000.0, n_points: int = 3000) -> tc.Tracks:
    angles = np.radians(degrees_per_frame) * np.arange(N_FRAMES)
    return filmed(cloud(n_points, wide=3.0), focal_px=focal_px, R=[turned(yaw=-a) for a in angles])


def zoom(ratio: float, *, pan_degrees: float = 0.0) -> tc.Tracks:
    """Return a lens whose focal length ends `ratio` times as long, that pans meanwhile."""
    share = np.linspace(0, 1, N_FRAMES)
    return filmed(
        cloud(1500), focal_px=1000 * ratio**share,
        R=[turned(yaw=-np.radians(pan_degrees) * t) for t in share],
    )  # fmt: skip


def room(noise_px: float = 0.1) -> tc.Tracks:
    """Return true tracks of the furnished room of `trackcore demo`."""
    scene = tc.synth.ParallaxScene(n_frames=40)
    rng = np.random.default_rng(0)
    tracks = [
        scene.track_truth(rng.uniform((5, 5), np.array(scene.size) - 6, (80, 2)), frame)
        for frame in range(0, 40, 10)
    ]
    xy = np.concatenate(tracks)
    return from_xy(xy + rng.normal(0, noise_px, xy.shape), scene.size, fps=scene.fps)
