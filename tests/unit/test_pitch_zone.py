"""The strike zone: the true pentagon, swept by a sphere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import trackcore as tc
from tests.oracle import pitch as oracle
from tests.unit.pitch_scenes import INCH, RIG, thrown

ZONE = tc.StrikeZone.of_batter(66)
BALL = tc.BallPhysics().radius_m
QUIET = tc.PitchFitOptions(model="constant_acceleration")


def passing(x_in: float, y_in: float, **options: object) -> tc.StrikeCall:
    """Return the call of a ball that flies level over the plate, parallel to its axis."""
    fit = tc.fit_pitch(
        RIG, *thrown((x_in * INCH, y_in * INCH, -5.0), (0, 0, 35.0), (0, 0, 0), n=30),
        zone=ZONE, options=QUIET, **options,
    )  # fmt: skip
    return fit.strike


def test_distances_are_those_of_the_solid():
    rng = np.random.default_rng(0)
    X = rng.uniform((-0.5, 0.2, -0.4), (0.5, 1.1, 0.8), (400, 3))
    margin = ZONE.margin_m(X)
    slow = np.array([oracle.distance_to_zone(x, ZONE) for x in X])
    assert_allclose(np.maximum(margin, 0), slow, atol=1e-12)
    assert (margin[slow == 0] <= 0).all()
    assert (slow == 0).any()


def test_slopes_of_the_distance_are_its_own():
    rng = np.random.default_rng(1)
    X = rng.uniform((-0.5, 0.2, -0.4), (0.5, 1.1, 0.8), (300, 3))
    slope = ZONE.distances(X)[1]
    h = 1e-7
    numeric = np.stack(
        [(ZONE.margin_m(X + h * e) - ZONE.margin_m(X - h * e)) / (2 * h) for e in np.eye(3)], axis=1
    )
    assert_allclose(np.linalg.norm(slope, axis=1), 1, atol=1e-12)
    smooth = np.abs(np.linalg.norm(numeric, axis=1) - 1) < 1e-4  # not on a ridge
    assert smooth.mean() > 0.98
    assert_allclose(slope[smooth], numeric[smooth], atol=1e-5)


@pytest.mark.parametrize(
    ("x_in", "y_in", "inside_in"),
    [
        (0.0, 25.0, 1.45 + 17 / (1 + np.sqrt(2))),  # as far from the front as from the back
        (8.5 + 1.45 - 0.2, 25.0, 0.2),  # the edge of the ball over the edge of the plate
        (8.5 + 1.45 + 0.2, 25.0, -0.2),
        (0.0, 33.0 + 1.45 - 0.2, 0.2),
        (0.0, 17.82 - 1.45 - 0.2, -0.2),
        (8.5 + 1.0, 33.0 + 1.0, 1.45 - np.sqrt(2)),  # over the corner: a sphere, no box
        (8.5 + 1.1, 33.0 + 1.1, 1.45 - 1.1 * np.sqrt(2)),
    ],
)
def test_a_ball_touches_the_zone_or_misses_it(x_in, y_in, inside_in):
    call = passing(x_in, y_in)
    assert_allclose(call.margin_m / INCH, inside_in, atol=0.005)
    assert call.is_strike == (inside_in > 0)
    assert (call.probability > 0.5) == call.is_strike


def test_a_ball_that_only_clips_the_back_of_the_plate_is_no_strike():
    # It comes in from the left behind the corner: a square of 17 inches would be touched.
    way = np.array([-8.5 - 0.9, 25, 15]) * INCH
    V = np.array([3.0, 0, 12.0])
    fit = tc.fit_pitch(RIG, *thrown(way - 0.25 * V, V, (0, 0, 0), n=40), zone=ZONE, options=QUIET)
    path = way + np.linspace(-0.3, 0.1, 8001)[:, None] * V
    beside = path[(path[:, 2] > 8.5 * INCH) & (path[:, 2] < 17 * INCH), 0]
    assert (np.abs(beside) - 8.5 * INCH).min() < BALL
    least = min(oracle.distance_to_zone(X, ZONE) for X in path[::4])
    assert_allclose(fit.strike.margin_m, BALL - least, atol=2e-4)
    assert fit.strike.is_strike is False


def test_the_probability_is_the_share_of_strikes_among_like_balls():
    rng = np.random.default_rng(3)
    x = 8.5 + 1.45 - 0.004  # a hair inside
    left, right = thrown((x * INCH, 25 * INCH, -5.0), (0, 0, 35.0), (0, 0, 0), n=30)
    calls = []
    for _ in range(60):
        seen = [
            tc.Sightings(s.t_ns, s.xy_px + 0.3 * rng.normal(size=s.xy_px.shape))
            for s in (left, right)
        ]
        options = tc.PitchFitOptions(model="constant_acceleration", sigma_px=0.3)
        calls.append(tc.fit_pitch(RIG, *seen, zone=ZONE, options=options).strike)
    margins = np.array([c.margin_m for c in calls])
    sigmas = np.array([c.sigma_m for c in calls])
    assert 0.75 < margins.std() / sigmas.mean() < 1.3
    for call in calls[:20]:
        z = call.margin_m / call.sigma_m
        assert (call.probability > 0.84) == (z > 0.9945)


@pytest.mark.parametrize(
    ("x_in", "y_in", "cell"), [(-7, 19, (1, 1)), (0, 25, (2, 2)), (7, 32, (3, 3)), (9, 25, (2, 3))]
)
def test_cells_are_counted_from_the_bottom_and_the_catchers_left(x_in, y_in, cell):
    call = passing(x_in, y_in)
    assert (call.row, call.column) == cell


def test_a_ball_has_no_cell():
    call = passing(20.0, 25.0)
    assert call.is_strike is False
    assert (call.row, call.column) == (None, None)
    assert call.probability < 1e-6


@pytest.mark.parametrize("heights", [(1.0, 0.5), (np.nan, 1.0), (0.5, np.inf)])
def test_a_zone_has_a_height(heights):
    with pytest.raises(tc.InputError, match="bottom below top"):
        tc.StrikeZone(bottom_m=heights[0], top_m=heights[1])
    with pytest.raises(tc.InputError, match="batter_height_in"):
        tc.StrikeZone.of_batter(-3)
