"""`Solve`: a solved camera, and how far it is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._compat import StrEnum
from trackcore.solver.lens import Lens
from trackcore.stats import ShotType

Floats = NDArray[np.float64]


class Grade(StrEnum):
    """How far a solve is to be trusted: A is a camera to work with, F is none."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    F = "F"


class SolveKind(StrEnum):
    """Which camera was solved for."""

    FREE = "FREE"
    TRIPOD = "TRIPOD"
    NONE = "NONE"


class TrackRole(IntEnum):
    """What became of a track in the solve."""

    BUNDLE = 0
    OUTLIER = 1
    TOO_FEW_FRAMES = 2
    NO_PARALLAX = 3
    UNUSED = 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Solve:
    """Cameras, points and how far they are to be trusted.

    The world is that of the first solved camera: x right, y down, z forward. Its scale is not
    seen by any camera: the median point is 10 units away from it.

    Attributes
    ----------
    T_cam_world : (n_frames, 4, 4) float64
        Pose of every frame, world to camera; NaN where it could not be solved.
    points : (n_tracks, 3) float64
        Where each track is in the world; NaN where it has no bundle. A tripod sees no depth: its
        points lie on a sphere about the camera.
    ids : (n_tracks,) int64
        Names of the tracks.
    role : (n_tracks,) uint8
        `TrackRole` of each track.
    track_error_px : (n_tracks,) float64
        Rms reprojection error of each bundle [px].
    frame_error_px : (n_frames,) float64
        Rms reprojection error of each frame [px].
    frame_numbers : (n_frames,) int64
        Clip frame numbers.
    frame_size : (w, h)
        [px]
    fps : float
    focal_px : float
        Focal length [px of the frame's width]; the median where it changes.
    focal_px_per_frame : (n_frames,) float64
    focal_sigma_px : float
        One standard deviation of `focal_px`; 0 where it was given, NaN where unknown.
    principal_point_px : (x, y)
        [px], pixel centres at integers.
    lens : Lens
    pixel_aspect : float
    mean_error_px : float
        Mean reprojection error of all observations of bundles [px].
    held_out_error_px : float
        Median error of tracks that the cameras were solved without: triangulated from half of
        their frames, compared in the other half [px].
    held_out_ids : (n_held_out,) int64
    centre_sigma : (n_frames,) float64
        One standard deviation of the camera's position, as a share of its path's extent.
    kind : SolveKind
    shot : ShotType or None
        What the tracks were classified as.
    keyframes : (a, b) or None
        Clip frame numbers that the solve started from.
    grade : Grade
    reasons : tuple of str
        Why it is no better, the gravest first; for an A, what speaks for it.
    evidence : dict of str to float
        The numbers behind the grade.
    """

    T_cam_world: Floats
    points: Floats
    ids: NDArray[np.int64]
    role: NDArray[np.uint8]
    track_error_px: Floats
    frame_error_px: Floats
    frame_numbers: NDArray[np.int64]
    frame_size: tuple[int, int]
    fps: float
    focal_px: float
    focal_px_per_frame: Floats
    focal_sigma_px: float
    principal_point_px: tuple[float, float]
    lens: Lens
    pixel_aspect: float
    mean_error_px: float
    held_out_error_px: float
    held_out_ids: NDArray[np.int64]
    centre_sigma: Floats
    kind: SolveKind
    shot: ShotType | None
    keyframes: tuple[int, int] | None
    grade: Grade
    reasons: tuple[str, ...]
    evidence: dict[str, float] = field(default_factory=dict)

    @property
    def n_frames(self) -> int:
        """Number of frames, solved or not."""
        return len(self.T_cam_world)

    @property
    def solved(self) -> NDArray[np.bool_]:
        """(n_frames,) True where there is a camera."""
        return np.asarray(np.isfinite(self.T_cam_world).all(axis=(1, 2)))

    @property
    def bundled(self) -> NDArray[np.bool_]:
        """(n_tracks,) True where a track became a point."""
        return np.asarray(np.isfinite(self.points).all(axis=1))

    @property
    def centres(self) -> Floats:
        """(n_frames, 3) positions of the camera in the world; NaN where unsolved."""
        R, t = self.T_cam_world[:, :3, :3], self.T_cam_world[:, :3, 3]
        return np.asarray(-np.einsum("nji,nj->ni", R, t))

    def K(self, frame: int = 0) -> Floats:
        """Return the (3, 3) camera matrix of array index `frame`, of undistorted pixels."""
        f, (cx, cy) = float(self.focal_px_per_frame[frame]), self.principal_point_px
        return np.array([[f, 0, cx], [0, f * self.pixel_aspect, cy], [0, 0, 1]])

    def project(self, frame: int) -> Floats:
        """Return where the points appear in array index `frame`.

        Returns
        -------
        (n_tracks, 2) float64
            Distorted pixels; NaN for tracks without a bundle and points behind the camera.
        """
        T = self.T_cam_world[frame]
        X = self.points @ T[:3, :3].T + T[:3, 3]
        with np.errstate(invalid="ignore", divide="ignore"):
            ideal = np.where(X[:, 2:] > 0, X[:, :2] / X[:, 2:], np.nan)
        K = self.K(frame)
        pixels = self.lens.distort(ideal) * [K[0, 0], K[1, 1]] + self.principal_point_px
        return np.asarray(pixels)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON types; NaN is None."""
        w, h = self.frame_size
        return {
            "grade": self.grade.value,
            "reasons": list(self.reasons),
            "kind": self.kind.value,
            "shot": self.shot and self.shot.to_dict(),
            "mean_error_px": _plain(self.mean_error_px),
            "held_out_error_px": _plain(self.held_out_error_px),
            "frame_size": [w, h],
            "fps": self.fps,
            "focal_px": _plain(self.focal_px),
            "focal_sigma_px": _plain(self.focal_sigma_px),
            "principal_point_px": list(self.principal_point_px),
            "pixel_aspect": self.pixel_aspect,
            "lens": self.lens.to_dict(),
            "keyframes": self.keyframes and list(self.keyframes),
            "evidence": {name: _plain(value) for name, value in self.evidence.items()},
            "frames": [self._frame(i) for i in range(self.n_frames)],
            "tracks": [self._track(i) for i in range(len(self.ids))],
            "held_out_ids": self.held_out_ids.tolist(),
        }

    def _frame(self, i: int) -> dict[str, Any]:
        pose = self.T_cam_world[i]
        return {
            "frame": int(self.frame_numbers[i]),
            "T_cam_world": pose.tolist() if np.isfinite(pose).all() else None,
            "focal_px": _plain(self.focal_px_per_frame[i]),
            "error_px": _plain(self.frame_error_px[i]),
            "centre_sigma": _plain(self.centre_sigma[i]),
        }

    def _track(self, i: int) -> dict[str, Any]:
        X = self.points[i]
        return {
            "id": int(self.ids[i]),
            "role": TrackRole(self.role[i]).name,
            "point": X.tolist() if np.isfinite(X).all() else None,
            "error_px": _plain(self.track_error_px[i]),
        }


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
