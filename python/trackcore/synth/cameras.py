"""Cameras: poses, projections and a rig for tests of triangulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trackcore._check import Dims
from trackcore.synth._args import image_size, positive, whole
from trackcore.synth._formulas import Floats


def look_at(eye_world: ArrayLike, target_world: ArrayLike, *, roll_rad: float = 0.0) -> Floats:
    """Return the pose of a camera at `eye_world` that looks at `target_world`.

    The world's y axis points down, as the camera's does; `roll_rad` turns the camera clockwise
    about its axis.

    Returns
    -------
    (4, 4) float64
        `T_cam_world`: world [m] to camera, x right, y down, z forward [m].
    """
    eye, target = np.asarray(eye_world, np.float64), np.asarray(target_world, np.float64)
    forward = target - eye
    forward /= np.linalg.norm(forward)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll_rad), np.sin(roll_rad)
    pose = np.eye(4)
    pose[:3, :3] = cos * right + sin * down, cos * down - sin * right, forward
    pose[:3, 3] = -pose[:3, :3] @ eye
    return pose


def ring_of_cameras(
    n: int,
    *,
    radius_m: float = 5.0,
    focal_px: float = 1000.0,
    size: tuple[int, int] = (1280, 720),
) -> Floats:
    """Return `n` cameras on a circle around the origin, all looking at it, slightly downwards.

    Parameters
    ----------
    n : int
    radius_m : float
        Of the circle, which lies 1 m above the origin [m].
    focal_px : float
    size : (w, h)
        Of the pictures; the principal point is their centre [px].

    Returns
    -------
    (n, 3, 4) float64
        `P_img_world`: world [m] to image [px].
    """
    w, h = image_size(size)
    count, radius = whole("n", n, 1), positive("radius_m", radius_m)
    K = intrinsics(focal_px, (w, h))
    angles = 2 * np.pi * np.arange(count) / count
    # 0.3: no camera on an axis of the world, where too much cancels
    eyes = [(radius * np.sin(a + 0.3), -1.0, -radius * np.cos(a + 0.3)) for a in angles]
    return np.stack([K @ look_at(eye, (0, 0, 0))[:3] for eye in eyes])


def intrinsics(focal_px: float, size: tuple[int, int]) -> Floats:
    """Return the (3, 3) camera matrix with the principal point at the picture's centre."""
    f = positive("focal_px", focal_px)
    return np.array([[f, 0, (size[0] - 1) / 2], [0, f, (size[1] - 1) / 2], [0, 0, 1]])


def project(P_img_world: ArrayLike, X_world: ArrayLike) -> Floats:
    """Return where cameras see points.

    Parameters
    ----------
    P_img_world : (n_cams, 3, 4) float
        Projections, world [m] to image [px], third row in metres of depth.
    X_world : (n_points, 3) float
        Points [m].

    Returns
    -------
    (n_points, n_cams, 2) float64
        Positions [px]; NaN where a point is not in front of the camera. Frames have no borders.
    """
    dims = Dims()
    P = dims.array("P_img_world", P_img_world, ("n_cams", 3, 4))
    X = dims.array("X_world", X_world, ("n_points", 3))
    x = np.einsum("cij,nj->nci", P[:, :, :3], X) + P[:, :, 3]
    depth = np.where(x[..., 2:] > 0, x[..., 2:], np.nan)
    return np.asarray(x[..., :2] / depth)
