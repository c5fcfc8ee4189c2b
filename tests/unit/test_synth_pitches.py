"""Made pitches: what is true of them by physics."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import trackcore as tc
from tests.unit.pitch_scenes import FOOT, MPH, RIG
from trackcore import synth

VACUUM = tc.BallPhysics(air_density=0.0)
WEIGHTLESS = tc.BallPhysics(gravity=0.0)


def throw(**change: object) -> synth.Throw:
    return synth.Throw(**({"release": (0.0, 2.0, -16.5), "velocity": (0.5, 1.0, 40.0)} | change))


def test_without_air_a_ball_falls():
    flight = synth.fly(throw(), physics=VACUUM)
    t = np.linspace(0, 0.42, 50)
    X, V = flight.at(t)
    assert_allclose(X[:, 1], 2 + t - 0.5 * 9.80665 * t**2, atol=1e-12)
    assert_allclose(X[:, 2], -16.5 + 40 * t, atol=1e-11)
    assert_allclose(V[:, 1], 1 - 9.80665 * t, atol=1e-10)


def test_drag_slows_a_ball_as_it_must():
    flight = synth.fly(throw(velocity=(0, 0, 40.0)), physics=WEIGHTLESS)
    t = np.linspace(0, 0.42, 50)
    rate = WEIGHTLESS.drag_per_m * 0.35 * 40
    X, V = flight.at(t)
    assert_allclose(V[:, 2], 40 / (1 + rate * t), rtol=1e-10)
    assert_allclose(X[:, 2], -16.5 + 40 / rate * np.log1p(rate * t), rtol=1e-10)


@pytest.mark.parametrize(
    ("axis", "way"), [((-1, 0, 0), (0, 1)), ((1, 0, 0), (0, -1)), ((0, 2, 0), (1, 0))]
)
def test_spin_lifts_across_the_flight(axis, way):
    spun = throw(velocity=(0, 0, 40.0), spin_axis=axis, spin_rpm=2000.0)
    _, X, _ = synth.fly(spun, physics=WEIGHTLESS).crossing(0.0)
    off = X[:2] - [0, 2]
    assert_allclose(off / np.linalg.norm(off), way, atol=1e-9)
    # half of K C_L v^2 t^2, less what drag takes
    S = 0.03683 * 2000 * 2 * np.pi / 60 / 40
    most = 0.5 * WEIGHTLESS.drag_per_m * 1.120 * S / (0.583 + 2.333 * S) * 16.5**2
    assert 0.9 * most < np.linalg.norm(off) < 1.15 * most


def test_spin_along_the_flight_does_nothing():
    spun = throw(velocity=(0, 0, 40.0), spin_axis=(0, 0, 1), spin_rpm=2000.0)
    assert_allclose(synth.fly(spun, physics=WEIGHTLESS).crossing(0.0)[1], [0, 2, 0], atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_random_throws_are_pitches(seed):
    made = synth.random_throw(seed)
    assert made == synth.random_throw(seed)
    _, X, V = synth.fly(made).crossing(0.0)
    assert abs(X[0]) <= 1.2 * FOOT + 1e-3
    assert 1 * FOOT - 1e-3 <= X[1] <= 4 * FOOT + 1e-3
    assert 60 < np.linalg.norm(V) / MPH < np.linalg.norm(made.velocity) / MPH <= 100


def test_a_flight_that_does_not_arrive_has_no_crossing():
    t, X, V = synth.fly(throw(velocity=(0, 0, 5.0))).crossing(0.0)
    assert np.isnan([t, *X, *V]).all()


def test_what_is_seen_is_the_flight_at_its_times():
    flight = synth.fly(synth.random_throw(2))
    seen = synth.see_pitch(RIG, flight, seed=2, noise_px=0.0, clock_offset_s=0.004)
    for side, t_ns, uv in ((0, seen.left_t_ns, seen.left_px), (1, seen.right_t_ns, seen.right_px)):
        t = (t_ns - seen.release_ns) * 1e-9 + side * 0.004
        assert_allclose(RIG.project(flight.at(t)[0])[:, side], uv, atol=1e-4)
    noisy = synth.see_pitch(RIG, flight, seed=2, noise_px=0.1, clock_offset_s=0.004)
    off = np.concatenate([noisy.left_px - seen.left_px, noisy.right_px - seen.right_px])
    assert 0.08 < off.std() < 0.12


def test_a_film_has_all_frames_and_the_ball_in_some():
    flight = synth.fly(synth.random_throw(2))
    left, right = synth.film_pitch(RIG, flight, seed=2, exposure_s=1e-3)
    seen = synth.see_pitch(RIG, flight, seed=2, noise_px=0.0)
    for film, t_ns, uv in (
        (left, seen.left_t_ns, seen.left_px), (right, seen.right_t_ns, seen.right_px),
    ):  # fmt: skip
        there = np.isfinite(film.radius_px)
        assert_allclose(np.diff(film.t_ns), 1e9 / 120, atol=1)
        assert set(t_ns.tolist()) == set(film.t_ns[there].tolist())
        assert_allclose(film.xy_px[there], uv)
        assert film.t_ns[there][0] - film.t_ns[0] > 0.49e9
        assert film.t_ns[-1] - film.t_ns[there][-1] > 0.49e9
        # a streak is the way of 1 ms: an eighth of the way between frames
        way = np.gradient(film.xy_px[there], axis=0)[1:-1] * 0.12
        assert_allclose(film.streak_px[there][1:-1], way, atol=0.05)
        assert 2 < film.radius_px[there][0] < film.radius_px[there][-1] < 20


def test_wrong_numbers_are_refused():
    flight = synth.fly(throw())
    for name, bad in (("fps", 0), ("noise_px", -1), ("clock_offset_s", np.nan)):
        with pytest.raises(tc.InputError, match=name):
            synth.see_pitch(RIG, flight, **({"seed": 0} | {name: bad}))
