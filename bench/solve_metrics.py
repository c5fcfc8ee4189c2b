"""How far a solved camera is from the true one. Numpy only; tests/unit/test_solve_metrics.py.

World frames of a solve are free up to a similarity: centres are compared after the best one
(Umeyama 1991), rotations after the best common turn of the world (chordal mean).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bench.solve_truth import Truth, distort
from numpy.typing import NDArray

F64 = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class CameraError:
    """A solve against the truth, over the frames that have a camera; NaN where undefined.

    path_* : centre error in % of the path's extent, the diagonal of the bounding box of the true
        centres of the whole clip; NaN for shots from one place.
    rotation_deg : rms angle; rotation_pct : the same in % of the largest angle between two
        true cameras.
    focal_pct : rms relative error of the focal length per frame.
    registered : share of the frames that have a camera.
    """

    path_rms_pct: float
    path_median_pct: float
    path_max_pct: float
    rotation_deg: float
    rotation_pct: float
    focal_pct: float
    registered: float

    @staticmethod
    def none() -> CameraError:
        """No camera at all."""
        return CameraError(
            path_rms_pct=NAN, path_median_pct=NAN, path_max_pct=NAN, rotation_deg=NAN,
            rotation_pct=NAN, focal_pct=NAN, registered=0.0,
        )  # fmt: skip

    def of_kind(self, kind: str) -> float:
        """Return the one figure [%] that a shot of a kind is judged by; NaN without a camera.

        The rms of the path where the camera moves. From a tripod: the worse of rotation and focal
        length, each in % of what there is of it.
        """
        if kind in ("tripod", "tripod_zoom"):
            return float(np.max([self.rotation_pct, self.focal_pct]))
        return self.path_rms_pct


def camera_error(T_cam_world: F64, focal_px: F64 | float, truth: Truth) -> CameraError:
    """Compare (n, 4, 4) cameras, NaN where there is none, with the truth of all n frames."""
    n = len(truth)
    if T_cam_world.shape != (n, 4, 4):
        raise ValueError(f"T_cam_world: expected shape ({n}, 4, 4), got {T_cam_world.shape}")
    seen = np.isfinite(T_cam_world).all(axis=(1, 2))
    if not seen.any():
        return CameraError.none()
    R, R_true = T_cam_world[seen, :3, :3], truth.T_cam_world[seen, :3, :3]
    turn_deg = rotation_errors_deg(R, R_true)
    rotation_deg = float(np.sqrt(np.mean(turn_deg**2)))
    reach_deg = rotation_extent_deg(truth.T_cam_world[:, :3, :3])
    focal = np.broadcast_to(np.asarray(focal_px, np.float64), (n,))[seen]
    focal_error = focal / truth.focal_px[seen] - 1
    path_pct = np.full(3, NAN)
    extent_m = path_extent_m(truth.centers_m)
    if extent_m > 0 and seen.sum() >= 3:
        found = -np.einsum("nji,nj->ni", R, T_cam_world[seen, :3, 3])
        miss = np.linalg.norm(align(found, truth.centers_m[seen]) - truth.centers_m[seen], axis=1)
        path_pct = (
            100 / extent_m * np.array([np.sqrt(np.mean(miss**2)), np.median(miss), miss.max()])
        )
    return CameraError(
        path_rms_pct=float(path_pct[0]), path_median_pct=float(path_pct[1]),
        path_max_pct=float(path_pct[2]), rotation_deg=rotation_deg,
        rotation_pct=100 * rotation_deg / reach_deg if reach_deg > 0 else NAN,
        focal_pct=float(100 * np.sqrt(np.mean(focal_error**2))), registered=float(seen.mean()),
    )  # fmt: skip


def path_extent_m(centers_m: F64) -> float:
    """Diagonal of the bounding box of (n, 3) centres; under a micrometre it is 0."""
    extent = float(np.linalg.norm(np.ptp(centers_m, axis=0)))
    return extent if extent > 1e-6 else 0.0


def umeyama(source: F64, target: F64) -> tuple[float, F64, F64]:
    """Scale, rotation and shift that map (n, 3) source points best onto target points.

    Umeyama 1991. Points on a line leave a turn about it open: any of them is returned.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    U, S, Vt = np.linalg.svd(b.T @ a)
    sign = np.ones(3)
    sign[2] = np.sign(np.linalg.det(U) * np.linalg.det(Vt))
    R = U @ np.diag(sign) @ Vt
    spread = (a**2).sum()
    scale = float((S * sign).sum() / spread) if spread > 0 else 0.0
    return scale, R, target.mean(0) - scale * R @ source.mean(0)


def align(source: F64, target: F64) -> F64:
    """(n, 3) source points under the similarity that brings them nearest to target."""
    scale, R, t = umeyama(source, target)
    return scale * source @ R.T + t


def rotation_errors_deg(R_cam_world: F64, R_true: F64) -> F64:
    """(n,) angles [deg] left after the best common turn of the world."""
    U, _, Vt = np.linalg.svd(np.einsum("nji,njk->ik", R_cam_world, R_true))
    D = np.diag([1, 1, np.sign(np.linalg.det(U @ Vt))])
    return angles_deg(R_cam_world @ (U @ D @ Vt), R_true)


def angles_deg(A: F64, B: F64) -> F64:
    """Angles [deg] between rotations (..., 3, 3): exact for small ones too."""
    chord = np.sqrt(((A - B) ** 2).sum((-2, -1)))
    return np.degrees(2 * np.arcsin(np.minimum(chord / np.sqrt(8), 1)))


def rotation_extent_deg(R: F64) -> float:
    """Largest angle [deg] between two of (n, 3, 3) rotations; under 1e-6 it is 0."""
    widest = float(np.max(angles_deg(R[:, None], R[None])))
    return widest if widest > 1e-6 else 0.0


def track_residuals_px(truth: Truth, xy_px: F64) -> F64:
    """(n_tracks, n_frames) distances [px] of tracks from the best point under the true cameras.

    What a tracker is off by, and what shows that truth and pictures agree. A track on something
    that moves has large ones. NaN where unseen.
    """
    return best_points(truth, xy_px)[1]


def best_points(truth: Truth, xy_px: F64) -> tuple[F64, F64]:
    """Triangulate tracks (n, n_frames, 2) with the true cameras: (n, 3) [m] and residuals [px].

    By Gauss-Newton on direction and inverse depth in the track's middle frame; from a tripod only
    the direction counts, and points are 10 m away. NaN where unseen in 3 frames, or behind.
    """
    X_world, out = np.full((len(xy_px), 3), NAN), np.full(xy_px.shape[:2], NAN)
    for i, track in enumerate(xy_px):
        frames = np.flatnonzero(np.isfinite(track[:, 0]))
        if len(frames) >= 3:
            X_world[i], out[i, frames] = _best_point(truth, track[frames], frames)
    return X_world, out


def _best_point(truth: Truth, xy_px: F64, frames: NDArray[np.intp]) -> tuple[F64, F64]:
    """World point and (n,) distances of one track's positions in `frames` from it."""
    ref = int(frames[len(frames) // 2])
    T_world_ref = np.linalg.inv(truth.T_cam_world[ref])
    T = truth.T_cam_world[frames] @ T_world_ref
    seen = xy_px[frames == ref]
    p = np.array([*truth.rays(seen, ref)[0], 0.0])  # x, y, and inverse depth
    focal = truth.focal_px[frames, None]

    def off(q: F64) -> F64:
        X = np.einsum("nij,j->ni", T[:, :3, :3], np.array([q[0], q[1], 1.0])) + q[2] * T[:, :3, 3]
        flat = distort(X[:, :2] / X[:, 2:], truth.distortion)
        return np.ravel(focal * flat + truth.principal_px - xy_px)

    still = path_extent_m(truth.centers_m[frames]) == 0
    for _ in range(8):
        r = off(p)
        J = np.stack([(off(p + d) - r) / 1e-6 for d in 1e-6 * np.eye(3)], 1)
        if still:  # rounding alone would give it a depth
            J[:, 2] = 0
        p = p + np.linalg.lstsq(J, -r, rcond=1e-12)[0]
    inverse_depth = 0.1 if still else p[2]
    X_ref = np.array([p[0], p[1], 1.0]) / inverse_depth if inverse_depth > 0 else np.full(3, NAN)
    X_world = T_world_ref[:3, :3] @ X_ref + T_world_ref[:3, 3]
    return X_world, np.linalg.norm(off(p).reshape(-1, 2), axis=1)
