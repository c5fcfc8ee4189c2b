"""Rigs and pictures of boards with a known answer, for the tests of cameras and calibration."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

import trackcore as tc

K = np.array([[1800.0, 0, 955.3], [0, 1795.0, 541.8], [0, 0, 1]])
LENSES = [
    (),
    (-0.3, 0.1, 1e-3, -2e-3, 0.02),
    (0.25, -0.4, 1e-3, 0.0, 0.1),
    (0.1, 0.02, 1e-3, 2e-3, 0.01, 0.05, 0.01, 0.002),
]


def pose(turn_rad: tuple[float, float, float], shift_m: tuple[float, float, float]) -> NDArray:
    """Return T that turns about x, then y, then z, and shifts."""
    T = np.eye(4)
    for axis, angle in enumerate(turn_rad):
        c, s = np.cos(angle), np.sin(angle)
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        R = np.eye(3)
        R[i, i], R[i, j], R[j, i], R[j, j] = c, -s, s, c
        T[:3, :3] = R @ T[:3, :3]
    T[:3, 3] = shift_m
    return T


def stereo_rig(lens: tuple[float, ...] = LENSES[1], baseline_m: float = 1.2192) -> tc.StereoRig:
    """Return a rig 4 ft wide, toed in by 4 degrees; its world is midway between the cameras."""
    cameras = [
        tc.Camera(
            K=K + np.diag([10.0 * side, 10.0 * side, 0]),
            size=(1920, 1080),
            distortion=lens,
            T_cam_world=pose((0.01 * side, 0.035 * side, 0), (0, 0, 0))
            @ pose((0, 0, 0), (-side * baseline_m / 2, 0.02 * side, 0)),
        )
        for side in (-1, 1)
    ]
    return tc.StereoRig(left=cameras[0], right=cameras[1])


def before_the_rig(n: int, seed: int = 0) -> NDArray:
    return np.random.default_rng(seed).uniform((-1.5, -1, 4), (1.5, 1, 20), (n, 3))


@cache
def pixel_rays(camera: tc.Camera, samples: int) -> list[NDArray]:
    """Return the rays (h * w, 3) of each of samples x samples places in all pixels."""
    w, h = camera.size
    v, u = np.mgrid[0:h, 0:w]
    offsets = (np.arange(samples) + 0.5) / samples - 0.5
    rays = []
    for dy in offsets:
        for dx in offsets:
            uv = camera.undistort(np.column_stack([(u + dx).ravel(), (v + dy).ravel()]))
            rays.append(np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(camera.K).T)
    return rays


def picture(
    camera: tc.Camera, T_cam_board: NDArray, pattern: NDArray, px_m: float, corner_m: tuple,
    samples: int = 2,
) -> NDArray[np.uint8]:  # fmt: skip
    """Return what a camera sees of a flat pattern, by following rays.

    `pattern` is an image of `px_m` metres a pixel whose top left corner lies at `corner_m` of the
    board. Around it is grey.
    """
    R, t = T_cam_board[:3, :3], T_cam_board[:3, 3]
    framed = np.pad(pattern.astype(np.float32), 1, constant_values=128)
    most = np.array(framed.shape)[::-1] - 1
    total = np.zeros(camera.size[0] * camera.size[1])
    for rays in pixel_rays(camera, samples):
        # the plane of the board: X = s ray, (R' (X - t)).z = 0
        s = (R[:, 2] @ t) / (rays @ R[:, 2])
        place = (rays @ R[:, :2]) * s[:, None] - t @ R[:, :2]
        x, y = np.clip(np.floor((place - corner_m) / px_m) + 1, 0, most).astype(np.intp).T
        total += framed[y, x]
    return np.rint(total / samples**2).astype(np.uint8).reshape(camera.size[::-1])


def chessboard_pattern(columns: int, rows: int, px_per_square: int) -> NDArray[np.uint8]:
    """Return a chessboard of so many inner corners with a square of white around it."""
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1]
    squares = np.pad(np.where((x + y) % 2 == 0, 20, 235), 1, constant_values=235)
    return np.kron(squares, np.ones((px_per_square, px_per_square))).astype(np.uint8)


def board_poses(n: int, distance_m: float, seed: int = 0) -> list[NDArray]:
    """Return poses of a board that is tilted each way, before the cameras."""
    rng = np.random.default_rng(seed)
    return [
        pose(tuple(rng.uniform(-0.4, 0.4, 3) * [1, 1, 0.3]),
             (*rng.uniform(-0.02, 0.02, 2), distance_m * rng.uniform(0.85, 1.15)))
        for _ in range(n)
    ]  # fmt: skip
