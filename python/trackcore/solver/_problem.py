"""The tracks as the engines see them: centred square pixels of the ideal or the bent picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trackcore.solver.lens import LensModel
from trackcore.solver.prior import CameraPrior
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
REFERENCE_DIAGONAL_PX = 1469.0
"""Of 1280 x 720: limits given in px are meant at this size and grow with the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Observations of tracks in frames.

    Attributes
    ----------
    uv : (n_tracks, n_frames, 2) float64
        Positions from the principal point, in px of the frame's width on both axes; NaN: unseen.
    protected : (n_tracks,) bool
        The user's own tracks: never outliers.
    width, height : float
        Of the frame in these units.
    """

    uv: Floats
    protected: Flags
    width: float
    height: float

    @property
    def seen(self) -> Flags:
        """(n_tracks, n_frames) where there is an observation."""
        return np.asarray(np.isfinite(self.uv[..., 0]))

    @property
    def unit_px(self) -> float:
        """What one pixel of a 1280 x 720 picture is here."""
        return float(np.hypot(self.width, self.height)) / REFERENCE_DIAGONAL_PX

    def select(self, tracks: Flags) -> Problem:
        """Return the same of some tracks only."""
        return replace(self, uv=self.uv[tracks], protected=self.protected[tracks])

    def without(self, tracks: Flags) -> Problem:
        """Return the same as if some tracks had never been seen."""
        return replace(self, uv=np.where(tracks[:, None, None], np.nan, self.uv))

    def scaled(self, scale: Floats) -> Problem:
        """Return the same with every frame's picture divided by `scale` (n_frames,)."""
        return replace(self, uv=self.uv / scale[None, :, None])


def problem(
    tracks: Tracks, prior: CameraPrior, protected: Flags, focal_px: float | None
) -> Problem:
    """Return the tracks from the principal point, without what a known lens bends."""
    w, h = tracks.frame_size
    centred = tracks.xy_px - np.asarray(prior.centre_px(tracks.frame_size))
    centred[..., 1] /= prior.pixel_aspect
    if prior.lens.bends and not prior.refine_lens and focal_px is not None:
        flat = centred.reshape(-1, 2)
        known = np.isfinite(flat).all(axis=1)
        flat[known] = prior.lens.undistort(flat[known] / focal_px) * focal_px
        centred = flat.reshape(centred.shape)
    return Problem(centred, protected, float(w), h / prior.pixel_aspect)


def start_coefficients(
    prior: CameraPrior, problem: Problem, focal_px: float | None
) -> tuple[float, float]:
    """Return k1 and k2 that an estimate of the distortion starts from."""
    lens = prior.lens
    if not lens.bends:
        return 0.0, 0.0
    if lens.model is not LensModel.POLYNOMIAL and focal_px is not None:
        size = round(problem.width), round(problem.height)
        fit = lens.convert("POLYNOMIAL", focal_px=focal_px, frame_size=size, tolerance_px=1e6)
        lens = fit.lens
    return lens.coefficients[0], lens.coefficients[1]
