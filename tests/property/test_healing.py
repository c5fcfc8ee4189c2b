"""The motion that carries a lost point, against its oracle and against motions that are known."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tests.oracle import healing as oracle
from trackcore.healing._motion import Carried, Neighbours, _fit

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=150, deadline=None)
@given(n=st.integers(3, 40), outliers=st.floats(0, 0.4), seed=seeds)
def test_the_robust_fit_agrees_with_the_oracle(n, outliers, seed):
    rng = np.random.default_rng(seed)
    away = rng.uniform(-80, 80, (n, 2))
    G = np.vstack([rng.normal(0, 5, (1, 2)), rng.normal(0, 0.05, (2, 2))])
    moved = G[0] + away @ G[1:] + rng.normal(0, 0.3, (n, 2))
    moved[rng.random(n) < outliers] += rng.normal(0, 20, 2)
    prior, weights = rng.uniform(0.05, 1, n), rng.uniform(0.2, 1, n)
    fitted, sigma, robust = _fit(away, moved, prior, weights)
    wanted, agrees = oracle.affine_fit(away, moved, prior, weights)
    assert_allclose(fitted, wanted, rtol=1e-5, atol=1e-5)
    assert_allclose(robust, agrees, rtol=1e-4, atol=1e-4)
    assert sigma > 0


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.4), seed=seeds)
def test_a_point_goes_where_most_of_its_neighbours_go(share, seed):
    rng = np.random.default_rng(seed)
    n = 30
    at = rng.uniform(0, 200, (n, 2))
    linear = np.eye(2) + rng.normal(0, 0.03, (2, 2))
    shift = rng.uniform(-8, 8, 2)
    point = np.array([100.0, 100.0])
    onwards = (at - point) @ linear.T + point + shift
    strays = rng.random(n) < share
    onwards[strays] = at[strays] + rng.uniform(-25, 25, (strays.sum(), 2))
    neighbours = Neighbours(np.stack([at, onwards], axis=1), np.array([0, 1]), 3)
    start = Carried(point, np.eye(2), 0.0, np.ones(n), np.zeros(0, np.int64))
    carried = neighbours.carry(start, 0, 1)
    assert carried is not None
    assert np.abs(carried.xy_px - point - shift).max() < max(0.05, 3 * carried.sigma_px)
    assert np.abs(carried.linear - linear).max() < 0.02
    assert not np.isin(np.flatnonzero(strays), carried.used).any() or share < 0.1
