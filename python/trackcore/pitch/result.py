"""What a fit of a pitch says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._compat import StrEnum
from trackcore.ballistics import FOOT_M, INCH_M, MPH_MPS
from trackcore.cameras import PITCH_FRAME
from trackcore.errors import InputError
from trackcore.pitch.flight import (
    NO_BREAK,
    NO_CROSSING,
    Break,
    Crossing,
    crossing_times,
    crossings,
    slopes_at,
    spin_break,
)
from trackcore.pitch.options import FlightModel
from trackcore.pitch.paths import BallFlight, Model, Path
from trackcore.pitch.zone import StrikeCall

Floats = NDArray[np.float64]

UP_Z = np.array([0.0, 0.0, 1.0])
"""Planes are met in the direction of the pitch: the world's z grows to the catcher."""


class PitchStatus(StrEnum):
    """What is wrong with a fit: the documented codes.

    `INSUFFICIENT_POINTS`: a camera saw the ball fewer than three times, or both together less often
    than there are unknowns. `ILL_CONDITIONED`: what was seen does not determine the flight.
    `OPT_DID_NOT_CONVERGE`: no least squares. `REPROJECTION_FAILED`: the path is behind a camera, or
    far from what was seen. With one of these there are no results. Warnings: `TIME_SYNC_SUSPECT`
    (clocks further apart than expected), `NON_MONOTONIC_Z` (the ball does not always come nearer),
    `NO_PLATE_CROSSING` (not within `max_extrapolation_s`, or the rig's world has no plate),
    `RADAR_OUTLIER` (the radar's speed is another). `CAMERA_MODEL_MISSING` is for hosts without a
    rig: there is nothing to fit then.
    """

    OK = "OK"
    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS"
    ILL_CONDITIONED = "ILL_CONDITIONED"
    TIME_SYNC_SUSPECT = "TIME_SYNC_SUSPECT"
    RADAR_OUTLIER = "RADAR_OUTLIER"
    NO_PLATE_CROSSING = "NO_PLATE_CROSSING"
    NON_MONOTONIC_Z = "NON_MONOTONIC_Z"
    OPT_DID_NOT_CONVERGE = "OPT_DID_NOT_CONVERGE"
    CAMERA_MODEL_MISSING = "CAMERA_MODEL_MISSING"
    REPROJECTION_FAILED = "REPROJECTION_FAILED"


_DRAG = 6
"""Place of the drag coefficient among the numbers of the physics."""

FATAL = (
    PitchStatus.INSUFFICIENT_POINTS,
    PitchStatus.CAMERA_MODEL_MISSING,
    PitchStatus.OPT_DID_NOT_CONVERGE,
    PitchStatus.ILL_CONDITIONED,
    PitchStatus.REPROJECTION_FAILED,
)


@dataclass(frozen=True, slots=True)
class FlightFit:
    """One model of the flight, fitted.

    Attributes
    ----------
    model : FlightModel
    q : (10,) or (11,) float64
        Place [m] and velocity [m/s] at the reference time; acceleration [m/s2], or the drag
        coefficient and the lift coefficients about two axes across the flight and one along it; the
        clock offset [s].
    covariance : (10, 10) or (11, 11) float64
        Of `q`, enlarged where residuals are larger than the noise explains.
    rms_px : float
        Of the distances between path and inliers in the pictures.
    chi2, dof : float, int
        Sum of squared distances of the inliers in sigma, and how many it is expected to be.
    converged, iterations : bool, int
    family : Model
        What `path` is one of.
    path : Path
        The flight as a function of the time from the reference, from `lo` to `hi` [s].
    lo, hi : float
    """

    model: FlightModel
    q: Floats
    covariance: Floats
    rms_px: float
    chi2: float
    dof: int
    converged: bool
    iterations: int
    family: Model
    path: Path
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Residuals:
    """How each sighting lies to the fitted path. All arrays have one entry for each of them.

    Attributes
    ----------
    side : (n,) uint8
        0 left, 1 right.
    index : (n,) int
        Which of that camera's sightings.
    tau_s : (n,) float64
        When, from the reference, on the left clock [s].
    residual_px : (n, 2) float64
        Path less sighting [px], undistorted.
    distance_sigma : (n,) float64
        The same in standard deviations.
    inlier : (n,) bool
        Whether it was used in the end.
    """

    side: NDArray[np.uint8]
    index: NDArray[np.intp]
    tau_s: Floats
    residual_px: Floats
    distance_sigma: Floats
    inlier: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchFit:
    """A pitch: its flight, and what follows. In metres of the rig's world unless a name says else.

    Attributes
    ----------
    status : PitchStatus
        OK, or the first and worst of `failures`.
    failures : tuple of PitchStatus
        All that is wrong.
    reference_ns : int
        Time 0 of the paths, on the rig's common clock [ns].
    flight : FlightFit or None
        The model that was asked for; None with a fatal status.
    constant_acceleration, physics : FlightFit or None
        Each model. Without a plate there is no up, and so no physics.
    clock_offset_s, sigma_clock_s : float
        To be added to times of the right camera [s].
    acceleration_world : (3,) float64
        Of the constant-acceleration fit [m/s2]: (0, -9.8, 0) for a ball in free fall.
    plate, release, at_50ft : Crossing
        The plate's front, the release plane, and PITCHf/x's y = 50 ft (from the tip of the plate).
    break_40ft : Break
        Movement by spin from PITCHf/x's y = 40 ft (from the tip) to the plate.
    approach_deg, sigma_approach_deg : (horizontal, vertical)
        Of the last part before the plate: positive to the catcher's right and upward.
    strike : StrikeCall
    residuals : Residuals or None
    """

    status: PitchStatus
    failures: tuple[PitchStatus, ...]
    reference_ns: int
    flight: FlightFit | None
    constant_acceleration: FlightFit | None
    physics: FlightFit | None
    clock_offset_s: float
    sigma_clock_s: float
    acceleration_world: Floats
    plate: Crossing
    release: Crossing
    at_50ft: Crossing
    break_40ft: Break
    approach_deg: tuple[float, float]
    sigma_approach_deg: tuple[float, float]
    strike: StrikeCall
    residuals: Residuals | None
    seen_s: tuple[float, float]

    def at_plane(self, z_ft: float) -> Crossing:
        """Return where the pitch passes Z = `z_ft` of the documented frame.

        Extrapolated if need be; NaN where it does not, or not within `max_extrapolation_s`.
        """
        if isinstance(z_ft, bool) or not isinstance(z_ft, (int, float, np.floating)):
            raise InputError(f"z_ft: expected a number [ft], got {z_ft!r}")
        return self.at_any_plane(UP_Z, -float(z_ft) * FOOT_M)

    def at_any_plane(self, normal: Floats, distance_m: float) -> Crossing:
        """Return the first crossing of the plane normal . X = distance, in the normal's direction.

        `normal` (3,) is a unit vector of the rig's world, `distance_m` from its origin [m].
        """
        n = np.asarray(normal, np.float64)
        if n.shape != (3,) or not abs(np.linalg.norm(n) - 1) < 1e-6:
            raise InputError(f"normal: expected a unit vector (3,), got {normal!r}")
        fit = self.flight
        if fit is None or not np.isfinite(distance_m):
            return NO_CROSSING
        tau = crossing_times(fit.path, n, np.array([distance_m]), fit.lo, fit.hi)
        if not np.isfinite(tau[0]):
            return NO_CROSSING
        slopes = slopes_at(fit.path, tau, n)
        C = fit.covariance[:-1, :-1]
        return crossings(slopes, C, self.reference_ns, self.seen_s)[0]

    def break_from(self, z_ft: float) -> Break:
        """Return the movement by spin from Z = `z_ft` of the documented frame to the plate.

        Against a ball of the same place, velocity and drag there, which does not spin. NaN where
        the pitch does not pass there, and of the constant-acceleration model.
        """
        start, fit = self.at_plane(z_ft), self.flight
        if fit is None or not (start and self.plate and isinstance(fit.family, BallFlight)):
            return NO_BREAK
        z = float(self.plate.X_world[2])
        tau = np.array([(c.t_ns - self.reference_ns) * 1e-9 for c in (start, self.plate)])
        slopes = slopes_at(fit.path, tau, UP_Z)
        return spin_break(fit.family, fit.q, fit.covariance[:-1, :-1], slopes, 0, 1, z)

    @property
    def break_release(self) -> Break:
        """Movement by spin from the release plane."""
        z = self.release.X_world[2]
        return self.break_from(-float(z) / FOOT_M) if self.release else NO_BREAK

    def at_times(self, t_ns: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return places [m] and velocities [m/s] (n, 3) at times of the common clock [ns].

        NaN beyond `max_extrapolation_s` of what was seen.
        """
        since_ns = np.asarray(t_ns, np.int64) - self.reference_ns
        tau: Floats = np.asarray(since_ns * 1e-9, np.float64)
        X, V = np.full((2, len(tau), 3), np.nan)
        if self.flight is not None:
            inside = (tau >= self.flight.lo) & (tau <= self.flight.hi)
            motion = self.flight.path.at(tau[inside])
            X[inside], V[inside] = motion.X, motion.V
        return X, V

    @property
    def drag(self) -> tuple[float, float]:
        """The drag coefficient and its deviation; NaN where no physics was fitted."""
        if self.physics is None:
            return float("nan"), float("nan")
        q, C = self.physics.q, self.physics.covariance
        return float(q[_DRAG]), float(np.sqrt(C[_DRAG, _DRAG]))

    @property
    def expected_error_m(self) -> float:
        """Root of the summed variances of the place at the plate [m]."""
        return float(np.sqrt(np.trace(self.plate.covariance)))

    @property
    def confidence(self) -> float:
        """The documented figure: e^(-expected error / 1 ft), 0 without a plate crossing."""
        return float(np.exp(-self.expected_error_m / FOOT_M)) if self.plate else 0.0

    def documented(self) -> dict[str, Any]:
        """Return the documented fields, in feet, inches, mph and the left-handed pitch frame.

        Keys as of `PitchMetrics` and the pitch manifest: `velo_mph` (at the release plane),
        `HB_in`, `iVB_in` (from 40 ft), `release_xyz_ft`, `approach_angles_deg`, `is_strike`,
        `zone_row`, `zone_col`, `run_in`, `rise_in` (the same break), and `trajectory`. What is
        unknown is None.
        """
        plate_ft = PITCH_FRAME.from_world(self.plate.X_world)
        return {
            "velo_mph": _number(self.release.speed / MPH_MPS),
            "speed_50ft_mph": _number(self.at_50ft.speed / MPH_MPS),
            "speed_plate_mph": _number(self.plate.speed / MPH_MPS),
            "HB_in": _number(self.break_40ft.across / INCH_M),
            "iVB_in": _number(self.break_40ft.up / INCH_M),
            "run_in": _number(self.break_40ft.across / INCH_M),
            "rise_in": _number(self.break_40ft.up / INCH_M),
            "release_xyz_ft": [_number(v) for v in PITCH_FRAME.from_world(self.release.X_world)],
            "approach_angles_deg": [_number(v) for v in self.approach_deg],
            "is_strike": self.strike.is_strike,
            "strike_probability": _number(self.strike.probability),
            "zone_row": self.strike.row,
            "zone_col": self.strike.column,
            "trajectory": {
                "plate_crossing_xyz_ft": [_number(v) for v in plate_ft],
                "plate_crossing_t_ns": self.plate.t_ns if self.plate else None,
                "model": None if self.flight is None else str(self.flight.model.value),
                "expected_error_ft": _number(self.expected_error_m / FOOT_M),
                "confidence": self.confidence,
            },
            "diagnostics": self._diagnostics(),
        }

    def _diagnostics(self) -> dict[str, Any]:
        fit, table = self.flight, self.residuals
        drag, sigma_drag = self.drag
        return {
            "status": str(self.status.value),
            "failures": [str(code.value) for code in self.failures],
            "clock_offset_ms": _number(1e3 * self.clock_offset_s),
            "clock_sigma_ms": _number(1e3 * self.sigma_clock_s),
            "rms_px": None if fit is None else _number(fit.rms_px),
            "chi2_per_dof": None if fit is None else _number(fit.chi2 / max(fit.dof, 1)),
            "inliers": 0 if table is None else int(table.inlier.sum()),
            "outliers": 0 if table is None else int((~table.inlier).sum()),
            "plate_extrapolated_ms": _number(1e3 * self.plate.extrapolated_s),
            "plate_sigma_in": [_number(v / INCH_M) for v in self.plate.sigma_m[:2]],
            "speed_sigma_mph": _number(self.at_50ft.sigma_speed / MPH_MPS),
            "drag_coefficient": _number(drag),
            "drag_sigma": _number(sigma_drag),
            "ball_radius_in": _number(self.strike.radius_m / INCH_M),
        }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
