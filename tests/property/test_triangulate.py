"""Triangulation against its oracle, whoever sees what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import trackcore as tc
from tests.oracle import triangulate as oracle
from trackcore import Triangulation

seeds = st.integers(0, 2**32 - 1)


def seen_by(rng: np.random.Generator, n_cams: int, n: int, noise_px: float) -> tuple:
    P = tc.synth.ring_of_cameras(n_cams, radius_m=rng.uniform(3, 8))
    X = rng.uniform(-0.8, 0.8, (n, 3))
    uv = tc.synth.project(P, X) + noise_px * rng.normal(size=(n, n_cams, 2))
    uv[rng.random((n, n_cams)) < 0.3] = np.nan
    return P, X, uv


@settings(max_examples=80, deadline=None)
@given(n_cams=st.integers(2, 20), n=st.integers(0, 25), seed=seeds,
       noise_px=st.sampled_from([0.0, 0.3, 30.0]))  # fmt: skip
def test_dlt_agrees_with_the_oracle(n_cams, n, seed, noise_px):
    P, _, uv = seen_by(np.random.default_rng(seed), n_cams, n, noise_px)
    points = tc.triangulate(P, uv, sigma_px=0.5)
    for k in range(n):
        count = np.isfinite(uv[k, :, 0]).sum()
        assert (points.status[k] == Triangulation.TOO_FEW_VIEWS) == (count < 2)
        if points.status[k] != Triangulation.OK:
            assert np.isnan(points.X_world[k]).all()
            continue
        X = oracle.dlt(P, uv[k])
        assert_allclose(points.X_world[k], X, rtol=1e-8, atol=1e-9)
        off = np.linalg.norm(oracle.residuals(P, uv[k], X), axis=1)
        assert_allclose(points.view_error_px[k], off, atol=1e-6)
        assert_allclose(points.reprojection_px[k], np.sqrt(np.nanmean(off**2)), atol=1e-6)
        assert_allclose(points.angle_rad[k], oracle.angle(P, uv[k], X), rtol=1e-7)
        assert_allclose(points.covariance[k], oracle.covariance(P, uv[k], X, 0.5), rtol=2e-3,
                        atol=1e-3 * np.trace(points.covariance[k]))  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(n_cams=st.integers(2, 8), seed=seeds, robust_px=st.sampled_from([None, 1.0]))
def test_no_place_nearby_costs_less_than_the_refined_one(n_cams, seed, robust_px):
    rng = np.random.default_rng(seed)
    P, _, uv = seen_by(rng, n_cams, 8, rng.choice([0.3, 3.0]))
    limit = np.inf if robust_px is None else robust_px
    points = tc.triangulate(P, uv, method="refined", robust_px=robust_px)
    for k in np.flatnonzero(points.ok):
        X = points.X_world[k]
        least = oracle.cost(P, uv[k], X, limit)
        sigma = np.sqrt(np.diag(points.covariance[k]))
        for size in (1e-1, 1e-3):
            step = size * rng.normal(size=3) * sigma
            assert oracle.cost(P, uv[k], X + step, limit) >= least * (1 - 1e-10)


def test_refined_costs_no_more_than_scipy_finds():
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    for n_cams in (2, 3, 6):
        P, X, uv = seen_by(rng, n_cams, 60, 1.0)
        points = tc.triangulate(P, uv, method="refined")
        for k in np.flatnonzero(points.ok):
            seen = np.isfinite(uv[k, :, 0])
            theirs = optimize.least_squares(
                lambda x: oracle.residuals(P[seen], uv[k][seen], x).ravel(), X[k],  # noqa: B023
                method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15,
            )  # fmt: skip
            ours = oracle.cost(P, uv[k], points.X_world[k])
            assert ours <= 2 * theirs.cost * (1 + 1e-10)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_garbage_gets_a_status_and_never_a_number_that_is_none(seed):
    rng = np.random.default_rng(seed)
    uv = rng.choice([0.0, 1.0, 1e-3, 1e6, 1e300, np.nan, np.inf], (40, 3, 2)) * rng.normal(
        size=(40, 3, 2)
    )
    P = rng.normal(size=(3, 3, 4)) * rng.choice([1.0, 1e4], (3, 3, 1))
    for method in ("dlt", "refined"):
        points = tc.triangulate(P, uv, method=method)
        assert np.isin(points.status, list(Triangulation)).all()
        assert (np.isfinite(points.X_world).all(axis=1) == points.ok).all()
