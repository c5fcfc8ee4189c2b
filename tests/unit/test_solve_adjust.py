"""The adjustment of turning and zooming cameras finds the least cost, and knows its slope."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.oracle import adjust as oracle
from tests.unit import camera_scenes as scenes
from trackcore.solver._adjust import Estimate, Model, _normal, adjust, information
from trackcore.solver._free import _starts
from trackcore.solver._poses import largest_angle, reproject, rotation, triangulate
from trackcore.solver._thinned import ALL_FRAMES, thinned

N_FRAMES, N_POINTS = 5, 14


def scene(*, travels: bool, noise_px: float, seed: int = 0):
    """A few points under a few cameras, and a start beside the truth."""
    rng = np.random.default_rng(seed)
    T = (scenes.walk if travels else scenes.pan)(N_FRAMES)
    X = scenes.cloud(N_POINTS, seed)
    if not travels:
        X /= np.linalg.norm(X, axis=1, keepdims=True)
    focal = np.linspace(900.0, 1000.0, N_FRAMES)
    uv = reproject(T, X, focal, (0.0, 0.0)) + rng.normal(0, noise_px, (N_POINTS, N_FRAMES, 2))
    use = rng.random((N_POINTS, N_FRAMES)) < 0.9
    off = T.copy()
    off[:, :3, :3] = rotation(rng.normal(0, 0.004, (N_FRAMES, 3))) @ T[:, :3, :3]
    near = X + rng.normal(0, 0.02, X.shape)
    if not travels:
        near /= np.linalg.norm(near, axis=1, keepdims=True)
    return Estimate(T, X, focal), Estimate(off, near, focal * 1.03), uv, use


@pytest.mark.parametrize("travels", [True, False])
def test_the_slope_is_that_of_the_cost(travels):
    _, start, uv, use = scene(travels=travels, noise_px=0.5)
    model = Model(travels=travels, focal="free", loss_px=2.0, steady=1e9)
    normal = _normal(start, np.where(use[..., None], uv, 0.0), use, model)
    width = 7 if travels else 4
    slope = 2 * normal.g.reshape(N_FRAMES, width)
    step = 1e-6
    for frame in (0, 3):
        for axis in range(3):
            w = np.eye(3)[axis] * step
            ends = [
                oracle.cost(
                    oracle.turned(start.T, frame, sign * w), start.X, start.focal, uv, use, 2.0
                )
                for sign in (1, -1)
            ]
            assert slope[frame, axis] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4)
        zoomed = [start.focal.copy(), start.focal.copy()]
        zoomed[0][frame] *= 1 + step
        zoomed[1][frame] *= 1 - step
        ends = [oracle.cost(start.T, start.X, f, uv, use, 2.0) for f in zoomed]
        assert slope[frame, -1] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("travels", [True, False])
@pytest.mark.parametrize("focal", ["shared", "free"])
def test_without_noise_nothing_is_left(travels, focal):
    truth, start, uv, use = scene(travels=travels, noise_px=0.0)
    if focal == "shared":
        truth = replace(truth, focal=np.full(N_FRAMES, 950.0))
        uv = reproject(truth.T, truth.X, truth.focal, (0.0, 0.0))
        start = replace(start, focal=truth.focal * 1.03)
    model = Model(travels=travels, focal=focal, loss_px=2.0, steady=1e3, iterations=100)
    found = adjust(start, uv, use, model)
    error = np.linalg.norm(reproject(found.T, found.X, found.focal, (0.0, 0.0)) - uv, axis=-1)
    assert error[use].max() < 0.05
    if not travels:
        assert np.allclose(np.linalg.norm(found.X, axis=1), 1)


def test_a_fixed_focal_length_stays():
    _, start, uv, use = scene(travels=True, noise_px=0.3)
    found = adjust(start, uv, use, Model(travels=True, focal="fixed", loss_px=2.0))
    np.testing.assert_array_equal(found.focal, start.focal)


def test_what_nothing_determines_has_no_information():
    truth, _, uv, use = scene(travels=True, noise_px=0.1)
    A = information(truth, uv, use, Model(travels=True, focal="fixed", loss_px=2.0))
    values = np.linalg.eigvalsh(A)
    gauge = values < 1e-9 * values[-1]  # where the world is, how it is turned, its scale
    assert gauge.sum() == 7


def test_triangulation_returns_the_points():
    T, X = scenes.walk(8), scenes.cloud(30, 3)
    xy = reproject(T, X, np.ones(8), (0.0, 0.0))
    found = triangulate(T, xy, 1e-3)
    np.testing.assert_allclose(found, X, atol=1e-6)
    lonely = np.where((np.arange(8) == 2)[None, :, None], xy, np.nan)
    assert np.isnan(triangulate(T, lonely, 1e-3)).all()


def test_angles_are_between_the_rays():
    T, X = scenes.walk(8), np.array([[0.0, 0.0, 5.0]])
    centre = -np.einsum("nji,nj->ni", T[:, :3, :3], T[:, :3, 3])
    a, b = X[0] - centre[0], X[0] - centre[7]
    expected = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    seen = np.zeros((1, 8), bool)
    seen[0, [0, 7]] = True
    assert largest_angle(T, X, seen)[0] == pytest.approx(expected)


def test_a_long_shot_is_thinned_evenly_and_keeps_its_ends():
    use = np.ones((20, 150), bool)
    frames = np.arange(10, 131)
    some = thinned(use, frames, 40)
    assert len(some) <= 41
    assert some[0] == 10
    assert some[-1] == 130
    assert np.ptp(np.diff(some)) <= 1 or np.diff(some)[-1] < np.diff(some)[0]
    assert np.array_equal(thinned(use, frames[:40], 40), frames[:40])


def test_tracks_that_live_shortly_are_not_thinned_away():
    births = np.arange(0, 200, 2)
    use = (np.arange(200) >= births[:, None]) & (np.arange(200) < births[:, None] + 11)
    some = thinned(use, np.arange(200), 40)
    assert np.median(use[:, some].sum(axis=1)) >= 5
    assert len(some) <= ALL_FRAMES + 1


@pytest.mark.parametrize(("pairs", "guesses"), [(3, 5), (3, 1), (2, 4), (0, 5), (1, 5)])
def test_every_pair_is_started_with_every_focal_length_once(pairs, guesses):
    two = [(i, i + 9) for i in range(pairs)]
    found = list(_starts(two, [float(g) for g in range(guesses)]))
    assert len(found) == len(set(found)) == pairs * guesses
