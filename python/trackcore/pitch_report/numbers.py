"""The numbers of a pitch as people read them: value, deviation, unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trackcore.ballistics import FOOT_M, INCH_M, MPH_MPS, BallPhysics
from trackcore.cameras import PITCH_FRAME
from trackcore.pitch import PitchFit, PitchStatus
from trackcore.recording import SIDES, PitchWindow

UNKNOWN = "–"  # noqa: RUF001 (an en dash: nothing is known)

WORDS = {
    PitchStatus.OK: "fitted",
    PitchStatus.INSUFFICIENT_POINTS: "too few sightings for a fit",
    PitchStatus.ILL_CONDITIONED: "the sightings do not determine the flight",
    PitchStatus.TIME_SYNC_SUSPECT: "the clocks are further apart than expected",
    PitchStatus.RADAR_OUTLIER: "the radar's speed is another",
    PitchStatus.NO_PLATE_CROSSING: "does not cross the plate",
    PitchStatus.NON_MONOTONIC_Z: "does not always come nearer",
    PitchStatus.OPT_DID_NOT_CONVERGE: "the fit did not converge",
    PitchStatus.CAMERA_MODEL_MISSING: "no calibrated cameras",
    PitchStatus.REPROJECTION_FAILED: "the path is far from what was seen",
}
"""A status in words."""

GRAVITY = BallPhysics().gravity
_NO_PLATE = PitchStatus.NO_PLATE_CROSSING


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity with its standard deviation; NaN where either is not known."""

    name: str
    value: float
    sigma: float
    unit: str
    digits: int = 1

    @property
    def text(self) -> str:
        """Value and unit, or a dash."""
        if not math.isfinite(self.value):
            return UNKNOWN
        return f"{_rounded(self.value, self.digits)} {self.unit}".rstrip()

    @property
    def figure(self) -> str:
        """The value alone, or a dash."""
        return _rounded(self.value, self.digits) if math.isfinite(self.value) else UNKNOWN

    @property
    def spread(self) -> str:
        """The deviation with its sign, or nothing."""
        if not (math.isfinite(self.sigma) and math.isfinite(self.value)):
            return ""
        digits = self.digits if self.sigma >= 0.5 * 10**-self.digits else self.digits + 2
        least = 10**-digits
        return (
            f"± {self.sigma:.{digits}f}" if self.sigma >= 0.5 * least else f"± <{least:.{digits}f}"
        )


def pitch_numbers(fit: PitchFit | None, *, plate: bool) -> list[Number]:
    """Return what is known of a pitch, in feet, inches and mph where there is a plate."""
    if fit is None:
        return []
    return _over_the_plate(fit) if plate else _anywhere(fit)


def _over_the_plate(fit: PitchFit) -> list[Number]:
    nan = math.nan
    across, up = fit.plate.X_world[:2] / INCH_M
    sigma = fit.plate.sigma_m / INCH_M
    movement = fit.break_40ft
    level, steep = fit.approach_deg
    release = PITCH_FRAME.from_world(fit.release.X_world)
    spread = fit.release.sigma_m / FOOT_M
    return [
        Number("speed at 50 ft", fit.at_50ft.speed / MPH_MPS, fit.at_50ft.sigma_speed / MPH_MPS,
               "mph", 1),
        Number("speed at the plate", fit.plate.speed / MPH_MPS, fit.plate.sigma_speed / MPH_MPS,
               "mph", 1),
        Number("across the plate", float(across), float(sigma[0]), "in", 2),
        Number("above the ground", float(up), float(sigma[1]), "in", 2),
        Number("horizontal break", movement.across / INCH_M, movement.sigma_across / INCH_M,
               "in", 1),
        Number("vertical break", movement.up / INCH_M, movement.sigma_up / INCH_M, "in", 1),
        Number("approach, up and down", steep, fit.sigma_approach_deg[1], "°", 2),
        Number("approach, sideways", level, fit.sigma_approach_deg[0], "°", 2),
        Number("release, across", float(release[0]), float(spread[0]), "ft", 2),
        Number("release, height", float(release[1]), float(spread[1]), "ft", 2),
        Number("strike probability", 100 * fit.strike.probability, nan, "%", 1),
        Number("into the zone", fit.strike.margin_m / INCH_M, fit.strike.sigma_m / INCH_M, "in", 2),
    ]  # fmt: skip


def _anywhere(fit: PitchFit) -> list[Number]:
    """Return speed, acceleration and place: without a plate nothing says where down is.

    What acceleration there is across the flight is gravity, but for spin and a steep path.
    """
    nan = math.nan
    X, V = fit.at_times(np.array([fit.reference_ns], np.int64))
    speed = float(np.linalg.norm(V[0]))
    a = fit.acceleration_world
    across = a - (a @ V[0]) * V[0] / max(speed, 1e-12) ** 2
    size = float(np.linalg.norm(across))
    sigma, simple = nan, fit.constant_acceleration
    if simple is not None and size > 0:
        sigma = math.sqrt(max(float(across @ simple.covariance[6:9, 6:9] @ across), 0.0)) / size
    rows = [
        Number("speed, in the middle", speed, nan, "m/s", 2),
        Number("the same", speed / MPH_MPS, nan, "mph", 1),
        Number("acceleration across", size, sigma, "m/s²", 2),
        Number("free fall for comparison", GRAVITY, nan, "m/s²", 2),
        Number("acceleration, whole", float(np.linalg.norm(a)), nan, "m/s²", 2),
    ]
    for name, vector, unit, digits in (
        ("place", X[0], "m", 3), ("velocity", V[0], "m/s", 2), ("acceleration", a, "m/s²", 2)
    ):  # fmt: skip
        rows += [Number(f"{name} {axis}", float(v), nan, unit, digits)
                 for axis, v in zip("xyz", vector, strict=True)]  # fmt: skip
    return rows


def evidence(window: PitchWindow) -> list[Number]:
    """Return what the numbers of a pitch rest on."""
    fit, pitch = window.fit, window.pitch
    nan = math.nan
    rows = [
        Number("sightings, left", len(pitch.left), nan, "", 0),
        Number("sightings, right", len(pitch.right), nan, "", 0),
        Number("seen by both", len(pitch.observations), nan, "", 0),
        Number("seen for", (pitch.end_ns - pitch.start_ns) * 1e-6, nan, "ms", 0),
    ]
    if fit is not None:
        flight, table = fit.flight, fit.residuals
        rows += [
            Number("residual", nan if flight is None else flight.rms_px, nan, "px", 3),
            Number("outliers", nan if table is None else float((~table.inlier).sum()), nan, "", 0),
            Number("clock offset", 1e3 * fit.clock_offset_s, 1e3 * fit.sigma_clock_s, "ms", 2),
        ]
        if fit.plate:
            rows.append(Number("extrapolated", 1e3 * fit.plate.extrapolated_s, nan, "ms", 0))
    frames = sum(len(window.frames[s]) for s in SIDES)
    if frames or window.lost:
        rows.append(Number("frames", frames, nan, "", 0))
        rows.append(Number("frames lost", len(window.lost), nan, "", 0))
    return rows


def call_words(fit: PitchFit | None) -> str:
    """Return the call of a pitch in a word."""
    if fit is None or fit.strike.is_strike is None:
        return "no call"
    return "strike" if fit.strike.is_strike else "ball"


def status_words(fit: PitchFit | None, *, plate: bool = True) -> str:
    """Return what is wrong with a fit, in words; "fitted" where nothing is."""
    if fit is None:
        return "not fitted"
    said = fit.failures if plate else [f for f in fit.failures if f is not _NO_PLATE]
    return "; ".join(WORDS[code] for code in said) or said_good(plate=plate)


def said_good(*, plate: bool) -> str:
    """Return what `status_words` says of a fit without a fault."""
    return WORDS[PitchStatus.OK] if plate else f"{WORDS[PitchStatus.OK]}; no plate is known"


def _rounded(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
