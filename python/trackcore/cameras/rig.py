"""Two cameras that look at the same things."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore.cameras.camera import Camera, frozen, rigid
from trackcore.cameras.frame import PITCH_FRAME, WORLD, WorldFrame
from trackcore.errors import InputError
from trackcore.triangulate import triangulate
from trackcore.types import Points

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StereoRig:
    """A left and a right camera in one world.

    Attributes
    ----------
    left, right : Camera
        Their poses are to the same world [m].
    frame : WorldFrame
        How people count in this world: axes, unit and handedness. Everything of the rig itself is
        in metres of the right-handed world; `frame` converts.

    Raises
    ------
    InputError
        If the cameras are in one place.
    """

    left: Camera
    right: Camera
    frame: WorldFrame = WORLD
    _P: Floats = field(init=False, repr=False, compare=False)
    _F: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that there are two cameras, apart."""
        for name in ("left", "right"):
            if not isinstance(getattr(self, name), Camera):
                got = type(getattr(self, name)).__name__
                raise InputError(f"{name}: expected a Camera, got {got}")
        if not isinstance(self.frame, WorldFrame):
            raise InputError(f"frame: expected a WorldFrame, got {type(self.frame).__name__}")
        if not self.baseline_m > 0:
            raise InputError("right: expected a camera in another place than the left one")
        # made once: a tracker asks for them several times a frame
        P = np.stack([self.left.P_img_world, self.right.P_img_world])
        object.__setattr__(self, "_P", frozen(P))
        x, y, z = self.T_right_left[:3, 3]
        E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ self.T_right_left[:3, :3]
        F = np.linalg.inv(self.right.K).T @ E @ np.linalg.inv(self.left.K)
        object.__setattr__(self, "_F", frozen(F / np.linalg.norm(F)))

    @property
    def cameras(self) -> tuple[Camera, Camera]:
        """The left camera and the right one."""
        return self.left, self.right

    @property
    def has_plate(self) -> bool:
        """Whether the world is that of pitches: y up from the ground, the plate at z = 0."""
        return bool(np.array_equal(self.frame.axes, PITCH_FRAME.axes))

    @property
    def P_img_world(self) -> Floats:
        """(2, 3, 4) projections of the pinholes: world [m] to undistorted pixels."""
        return self._P

    @property
    def T_right_left(self) -> Floats:
        """(4, 4) pose: left camera to right camera [m]; OpenCV's R and T."""
        T: Floats = self.right.T_cam_world @ np.linalg.inv(self.left.T_cam_world)
        return T

    @property
    def baseline_m(self) -> float:
        """Distance between the cameras [m]."""
        return float(np.linalg.norm(self.left.center_world - self.right.center_world))

    @property
    def F_right_left(self) -> Floats:
        """(3, 3) fundamental matrix: (u, v, 1) right' F (u, v, 1) left = 0, undistorted pixels."""
        return self._F

    def project(self, X_world: ArrayLike) -> Floats:
        """Return where both cameras see points (n, 3) [m]: (n, 2, 2) [px], left first."""
        return np.stack([camera.project(X_world) for camera in self.cameras], axis=1)

    def undistort(self, uv_px: ArrayLike) -> Floats:
        """Return undistorted positions (n, 2, 2) [px] of positions in the pictures, left first."""
        uv = Dims().array("uv_px", uv_px, ("n", 2, 2))
        sides = (camera.undistort(uv[:, i]) for i, camera in enumerate(self.cameras))
        return np.stack(list(sides), axis=1)

    def triangulate(
        self,
        uv_px: ArrayLike,
        *,
        method: str = "dlt",
        sigma_px: float = 1.0,
        min_angle_rad: float = 0.0,
        covariance: bool = True,
        threads: int = 1,
    ) -> Points:
        """Triangulate what both cameras see.

        Parameters
        ----------
        uv_px : (n, 2, 2) float
            Positions in the pictures [px], left first, as the lenses put them. NaN: not seen.
        method, sigma_px, min_angle_rad, covariance, threads
            As of `trackcore.triangulate`.

        Returns
        -------
        Points
            In the rig's world [m]. Distances are in undistorted pixels.
        """
        return triangulate(
            self.P_img_world, self.undistort(uv_px), method=method, sigma_px=sigma_px,
            min_angle_rad=min_angle_rad, covariance=covariance, threads=threads,
        )  # fmt: skip

    def sampson_px(self, left_px: ArrayLike, right_px: ArrayLike) -> Floats:
        """Return how far pairs of positions are from being one point, to first order.

        Parameters
        ----------
        left_px, right_px : (..., 2) float
            Positions in the pictures [px], as the lenses put them. The shapes are broadcast: (n, 1,
            2) and (1, m, 2) are all pairs.

        Returns
        -------
        (...) float64
            Root of the Sampson error [px]: about the least move, of both together, that makes the
            rays meet. NaN where a position is.
        """
        left, right, error = self._epipolar(left_px, right_px)
        slopes = (left[..., :2] ** 2).sum(-1) + (right[..., :2] ** 2).sum(-1)
        return np.asarray(np.abs(error) / np.sqrt(slopes))

    def epipolar_px(self, left_px: ArrayLike, right_px: ArrayLike) -> Floats:
        """Return the distance of right positions from the epipolar lines of left ones [px].

        Arguments are those of `sampson_px`; the distance is in the undistorted right picture.
        """
        _, right, error = self._epipolar(left_px, right_px)
        return np.asarray(np.abs(error) / np.sqrt((right[..., :2] ** 2).sum(-1)))

    def with_world(self, T_new_world: ArrayLike, frame: WorldFrame | None = None) -> StereoRig:
        """Return the rig in another world: `T_new_world` maps the old one's points to it [m]."""
        T = rigid("T_new_world", T_new_world)
        return replace(
            self, left=self.left.with_world(T), right=self.right.with_world(T),
            frame=self.frame if frame is None else frame,
        )  # fmt: skip

    def _epipolar(self, left_px: ArrayLike, right_px: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return lines in the left picture, lines in the right one, and the products x' F x."""
        sides = []
        for name, value, camera in zip(
            ("left_px", "right_px"), (left_px, right_px), self.cameras, strict=True
        ):
            uv = np.asarray(value, np.float64)
            if uv.ndim == 0 or uv.shape[-1] != 2:
                raise InputError(f"{name}: expected shape (..., 2), got {uv.shape}")
            flat = camera.undistort(uv.reshape(-1, 2)).reshape(uv.shape)
            sides.append(np.concatenate([flat, np.ones((*uv.shape[:-1], 1))], axis=-1))
        lines = sides[0] @ self.F_right_left.T
        back = sides[1] @ self.F_right_left
        return back, lines, (sides[1] * lines).sum(-1)
