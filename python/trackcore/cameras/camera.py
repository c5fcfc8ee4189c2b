"""One camera: its matrix, lens, place, picture and clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims
from trackcore.cameras._lens import TERMS, core_lens
from trackcore.errors import InputError

Floats = NDArray[np.float64]

_RIGID = 1e-6  # what rounding to six digits leaves of R R' = I


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """A calibrated camera. Lengths are metres, pixels have their centres at integers.

    Attributes
    ----------
    K : (3, 3) float64
        Camera matrix [px]: focal lengths, principal point, skew; last row 0 0 1.
    size : (w, h)
        Of the picture [px].
    distortion : tuple of float
        None, or OpenCV's k1 k2 p1 p2 k3, or these and k4 k5 k6. Four terms are five with k3 = 0.
    T_cam_world : (4, 4) float64
        Pose: world [m] to camera, x right, y down, z forward. A rotation and a shift.
    line_time_ns : float
        Rolling shutter: from the exposure of one row to that of the next below. 0: global.
    clock_offset_ns, clock_drift, clock_reference_ns : float, float, int
        A stamp t of this camera is t + offset + drift (t - reference) on the rig's common clock.
    name : str
        What people call it.

    Raises
    ------
    InputError
        If a value has the wrong shape or is none that a camera can have.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> K = [[1000, 0, 639.5], [0, 1000, 359.5], [0, 0, 1]]
    >>> camera = tc.Camera(K=K, size=(1280, 720), distortion=(-0.2, 0.05, 0, 0, 0))
    >>> seen = camera.project([[0.5, 0.2, 2.0]])
    >>> camera.undistort(seen).round(6).tolist()
    [[889.5, 459.5]]
    """

    K: Floats
    size: tuple[int, int]
    distortion: tuple[float, ...] = ()
    T_cam_world: Floats = field(default_factory=lambda: np.eye(4))
    line_time_ns: float = 0.0
    clock_offset_ns: float = 0.0
    clock_drift: float = 0.0
    clock_reference_ns: int = 0
    name: str = ""
    _lens: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check every value, and keep copies that cannot be written to."""
        _set(self, "K", _matrix(self.K))
        _set(self, "size", _size(self.size))
        _set(self, "distortion", _distortion(self.distortion))
        _set(self, "T_cam_world", rigid("T_cam_world", self.T_cam_world))
        for name in ("line_time_ns", "clock_offset_ns", "clock_drift"):
            value = getattr(self, name)
            number = isinstance(value, (int, float, np.integer, np.floating))
            if isinstance(value, bool) or not number or not np.isfinite(value):
                raise InputError(f"{name}: expected a finite number, got {value!r}")
            _set(self, name, float(value))
        _set(self, "clock_reference_ns", int(self.clock_reference_ns))
        _set(self, "name", str(self.name))
        _set(self, "_lens", frozen(core_lens(self.K, self.distortion)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Camera):
            return NotImplemented
        same = all(
            getattr(self, name) == getattr(other, name)
            for name in self.__dataclass_fields__
            if name not in ("K", "T_cam_world", "_lens")
        )
        pose = np.array_equal(self.T_cam_world, other.T_cam_world)
        return same and pose and np.array_equal(self.K, other.K)

    def __hash__(self) -> int:
        return hash((self.K.tobytes(), self.size, self.distortion, self.T_cam_world.tobytes()))

    @property
    def P_img_world(self) -> Floats:
        """(3, 4) projection of the pinhole: world [m] to undistorted pixels."""
        return self.K @ self.T_cam_world[:3]

    @property
    def center_world(self) -> Floats:
        """(3,) where the camera is [m]."""
        R, t = self.T_cam_world[:3, :3], self.T_cam_world[:3, 3]
        return np.asarray(-R.T @ t)

    def project(self, X_world: ArrayLike) -> Floats:
        """Return where the camera sees points.

        Parameters
        ----------
        X_world : (n, 3) float
            Points [m].

        Returns
        -------
        (n, 2) float64
            Positions [px], distorted; NaN for points that are not in front of the camera, or so far
            from its axis that the lens model has folded back. Pictures have no borders here.
        """
        X = Dims().array("X_world", X_world, ("n", 3))
        h = X @ self.P_img_world[:, :3].T + self.P_img_world[:, 3]
        depth = np.where(h[:, 2:] > 0, h[:, 2:], np.nan)
        return self.distort(h[:, :2] / depth)

    def distort(self, uv_px: ArrayLike) -> Floats:
        """Return where the lens puts undistorted positions (n, 2) [px]; NaN beyond its fold."""
        uv = Dims().array("uv_px", uv_px, ("n", 2))
        return _core.distort(uv, self._lens) if self.distortion else uv.copy()

    def undistort(self, uv_px: ArrayLike) -> Floats:
        """Return where a pinhole with the same `K` would have seen positions.

        Parameters
        ----------
        uv_px : (n, 2) float
            Positions in the picture [px]. NaN stays NaN.

        Returns
        -------
        (n, 2) float64
            Undistorted positions [px]: `distort` brings them back to within rounding. NaN where
            there is none: the lens model puts nothing at that place, or Newton's method does not
            find it.
        """
        uv = Dims().array("uv_px", uv_px, ("n", 2))
        return _core.undistort(uv, self._lens) if self.distortion else uv.copy()

    def rays_world(self, uv_px: ArrayLike) -> Floats:
        """Return unit directions (n, 3) in the world of positions (n, 2) in the picture [px]."""
        uv = self.undistort(uv_px)
        h = np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(self.K).T
        h /= np.linalg.norm(h, axis=1, keepdims=True)
        return np.asarray(h @ self.T_cam_world[:3, :3])

    def inside(self, uv_px: ArrayLike) -> NDArray[np.bool_]:
        """Return which positions (n, 2) [px] lie on a pixel of the picture; NaN does not."""
        uv = Dims().array("uv_px", uv_px, ("n", 2))
        high = np.array(self.size) - 0.5
        return np.asarray(((uv >= -0.5) & (uv <= high)).all(axis=1))

    def common_time_ns(self, t_ns: ArrayLike, v_px: ArrayLike | None = None) -> NDArray[np.int64]:
        """Return stamps of this camera on the rig's common clock.

        Parameters
        ----------
        t_ns : int or (n,) int64
            Stamps of frames: when their first row was exposed, on the camera's own clock [ns].
        v_px : float or (n,) float, optional
            Rows [px]: each is exposed `line_time_ns` after the one above.

        Returns
        -------
        (n,) int64, or a scalar array
            Times [ns].
        """
        t = np.asarray(t_ns)
        if t.dtype.kind not in "iu":
            raise InputError(f"t_ns: expected integers [ns], got dtype {t.dtype}")
        later = self.clock_offset_ns + self.clock_drift * (t - self.clock_reference_ns)
        if v_px is not None:
            later = later + self.line_time_ns * np.asarray(v_px, np.float64)
        return np.asarray(t + np.rint(later).astype(np.int64))

    def with_world(self, T_new_world: ArrayLike) -> Camera:
        """Return the camera in another world: `T_new_world` maps the old one's points to it."""
        T = rigid("T_new_world", T_new_world)
        return replace(self, T_cam_world=self.T_cam_world @ np.linalg.inv(T))


def rigid(name: str, value: ArrayLike) -> Floats:
    """Return `value` as a (4, 4) rotation and shift, the rotation made exact, or raise."""
    T = np.array(Dims().array(name, value, (4, 4)))
    R = T[:3, :3]
    off = np.abs(R @ R.T - np.eye(3)).max() if np.isfinite(T).all() else np.inf
    if not (off <= _RIGID and np.linalg.det(R) > 0 and np.array_equal(T[3], [0, 0, 0, 1])):
        raise InputError(
            f"{name}: expected a rotation (R R' = 1, not mirrored) and a shift, last row 0 0 0 1,"
            f" got {T.tolist()}"
        )
    if off > 1e-15:
        U, _, Vt = np.linalg.svd(R)
        T[:3, :3] = U @ Vt
    return frozen(T)


def _set(camera: Camera, name: str, value: object) -> None:
    object.__setattr__(camera, name, value)


def frozen(array: Floats) -> Floats:
    """Return `array`, from now on read-only."""
    array.setflags(write=False)
    return array


def _matrix(value: ArrayLike) -> Floats:
    K = np.array(Dims().array("K", value, (3, 3)))
    lower = np.array_equal(K[[1, 2, 2, 2], [0, 0, 1, 2]], [0, 0, 0, 1])
    if not (np.isfinite(K).all() and lower and K[0, 0] > 0 and K[1, 1] > 0):
        raise InputError(
            "K: expected [[fx, s, cx], [0, fy, cy], [0, 0, 1]] with focal lengths above 0,"
            f" got {K.tolist()}"
        )
    return frozen(K)


def _size(value: Any) -> tuple[int, int]:
    if isinstance(value, (tuple, list, np.ndarray)) and len(value) == 2:
        w, h = value
        if all(isinstance(v, (int, np.integer)) and v > 0 for v in (w, h)):
            return int(w), int(h)
    raise InputError(f"size: expected (width, height) in whole pixels, got {value!r}")


def _distortion(value: ArrayLike) -> tuple[float, ...]:
    terms = np.ravel(np.asarray(value, np.float64))
    if len(terms) not in (0, 4, 5, 8) or not np.isfinite(terms).all():
        raise InputError(
            f"distortion: expected 0, 4, 5 or 8 finite terms {' '.join(TERMS)},"
            f" got {terms.tolist()}"
        )
    if not terms.any():
        return ()
    return tuple(float(v) for v in (np.append(terms, 0.0) if len(terms) == 4 else terms))
