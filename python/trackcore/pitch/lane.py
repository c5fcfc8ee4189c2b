"""A rig as it stands behind a plate."""

from __future__ import annotations

import numpy as np

from trackcore.ballistics import FOOT_M
from trackcore.cameras import PITCH_FRAME, Camera, StereoRig
from trackcore.errors import InputError


def lane_rig(
    *,
    baseline_m: float = 4 * FOOT_M,
    focal_px: float = 1800.0,
    size: tuple[int, int] = (1920, 1080),
    height_m: float = 8 * FOOT_M,
    behind_m: float = 12 * FOOT_M,
    look_at_m: tuple[float, float, float] = (0.0, 1.0, -8.0),
    distortion: tuple[float, ...] = (),
) -> StereoRig:
    """Return two cameras behind the plate that look along the lane, toed in.

    Parameters
    ----------
    baseline_m : float
        Distance between them [m].
    focal_px : float
        [px]
    size : (w, h)
        Of the pictures [px].
    height_m, behind_m : float
        Above the ground, and behind the front edge of the plate [m].
    look_at_m : (x, y, z)
        Where both look, in the world of pitches: x to the catcher's right, y up, z to the catcher.
    distortion : tuple of float
        As of `Camera`.

    Returns
    -------
    StereoRig
        With `PITCH_FRAME`.

    Raises
    ------
    InputError
        If a camera cannot be so.

    Examples
    --------
    >>> rig = lane_rig()
    >>> round(rig.baseline_m, 4), rig.frame.handedness
    (1.2192, 'left')
    """
    if not baseline_m > 0 or not np.isfinite(baseline_m):
        raise InputError(f"baseline_m: expected a length above 0, got {baseline_m!r}")
    w, h = size
    K = np.array([[focal_px, 0, (w - 1) / 2], [0, focal_px, (h - 1) / 2], [0, 0, 1]])
    cameras = []
    for name, sign in (("left", -1), ("right", 1)):
        eye = np.array([sign * baseline_m / 2, height_m, behind_m])
        forward = np.asarray(look_at_m, np.float64) - eye
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        T = np.eye(4)
        T[:3, :3] = right, np.cross(forward, right), forward
        T[:3, 3] = -T[:3, :3] @ eye
        cameras.append(Camera(K=K, size=size, T_cam_world=T, name=name, distortion=distortion))
    return StereoRig(left=cameras[0], right=cameras[1], frame=PITCH_FRAME)
