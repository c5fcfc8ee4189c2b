"""What each track did."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.unit.moving_cameras import SIZE, from_xy, moving

DIAGONAL = math.hypot(*SIZE)


def noise(sigma_px: float, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma_px, shape)


def test_a_constant_velocity_is_smooth():
    stats = tc.track_stats(from_xy(moving((3, 4))))
    assert_allclose(stats.avg_velocity, 5 / DIAGONAL)
    assert_allclose(stats.path_velocity, 5 / DIAGONAL)
    assert_allclose(stats.jitter_score, 0, atol=1e-6)
    assert_allclose(stats.jitter_px, 0, atol=1e-9)
    assert_allclose(stats.acceleration, 0, atol=1e-12)


def test_alternating_steps_are_erratic():
    x = np.cumsum(np.tile([1.0, 3.0], 20))
    stats = tc.track_stats(from_xy(np.stack([x, 0 * x], axis=-1)[None] + 100))
    # speeds 1 and 3, one more of 3: what 39 steps of them have for mean and deviation
    speeds = np.diff(x)
    assert_allclose(stats.jitter_score, speeds.std() / speeds.mean())
    assert stats.jitter_px[0] > 0.5
    to_and_fro = np.tile([0.0, 50.0], 20)
    back = tc.track_stats(from_xy(np.stack([to_and_fro, 0 * x], axis=-1)[None]))
    assert back.jitter_score[0] == 0  # as documented: its speed never changes
    assert_allclose(back.jitter_px, 8 * 25 / math.sqrt(20) / math.sqrt(2))  # one axis of two


def test_jitter_score_is_at_most_1():
    x = np.zeros(40)
    x[20:] = 300
    stats = tc.track_stats(from_xy(np.stack([x, x], axis=-1)[None]))
    assert stats.jitter_score[0] == 1


def test_noise_of_a_locked_off_shot_is_measured_in_pixels_while_the_documented_score_is_fooled():
    shape = (300, 200, 2)
    quiet = tc.track_stats(from_xy(noise(0.02, shape) + 300))
    loud = tc.track_stats(from_xy(noise(0.5, shape) + 300))
    assert_allclose([quiet.jitter_px.mean(), loud.jitter_px.mean()], [0.02, 0.5], rtol=0.02)
    assert_allclose(
        [quiet.jitter_score.mean(), loud.jitter_score.mean()], math.sqrt(4 / math.pi - 1), atol=0.01
    )


@pytest.mark.parametrize("power", [0, 1, 2])
def test_jitter_px_of_noise_on_any_smooth_motion_is_that_of_the_noise(power):
    t = np.linspace(0, 1, 150)
    path = np.stack([600 * t**power, 300 * t**power], axis=-1)
    stats = tc.track_stats(from_xy(path + noise(0.1, (100, 150, 2))))
    assert_allclose(stats.jitter_px.mean(), 0.1, rtol=0.02)
    long_arc = np.stack([300 * np.cos(3 * t), 300 * np.sin(3 * t)], axis=-1) + 400
    assert tc.track_stats(from_xy(long_arc[None])).jitter_px[0] < 1e-3


def test_an_even_acceleration_is_measured():
    t = np.arange(40.0)
    stats = tc.track_stats(from_xy(np.stack([0.25 * t**2, 0 * t], axis=-1)[None] + 10))
    assert_allclose(stats.acceleration, 0.5 / DIAGONAL)


def test_a_gap_is_never_one_frame():
    xy = moving((2, 0), n_tracks=1)
    xy[0, 10:20] = np.nan
    stats = tc.track_stats(from_xy(xy))
    assert_allclose(stats.path_velocity, 2 / DIAGONAL)
    assert_allclose(stats.jitter_score, 0, atol=1e-6)
    assert_allclose(stats.jitter_px, 0, atol=1e-9)
    assert (stats.lifespan[0], stats.n_samples[0]) == (40, 30)


def test_skipped_frames_count_as_elapsed():
    tracks = from_xy(moving((6, 0), n_tracks=2, n_frames=12))
    every_third = tc.Tracks(
        tracks.ids, tracks.xy_px, tracks.status, tracks.ncc, tracks.t_ns, SIZE, 24.0, 10,
        10 + 3 * np.arange(12),
    )  # fmt: skip
    stats = tc.track_stats(every_third)
    assert_allclose(stats.avg_velocity, 2 / DIAGONAL)
    assert_array_equal(stats.lifespan, 34)
    assert_array_equal(stats.end_frame, 43)
    assert_allclose(tc.clip_motion(every_third).motion_magnitude, 2 / DIAGONAL)


def test_frames_are_those_of_the_clip_and_both_ends_count():
    xy = moving((1, 0), n_tracks=3, n_frames=20)
    xy[0, :4] = xy[0, 8:] = np.nan
    xy[1, 5:] = np.nan
    xy[2] = np.nan
    stats = tc.track_stats(from_xy(xy, first_frame=101))
    assert stats.start_frame[:2].tolist() == [105, 101]
    assert stats.end_frame[:2].tolist() == [108, 105]
    assert stats.lifespan.tolist() == [4, 5, 0]
    assert stats.success.tolist() == [False, True, False]
    assert [r["name"] for r in stats.to_dict()["tracks"]] == ["track_00000", "track_00001"]


def test_the_region_is_that_of_the_mean_position():
    xy = np.full((1, 10, 2), 100.0)  # one frame at the left, nine at the right
    xy[0, 1:, 0] = 1200
    assert tc.track_stats(from_xy(xy)).region == ["top-right"]


def test_initial_position_is_a_share_of_the_frame_with_y_up():
    record = tc.track_stats(from_xy(np.full((1, 2, 2), -0.5))).to_dict()["tracks"][0]
    assert record["initial_position"] == [0.0, 1.0]


def test_trajectories_are_sampled_every_fifth_clip_frame_and_keep_gaps_open():
    xy = moving((4, 0), n_tracks=1, n_frames=23)
    xy[0, :2] = xy[0, 12] = xy[0, 9] = np.nan
    stats = tc.track_stats(from_xy(xy))
    (path,), (speeds,) = stats.trajectory, stats.trajectory_velocities
    assert len(path) == 5  # frames 3, 8, 13 (a gap), 18, 23
    assert np.isnan(path[2]).all()
    assert_allclose(np.delete(path[:, 0], 2), (xy[0, [2, 7, 17, 22], 0] + 0.5) / SIZE[0])
    assert_allclose(speeds[[0, 3]], 4 / DIAGONAL)
    record = stats.to_dict()["tracks"][0]
    assert record["trajectory"][2] is None
    assert record["trajectory_velocities"][1] is None
    assert record["trajectory_sample_rate"] == 5


def test_trajectories_count_clip_frames_where_frames_were_skipped():
    plain = from_xy(moving((4, 0), n_tracks=1, n_frames=8))
    numbers = np.array([1, 2, 6, 8, 11, 12, 16, 20])
    tracks = tc.Tracks(
        plain.ids, plain.xy_px, plain.status, plain.ncc, plain.t_ns, SIZE, 24.0, 1, numbers
    )
    (path,) = tc.track_stats(tracks).trajectory
    assert_allclose(path[:, 0] * SIZE[0] - 0.5, plain.xy_px[0, [0, 2, 4, 6], 0])


def test_confidence_is_the_measured_correlation_or_unknown():
    plain = from_xy(moving((1, 1), n_tracks=2, n_frames=11))
    ncc = np.full((2, 11), np.nan, np.float32)
    ncc[0] = np.linspace(1, 0.5, 11)
    tracks = tc.Tracks(plain.ids, plain.xy_px, plain.status, ncc, plain.t_ns, SIZE, 24.0, 1)
    stats = tc.track_stats(tracks)
    assert_allclose(stats.avg_confidence[0], 0.75, atol=1e-6)
    assert_allclose(stats.trajectory_confidence[0], [1, 0.75, 0.5], atol=1e-6)
    assert stats.to_dict()["tracks"][1]["avg_confidence"] is None


def test_what_was_not_measured_is_unknown():
    xy = moving((1, 0), n_tracks=1, n_frames=3)
    xy[0, 1:] = np.nan
    record = tc.track_stats(from_xy(xy)).to_dict()["tracks"][0]
    for name in ("avg_velocity", "jitter_score", "jitter_px", "feature_quality_score",
                 "contributed_to_solve", "reprojection_error"):  # fmt: skip
        assert record[name] is None, name
    still = tc.track_stats(from_xy(np.full((1, 5, 2), 7.0)))
    assert (still.avg_velocity[0], still.jitter_score[0]) == (0, 0)


def test_what_others_know_is_passed_on():
    tracks = from_xy(moving((1, 0), n_tracks=2))
    record = tc.track_stats(
        tracks, feature_quality_score=[0.5, np.nan], has_bundle=[True, False],
        reprojection_error_px=[0.4, np.nan],
    ).to_dict()["tracks"]  # fmt: skip
    assert [r["feature_quality_score"] for r in record] == [0.5, None]
    assert [r["contributed_to_solve"] for r in record] == [True, False]
    assert [r["reprojection_error"] for r in record] == [0.4, None]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"has_bundle": [1, 0]}, r"has_bundle: expected \(2,\) booleans"),
        ({"feature_quality_score": [1.0]}, r"feature_quality_score: expected \(2,\) numbers"),
        ({"reprojection_error_px": ["a", "b"]}, "reprojection_error_px: expected"),
        ({"threads": -1}, "threads: expected"),
    ],
)
def test_wrong_arguments_are_named(wrong, message):
    with pytest.raises(tc.InputError, match=message):
        tc.track_stats(from_xy(moving((1, 0), n_tracks=2)), **wrong)


def test_regions_count_tracks_and_successes():
    xy = np.repeat(np.array([[[100.0, 100]], [[640, 360]], [[640, 360]], [[640, 360]]]), 10, axis=1)
    xy[0, 3:] = np.nan
    tracks = from_xy(xy)
    regions = tc.region_stats(tracks)
    assert regions.region_stats == {
        "top-left": {"total_tracks": 1, "successful_tracks": 0},
        "center": {"total_tracks": 3, "successful_tracks": 3},
    }
    assert (regions.sweet_spots, regions.dead_zones) == (["center"], [])
    assert (regions.best_regions, regions.dominant_region) == (["center"], 4)
    assert_allclose(regions.region_confidence["center"], 0.7 * 0.5 + 0.3)
    assert regions.region_confidence["top-left"] == 0.5  # one track says nothing
    bad = tc.region_stats(tracks, success=[False] * 4, before={"center": 0.1})
    assert bad.dead_zones == ["center"]
    assert_allclose(bad.region_confidence["center"], 0.07)
    assert bad.dominant_region is None
