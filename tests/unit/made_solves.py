"""Solves with known cameras and points, for tests of what leaves a solve."""

from __future__ import annotations

import numpy as np

from trackcore.solver import Grade, Lens, LensModel, Solve, SolveKind, TrackRole
from trackcore.solver.lens import nuke_unit
from trackcore.stats import ShotKind, ShotType
from trackcore.tracks import Tracks

W, H = 1280, 720
LENSES = {
    "NONE": Lens(),
    "POLYNOMIAL": Lens(LensModel.POLYNOMIAL, (-0.08, 0.02, 0.001)),
    "BROWN": Lens(LensModel.BROWN, (-0.1, 0.03, 0.002, -0.003, 0.001)),
    "DIVISION": Lens(LensModel.DIVISION, (0.06, -0.01)),
    "NUKE": Lens(LensModel.NUKE, (-0.02, 0.003), nuke_unit(1400.0, (W, H))),
}


def turn(x: float, y: float, z: float) -> np.ndarray:
    """Rotation by angles [rad] about x, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos([x, y, z]), np.sin([x, y, z])
    Rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    Ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    Rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(Rz @ Ry @ Rx)


def made_solve(
    *,
    lens: Lens = LENSES["NONE"],
    zoom: bool = False,
    offset: tuple[float, float] = (0.0, 0.0),
    pixel_aspect: float = 1.0,
    size: tuple[int, int] = (W, H),
    first: int = 1,
    n_frames: int = 12,
    fps: float = 24.0,
    seed: int = 0,
) -> Solve:
    """A camera that moves, turns and rolls past 40 points; frame 5 (array index) is unsolved."""
    rng = np.random.default_rng(seed)
    w, h = size
    points = np.column_stack(
        [rng.uniform(-3, 3, 40), rng.uniform(-1.7, 1.7, 40), rng.uniform(7, 16, 40)]
    )
    points[3] = np.nan
    poses = np.tile(np.eye(4), (n_frames, 1, 1))
    for i, t in enumerate(np.linspace(0, 1, n_frames)):
        poses[i, :3, :3] = turn(0.15 * np.sin(3 * t), -0.3 * t, 0.25 * t)
        poses[i, :3, 3] = -poses[i, :3, :3] @ (1.5 * t, -0.4 * np.sin(4 * t), 2 * t)
    poses[5] = np.nan
    focal = np.full(n_frames, 1400.0 * w / W)
    if zoom:
        focal *= np.linspace(1, 1.4, n_frames)
    role = np.full(40, TrackRole.BUNDLE, np.uint8)
    role[3] = TrackRole.TOO_FEW_FRAMES
    return Solve(
        T_cam_world=poses, points=points, ids=np.arange(40) * 3 + 7, role=role,
        track_error_px=np.where(np.isfinite(points[:, 0]), 0.3 + 0.01 * rng.random(40), np.nan),
        frame_error_px=np.where(np.arange(n_frames) == 5, np.nan, 0.31),
        frame_numbers=first + np.arange(n_frames), frame_size=size, fps=fps,
        focal_px=float(np.median(focal)), focal_px_per_frame=focal, focal_sigma_px=np.nan,
        principal_point_px=((w - 1) / 2 + offset[0], (h - 1) / 2 + offset[1]), lens=lens,
        pixel_aspect=pixel_aspect, mean_error_px=0.31, held_out_error_px=0.35,
        held_out_ids=np.array([1, 2, 5]), centre_sigma=np.full(n_frames, 1e-3),
        kind=SolveKind.FREE,
        shot=ShotType(ShotKind.DOLLY_PARALLAX, 0.9, {"parallax_score": 0.1, "misfit": np.nan}),
        keyframes=(first, first + n_frames - 1), grade=Grade.B, reasons=("it is made up",),
        evidence={"coverage": 0.4, "parallax_deg": np.nan},
    )  # fmt: skip


def made_tracks(solve: Solve) -> Tracks:
    """Where the points are seen, in solved frames; the first two in every other only."""
    xy = np.full((len(solve.ids), solve.n_frames, 2), np.nan)
    for i in np.flatnonzero(solve.solved):
        xy[:, i] = solve.project(i)
    inside = ((xy > -0.5) & (xy < np.array(solve.frame_size) - 0.5)).all(axis=2)
    xy[~inside] = np.nan
    xy[:2, ::2] = np.nan
    made = Tracks.from_positions(
        xy, frame_size=solve.frame_size, fps=solve.fps, first_frame=int(solve.frame_numbers[0])
    )
    return Tracks(
        solve.ids, made.xy_px, made.status, made.ncc, made.t_ns, made.frame_size, made.fps,
        made.first_frame,
    )  # fmt: skip


def ideal_px(solve: Solve, frame: int) -> np.ndarray:
    """Undistorted pixels of the points in a frame: what a program without the lens shows."""
    T, K = solve.T_cam_world[frame], solve.K(frame)
    X = (solve.points @ T[:3, :3].T + T[:3, 3]) @ K.T
    return np.where(X[:, 2:] > 0, X[:, :2] / X[:, 2:], np.nan)
