"""A pitch from what two cameras saw of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trackcore.ballistics import BallPhysics
from trackcore.cameras import StereoRig
from trackcore.errors import InputError
from trackcore.options import require_options
from trackcore.pitch import _derive
from trackcore.pitch._solve import Prior, Problem, Solution, first_guess
from trackcore.pitch._views import Sightings, View, common_times, view
from trackcore.pitch.options import FlightModel, PitchFitOptions
from trackcore.pitch.paths import (
    N_SIMPLE,
    BallFlight,
    ConstantAcceleration,
    Model,
    lift_growth,
)
from trackcore.pitch.result import FlightFit, PitchFit, PitchStatus, Residuals
from trackcore.pitch.zone import StrikeZone

Floats = NDArray[np.float64]

_LEAST_SIGHTINGS = 3  # of each camera: fewer do not bend
_WORST_CONDITION = 1e13
_FIXED = 1e18  # information of a clock that is known
_CLOCK_ALARM = 3.0  # sigma
_PARABOLA_SIGMA = 100.0


def fit_pitch(
    rig: StereoRig,
    left: Sightings,
    right: Sightings,
    *,
    options: PitchFitOptions | None = None,
    physics: BallPhysics | None = None,
    zone: StrikeZone | None = None,
    plate: bool | None = None,
    radar_mph: float | None = None,
) -> PitchFit:
    """Fit the flight of a ball to the pixels in which two cameras saw it.

    Parameters
    ----------
    rig : StereoRig
        Calibrated, its world that of pitches if there is a plate: x to the catcher's right, y up, z
        to the catcher, in metres, 0 at the front edge of the plate on the ground. That world is
        right-handed; the documented frame, `PITCH_FRAME`, is its mirror image in feet.
    left, right : Sightings
        Stamps and positions; frames need not be paired, nor as many. Stamps are each camera's own.
    options : PitchFitOptions, optional
    physics : BallPhysics, optional
        Of the ball and the air. Default: a baseball.
    zone : StrikeZone, optional
        Default: that of a batter of 66 in, as documented.
    plate : bool, optional
        Whether the rig's world is that of pitches. Default: if `rig.frame` is `PITCH_FRAME`, or has
        its axes. Without a plate there are places, velocities and accelerations, no more.
    radar_mph : float, optional
        Speed by radar, to be compared with that at the release plane.

    Returns
    -------
    PitchFit
        With a status; a pitch that cannot be fitted does not raise.

    Raises
    ------
    InputError
        If an argument has the wrong type, shape or range.

    Notes
    -----
    Least squares of the distances in both pictures (Levenberg-Marquardt, exact slopes), of nine
    numbers for the flight and one for the clocks: right stamps plus `clock_offset_s` are left ones.
    First with constant acceleration, from a linear start; then, where up is known, with gravity,
    drag and lift (`BallFlight`). Far sightings count less (Huber), outliers in the end not at all.
    The offset of the clocks is determined by the motion itself, as long as the ball does not move
    along the epipolar lines. Drag and lift have the priors of the options, which matter for short
    flights only. Source of the nine parameters: PITCHf/x, as described by A. M. Nathan.

    Examples
    --------
    >>> import trackcore as tc
    >>> rig = tc.lane_rig()
    >>> flight = tc.synth.fly(tc.synth.random_throw(1))
    >>> seen = tc.synth.see_pitch(rig, flight, seed=1, clock_offset_s=0.004)
    >>> fit = tc.fit_pitch(rig, tc.Sightings(seen.left_t_ns, seen.left_px),
    ...                    tc.Sightings(seen.right_t_ns, seen.right_px))
    >>> fit.status.value, round(fit.clock_offset_s * 1e3)
    ('OK', 4)
    >>> truth = flight.crossing(0.0)[1]
    >>> bool(abs(fit.plate.X_world - truth).max() < 0.01)
    True
    """
    chosen = PitchFitOptions() if options is None else options
    require_options(chosen, PitchFitOptions)
    air = BallPhysics() if physics is None else physics
    require_options(air, BallPhysics, "physics")
    if not isinstance(rig, StereoRig):
        raise InputError(f"rig: expected a StereoRig, got {type(rig).__name__}")
    if zone is not None and not isinstance(zone, StrikeZone):
        raise InputError(f"zone: expected a StrikeZone, got {type(zone).__name__}")
    _check_radar(radar_mph)
    there = rig.has_plate if plate is None else bool(plate)
    sides = (Sightings.checked("left", left), Sightings.checked("right", right))
    reference_ns = _reference(rig, sides)
    views = [
        view(camera, seen, reference_ns, chosen.sigma_px, follows_clock=side == 1)
        for side, (camera, seen) in enumerate(zip(rig.cameras, sides, strict=True))
    ]
    counts = [len(v) for v in views]
    if min(counts) < _LEAST_SIGHTINGS or 2 * sum(counts) < N_SIMPLE + 3:
        return _derive.failed(PitchStatus.INSUFFICIENT_POINTS, reference_ns)
    return _fit(views, chosen, air, zone or StrikeZone.of_batter(), reference_ns, radar_mph,
                plate=there)  # fmt: skip


def _fit(
    views: list[View], options: PitchFitOptions, air: BallPhysics, zone: StrikeZone,
    reference_ns: int, radar_mph: float | None, *, plate: bool,
) -> PitchFit:  # fmt: skip
    clock = 1 / options.clock_sigma_s**2 if options.clock_sigma_s > 0 else _FIXED
    prior = Prior(np.zeros(N_SIMPLE + 1), np.append(np.zeros(N_SIMPLE), clock))
    seen_s = (min(v.tau.min() for v in views), max(v.tau.max() for v in views))
    parabola = ConstantAcceleration()
    start = np.append(first_guess(views), 0.0)
    only = not plate or options.model is FlightModel.CONSTANT_ACCELERATION
    solved = _solved(views, parabola, prior, start, options, final=only)
    if isinstance(solved, PitchStatus):
        return _derive.failed(solved, reference_ns)
    simple = _flight_fit(FlightModel.CONSTANT_ACCELERATION, parabola, solved, seen_s, options)
    fits: dict[FlightModel, FlightFit] = {simple.model: simple}
    model: Model = parabola
    chosen = solved
    if plate and np.linalg.norm(simple.q[3:6]) > 0:
        flight, start = _physics_start(simple.q, air)
        mean = np.concatenate([np.zeros(6), [options.drag], np.zeros(4)])
        spread = np.array([options.drag_sigma, *[options.lift_sigma] * 3])
        prior = Prior(mean, np.concatenate([np.zeros(6), spread**-2.0, [clock]]))
        better = _solved(views, flight, prior, start, options, final=True)
        if isinstance(better, PitchStatus):
            if options.model is FlightModel.PHYSICS:
                return _derive.failed(better, reference_ns)
        else:
            try_fit = _flight_fit(FlightModel.PHYSICS, flight, better, seen_s, options)
            fits[FlightModel.PHYSICS] = try_fit
            if options.model is FlightModel.PHYSICS:
                model, chosen = flight, better
    fit = fits.get(options.model, simple)
    table = _table(views, chosen)
    failures = _warnings(fit, options)
    return _derive.derived(
        fit, fits, model, table, failures, options, air, zone, reference_ns, seen_s, radar_mph,
        plate=plate,
    )  # fmt: skip


def _solved(
    views: list[View], model: Model, prior: Prior, start: Floats, options: PitchFitOptions, *,
    final: bool,
) -> Solution | PitchStatus:  # fmt: skip
    """Return the least squares, or why there are none."""
    problem = Problem(views, model, prior, options.robust_sigma)
    found = problem.solve(start, options.max_iterations, options.outlier_sigma)
    if found is None:
        return PitchStatus.REPROJECTION_FAILED
    if not found.converged:
        return PitchStatus.OPT_DID_NOT_CONVERGE
    kept = np.split(found.inlier, [len(views[0])])
    if any(int(k.sum()) < _LEAST_SIGHTINGS for k in kept) or found.dof < 1:
        return PitchStatus.REPROJECTION_FAILED
    scale = 1 / np.sqrt(np.diag(found.H))
    if not np.linalg.cond(found.H * scale[:, None] * scale) < _WORST_CONDITION:
        return PitchStatus.ILL_CONDITIONED
    if final and found.chi2 / found.dof > options.max_rms_sigma**2:
        return PitchStatus.REPROJECTION_FAILED
    return found


def _flight_fit(
    name: FlightModel, model: Model, found: Solution, seen_s: tuple[float, float],
    options: PitchFitOptions,
) -> FlightFit:  # fmt: skip
    """Return the fit with its covariance and a path that reaches beyond what was seen."""
    scale = 1 / np.sqrt(np.diag(found.H))
    covariance = np.linalg.inv(found.H * scale[:, None] * scale) * scale[:, None] * scale
    per_dof = found.chi2 / found.dof
    if per_dof > 1 + 4 * math.sqrt(2 / found.dof):  # beyond chance: the noise is larger than said
        covariance = covariance * per_dof
    lo, hi = min(seen_s[0], 0.0), max(seen_s[1], 0.0)
    lo, hi = lo - options.max_extrapolation_s, hi + options.max_extrapolation_s
    path = model.path(found.q[:-1], lo, hi)
    if path is None:
        lo, hi, path = *seen_s, found.path
    rms = float(np.sqrt((found.residual[found.inlier] ** 2).sum(axis=1).mean()))
    return FlightFit(
        name, found.q, covariance, rms, found.chi2, found.dof, found.converged, found.iterations,
        model, path, lo, hi,
    )  # fmt: skip


def _physics_start(q: Floats, air: BallPhysics) -> tuple[BallFlight, Floats]:
    """Return the physics and its unknowns that bend a flight as the parabola `q` does."""
    V, up = q[3:6], np.array([0.0, 1.0, 0.0])
    speed = float(np.linalg.norm(V))
    forward = V / speed
    pull = (q[6:9] + air.gravity * up) / max(air.drag_per_m * speed**2, 1e-12)
    drag = float(np.clip(-pull @ forward, 0.0, 1.0))
    lift = np.cross(forward, pull)
    lift /= max(1.0, float(np.linalg.norm(lift)) / 0.5)
    growth = lift_growth(float(np.linalg.norm(lift)), drag, air.drag_per_m)
    model = BallFlight.along(V, up, air, growth)
    return model, np.concatenate([q[:6], [drag], model.lift_basis.T @ lift, q[9:]])


def _table(views: list[View], found: Solution) -> Residuals:
    later = (0.0, float(found.q[-1]))
    return Residuals(
        np.concatenate([np.full(len(v), side, np.uint8) for side, v in enumerate(views)]),
        np.concatenate([v.index for v in views]),
        np.concatenate([v.tau + shift for v, shift in zip(views, later, strict=True)]),
        found.residual,
        found.distance,
        found.inlier,
    )


def _warnings(fit: FlightFit, options: PitchFitOptions) -> list[PitchStatus]:
    expected = max(options.clock_sigma_s, 1e-12)
    suspect = abs(fit.q[-1]) > _CLOCK_ALARM * expected
    return [PitchStatus.TIME_SYNC_SUSPECT] if suspect else []


def with_parabola(options: PitchFitOptions, rig: StereoRig) -> PitchFitOptions:
    """Return options under which a parabola may be off by more than good pixels are noisy.

    Without a plate there is no other model of the flight than the parabola.
    """
    if rig.has_plate:
        return options
    return replace(options, max_rms_sigma=max(options.max_rms_sigma, _PARABOLA_SIGMA))


def _reference(rig: StereoRig, sides: tuple[Sightings, Sightings]) -> int:
    """Return the middle of what was seen, on the common clock [ns]."""
    times = [
        common_times(camera, seen)[np.isfinite(seen.xy_px).all(axis=1)]
        for camera, seen in zip(rig.cameras, sides, strict=True)
    ]
    ends = [int(v) for t in times if len(t) for v in (t.min(), t.max())]
    return (min(ends) + max(ends)) // 2 if ends else 0


def _check_radar(radar_mph: object) -> None:
    if radar_mph is None:
        return
    number = isinstance(radar_mph, (int, float, np.floating)) and not isinstance(radar_mph, bool)
    if not number or not 0 < radar_mph < math.inf:  # type: ignore[operator]
        raise InputError(f"radar_mph: expected a speed above 0 [mph], got {radar_mph!r}")
