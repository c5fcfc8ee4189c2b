"""The core's rows with names: one pass over the tracks, and the fits between pairs of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore import _core
from trackcore._check import threads_count
from trackcore.normalised import diagonal_px
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

STILL_PX = 0.1
"""A step shorter than this [px/frame] has no direction: trackers are not more precise."""

FLOW_EDGES = (0.003, 0.01, 0.025, 0.05)
"""Documented edges of the five bins of flow magnitude [diagonals/frame]."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What one pass over the tracks finds, in pixels and array indices; names as in the core."""

    first: Counts
    last: Counts
    n_samples: Counts
    mean_px: Floats
    path_px: Floats
    speed_mean: Floats
    speed_std: Floats
    jitter_px: Floats
    speed_slope: Floats
    slope_weight: Floats
    ncc_mean: Floats
    frame_active: Counts
    frame_steps: Counts
    frame_step_px: Floats
    frame_speed_px: Floats
    frame_moving: Counts
    frame_direction: Floats
    direction_counts: Counts
    magnitude_counts: Counts


def sums(tracks: Tracks, threads: int = 0) -> Sums:
    """Run the pass over all tracks."""
    edges_px = np.array(FLOW_EDGES) * diagonal_px(tracks.frame_size)
    per_track, per_frame, directions, magnitudes = _core.track_stats(
        tracks.xy_px, tracks.ncc, tracks.frame_numbers, STILL_PX, edges_px, threads_count(threads)
    )
    t, f = np.ascontiguousarray(per_track.T), np.ascontiguousarray(per_frame.T)
    return Sums(
        first=_whole(t[0]), last=_whole(t[1]), n_samples=_whole(t[2]), mean_px=per_track[:, 3:5],
        path_px=t[5], speed_mean=t[6], speed_std=t[7], jitter_px=t[8], speed_slope=t[9],
        slope_weight=t[10], ncc_mean=t[11],
        frame_active=_whole(f[0]), frame_steps=_whole(f[1]), frame_step_px=per_frame[:, 2:4],
        frame_speed_px=f[4], frame_moving=_whole(f[5]), frame_direction=per_frame[:, 6:8],
        direction_counts=directions, magnitude_counts=magnitudes,
    )  # fmt: skip


def _whole(values: Floats) -> Counts:
    return values.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of motion fitted to each pair of frames. NaN where it is not determined."""

    freedom: int
    warp: Floats
    """(n, 3, 3): first frame to second, about the centre [px]."""
    rms_px: Floats
    inliers: Floats
    sigma_shift_px: Floats
    sigma_turn: Floats
    """Of log scale, and of rotation [rad]."""

    @property
    def log_scale(self) -> Floats:
        """(n,) log of the scale at the centre: half of that forwards less that backwards.

        H magnifies areas at the centre by det H, its inverse by det H^2 / c^3 with the cofactor
        c = H00 H11 - H01 H10 (H22 = 1). The fourth root of their ratio is, for H = K' R K^-1 with
        the centre at the principal point, f'/f whatever the rotation R: a pan is no zoom.
        """
        H = self.warp
        cofactor = H[:, 0, 0] * H[:, 1, 1] - H[:, 0, 1] * H[:, 1, 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(0.25 * (3 * np.log(cofactor) - np.log(np.linalg.det(H))))

    @property
    def rotation_rad(self) -> Floats:
        """(n,) rotation, positive from x to y: clockwise in the picture [rad]."""
        H = self.warp
        return np.asarray(np.arctan2(H[:, 1, 0] - H[:, 0, 1], H[:, 0, 0] + H[:, 1, 1]))


@dataclass(frozen=True, slots=True)
class Fits:
    """The fits between pairs of frames."""

    pairs: Counts
    n_common: Counts
    similarity: Model
    affine: Model
    homography: Model
    flow_px: Floats
    residual_px: Floats
    spread_px: Floats
    epipolar_share: Floats


def fits(
    tracks: Tracks, pairs: Any, center_px: Any, threads: int = 0, *, epipoles: bool = False
) -> Fits:
    """Fit the motion between pairs (n, 2) of array indices about `center_px`."""
    which = np.ascontiguousarray(pairs, np.int64).reshape(-1, 2)
    x, y = (float(value) for value in center_px)
    rows = _core.frame_motion(
        tracks.xy_px, tracks.frame_numbers, which, x, y, diagonal_px(tracks.frame_size) / 2,
        epipoles, threads_count(threads),
    )  # fmt: skip
    models = [
        Model(freedom, rows[:, at : at + 9].reshape(-1, 3, 3), *rows[:, at + 9 : at + 13].T)
        for freedom, at in ((4, 1), (6, 14), (8, 27))
    ]
    similarity, affine, homography = models
    return Fits(which, _whole(rows[:, 0]), similarity, affine, homography, *rows[:, 40:44].T)


def center_px(frame_size: tuple[int, int]) -> tuple[float, float]:
    """Return the centre of the frame [px], pixel centres at integers."""
    return (frame_size[0] - 1) / 2, (frame_size[1] - 1) / 2
