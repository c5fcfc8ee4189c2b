"""What the filters measure against their oracle, on tracks with every kind of hole."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.oracle import filters as oracle
from trackcore.filters._order import median, quantiles
from trackcore.filters._projective import fit_rigid
from trackcore.filters._spikes import innovation_px

R = tc.FilterReason
SIZE = (640, 480)
seeds = st.integers(0, 2**32 - 1)


def ragged(rng: np.random.Generator, n_tracks: int, n_frames: int) -> np.ndarray:
    """Tracks that wander, some along with others, with holes; some are never seen."""
    steps = rng.normal(0, rng.choice([0.05, 2.0], (n_tracks, 1, 1)), (n_tracks, n_frames, 2))
    xy = rng.uniform(100, 400, (n_tracks, 1, 2)) + np.cumsum(steps, axis=1)
    for i in np.flatnonzero(rng.random(n_tracks) < 0.5)[1:]:
        xy[i] = xy[rng.integers(0, i)] + rng.normal(0, rng.choice([0.3, 1.5]), (n_frames, 2))
    start, end = np.sort(rng.integers(0, n_frames + 1, (2, n_tracks)), axis=0)
    index = np.arange(n_frames)
    xy[(index < start[:, None]) | (index >= end[:, None])] = np.nan
    xy[rng.random(xy.shape[:2]) < rng.choice([0.0, 0.1, 0.5])] = np.nan
    return xy


def tracks_of(rng: np.random.Generator, xy: np.ndarray) -> tc.Tracks:
    n_tracks, n_frames = xy.shape[:2]
    plain = tc.Tracks.from_positions(xy, frame_size=SIZE)
    ncc = np.where(rng.random(xy.shape[:2]) < 0.8, rng.uniform(-1, 1, xy.shape[:2]), np.nan)
    ncc = np.where(np.isnan(xy[..., 0]), np.nan, ncc)
    numbers = rng.integers(0, 50) + np.cumsum(rng.choice([1, 1, 1, 2, 7], n_frames))
    return tc.Tracks(
        np.arange(n_tracks), xy, plain.status, ncc, numbers * 10**7, SIZE, 25.0, int(numbers[0]),
        numbers,
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(n_tracks=st.integers(1, 7), n_frames=st.integers(1, 30), seed=seeds)
def test_lives_matches_and_duplicates_agree_with_the_oracle(n_tracks, n_frames, seed):
    rng = np.random.default_rng(seed)
    tracks = tracks_of(rng, ragged(rng, n_tracks, n_frames))
    mine = rng.random(n_tracks) < 0.2
    options = tc.FilterOptions()
    report = tc.find_bad_tracks(
        tracks, options, protected=mine, reasons=[R.SHORT, R.LOW_CORRELATION, R.DUPLICATE]
    )
    lives = np.array([oracle.life(xy, tracks.frame_numbers) for xy in tracks.xy_px])
    assert_allclose(report.evidence[R.SHORT].value, lives)
    short = (lives < options.min_lifespan) & ~mine
    assert (report.evidence[R.SHORT].flagged == short).all()
    medians = np.array([oracle.median_ncc(ncc) for ncc in tracks.ncc])
    assert_allclose(report.evidence[R.LOW_CORRELATION].value, medians)
    bare = tc.Tracks(
        tracks.ids, tracks.xy_px, tracks.status, np.full_like(tracks.ncc, np.nan), tracks.t_ns,
        SIZE, 25.0, tracks.first_frame, tracks.frame_numbers,
    )  # fmt: skip
    found = tc.find_bad_tracks(bare, options, protected=mine, reasons=[R.DUPLICATE])
    gone = oracle.duplicates(
        bare.xy_px, mine, near_px=options.duplicate_px, share=options.duplicate_share,
        least=options.duplicate_frames,
    )  # fmt: skip
    assert np.flatnonzero(found.evidence[R.DUPLICATE].flagged).tolist() == sorted(gone)
    assert {i: int(found.duplicate_of[i]) for i in gone} == gone


@settings(max_examples=100, deadline=None)
@given(n_tracks=st.integers(1, 7), n_frames=st.integers(3, 30), seed=seeds)
def test_how_far_samples_leap_agrees_with_the_oracle(n_tracks, n_frames, seed):
    # fewer than eight tracks make no field that would be taken out first
    rng = np.random.default_rng(seed)
    tracks = tracks_of(rng, ragged(rng, n_tracks, n_frames))
    numbers = tracks.frame_numbers.astype(float)
    wanted = np.stack([oracle.innovation(xy, numbers) for xy in tracks.xy_px])
    assert_allclose(innovation_px(tracks.xy_px, numbers), wanted, atol=1e-9)


@settings(max_examples=12, deadline=None)
@given(seed=seeds, noise=st.sampled_from([0.0, 1e-3]))
def test_distances_from_a_rigid_motion_are_the_least_that_the_cameras_allow(seed, noise):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.uniform(-1, 1, (40, 2)) * 3, rng.uniform(3, 9, 40)])
    cameras = []
    for _ in range(5):
        axis = rng.normal(0, 0.05, 3)
        K = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
        cameras.append((np.eye(3) + K + K @ K / 2, rng.normal(0, 0.4, 3)))
    at = [X @ R.T + t for R, t in cameras]
    xy = np.stack([p[:, :2] / p[:, 2:] for p in at], axis=0) + rng.normal(0, noise, (5, 40, 2))
    xy[1:, :4] += rng.normal(0, 0.05, (4, 4, 2))  # not rigid
    views = xy[1:]
    views[0, 7] = np.nan
    fit = fit_rigid(xy[0], views, 3e-3, rng, trusted=np.ones(40, bool), starts=3)
    assert fit is not None
    least = [oracle.rigid_residual(fit.P, xy[0, i], views[:, i]) for i in range(40)]
    assert (fit.residual >= np.array(least) - 1e-6).all()
    good = np.arange(40) >= 4
    assert_allclose(fit.residual[good], np.array(least)[good], rtol=0.02, atol=1e-5)
    assert np.median(fit.residual[good]) <= 2 * noise + 2e-5
    assert (fit.residual[~good] > 5e-3).sum() >= 3


@given(st.integers(1, 40), seeds)
def test_order_statistics_are_numpys_to_the_bit(n, seed):
    x = np.random.default_rng(seed).normal(0, 10, (n, 2)).round(1)  # some numbers are equal
    assert_array_equal(median(x), np.median(x, axis=0))
    assert_array_equal(median(x[:, 0]), np.median(x[:, 0]))
    q = [0.0, 0.16, 0.5, 0.84, 1.0]
    assert_array_equal(quantiles(x[:, 0], q), np.quantile(x[:, 0], q))
