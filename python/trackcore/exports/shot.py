"""What an export is made from, and the same in the axes of other programs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError
from trackcore.solver import Solve
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]

SENSOR_MM = 36.0
"""Width of the sensor that focal lengths in mm are given for: a solve knows pixels only."""

Y_UP = np.diag([1.0, -1.0, -1.0])
"""World (x right, y down, z forward) to x right, y up, z backward."""
Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""World (x right, y down, z forward) to x right, y forward, z up."""
_CAMERA_UP = np.diag([1.0, -1.0, -1.0, 1.0])  # looks along -z, y up; its own inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A solve, the tracks it came from and the clip they were seen in.

    Attributes
    ----------
    solve : Solve
    tracks : Tracks or None
        Of the same frames' size; frames and tracks are matched by number and id.
    clip : str or None
        Path of the clip as the export's file has to say it.

    Raises
    ------
    InputError
        If the tracks are of frames of another size.
    """

    solve: Solve
    tracks: Tracks | None = None
    clip: str | None = None

    def __post_init__(self) -> None:
        """Check that tracks and solve belong together."""
        if self.tracks is not None and self.tracks.frame_size != self.solve.frame_size:
            raise InputError(
                f"tracks: expected frames of {self.solve.frame_size} px as in solve, "
                f"got {self.tracks.frame_size}"
            )

    def observations(self) -> Floats:
        """(n_tracks, n_frames, 2) where each track of the solve was seen [px]; NaN elsewhere."""
        solve, tracks = self.solve, self.tracks
        seen = np.full((len(solve.ids), solve.n_frames, 2), np.nan)
        if tracks is not None:
            _, mine, theirs = np.intersect1d(solve.ids, tracks.ids, return_indices=True)
            _, here, there = np.intersect1d(
                solve.frame_numbers, tracks.frame_numbers, return_indices=True
            )
            seen[np.ix_(mine, here)] = tracks.xy_px[np.ix_(theirs, there)]
        return seen


def camera_poses(solve: Solve, world: Floats) -> Floats:
    """Return where cameras are, for programs whose cameras look along -z with y up.

    Parameters
    ----------
    world : (3, 3) float
        `Y_UP` or `Z_UP`.

    Returns
    -------
    (n_frames, 4, 4) float64
        Camera to world; NaN where unsolved.
    """
    R, C = solve.T_cam_world[:, :3, :3], solve.centres
    poses = np.zeros((solve.n_frames, 4, 4))
    poses[:, :3, :3] = world @ R.transpose(0, 2, 1)
    poses[:, :3, 3] = C @ world.T
    poses[:, 3, 3] = 1
    poses = poses @ _CAMERA_UP
    poses[~solve.solved] = np.nan
    return np.asarray(poses)


def quaternions(R: Floats) -> Floats:
    """Return unit quaternions (n, 4) w, x, y, z of rotations (n, 3, 3), without sign changes.

    The largest of the four is taken from the diagonal, the others from it (Shepperd's method).
    """
    m = R
    trace = np.trace(m, axis1=1, axis2=2)
    diagonal = np.column_stack([trace, m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]])
    # Every row of the symmetric matrix 4 q q^T is q times one of its elements.
    q = np.empty((len(m), 4, 4))
    q[:, 0] = np.column_stack(
        [1 + trace, m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]]
    )
    for i, (j, k) in enumerate([(1, 2), (2, 0), (0, 1)]):
        q[:, 1 + i, 0] = m[:, k, j] - m[:, j, k]
        q[:, 1 + i, 1 + i] = 1 + m[:, i, i] - m[:, j, j] - m[:, k, k]
        q[:, 1 + i, 1 + j] = m[:, j, i] + m[:, i, j]
        q[:, 1 + i, 1 + k] = m[:, k, i] + m[:, i, k]
    chosen = q[np.arange(len(m)), diagonal.argmax(axis=1)]
    chosen = chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
    for before, now in pairwise(chosen):
        if before @ now < 0:
            now *= -1
    return np.asarray(chosen)


def euler_zxy_deg(R: Floats) -> Floats:
    """Return angles (n, 3) about x, y, z [deg] with R = Ry Rx Rz, without jumps of a turn.

    That is Nuke's rotation order ZXY: what is turned first is turned about z. Looking straight
    up or down only the sum of two angles is known; the one about z is 0 there.
    """
    sine = np.clip(-R[:, 1, 2], -1, 1)
    pole = np.abs(sine) > 1 - 1e-12
    x = np.arcsin(sine)
    y = np.where(pole, np.arctan2(-R[:, 2, 0], R[:, 0, 0]), np.arctan2(R[:, 0, 2], R[:, 2, 2]))
    z = np.where(pole, 0.0, np.arctan2(R[:, 1, 0], R[:, 1, 1]))
    return np.degrees(np.unwrap(np.column_stack([x, y, z]), axis=0))


def offset_px(solve: Solve) -> tuple[float, float]:
    """Return how far the principal point is right of and below the frame's centre [px]."""
    (w, h), (cx, cy) = solve.frame_size, solve.principal_point_px
    return cx - (w - 1) / 2, cy - (h - 1) / 2


def focal_mm(solve: Solve) -> Floats:
    """(n_frames,) focal length of a sensor `SENSOR_MM` wide [mm]."""
    return solve.focal_px_per_frame / solve.frame_size[0] * SENSOR_MM


def sensor_height_mm(solve: Solve) -> float:
    """Height of a sensor `SENSOR_MM` wide [mm]: of the picture as shown."""
    w, h = solve.frame_size
    return SENSOR_MM * h / (w * solve.pixel_aspect)


def zooms(solve: Solve) -> bool:
    """Whether the focal length changes between solved frames."""
    focal = solve.focal_px_per_frame[solve.solved]
    return bool(len(focal) and np.ptp(focal) > 1e-9 * focal.max())


def number(value: float) -> str:
    """Write a number so that it reads back exactly, whatever the locale; empty if not finite."""
    return repr(float(value)) if np.isfinite(value) else ""
