"""What one camera saw of a flight, made ready for fitting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore.cameras import Camera
from trackcore.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sightings:
    """Where one camera saw the ball: stamps of its frames, positions, and how good they are.

    Attributes
    ----------
    t_ns : (n,) int64
        Stamps of the frames, on the camera's own clock [ns].
    xy_px : (n, 2) float64
        Positions in the picture [px], at mid-exposure, as the lens puts them. NaN: not seen.
    covariance : (n, 2, 2) float64, optional
        Of the positions [px^2]; None: `PitchFitOptions.sigma_px` for all.
    """

    t_ns: NDArray[np.int64]
    xy_px: Floats
    covariance: Floats | None = None

    def __len__(self) -> int:
        return len(self.t_ns)

    @classmethod
    def checked(cls, name: str, value: Sightings) -> Sightings:
        """Return `value` as arrays that fit each other, or raise."""
        if not isinstance(value, cls):
            raise InputError(f"{name}: expected Sightings, got {type(value).__name__}")
        t_ns = stamps(f"{name}.t_ns", value.t_ns)
        dims = Dims()
        xy = dims.array(f"{name}.xy_px", value.xy_px, (len(t_ns), 2))
        if value.covariance is None:
            return cls(t_ns, xy)
        C = dims.array(f"{name}.covariance", value.covariance, (len(t_ns), 2, 2))
        seen = C[np.isfinite(xy).all(axis=1)]
        if not (np.isfinite(seen).all() and (np.linalg.det(seen) > 0).all()
                and (seen[:, 0, 0] > 0).all()):  # fmt: skip
            raise InputError(f"{name}.covariance: expected positive definite matrices [px^2]")
        return cls(t_ns, xy, C)


def stamps(name: str, t_ns: ArrayLike) -> NDArray[np.int64]:
    """Return `t_ns` as an array of int64, or raise."""
    t = np.asarray(t_ns)
    if t.ndim == 1 and t.size == 0:
        return np.zeros(0, np.int64)
    if t.ndim != 1 or t.dtype.kind not in "iu":
        raise InputError(f"{name}: expected (n,) integers [ns], got {t.shape} of dtype {t.dtype}")
    return t.astype(np.int64)


@dataclass(frozen=True, slots=True)
class View:
    """The sightings of one camera as the fit wants them.

    `tau` [s] from the reference on the common clock, `uv` undistorted [px], `whiten` (n, 2, 2)
    makes the noise of a difference of unit size, `index` says which sighting each was.
    """

    P: Floats
    tau: Floats
    uv: Floats
    whiten: Floats
    index: NDArray[np.intp]
    follows_clock: bool

    def __len__(self) -> int:
        return len(self.tau)


def common_times(camera: Camera, seen: Sightings) -> NDArray[np.int64]:
    """Return when each sighting was exposed, on the rig's clock [ns]."""
    if camera.line_time_ns == 0:
        return camera.common_time_ns(seen.t_ns)
    rows = np.where(np.isfinite(seen.xy_px[:, 1]), seen.xy_px[:, 1], 0.0)
    return camera.common_time_ns(seen.t_ns, rows)


def view(
    camera: Camera, seen: Sightings, reference_ns: int, sigma_px: float, *, follows_clock: bool
) -> View:
    """Return the usable sightings, undistorted and with the noise that this leaves them."""
    uv = camera.undistort(seen.xy_px)
    index = np.flatnonzero(np.isfinite(uv).all(axis=1))
    uv, at = uv[index], seen.xy_px[index]
    tau: Floats = np.asarray((common_times(camera, seen)[index] - reference_ns) * 1e-9, np.float64)
    if seen.covariance is None:
        C = np.broadcast_to(sigma_px**2 * np.eye(2), (len(index), 2, 2))
        if not camera.distortion:
            whiten = np.broadcast_to(np.eye(2) / sigma_px, C.shape)
            return View(camera.P_img_world, tau, uv, whiten, index, follows_clock)
    else:
        C = seen.covariance[index]
    if camera.distortion and len(index):
        step = 0.5
        columns = [
            (camera.undistort(at + step * e) - camera.undistort(at - step * e)) / (2 * step)
            for e in np.eye(2)
        ]
        J = np.stack(columns, axis=2)
        usable = np.isfinite(J).all(axis=(1, 2))
        uv, tau, index, J, C = uv[usable], tau[usable], index[usable], J[usable], C[usable]
        C = J @ C @ J.transpose(0, 2, 1)
    whiten = np.linalg.inv(np.linalg.cholesky(C)) if len(C) else np.zeros((0, 2, 2))
    return View(camera.P_img_world, tau, uv, whiten, index, follows_clock)
