"""The kernels of the statistics against their oracle, on tracks with every kind of hole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.oracle import stats as oracle
from trackcore import _core

STILL_PX = 0.1
EDGES_PX = np.array([0.3, 1.0, 2.5, 5.0])
seeds = st.integers(0, 2**32 - 1)


def ragged(rng: np.random.Generator, n_tracks: int, n_frames: int) -> np.ndarray:
    """Make tracks that wander, rest or leap, with holes, some never seen."""
    steps = rng.normal(0, rng.choice([0, 0.05, 2.0], (n_tracks, 1, 1)), (n_tracks, n_frames, 2))
    xy = rng.uniform(-10, 600, (n_tracks, 1, 2)) + np.cumsum(steps, axis=1)
    start, end = np.sort(rng.integers(0, n_frames + 1, (2, n_tracks)), axis=0)
    index = np.arange(n_frames)
    xy[(index < start[:, None]) | (index >= end[:, None])] = np.nan
    xy[rng.random(xy.shape[:2]) < rng.choice([0.0, 0.1, 0.5])] = np.nan
    return xy


def frame_numbers(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(0, 50) + np.cumsum(rng.choice([1, 1, 1, 2, 7], n))


def fitted(xy: np.ndarray) -> np.ndarray:
    """Return the core's row for the two frames of positions (n, 2, 2)."""
    pair = np.array([[0, 1]])
    return _core.frame_motion(xy, np.arange(2), pair, 0.0, 0.0, 250.0, epipoles=True, threads=1)[0]


@settings(max_examples=150, deadline=None)
@given(n_tracks=st.integers(0, 12), n_frames=st.integers(1, 30), seed=seeds)
def test_one_pass_agrees_with_the_oracle(n_tracks, n_frames, seed):
    rng = np.random.default_rng(seed)
    xy, frames = ragged(rng, n_tracks, n_frames), frame_numbers(rng, n_frames)
    ncc = np.where(rng.random(xy.shape[:2]) < 0.8, rng.uniform(-1, 1, xy.shape[:2]), np.nan)
    ncc = np.where(np.isnan(xy[..., 0]), np.nan, ncc).astype(np.float32)
    rows, per_frame, directions, magnitudes = _core.track_stats(
        xy, ncc, frames, STILL_PX, EDGES_PX, 1
    )
    for k in range(n_tracks):
        wanted = list(oracle.track(xy[k], ncc[k], frames).values())
        assert_allclose(rows[k], wanted, rtol=1e-7, atol=1e-7)
    names = ["active", "steps", "sum_x", "sum_y", "speed", "moving", "unit_x", "unit_y"]
    for i in range(n_frames):
        wanted = oracle.frame(xy, frames, i, STILL_PX)
        assert_allclose(per_frame[i], [wanted[name] for name in names], atol=1e-9)
    flow = oracle.steps(xy, frames)
    speed = np.linalg.norm(np.reshape(flow, (-1, 2)), axis=1)
    bins = [oracle.direction_bin(*f) for f, s in zip(flow, speed, strict=True) if s >= STILL_PX]
    assert_array_equal(directions, np.bincount(bins, minlength=8))
    assert_array_equal(magnitudes, np.bincount(np.searchsorted(EDGES_PX, speed), minlength=5))


@settings(max_examples=80, deadline=None)
@given(
    n=st.sampled_from([12, 15, 30, 63, 64, 65, 127, 300]), seed=seeds,
    noise=st.sampled_from([0.0, 0.1, 1.0]),
    outliers=st.sampled_from([0.0, 0.1, 0.3]),
)  # fmt: skip
def test_fits_agree_with_the_oracle(n, seed, noise, outliers):
    rng = np.random.default_rng(seed)
    p = rng.uniform(-300, 300, (n, 2))
    H = np.eye(3) + rng.normal(0, [[0.02, 0.02, 9], [0.02, 0.02, 9], [3e-5, 3e-5, 0]])
    q = oracle._mapped(H, p) + rng.normal(0, noise, (n, 2))
    wild = rng.random(n) < outliers
    q[wild] += rng.normal(0, 30, (int(wild.sum()), 2))
    xy = np.stack([p, q], axis=1)
    row = fitted(xy)
    wanted = oracle.motion(p / 250, q / 250, 1e-3 / 250)
    corners = np.array([[-300, -300], [300, -300], [0, 0], [300, 300.0]])
    for model, at in (("similarity", 1), ("affine", 14), ("homography", 27)):
        W, rms, inliers = wanted[model]
        ours = oracle._mapped(row[at : at + 9].reshape(3, 3), corners)
        theirs = oracle._mapped(W, corners / 250) * 250
        assert_allclose(ours, theirs, atol=1e-4)
        assert_allclose(row[at + 9], rms * 250, rtol=1e-4, atol=1e-6)
        assert row[at + 10] == inliers


def test_trimmed_figures_leave_out_a_third_and_a_tenth():
    rng = np.random.default_rng(0)
    p = rng.uniform(-300, 300, (90, 2))
    off = np.zeros((90, 2))
    off[:30] = rng.normal(0, 40, (30, 2))  # a third moves on its own
    xy = np.stack([p, np.add(p, (3, 4)) + off], axis=1)
    row = fitted(xy)
    flow, residual, spread = row[40:43]
    assert_allclose(flow, np.sqrt(np.sort((np.add(off, (3, 4)) ** 2).sum(axis=1))[:60].mean()))
    assert_allclose(residual, 0, atol=1e-6)
    assert_allclose(spread, np.sqrt(np.sort((off**2).sum(axis=1))[:81].mean()), rtol=1e-5)


@pytest.mark.parametrize("epipole", [(0.0, 0.0), (150.0, -80.0), (2000.0, 500.0), (1e7, 0.0)])
def test_residuals_of_parallax_point_to_the_epipole_and_noise_to_nothing(epipole):
    rng = np.random.default_rng(3)
    p = rng.uniform(-300, 300, (150, 2))
    toward = np.array(epipole) - p
    toward *= 20 / np.abs(toward).max()
    depth = np.where(np.arange(150) < 90, 0.0, rng.uniform(0.5, 2, 150))
    for q, least, most in (
        (p + depth[:, None] * toward, 0.9, 1.0),
        (p + rng.normal(0, 3, (150, 2)), 0.45, 0.7),
    ):
        xy = np.stack([p, q + rng.normal(0, 0.05, (150, 2))], axis=1)
        share = fitted(xy)[43]
        assert least <= share <= most


@pytest.mark.parametrize("seed", range(3))
def test_the_number_of_threads_changes_no_bit(seed):
    rng = np.random.default_rng(seed)
    tracks = tc.Tracks.from_positions(ragged(rng, 700, 60), frame_size=(640, 480))
    one, many = (tc.track_stats(tracks, threads=n) for n in (1, 4))
    assert_array_equal(one.jitter_px, many.jitter_px)
    assert (
        tc.clip_motion(tracks, threads=1).to_dict() == tc.clip_motion(tracks, threads=3).to_dict()
    )
    assert_array_equal(
        tc.frame_motion(tracks, threads=1).warp, tc.frame_motion(tracks, threads=4).warp
    )


@settings(max_examples=40, deadline=None)
@given(n_tracks=st.integers(0, 20), n_frames=st.integers(0, 25), seed=seeds)
def test_no_tracks_are_too_odd_to_measure_and_none_makes_a_record_with_nan(
    n_tracks, n_frames, seed
):
    import json

    rng = np.random.default_rng(seed)
    xy = ragged(rng, n_tracks, max(n_frames, 1))[:, :n_frames]
    tracks = tc.Tracks.from_positions(xy, frame_size=(640, 480))
    records = [
        tc.track_stats(tracks), tc.clip_motion(tracks), tc.zoom_analysis(tracks),
        tc.region_stats(tracks), tc.classify_shot(tracks),
    ]  # fmt: skip
    for record in records:
        json.dumps(record.to_dict(), allow_nan=False)
