"""`fit_pitch`: flights whose answer is known, by physics or by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import trackcore as tc
from tests.oracle import pitch as oracle
from tests.unit.pitch_scenes import FOOT, INCH, MPH, RIG, pitch, sightings, straight, thrown
from trackcore import PitchStatus, synth
from trackcore.pitch.paths import BallFlight, ConstantAcceleration

G = 9.80665


def test_a_dropped_ball_falls_with_g():
    fit = tc.fit_pitch(RIG, *thrown((0.2, 1.5, -3.0), (0, 0, 0.0), (0, -G, 0)))
    assert_allclose(fit.acceleration_world, [0, -G, 0], atol=1e-6)


def test_a_rig_without_a_plate_gives_places_and_accelerations():
    rig = tc.StereoRig(left=RIG.left, right=RIG.right)  # its world is nothing in particular
    fit = tc.fit_pitch(rig, *thrown((0.2, 1.5, -3.0), (1, 2, 0.5), (0, -G, 0)))
    assert fit.status is PitchStatus.NO_PLATE_CROSSING
    assert fit.physics is None
    assert_allclose(fit.acceleration_world, [0, -G, 0], atol=1e-6)
    assert_allclose(fit.at_times([fit.reference_ns])[0], [[0.2, 1.5, -3.0]], atol=1e-2)
    assert not fit.plate
    assert fit.strike.is_strike is None
    assert fit.documented()["velo_mph"] is None


def test_without_air_the_flight_is_a_parabola_and_both_models_are_it():
    vacuum = tc.BallPhysics(air_density=0.0)
    flight, _, seen = straight(physics=vacuum, clock_offset_s=0.003)
    fit = tc.fit_pitch(RIG, *seen, physics=vacuum)
    truth = flight.crossing(0.0)[1]
    simple = tc.fit_pitch(
        RIG, *seen, physics=vacuum, options=tc.PitchFitOptions(model="constant_acceleration")
    )
    assert_allclose(fit.acceleration_world, [0, -G, 0], atol=1e-5)
    assert_allclose(fit.plate.X_world, truth, atol=1e-7)
    assert_allclose(simple.plate.X_world, truth, atol=1e-7)
    assert_allclose(fit.clock_offset_s, 0.003, atol=1e-8)
    assert abs(fit.break_40ft.up) < 1e-6
    # seen from the front edge of the plate, it came down by v t + g t^2 / 2
    assert_allclose(fit.plate.speed, np.hypot(40.0, 0.3 - G * 16.5 / 40), rtol=1e-7)


def test_drag_alone_is_recovered_to_the_prior():
    flight, _, seen = straight(drag=0.33)
    fit = tc.fit_pitch(RIG, *seen, options=tc.PitchFitOptions(sigma_px=1e-3))
    assert_allclose(fit.flight.q[6], 0.33, atol=1e-4)
    assert_allclose(fit.flight.q[7:9], 0, atol=1e-4)
    assert_allclose(fit.plate.X_world, flight.crossing(0.0)[1], atol=1e-5)


@pytest.mark.parametrize(
    ("axis", "across", "up"), [((-1, 0, 0), 0, 1), ((0, 1, 0), 1, 0), ((0, 0, 1), 0, 0)]
)
def test_spin_moves_a_pitch_the_way_it_turns(axis, across, up):
    flight, _, seen = straight(spin_axis=axis, spin_rpm=2000.0)
    fit = tc.fit_pitch(RIG, *seen)
    plain = straight()[0].crossing(0.0)[1]
    moved = flight.crossing(0.0)[1] - plain
    found = np.array([fit.break_release.across, fit.break_release.up])
    assert_allclose(np.sign(np.rint(moved[:2] / 0.1)), [across, up])
    assert_allclose(np.sign(np.rint(found / 0.1)), [across, up])
    assert fit.documented()["HB_in"] == pytest.approx(fit.break_40ft.across / INCH)
    same = fit.break_from(40 - 17 / 12)
    assert_allclose([same.across, same.up], [fit.break_40ft.across, fit.break_40ft.up], atol=1e-6)
    assert_allclose([same.sigma_up], [fit.break_40ft.sigma_up], rtol=1e-3)
    assert np.hypot(fit.break_40ft.across, fit.break_40ft.up) <= np.hypot(*moved[:2]) + 1e-3


def test_the_documented_numbers_of_the_issue_are_reached():
    errors, squares = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        flight, seen, args = pitch(seed, clock_offset_s=rng.uniform(0, 8e-3))
        fit = tc.fit_pitch(RIG, *args)
        assert fit.status is PitchStatus.OK
        plate = fit.plate.X_world - flight.crossing(0.0)[1]
        speed = np.linalg.norm(flight.crossing(float(fit.at_50ft.X_world[2]))[2])
        clock = fit.clock_offset_s - seen.clock_offset_s
        errors.append([*plate[:2] / INCH, (fit.at_50ft.speed - speed) / MPH, 1e3 * clock])
        X, V = flight.at([(fit.reference_ns - seen.release_ns) * 1e-9])
        known = [0, 1, 2, 3, 4, 5, -1]
        off = fit.flight.q[known] - [*X[0], *V[0], seen.clock_offset_s]
        squares.append(off @ np.linalg.solve(fit.flight.covariance[np.ix_(known, known)], off) / 7)
    rms = np.sqrt((np.array(errors) ** 2).mean(axis=0))
    assert (rms < [0.15, 0.15, 0.5, 0.3]).all()
    assert (rms < [0.015, 0.03, 0.15, 0.02]).all()  # what it is, with room for chance
    assert 0.8 < np.mean(squares) < 1.25  # 280 degrees: +-0.085


def test_the_fit_is_where_the_sum_of_squares_is_least():
    _, _, (left, right) = pitch(5, clock_offset_s=0.002)
    options = tc.PitchFitOptions(robust_sigma=1e6, outlier_sigma=1e6)
    fit = tc.fit_pitch(RIG, left, right, options=options)
    model = _model_of(fit)
    tau = [(s.t_ns - fit.reference_ns) * 1e-9 for s in (left, right)]
    air = tc.BallPhysics()

    def residuals(q, path):
        off = [
            (RIG.project(path(q, tau[i] + i * q[-1]))[:, i] - s.xy_px).ravel() / options.sigma_px
            for i, s in enumerate((left, right))
        ]
        return np.concatenate([*off, q[-1:] / options.clock_sigma_s])

    def simple(q):
        return residuals(q, lambda q, t: oracle.parabola(q[:9], t))

    def physics(q):
        prior = [(q[6] - options.drag) / options.drag_sigma, *(q[7:10] / options.lift_sigma)]
        path = lambda q, t: oracle.flight(q, t, model.lift_basis, model.growth, air)  # noqa: E731
        return np.concatenate([residuals(q, path), prior])

    for found, function, rounds in (
        (fit.constant_acceleration, simple, 6), (fit.physics, physics, 2),
    ):  # fmt: skip
        sigma = np.sqrt(np.diag(found.covariance))
        best = oracle.least_squares(function, found.q + 0.5 * sigma, sigma, rounds)
        assert_allclose((found.q - best) / sigma, 0, atol=2e-3)


def _model_of(fit: tc.PitchFit) -> BallFlight:
    """Return the physics that the fit used: it follows from the parabola."""
    from trackcore.pitch.fit import _physics_start

    return _physics_start(fit.constant_acceleration.q, tc.BallPhysics())[0]


@pytest.mark.parametrize("which", ["parabola", "physics"])
def test_slopes_are_those_of_the_path(which):
    q = np.array([0.1, 1.5, -8, 1.0, -2.0, 38, -1.0, -8, -5])
    model = ConstantAcceleration()
    if which == "physics":
        q = np.array([0.1, 1.5, -8, 1.0, -2.0, 38, 0.34, 0.1, -0.15, 0.08])
        model = BallFlight.along(q[3:6], np.array([0, 1.0, 0]), tc.BallPhysics(), 0.4)
    tau = np.linspace(-0.3, 0.4, 7)
    here = model.path(q, -0.31, 0.41).at(tau)
    for k in range(len(q)):
        step = 1e-5 * max(1, abs(q[k])) * np.eye(len(q))[k]
        ends = [model.path(q + s * step, -0.31, 0.41).at(tau) for s in (1, -1)]
        width = 2 * step[k]
        assert_allclose(here.X_by_q[:, :, k], (ends[0].X - ends[1].X) / width, atol=2e-7)
        assert_allclose(here.V_by_q[:, :, k], (ends[0].V - ends[1].V) / width, atol=2e-6)


def test_the_flight_is_the_one_runge_and_kutta_find():
    q = np.array([0.1, 1.5, -8, 1.0, -2.0, 38, 0.34, 0.1, -0.15, 0.08])
    air = tc.BallPhysics()
    model = BallFlight.along(q[3:6], np.array([0, 1.0, 0]), air, 0.4)
    tau = np.array([-0.5, -0.2, 0.0, 0.1, 0.6])
    path = model.path(q, -0.55, 0.65)
    X = oracle.flight(q, tau, model.lift_basis, 0.4, air)
    assert_allclose(path.places(tau)[0], X, atol=1e-8)
    assert_allclose(path.at(tau).X, X, atol=1e-8)


def test_strays_are_found_and_do_no_harm():
    flight, _, (left, right) = pitch(3)
    xy = left.xy_px.copy()
    xy[[4, 20, 33]] += [[8, -5], [-40, 3], [0.9, 0.9]]
    fit = tc.fit_pitch(RIG, replace(left, xy_px=xy), right)
    assert fit.status is PitchStatus.OK
    lost = fit.residuals.index[~fit.residuals.inlier & (fit.residuals.side == 0)]
    assert {4, 20, 33} == set(lost.tolist())
    assert_allclose(fit.plate.X_world[:2], flight.crossing(0.0)[1][:2], atol=0.1 * INCH)


def test_more_noise_than_said_makes_the_covariance_larger():
    _, _, quiet = pitch(6, noise_px=0.1)
    _, _, loud = pitch(6, noise_px=0.4)
    few, many = (tc.fit_pitch(RIG, *args) for args in (quiet, loud))
    assert 3 < many.plate.sigma_m[1] / few.plate.sigma_m[1] < 5


def test_given_covariances_weigh():
    _, _, (left, right) = pitch(6)
    C = np.broadcast_to(0.04 * np.eye(2), (len(left), 2, 2))
    D = np.broadcast_to(0.04 * np.eye(2), (len(right), 2, 2))
    fit = tc.fit_pitch(RIG, replace(left, covariance=C), replace(right, covariance=D))
    same = tc.fit_pitch(RIG, left, right, options=tc.PitchFitOptions(sigma_px=0.2))
    assert_allclose(fit.flight.q, same.flight.q, rtol=1e-12)
    assert_allclose(fit.flight.covariance, same.flight.covariance, rtol=1e-9)


def test_a_lens_and_a_rolling_shutter_change_nothing_but_pixels():
    lens = tc.lane_rig(distortion=(-0.2, 0.05, 1e-3, -5e-4, 0.0))
    flight, seen, _ = straight(spin_rpm=2000.0)
    bent = synth.see_pitch(lens, flight, seed=0, noise_px=0.0)
    plain = tc.fit_pitch(RIG, *sightings(seen))
    fit = tc.fit_pitch(lens, *sightings(bent))
    assert_allclose(fit.plate.X_world, plain.plate.X_world, atol=1e-5)
    # rows exposed one after the other: a stamp is that of the first row
    line_ns = 15_000.0
    rolling = tc.StereoRig(
        left=replace(RIG.left, line_time_ns=line_ns),
        right=replace(RIG.right, line_time_ns=line_ns),
        frame=RIG.frame,
    )  # fmt: skip
    early = [
        tc.Sightings(t - np.rint(line_ns * uv[:, 1]).astype(np.int64), uv)
        for t, uv in ((seen.left_t_ns, seen.left_px), (seen.right_t_ns, seen.right_px))
    ]
    assert_allclose(tc.fit_pitch(rolling, *early).plate.X_world, plain.plate.X_world, atol=1e-6)


def test_crossings_of_any_plane_and_time_agree():
    flight, seen, args = straight()
    fit = tc.fit_pitch(RIG, *args)
    for z_ft in (45.0, 20.0, 3.0, 0.0, -1.0):
        t, X, V = flight.crossing(-z_ft * FOOT)
        at = fit.at_plane(z_ft)
        assert_allclose(at.X_world, X, atol=1e-4)
        assert_allclose(at.speed, np.linalg.norm(V), atol=1e-2)
        assert abs(at.t_ns - seen.release_ns - t * 1e9) < 1e4
        assert_allclose(fit.at_times([at.t_ns])[0][0], at.X_world, atol=1e-6)
    down = fit.at_any_plane(np.array([0.0, -1.0, 0.0]), -1.2)  # where it comes down to 1.2 m
    assert_allclose(down.X_world[1], 1.2, atol=1e-9)
    assert fit.plate.extrapolated_s > 0
    assert fit.at_plane(30.0).extrapolated_s == 0
    assert not fit.at_plane(150.0)


def test_documented_fields_are_in_the_left_handed_frame_of_feet():
    _, _, args = straight()
    fields = tc.fit_pitch(RIG, *args).documented()
    assert fields["release_xyz_ft"][2] == pytest.approx(50.0)
    assert fields["trajectory"]["plate_crossing_xyz_ft"][2] == pytest.approx(0.0, abs=1e-9)
    assert fields["velo_mph"] == pytest.approx(40 / MPH, abs=1.0)
    assert fields["approach_angles_deg"][1] < 0
    assert fields["trajectory"]["model"] == "physics"
    assert fields["trajectory"]["confidence"] > 0.99


def test_what_is_wrong_is_named():
    flight, _, (left, right) = pitch(2, clock_offset_s=0.008)
    few = tc.Sightings(left.t_ns[:2], left.xy_px[:2])
    assert tc.fit_pitch(RIG, few, right).failures == (PitchStatus.INSUFFICIENT_POINTS,)
    unseen = replace(left, xy_px=np.full_like(left.xy_px, np.nan))
    assert tc.fit_pitch(RIG, unseen, right).status is PitchStatus.INSUFFICIENT_POINTS
    strict = tc.PitchFitOptions(clock_sigma_s=1e-3)
    late = tc.fit_pitch(RIG, left, right, options=strict)
    assert late.status is PitchStatus.TIME_SYNC_SUSPECT
    assert late.plate  # a warning: the results are there
    radar = tc.fit_pitch(RIG, left, right, radar_mph=40.0)
    assert radar.failures == (PitchStatus.RADAR_OUTLIER,)
    speed = np.linalg.norm(flight.crossing(-50 * FOOT)[2]) / MPH
    assert tc.fit_pitch(RIG, left, right, radar_mph=speed + 1).status is PitchStatus.OK
    short = tc.PitchFitOptions(max_extrapolation_s=0.001)
    assert tc.fit_pitch(RIG, left, right, options=short).status is PitchStatus.NO_PLATE_CROSSING
    hasty = tc.PitchFitOptions(max_iterations=1)
    assert tc.fit_pitch(RIG, left, right, options=hasty).status is PitchStatus.OPT_DID_NOT_CONVERGE
    noise = np.random.default_rng(0).uniform(0, 1000, left.xy_px.shape)
    nonsense = tc.fit_pitch(RIG, replace(left, xy_px=noise), right)
    assert nonsense.status in (PitchStatus.REPROJECTION_FAILED, PitchStatus.OPT_DID_NOT_CONVERGE)
    assert not nonsense.plate
    parabola = tc.PitchFitOptions(model="constant_acceleration")
    back = tc.fit_pitch(RIG, *thrown((0, 1.5, -6), (0, 0, 1.0), (0, -1, -20)), options=parabola)
    assert PitchStatus.NON_MONOTONIC_Z in back.failures


def test_a_fit_without_an_answer_holds_no_numbers():
    _, _, (left, right) = pitch(2)
    fit = tc.fit_pitch(RIG, tc.Sightings(left.t_ns[:1], left.xy_px[:1]), right)
    assert fit.flight is None
    assert np.isnan(fit.plate.X_world).all()
    assert np.isnan(fit.clock_offset_s)
    assert fit.confidence == 0
    assert not fit.at_plane(0.0)
    assert np.isnan(fit.at_times([0])[0]).all()
    assert fit.documented()["is_strike"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rig": None}, "rig: expected a StereoRig"),
        ({"left": None}, "left: expected Sightings"),
        ({"left": tc.Sightings([1.5], [[0, 0]])}, r"left.t_ns: expected \(n,\) integers"),
        ({"left": tc.Sightings([1, 2], [[0, 0]])}, "left.xy_px: expected shape"),
        ({"left": tc.Sightings([1], [[0, 0]], [[[1, 0], [0, -1]]])}, r"left.covariance: expected"),
        ({"options": 3}, "options: expected PitchFitOptions"),
        ({"zone": 3}, "zone: expected a StrikeZone"),
        ({"radar_mph": -1}, "radar_mph: expected a speed"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(change, message):
    _, _, (left, right) = straight()
    args = {"rig": RIG, "left": left, "right": right} | change
    with pytest.raises(tc.InputError, match=message):
        tc.fit_pitch(args.pop("rig"), args.pop("left"), args.pop("right"), **args)
    fit = tc.fit_pitch(RIG, left, right)
    with pytest.raises(tc.InputError, match="z_ft"):
        fit.at_plane("0")
    with pytest.raises(tc.InputError, match="normal"):
        fit.at_any_plane([0, 0, 2], 0.0)
