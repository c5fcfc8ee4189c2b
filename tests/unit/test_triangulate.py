"""Points in space from two or more views: what is found, and what is said where nothing is."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.oracle import triangulate as oracle
from trackcore import Triangulation, _core

METHODS = ["dlt", "optimal", "refined"]


def toed_in(
    baseline_m: float = 1.2, toe_rad: float = 0.035, focal_px: float = 1800.0
) -> np.ndarray:
    """Return two cameras beside each other that look at a point before them."""
    K = np.array([[focal_px, 0, 959.5], [0, focal_px, 539.5], [0, 0, 1]])
    rig = []
    for side in (-1, 1):
        c, s = np.cos(side * toe_rad), np.sin(side * toe_rad)
        R = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        rig.append(K @ np.c_[R, -R @ [side * baseline_m / 2, 0, 0]])
    return np.stack(rig)


def far_points(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform((-2, -1.5, 3), (2, 1.5, 20), (n, 3))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("toe_rad", [0.0, 0.035, 0.3])
def test_what_was_projected_comes_back(method, toe_rad):
    P, X = toed_in(toe_rad=toe_rad), far_points(500)
    points = tc.triangulate(P, tc.synth.project(P, X), method=method)
    assert points.ok.all()
    assert_allclose(points.X_world, X, atol=1e-9)
    assert points.reprojection_px.max() <= 1e-9
    angles = [oracle.angle(P, np.zeros((2, 2)), x) for x in X]
    assert_allclose(points.angle_rad, angles, rtol=1e-12)


def test_one_view_is_reported_not_invented():
    P, X = tc.synth.ring_of_cameras(2), np.array([[0.1, -0.2, 0.3]])
    uv = tc.synth.project(P, X)
    uv[0, 1] = np.nan
    points = tc.triangulate(P, uv)
    assert points.status[0] == Triangulation.TOO_FEW_VIEWS
    for values in (points.X_world, points.covariance, points.reprojection_px, points.angle_rad):
        assert np.isnan(values).all()


def test_half_a_position_is_none():
    P, X = tc.synth.ring_of_cameras(3), far_points(2) / 20
    uv = tc.synth.project(P, X)
    uv[0, 1, 1] = np.nan
    uv[1, 2, 0] = np.inf
    points = tc.triangulate(P, uv)
    assert points.ok.all()
    assert_array_equal(np.isnan(points.view_error_px), [[False, True, False], [False, False, True]])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("toe_rad", [0.0, 0.035])
def test_parallel_rays_meet_at_infinity(method, toe_rad):
    P = toed_in(toe_rad=toe_rad)
    directions = far_points(200)
    h = np.einsum("cij,nj->nci", P[:, :, :3], directions)
    points = tc.triangulate(P, h[..., :2] / h[..., 2:], method=method)
    assert (points.status == Triangulation.AT_INFINITY).all()
    assert np.isnan(points.X_world).all()
    assert points.angle_rad.max() < 1e-7


@pytest.mark.parametrize("method", METHODS)
def test_cameras_in_one_place_see_no_depth(method):
    P = toed_in(baseline_m=0.0, toe_rad=0.1)
    uv = tc.synth.project(P, far_points(100))
    for noise in (0.0, 0.5):
        moved = uv + noise * np.random.default_rng(1).normal(size=uv.shape)
        points = tc.triangulate(P, moved, method=method)
        assert (points.status == Triangulation.AT_INFINITY).all()


@pytest.mark.parametrize("method", METHODS)
def test_rays_that_meet_behind_the_cameras_are_no_point(method):
    P, X = toed_in(), far_points(100)
    h = np.einsum("cij,nj->nci", P[:, :, :3], X * [1, 1, -1]) + P[:, :, 3]
    points = tc.triangulate(P, h[..., :2] / h[..., 2:], method=method)
    assert (points.status == Triangulation.BEHIND_CAMERA).all()
    assert np.isnan(points.X_world).all()


def test_a_point_on_the_baseline_has_no_place():
    a, b = (tc.synth.cameras.look_at(eye, target)
            for eye, target in (((0, 0, 0), (0, 0, 5)), ((0, 0, 5), (0, 0, 0))))  # fmt: skip
    K = tc.synth.cameras.intrinsics(1000.0, (1280, 720))
    P = np.stack([K @ a[:3], K @ b[:3]])
    center = np.tile([639.5, 359.5], (1, 2, 1))
    points = tc.triangulate(P, center)
    # Any place on the line does: which of them was looked at decides what it is called.
    assert points.status[0] in (Triangulation.SMALL_ANGLE, Triangulation.AT_INFINITY)
    assert np.isnan(points.X_world).all()


def test_an_angle_may_be_asked_for():
    P = toed_in()
    X = np.array([[0.0, 0, 5], [0, 0, 50]])
    points = tc.triangulate(P, tc.synth.project(P, X), min_angle_rad=0.1)
    assert points.status.tolist() == [Triangulation.OK, Triangulation.SMALL_ANGLE]
    assert_allclose(points.angle_rad, 2 * np.arctan(0.6 / X[:, 2]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("parallax_deg", [0.1, 1.0, 10.0, 60.0])
def test_every_parallax_from_a_tenth_of_a_degree_is_good(method, parallax_deg):
    half = np.deg2rad(parallax_deg) / 2
    P = toed_in(baseline_m=2 * 10 * np.tan(half), toe_rad=half)
    X = np.array([0, 0, 10]) + far_points(100) / 20
    points = tc.triangulate(P, tc.synth.project(P, X), method=method)
    assert points.ok.all()
    assert_allclose(points.X_world, X, atol=1e-8)


def test_a_left_handed_world_is_as_good():
    P, X = toed_in(), far_points(50)
    mirror = np.diag([1.0, 1.0, -1.0])
    mirrored = np.concatenate([P[:, :, :3] @ mirror, P[:, :, 3:]], axis=2)
    points = tc.triangulate(mirrored, tc.synth.project(P, X))
    assert points.ok.all()
    assert_allclose(points.X_world, X @ mirror, atol=1e-9)


def test_the_scale_of_a_projection_says_nothing():
    P, X = toed_in(), far_points(50)
    uv = tc.synth.project(P, X)
    points = tc.triangulate(P * np.array([-1e-3, 40.0])[:, None, None], uv)
    assert points.ok.all()
    assert_allclose(points.X_world, X, atol=1e-8)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
@pytest.mark.parametrize("focal_px", [1.0, 300.0, 1800.0, 5e4])
@pytest.mark.parametrize("away_m", [0.0, 30.0, 1000.0])
def test_two_views_are_what_singular_values_say(away_m, focal_px, scale):
    P, X = toed_in(toe_rad=0.2), far_points(200)
    P = np.diag([focal_px / 1800, focal_px / 1800, 1]) @ P  # the centre moves along
    P[:, :, 3] -= P[:, :, :3] @ [away_m, -away_m, away_m]
    uv = tc.synth.project(P, X + np.array([away_m, -away_m, away_m]))
    uv += np.random.default_rng(2).normal(0, focal_px * 2e-4, uv.shape)
    points = tc.triangulate(P * scale, uv)
    assert points.ok.all()
    expected = np.array([oracle.dlt(P, one) for one in uv])
    distance = np.linalg.norm(expected, axis=1)
    assert (np.linalg.norm(points.X_world - expected, axis=1) <= 1e-9 * distance).all()


@pytest.mark.parametrize("view", [0, 1])
def test_a_position_far_outside_the_picture_is_as_good(view):
    # Near a right angle to the axis, where a slope times an equation loses digits.
    P, X = toed_in(toe_rad=0.0), np.array([[100, 30, 1e-2], [-3e3, 2e3, 0.5], [4, 1, 1e-4]])
    uv = tc.synth.project(P, X)
    order = [view, 1 - view]
    points = tc.triangulate(P[order], uv[:, order])
    assert points.ok.all()
    assert_allclose(points.X_world, X, rtol=1e-5)


def test_the_optimal_move_costs_no_more_than_any_other():
    P, X = toed_in(toe_rad=0.2), far_points(300)
    uv = tc.synth.project(P, X) + np.random.default_rng(0).normal(0, 5, (300, 2, 2))
    found = {m: tc.triangulate(P, uv, method=m) for m in METHODS}
    both = np.logical_and.reduce([p.ok for p in found.values()])
    cost = {m: 2 * p.reprojection_px[both] ** 2 for m, p in found.items()}
    assert both.sum() > 250
    assert (cost["optimal"] <= cost["dlt"] * (1 + 1e-9)).all()
    assert_allclose(cost["optimal"], cost["refined"], rtol=1e-9)


def test_one_bad_view_of_six_is_outvoted_when_asked():
    P = tc.synth.ring_of_cameras(6)
    X = np.random.default_rng(3).uniform(-0.5, 0.5, (200, 3))
    uv = tc.synth.project(P, X) + np.random.default_rng(0).normal(0, 0.2, (200, 6, 2))
    uv[:, 2] += 40.0
    plain = tc.triangulate(P, uv, method="refined")
    robust = tc.triangulate(P, uv, method="refined", robust_px=0.5)
    assert plain.ok.all()
    assert robust.ok.all()
    error = [np.linalg.norm(p.X_world - X, axis=1) for p in (plain, robust)]
    assert np.median(error[1]) < 0.05 * np.median(error[0])
    costs = [oracle.cost(P, u, x, 0.5) for u, x in zip(uv[:50], robust.X_world[:50], strict=True)]
    for k, x in enumerate(robust.X_world[:50]):
        for step in np.r_[np.eye(3), -np.eye(3)] * 1e-4:
            assert oracle.cost(P, uv[k], x + step, 0.5) >= costs[k]


@pytest.mark.parametrize(("n_cams", "method"), [(2, "optimal"), (2, "refined"), (4, "refined")])
def test_the_covariance_is_honest(n_cams, method):
    sigma_px = 0.3
    P = toed_in() if n_cams == 2 else tc.synth.ring_of_cameras(n_cams)
    X = far_points(4000) if n_cams == 2 else far_points(4000) / 20
    noise = np.random.default_rng(5).normal(0, sigma_px, (4000, n_cams, 2))
    points = tc.triangulate(P, tc.synth.project(P, X) + noise, method=method, sigma_px=sigma_px)
    assert points.ok.all()
    error = points.X_world - X
    chi2 = np.einsum("ni,nij,nj->n", error, np.linalg.inv(points.covariance), error)
    assert 0.95 <= chi2.mean() / 3 <= 1.05
    assert 0.93 <= (chi2 < 7.815).mean() <= 0.97  # 95 % of chi-square with 3 degrees


def test_covariance_may_be_left_out():
    P, X = toed_in(), far_points(5)
    assert tc.triangulate(P, tc.synth.project(P, X), covariance=False).covariance is None


def test_no_points_are_no_error():
    for n_cams in (2, 5):
        points = tc.triangulate(tc.synth.ring_of_cameras(n_cams), np.empty((0, n_cams, 2)))
        assert len(points) == 0
        assert points.X_world.shape == (0, 3)
        assert points.covariance.shape == (0, 3, 3)


def test_neighbours_and_threads_do_not_matter():
    P = tc.synth.ring_of_cameras(4)
    rng = np.random.default_rng(0)
    uv = tc.synth.project(P, rng.uniform(-1, 1, (3000, 3))) + rng.normal(0, 20, (3000, 4, 2))
    uv[rng.random((3000, 4)) < 0.4] = np.nan
    for n_cams, method in ((2, "optimal"), (2, "refined"), (4, "dlt"), (4, "refined")):
        whole = tc.triangulate(P[:n_cams], uv[:, :n_cams], method=method, threads=2)
        for first in (0, 1, 5):
            part = tc.triangulate(P[:n_cams], uv[first : first + 11, :n_cams], method=method)
            for name in ("X_world", "status", "covariance", "reprojection_px", "angle_rad"):
                assert_array_equal(getattr(part, name), getattr(whole, name)[first : first + 11])


SCRIPT = """
import hashlib
import numpy as np
import trackcore as tc
from trackcore import _core

rng, digest = np.random.default_rng(0), hashlib.sha256()
P = tc.synth.ring_of_cameras(5)
for n in (1, 2, 3, 7, 8, 9, 63, 400):
    uv = tc.synth.project(P, rng.uniform(-1, 1, (n, 3))) + rng.normal(0, 9, (n, 5, 2))
    uv[rng.random((n, 5)) < 0.2] = np.nan
    for cams, method in ((2, "dlt"), (2, "optimal"), (2, "refined"), (5, "dlt"), (5, "refined")):
        points = tc.triangulate(P[:cams], uv[:, :cams], method=method)
        for values in (points.X_world, points.status, points.covariance, points.view_error_px,
                       points.angle_rad):
            digest.update(values.tobytes())
print(_core.cpu_level(), digest.hexdigest())
"""


def test_points_are_the_same_bits_at_every_level():
    levels = ["baseline", "v3", "v4"]
    levels = levels[: levels.index(_core.best_cpu_level()) + 1]
    if len(levels) < 2:
        pytest.skip("this CPU or build has one level")
    digests = {}
    for level in levels:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "TRACKCORE_CPU": level},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        used, digests[level] = done.stdout.split()
        assert used == level
    assert len(set(digests.values())) == 1, digests


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uv_px": np.zeros((7, 3, 2))},
         r"uv_px: expected shape \(n_points, n_cams=2 as in P_img_world, 2\), got \(7, 3, 2\)"),
        ({"P_img_world": np.zeros((2, 4, 4))}, "P_img_world: expected shape"),
        ({"P_img_world": np.zeros((2, 3, 4))}, r"P_img_world\[0\]: expected finite numbers and a"),
        ({"P_img_world": np.full((2, 3, 4), np.nan)}, r"P_img_world\[0\]: expected finite"),
        ({"P_img_world": np.ones((1, 3, 4)), "uv_px": np.ones((1, 1, 2))}, "two cameras or more"),
        ({"method": "best"}, "method: expected one of dlt, optimal, refined, got 'best'"),
        ({"sigma_px": 0.0}, "sigma_px: expected a number between 0 and inf, got 0.0"),
        ({"sigma_px": "1"}, "sigma_px: expected a number"),
        ({"robust_px": 1.0}, 'robust_px: expected None unless method="refined"'),
        ({"robust_px": -1.0, "method": "refined"}, "robust_px: expected a number between 0"),
        ({"min_angle_rad": -0.1}, "min_angle_rad: expected an angle >= 0"),
        ({"covariance": 1}, "covariance: expected True or False, got 1"),
        ({"threads": -1}, "threads: expected an integer >= 0"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(change, message):
    arguments = {"P_img_world": toed_in(), "uv_px": np.zeros((7, 2, 2))} | change
    P, uv = arguments.pop("P_img_world"), arguments.pop("uv_px")
    with pytest.raises(tc.InputError, match=message):
        tc.triangulate(P, uv, **arguments)


def test_optimal_is_of_two_cameras():
    P = tc.synth.ring_of_cameras(3)
    with pytest.raises(tc.InputError, match='method: expected "dlt" or "refined" for 3 cameras'):
        tc.triangulate(P, np.zeros((1, 3, 2)), method="optimal")
