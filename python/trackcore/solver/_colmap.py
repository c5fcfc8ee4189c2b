"""COLMAP as a library: relative pose, resection and bundle adjustment of our own tracks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import DependencyError
from trackcore.solver._cancel import proceed
from trackcore.solver._poses import reproject
from trackcore.solver._thinned import ENOUGH_FRAMES

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FINE, ROUGH = 1e-5, 1e-3
"""Relative gains below which an adjustment ends: one that counts, and one that only shows which
observations agree."""
NEAR_RADIUS = 1e6
"""Of Ceres' first step. Our starts are near what they become, and what is left to do lies along
flat valleys (depth against focal length), in which Ceres' own 1e4 creeps."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Cameras and points so far.

    Attributes
    ----------
    T : (n_frames, 4, 4) float64
        World to camera; NaN: none yet.
    X : (n_tracks, 3) float64
        NaN: none yet.
    focal : (n_frames,) float64
        [px]
    k : (k1, k2)
    """

    T: Floats
    X: Floats
    focal: Floats
    k: tuple[float, float] = (0.0, 0.0)

    @property
    def solved(self) -> Flags:
        """(n_frames,) which frames have a camera."""
        return np.asarray(np.isfinite(self.T[:, 0, 0]))

    def errors(self, uv: Floats) -> Floats:
        """Return the reprojection error of every observation (n_tracks, n_frames) [px].

        NaN where there is no observation, camera or point; infinite behind the camera.
        """
        both = np.isfinite(uv[..., 0]) & self.solved & np.isfinite(self.X[:, :1])
        error = np.linalg.norm(reproject(self.T, self.X, self.focal, self.k) - uv, axis=-1)
        return np.asarray(np.where(both, np.where(np.isnan(error), np.inf, error), np.nan))


def colmap() -> Any:
    """Return pycolmap, quiet."""
    try:
        import pycolmap
    except ImportError as error:
        raise DependencyError("solving needs pycolmap: pip install pycolmap") from error
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value
    return pycolmap


def relative_pose(
    a: Floats, b: Floats, focal: tuple[float, float], tolerance_px: float, seed: int
) -> tuple[Floats, Flags] | None:
    """Return the pose (4, 4) of the second camera in the first and which points agree."""
    proceed()
    pc = colmap()
    ransac = pc.RANSACOptions(max_error=tolerance_px, random_seed=seed, max_num_trials=2000,
                              min_num_trials=100, confidence=0.9999)  # fmt: skip
    found = pc.estimate_essential_matrix(a, b, _camera(focal[0]), _camera(focal[1]), ransac)
    if found is None:
        return None
    pose = np.eye(4)
    pose[:3] = found["cam2_from_cam1"].matrix()
    return pose, np.asarray(found["inlier_mask"], bool)


def resect(
    uv: Floats, X: Floats, focal: float, k: tuple[float, float], tolerance_px: float, seed: int
) -> tuple[Floats, Flags] | None:
    """Return the pose (4, 4) of a camera that sees points X at uv, and which agree."""
    proceed()
    pc = colmap()
    how = pc.AbsolutePoseEstimationOptions()
    how.ransac.max_error, how.ransac.random_seed = tolerance_px, seed
    how.ransac.min_num_trials, how.ransac.max_num_trials = 30, 1000
    found = pc.estimate_and_refine_absolute_pose(uv, X, _camera(focal, k), how)
    if found is None:
        return None
    pose = np.eye(4)
    pose[:3] = found["cam_from_world"].matrix()
    return pose, np.asarray(found["inlier_mask"], bool)


def refine(
    T: Floats, uv: Floats, X: Floats, focal: float, k: tuple[float, float], loss_px: float
) -> Floats:
    """Return the pose (4, 4) that fits best what it sees, from a good one on."""
    pc = colmap()
    how = pc.AbsolutePoseRefinementOptions(loss_function_scale=loss_px)
    found = pc.refine_absolute_pose(
        pc.Rigid3d(T[:3]), uv, X, np.ones(len(uv), bool), _camera(focal, k), how
    )
    pose = np.eye(4)
    pose[:3] = T[:3] if found is None else found["cam_from_world"].matrix()
    return pose


@dataclass(frozen=True, slots=True)
class Freedom:
    """What a bundle adjustment may change, and how it judges.

    `loss_px`: errors beyond count less and less (Cauchy). `most_frames`: adjusted together.
    """

    focal: bool = True
    lens: bool = False
    loss_px: float = 1.0
    iterations: int = 30
    tolerance: float = FINE
    most_frames: int = ENOUGH_FRAMES


def adjust(state: State, uv: Floats, use: Flags, freedom: Freedom) -> State:
    """Return cameras, points, focal length and distortion that fit the observations best.

    `use` (n_tracks, n_frames) says which observations count. All frames share the focal length.
    """
    proceed()
    pc = colmap()
    use = use & np.isfinite(uv[..., 0]) & state.solved & np.isfinite(state.X[:, :1])
    use &= (use.sum(axis=1) >= 2)[:, None]
    frames, tracks = np.flatnonzero(use.any(axis=0)), np.flatnonzero(use.any(axis=1))
    if len(frames) < 2 or len(tracks) < 6:
        return state
    model = _model(pc, state, uv, use, frames, tracks)
    config = pc.BundleAdjustmentConfig()
    for frame in frames:
        config.add_image(int(frame) + 1)
    config.fix_gauge(pc.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    pc.create_default_ceres_bundle_adjuster(_options(pc, freedom), config, model).solve()
    T, X = state.T.copy(), state.X.copy()
    for frame in frames:
        T[frame, :3] = model.images[int(frame) + 1].cam_from_world().matrix()
    for track in tracks:
        X[track] = model.points3D[int(track) + 1].xyz
    focal, _, _, k1, k2 = model.cameras[1].params
    if not np.isfinite([focal, k1, k2]).all() or focal <= 0:
        return state
    return replace(state, T=T, X=X, focal=np.full(len(T), focal), k=(float(k1), float(k2)))


def _camera(focal: float, k: tuple[float, float] = (0.0, 0.0)) -> Any:
    return colmap().Camera(
        camera_id=1, model="RADIAL", width=2, height=2, params=[float(focal), 0.0, 0.0, *k]
    )


def _model(
    pc: Any, state: State, uv: Floats, use: Flags, frames: NDArray[Any], tracks: NDArray[Any]
) -> Any:
    model = pc.Reconstruction()
    model.add_camera_with_trivial_rig(_camera(float(state.focal[frames[0]]), state.k))
    row = np.zeros(use.shape, np.int64)
    for frame in frames:
        there = use[:, frame]
        row[there, frame] = np.arange(int(there.sum()))
        image = pc.Image(image_id=int(frame) + 1, camera_id=1, keypoints=uv[there, frame],
                         name=f"{int(frame):06d}")  # fmt: skip
        model.add_image_with_trivial_frame(image, pc.Rigid3d(state.T[frame, :3]))
    for track in tracks:
        seen_in = np.flatnonzero(use[track])
        elements = pc.Track()
        for frame, index in zip((seen_in + 1).tolist(), row[track, seen_in].tolist(), strict=True):
            elements.add_element(frame, index)
        model.add_point3D_with_id(int(track) + 1, pc.Point3D(xyz=state.X[track], track=elements))
    return model


def _options(pc: Any, freedom: Freedom) -> Any:
    how = pc.BundleAdjustmentOptions()
    how.print_summary = False
    how.refine_focal_length, how.refine_extra_params = freedom.focal, freedom.lens
    how.ceres.loss_function_type = pc.LossFunctionType.CAUCHY
    how.ceres.loss_function_scale = freedom.loss_px
    how.ceres.max_num_images_direct_dense_cpu_solver = 150  # tracks live long: S is full anyway
    solver = how.ceres.solver_options
    solver.num_threads = 1  # sums in a fixed order: the same bits every time
    solver.max_num_iterations = freedom.iterations
    solver.function_tolerance = freedom.tolerance
    solver.initial_trust_region_radius = NEAR_RADIUS
    return how
