"""From a fitted flight to crossings, speeds, break, angles and the call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import FOOT_M, INCH_M, MPH_MPS, BallPhysics
from trackcore.pitch.flight import (
    NO_BREAK,
    NO_CROSSING,
    Crossing,
    Slopes,
    crossing_times,
    crossings,
    slopes_at,
    spin_break,
)
from trackcore.pitch.options import FlightModel, PitchFitOptions
from trackcore.pitch.paths import BallFlight, Model
from trackcore.pitch.result import UP_Z, FlightFit, PitchFit, PitchStatus, Residuals
from trackcore.pitch.zone import NO_CALL, StrikeCall, StrikeZone, call

Floats = NDArray[np.float64]

_TIP_M = 17 * INCH_M
PITCHFX_50_M, PITCHFX_40_M = (-(y * FOOT_M - _TIP_M) for y in (50, 40))
"""The world's z of PITCHf/x's planes, which it counts from the tip of the plate."""
_LEAST_RADAR_PROBABILITY = 0.2
_SPARE_M = 0.3  # before and behind the plate, more than a ball's radius

_RELEASE, _AT_50, _AT_40, _WINDOW, _PLATE = range(5)


def failed(status: PitchStatus, reference_ns: int) -> PitchFit:
    """Return a fit of which nothing is known but why."""
    nan2 = (math.nan, math.nan)
    return PitchFit(
        status=status, failures=(status,), reference_ns=reference_ns, flight=None,
        constant_acceleration=None, physics=None, clock_offset_s=math.nan, sigma_clock_s=math.nan,
        acceleration_world=np.full(3, np.nan), plate=NO_CROSSING, release=NO_CROSSING,
        at_50ft=NO_CROSSING, break_40ft=NO_BREAK, approach_deg=nan2,
        sigma_approach_deg=nan2, strike=NO_CALL, residuals=None, seen_s=nan2,
    )  # fmt: skip


def derived(
    fit: FlightFit, fits: Mapping[FlightModel, FlightFit], model: Model, table: Residuals,
    failures: list[PitchStatus], options: PitchFitOptions, air: BallPhysics, zone: StrikeZone,
    reference_ns: int, seen_s: tuple[float, float], radar_mph: float | None, *, plate: bool,
) -> PitchFit:  # fmt: skip
    """Return everything that follows from `fit`."""
    simple = fits[FlightModel.CONSTANT_ACCELERATION]
    whole = replace(
        failed(PitchStatus.OK, reference_ns), flight=fit, constant_acceleration=simple,
        physics=fits.get(FlightModel.PHYSICS), clock_offset_s=float(fit.q[-1]),
        sigma_clock_s=float(np.sqrt(fit.covariance[-1, -1])), acceleration_world=simple.q[6:9],
        residuals=table, seen_s=seen_s,
    )  # fmt: skip
    if plate:
        whole = _at_the_plate(whole, fit, model, options, air, zone)
        toward = fit.path.at(np.linspace(*seen_s, 9)).V[:, 2]
        if not (toward > 0).all():
            failures.append(PitchStatus.NON_MONOTONIC_Z)
    if not whole.plate:
        failures.append(PitchStatus.NO_PLATE_CROSSING)
    if radar_mph is not None and _unlike_radar(whole.release, radar_mph, options):
        failures.append(PitchStatus.RADAR_OUTLIER)
    status = failures[0] if failures else PitchStatus.OK
    return replace(whole, status=status, failures=tuple(failures))


def _at_the_plate(
    whole: PitchFit, fit: FlightFit, model: Model, options: PitchFitOptions, air: BallPhysics,
    zone: StrikeZone,
) -> PitchFit:  # fmt: skip
    C = fit.covariance[:-1, :-1]
    window = options.plate_plane_z_ft + options.approach_window_ft
    z = np.array([
        -options.release_plane_z_ft * FOOT_M, PITCHFX_50_M, PITCHFX_40_M, -window * FOOT_M,
        -options.plate_plane_z_ft * FOOT_M, -_SPARE_M, _TIP_M + _SPARE_M,
    ])  # fmt: skip
    tau = crossing_times(fit.path, UP_Z, z, fit.lo, fit.hi)
    slopes = slopes_at(fit.path, tau[:5], UP_Z)
    found = crossings(slopes, C, whole.reference_ns, whole.seen_s)
    moved = NO_BREAK
    if isinstance(model, BallFlight):
        moved = spin_break(model, fit.q, C, slopes, _AT_40, _PLATE, float(z[_PLATE]))
    angles, sigmas = _approach(slopes, C, at_the_end=options.approach_window_ft == 0)
    strike = replace(NO_CALL, radius_m=air.radius_m)
    if np.isfinite(tau[5:]).all():
        strike = call(zone, fit.path, C, air.radius_m, *tau[5:])
        strike = _with_cell(strike, zone, fit, tau[5:])
    return replace(
        whole, plate=found[_PLATE], release=found[_RELEASE], at_50ft=found[_AT_50],
        break_40ft=moved, approach_deg=angles,
        sigma_approach_deg=sigmas, strike=strike,
    )  # fmt: skip


def _with_cell(strike: StrikeCall, zone: StrikeZone, fit: FlightFit, tau: Floats) -> StrikeCall:
    if not strike.is_strike:
        return strike
    front = crossing_times(fit.path, UP_Z, np.zeros(1), *tau)
    x, y, _ = fit.path.at(front).X[0]
    row, column = zone.cell(x, y)
    return replace(strike, row=row, column=column)


def _approach(
    s: Slopes, C: Floats, *, at_the_end: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the angles of the last part and their deviations [deg], across and up."""
    if at_the_end:
        way, by_q = s.V[_PLATE], s.V_by_q[_PLATE]
    else:
        way, by_q = s.X[_PLATE] - s.X[_WINDOW], s.X_by_q[_PLATE] - s.X_by_q[_WINDOW]
    angles, sigmas = [], []
    for axis in (0, 1):
        angles.append(math.degrees(math.atan2(way[axis], way[2])))
        slope = (way[2] * by_q[axis] - way[axis] * by_q[2]) / (way[axis] ** 2 + way[2] ** 2)
        sigmas.append(math.degrees(math.sqrt(max(slope @ C @ slope, 0.0))))
    return (angles[0], angles[1]), (sigmas[0], sigmas[1])


def _unlike_radar(release: Crossing, radar_mph: float, options: PitchFitOptions) -> bool:
    """Return whether the radar's speed is improbable: e^(-r^2 / 8) < 0.2, r in sigma."""
    if not release:
        return False
    sigma = math.hypot(release.sigma_speed / MPH_MPS, options.radar_sigma_mph)
    r = (release.speed / MPH_MPS - radar_mph) / sigma
    return math.exp(-r * r / 8) < _LEAST_RADAR_PROBABILITY
