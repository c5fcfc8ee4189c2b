"""Tracks of points under cameras that are known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore import Tracks
from trackcore.solver._poses import reproject, rotation

Floats = NDArray[np.float64]
SIZE = (1280, 720)


@dataclass(frozen=True)
class Scene:
    """Tracks, and the truth behind them."""

    tracks: Tracks
    T_cam_world: Floats
    X_world: Floats
    focal_px: Floats

    def path_error(self, T: Floats) -> float:
        """Rms distance of solved camera centres from the true ones, as a share of their extent."""
        solved = np.isfinite(T[:, 0, 0])
        a, b = _centres(T[solved]), _centres(self.T_cam_world[solved])
        a0, b0 = a - a.mean(axis=0), b - b.mean(axis=0)
        U, S, V = np.linalg.svd(b0.T @ a0)
        D = np.diag([1, 1, np.sign(np.linalg.det(U @ V))])
        aligned = a0 @ (U @ D @ V).T * (S * np.diag(D)).sum() / (a0**2).sum()
        extent = np.linalg.norm(np.ptp(_centres(self.T_cam_world), axis=0))
        return float(np.sqrt(((aligned - b0) ** 2).sum(axis=1).mean()) / extent)

    def turn_error_deg(self, T: Floats) -> float:
        """Largest rotation between solved and true cameras, after the best turn of the world."""
        solved = np.isfinite(T[:, 0, 0])
        between = np.swapaxes(T[solved, :3, :3], 1, 2) @ self.T_cam_world[solved, :3, :3]
        U, _, V = np.linalg.svd(between.sum(axis=0))
        mean = U @ np.diag([1, 1, np.linalg.det(U @ V)]) @ V
        cosine = (np.einsum("fij,ij->f", between, mean) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())


def _centres(T: Floats) -> Floats:
    return np.asarray(-np.einsum("nji,nj->ni", T[:, :3, :3], T[:, :3, 3]))


def poses(turns_rad: Floats, eye: Floats) -> Floats:
    """Cameras at `eye` (n, 3) turned by `turns_rad` (n, 3)."""
    T = np.tile(np.eye(4), (len(eye), 1, 1))
    T[:, :3, :3] = rotation(turns_rad)
    T[:, :3, 3] = -np.einsum("nij,nj->ni", T[:, :3, :3], eye)
    return T


def walk(n: int = 40) -> Floats:
    """A camera that walks sideways and forwards, swaying."""
    t = np.linspace(0, 1, n)
    eye = np.column_stack([1.2 * t - 0.6, 0.1 * np.sin(7 * t), 0.8 * t])
    turn = np.column_stack([0.03 * np.sin(5 * t), 0.12 - 0.24 * t, 0.02 * np.sin(9 * t)])
    return poses(turn, eye)


def pan(n: int = 40) -> Floats:
    """A camera on a tripod that pans and tilts."""
    t = np.linspace(-1, 1, n)
    turn = np.column_stack([0.06 * np.sin(2 * t), 0.25 * t, 0.02 * t])
    return poses(turn, np.zeros((n, 3)))


def cloud(n: int, seed: int, *, plane: bool = False) -> Floats:
    """Points before the camera, 4 to 12 m away; on a slanted wall if `plane`."""
    rng = np.random.default_rng(seed)
    X = rng.uniform([-6, -3.5, 4], [6, 3.5, 12], (n, 3))
    if plane:
        X[:, 2] = 7 + 0.3 * X[:, 0] - 0.1 * X[:, 1]
    return np.asarray(X)


def seen(
    T: Floats,
    X: Floats,
    focal_px: float | Floats = 1300.0,
    *,
    noise_px: float = 0.15,
    seed: int = 0,
    lens: tuple[float, float] = (0.0, 0.0),
    aspect: float = 1.0,
    moving: float = 0.0,
) -> Scene:
    """The tracks of points X, `moving` the share that wanders through the picture by itself."""
    rng = np.random.default_rng(seed)
    focal = np.broadcast_to(np.asarray(focal_px, float), len(T)).copy()
    uv = reproject(T, X, focal, lens)
    wander = rng.random(len(X)) < moving
    steps = rng.normal(0, 1.0, (int(wander.sum()), 1, 2)) + rng.normal(
        0, 0.4, (int(wander.sum()), len(T), 2)
    )
    uv[wander] += np.cumsum(steps, axis=1)
    uv += rng.normal(0, noise_px, uv.shape)
    uv[..., 1] *= aspect
    xy = uv + (np.array(SIZE) - 1) / 2
    outside = ~((xy > 0) & (xy < np.array(SIZE) - 1)).all(axis=-1)
    xy[outside] = np.nan
    return Scene(Tracks.from_positions(xy, frame_size=SIZE, fps=25.0), T, X, focal)
