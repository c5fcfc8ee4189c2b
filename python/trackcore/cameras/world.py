"""Where a rig stands: its world solved from points whose places are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore._cv2 import load_cv2
from trackcore.cameras.frame import WORLD, WorldFrame
from trackcore.cameras.rig import StereoRig
from trackcore.errors import InputError

Floats = NDArray[np.float64]

_LEAST_POINTS, _LEAST_ALONE = 3, 4
_LEAST_SPREAD = 1e-3  # of the longest extent: less across it is a line
_MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class WorldFit:
    """A rig in its world, and how well the known points fit.

    Attributes
    ----------
    rig : StereoRig
        The rig, its poses now to the solved world.
    T_world_rig : (4, 4) float64
        From the world that the rig had before to the solved one [m].
    rms_px : float
        Root mean square distance between where the points were seen and where they project.
    error_px : (n, 2) float64
        That distance of each point in the left and the right picture; NaN where it was not seen.
    error_m : (n,) float64
        Distance of each known point from where both cameras see it [m]; NaN unless both do.
    scale : float
        Size of the seen points over that of the known ones: far from 1, the baseline or the unit
        is wrong. It is not applied. NaN with fewer than two points seen by both.
    """

    rig: StereoRig
    T_world_rig: Floats
    rms_px: float
    error_px: Floats
    error_m: Floats
    scale: float


def solve_world(
    rig: StereoRig, X_known: ArrayLike, uv_px: ArrayLike, *, frame: WorldFrame = WORLD
) -> WorldFit:
    """Find the world of a rig from points at known places: plate corners, survey marks.

    Parameters
    ----------
    rig : StereoRig
        Calibrated to each other; its present world does not matter.
    X_known : (n, 3) float
        Places of the points, in the unit and axes of `frame`.
    uv_px : (n, 2, 2) float
        Where the left and the right camera see them [px]. NaN: not seen.
    frame : WorldFrame
        How `X_known` counts: `PITCH_FRAME` for the documented left-handed feet. The default is the
        world itself: right-handed metres. It becomes the rig's frame.

    Returns
    -------
    WorldFit
        The rig in the solved world, with the errors of every point.

    Raises
    ------
    InputError
        If shapes disagree, or the points do not determine a pose: it takes three that both cameras
        see, or four that one sees, not all on one line.

    Notes
    -----
    A rotation and a shift, no scale: from the triangulated points (Kabsch), or, if both cameras see
    too few, from one camera (`cv2.solvePnP`); then Gauss-Newton on the distances in both pictures,
    which weighs depth as little as it is known. Points in one plane cannot tell a left-handed frame
    from a right-handed one: `frame` must.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> K = [[1800, 0, 959.5], [0, 1800, 539.5], [0, 0, 1]]
    >>> shift = np.eye(4); shift[0, 3] = -1.2
    >>> left, right = (tc.Camera(K=K, size=(1920, 1080), T_cam_world=T) for T in (np.eye(4), shift))
    >>> rig = tc.StereoRig(left=left, right=right)
    >>> corners = [[0.0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 2, 0]]
    >>> seen = rig.project(np.array(corners) + [0, -1, 15])
    >>> (tc.solve_world(rig, corners, seen).T_world_rig[:3, 3].round(6) + 0.0).tolist()
    [0.0, 1.0, -15.0]
    """
    if not isinstance(frame, WorldFrame):
        raise InputError(f"frame: expected a WorldFrame, got {type(frame).__name__}")
    dims = Dims()
    known = frame.to_world(dims.array("X_known", X_known, ("n", 3)))
    uv = dims.array("uv_px", uv_px, ("n", 2, 2))
    if not np.isfinite(known).all():
        raise InputError("X_known: expected finite places")
    seen_in = rig.triangulate(uv, method="refined", covariance=False).X_world
    both = np.isfinite(seen_in).all(axis=1)
    if both.sum() >= _LEAST_POINTS and _spread_out(known[both]):
        start = _rotation_and_shift(known[both], seen_in[both])
    else:
        start = _from_one_camera(rig, known, uv)
    T_rig_world = _least_distances(rig, known, uv, start)
    moved = rig.with_world(np.linalg.inv(T_rig_world), frame)
    error_px: Floats = np.asarray(np.linalg.norm(moved.project(known) - uv, axis=2), np.float64)
    places = moved.triangulate(uv, method="refined", covariance=False).X_world
    errors_m: Floats = np.asarray(np.linalg.norm(places - known, axis=1), np.float64)
    rms_px = float(np.sqrt(np.nanmean(error_px**2)))
    scale = _scale(known[both], seen_in[both])
    T_world_rig: Floats = np.asarray(np.linalg.inv(T_rig_world))
    return WorldFit(moved, T_world_rig, rms_px, error_px, errors_m, scale)


def _spread_out(X: Floats) -> bool:
    sizes = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    return len(X) >= _LEAST_POINTS and bool(sizes[1] > _LEAST_SPREAD * sizes[0])


def _scale(known: Floats, seen: Floats) -> float:
    size = [np.linalg.norm(X - X.mean(axis=0)) if len(X) > 1 else np.nan for X in (seen, known)]
    return float(size[0] / size[1]) if size[1] > 0 else np.nan


def _rotation_and_shift(source: Floats, target: Floats) -> Floats:
    """Return the (4, 4) pose that maps `source` to `target` with the least squares (Kabsch)."""
    a, b = source.mean(axis=0), target.mean(axis=0)
    U, _, Vt = np.linalg.svd((target - b).T @ (source - a))
    R = U @ np.diag([1, 1, np.sign(np.linalg.det(U @ Vt))]) @ Vt
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, b - R @ a
    return T


def _from_one_camera(rig: StereoRig, known: Floats, uv: Floats) -> Floats:
    """Return the pose world -> rig from the camera that sees more of the points."""
    counts = np.isfinite(uv).all(axis=2).sum(axis=0)
    camera, side = max(zip(rig.cameras, (0, 1), strict=True), key=lambda pair: counts[pair[1]])
    flat = camera.undistort(uv[:, side])
    use = np.isfinite(flat).all(axis=1)
    if use.sum() < _LEAST_ALONE or not _spread_out(known[use]):
        raise InputError(
            f"uv_px: expected {_LEAST_POINTS} points seen by both cameras or {_LEAST_ALONE} seen by"
            f" one, not all on one line; got {counts[0]} seen by the left and {counts[1]} by the"
            " right"
        )
    cv2 = load_cv2()
    found, turn, shift = cv2.solvePnP(
        known[use], flat[use], camera.K, None, flags=cv2.SOLVEPNP_SQPNP
    )
    if not found:
        raise InputError("uv_px: expected positions that some pose of the camera explains")
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = cv2.Rodrigues(turn)[0], shift.ravel()
    return np.asarray(np.linalg.inv(camera.T_cam_world) @ T)


def _least_distances(rig: StereoRig, known: Floats, uv: Floats, T_rig_world: Floats) -> Floats:
    """Return the pose near `T_rig_world` that makes the distances in the pictures least."""
    seen = np.isfinite(uv)

    def residuals(T: Floats) -> Floats:
        off = rig.project(known @ T[:3, :3].T + T[:3, 3]) - uv
        return np.where(np.isfinite(off[seen]), off[seen], 1e6)

    best = residuals(T_rig_world)
    damping = 0.0
    for _ in range(_MOST_STEPS):
        J = np.stack([
            (residuals(_moved(T_rig_world, e)) - residuals(_moved(T_rig_world, -e))) / 2e-6
            for e in np.eye(6) * 1e-6
        ], axis=1)  # fmt: skip
        H, g = J.T @ J, J.T @ best
        step = np.linalg.lstsq(H + damping * np.diag(np.diag(H)), -g, rcond=None)[0]
        to = _moved(T_rig_world, step)
        r = residuals(to)
        if r @ r < best @ best:
            gain = 1 - (r @ r) / (best @ best)
            T_rig_world, best, damping = to, r, damping * 0.1
            if gain < 1e-12:
                break
        elif -g @ step <= 1e-12 * (best @ best) + 1e-18:
            break
        else:
            damping = max(damping * 10, 1e-4)
    return T_rig_world


def _moved(T: Floats, step: Floats) -> Floats:
    """Return `T` turned by the rotation vector step[:3] [rad], about its origin, and shifted."""
    angle = float(np.linalg.norm(step[:3]))
    x, y, z = step[:3] / angle if angle > 0 else step[:3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    R = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    moved = np.array(T)
    moved[:3, :3] = R @ T[:3, :3]
    moved[:3, 3] = T[:3, 3] + step[3:]
    return moved
