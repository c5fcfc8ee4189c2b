"""How the picture of a whole clip moves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.unit.moving_cameras import SIZE, along, cloud, filmed, from_xy, moving, pan, room
from trackcore.types import PointStatus

DIAGONAL = math.hypot(*SIZE)


def static(noise_px: float = 0.1, n_tracks: int = 200, n_frames: int = 60) -> tc.Tracks:
    rng = np.random.default_rng(1)
    place = rng.uniform((0, 0), SIZE, (n_tracks, 1, 2))
    return from_xy(place + rng.normal(0, noise_px, (n_tracks, n_frames, 2)))


def with_status(tracks: tc.Tracks, status: np.ndarray) -> tc.Tracks:
    return tc.Tracks(
        tracks.ids, tracks.xy_px, status, tracks.ncc, tracks.t_ns, tracks.frame_size, 24.0, 1
    )


@pytest.mark.parametrize(("dx", "full_bin"), [(-4.0, 0), (4.0, 4)])
def test_a_pure_pan_has_one_direction_wherever_it_goes(dx, full_bin):
    m = tc.clip_motion(from_xy(moving((dx, 0))))
    assert_allclose(m.direction_entropy, 0, atol=1e-12)
    assert_allclose(m.motion_consistency, 1)
    assert_allclose(m.dominant_direction, [np.sign(dx), 0], atol=1e-12)
    assert m.flow_direction_histogram[full_bin] == 1
    assert_allclose(m.global_motion_vector, [dx / DIAGONAL, 0], atol=1e-12)
    assert m.parallax_score == 0


def test_up_in_the_picture_is_up_in_the_record():
    m = tc.clip_motion(from_xy(moving((0, -3))))
    assert_allclose(m.dominant_direction, [0, 1], atol=1e-12)
    assert m.flow_direction_histogram[6] == 1


def test_half_left_and_half_right_is_no_consistent_motion():
    velocity = np.zeros((40, 2))
    velocity[:, 0] = np.tile([3.0, -3.0], 20)
    m = tc.clip_motion(from_xy(moving(velocity)))
    assert m.motion_consistency < 1e-9
    assert m.dominant_direction is None
    assert m.direction_entropy > 0.999


def test_a_circle_of_directions_fills_the_histogram_evenly():
    angle = (np.arange(64) + 0.5) / 64 * 2 * np.pi
    m = tc.clip_motion(from_xy(moving(3 * np.column_stack([np.cos(angle), np.sin(angle)]), 64)))
    assert_allclose(m.flow_direction_histogram, 1 / 8)
    assert_allclose(m.direction_entropy, 1)
    assert_allclose(m.motion_consistency, 0, atol=1e-9)


def test_noise_of_a_static_shot_is_neither_direction_nor_parallax():
    m = tc.clip_motion(static())
    assert m.dominant_direction is None
    assert m.parallax_score == 0
    assert m.motion_consistency < 0.15
    assert m.motion_class == "LOW"


def test_nothing_that_moves_gives_an_empty_direction_histogram():
    m = tc.clip_motion(from_xy(np.full((5, 9, 2), 40.0)))
    assert_array_equal(m.flow_direction_histogram, 0)
    assert_array_equal(m.flow_magnitude_histogram, [1, 0, 0, 0, 0])
    assert m.to_dict()["optical_flow"]["direction_entropy"] is None
    assert (m.motion_magnitude, m.motion_class) == (0, "LOW")


def test_magnitudes_are_those_of_one_frame():
    speeds = np.array([0.001, 0.005, 0.02, 0.04, 0.06]) * DIAGONAL
    velocity = np.column_stack([speeds, 0 * speeds])
    m = tc.clip_motion(from_xy(moving(velocity, 5, 4)))
    assert_allclose(m.flow_magnitude_histogram, 0.2)


@pytest.mark.parametrize(
    ("velocity", "wanted"),
    [(0.0099, "LOW"), (0.01, "MEDIUM"), (0.03, "MEDIUM"), (0.0301, "HIGH")],
)
def test_the_limits_of_motion_classes_belong_to_medium(velocity, wanted):
    m = tc.clip_motion(from_xy(moving((velocity * DIAGONAL, 0), n_frames=5)))
    assert m.motion_class == wanted
    assert_allclose([m.motion_magnitude, m.motion_intensity], velocity)


def test_a_pan_with_unequal_lifespans_has_no_parallax():
    tracks = pan(0.5)
    xy = tracks.xy_px.copy()
    rng = np.random.default_rng(0)
    start = rng.integers(0, 50, len(xy))
    index = np.arange(tracks.n_frames)
    xy[(index < start[:, None]) | (index > (start + rng.integers(2, 40, len(xy)))[:, None])] = (
        np.nan
    )
    m = tc.clip_motion(from_xy(xy))
    assert m.parallax_score < 0.005
    assert m.direction_entropy < 0.01


def test_two_layers_have_parallax():
    near_and_far = np.tile([[4.0, 0.0], [2.0, 0.0]], (30, 1))
    rng = np.random.default_rng(0)
    xy = moving(near_and_far, 60, 30) + rng.normal(0, 0.1, (60, 30, 2))
    assert tc.clip_motion(from_xy(xy)).parallax_score > 0.1
    alike = moving((3.0, 0.0), 60, 30) + rng.normal(0, 0.1, (60, 30, 2))
    assert tc.clip_motion(from_xy(alike)).parallax_score == 0


@pytest.mark.parametrize("noise_px", [0.0, 0.3])
def test_a_camera_that_moves_through_depths_has_parallax(noise_px):
    sideways = filmed(cloud(), eye_m=along((0.04, 0, 0)), noise_px=noise_px)
    assert tc.clip_motion(sideways).parallax_score > 0.15
    assert tc.clip_motion(room(noise_px)).parallax_score > 0.15


def test_things_that_move_on_their_own_are_no_parallax():
    rng = np.random.default_rng(0)
    swarm = rng.uniform(100, 600, (300, 1, 2)) + np.cumsum(rng.normal(0, 0.5, (300, 60, 2)), 1)
    assert tc.clip_motion(from_xy(swarm)).parallax_score < 0.05
    busy = static().xy_px.copy()
    busy[:50] += np.arange(60)[None, :, None] * rng.normal(0, 2, (50, 1, 2))
    assert tc.clip_motion(from_xy(busy)).parallax_score < 0.02


def test_acceleration_is_seen_although_tracks_come_and_go():
    t = np.arange(60.0)
    xy = moving((0, 0), 30, 60) + np.stack([0.05 * t**2, 0 * t], axis=-1)
    for k in range(30):
        xy[k, :k] = xy[k, k + 20 :] = np.nan
    assert_allclose(tc.clip_motion(from_xy(xy)).velocity_acceleration, 0.1 / DIAGONAL)


def test_velocities_are_net_and_the_path_beside_them():
    to_and_fro = np.tile([0.0, 5.0], 21)[:41]
    xy = moving((0, 0), 4, 41)
    xy[:, :, 0] += to_and_fro
    m = tc.clip_motion(from_xy(xy))
    assert_allclose([m.velocity_mean, m.velocity_max, m.velocity_std], 0, atol=1e-12)
    assert_allclose([m.path_velocity_mean, m.motion_magnitude], 5 / DIAGONAL)


def test_late_tracks_are_no_dropouts_and_lost_ones_are():
    xy = moving((0.1, 0), 10, 100)
    xy[:5, :90] = np.nan  # born late, alive at the end
    assert tc.clip_motion(from_xy(xy)).track_dropout_rate == 0
    xy[5:7, 10:] = np.nan
    assert tc.clip_motion(from_xy(xy)).track_dropout_rate == 0.2


def test_leaving_the_frame_is_no_failure():
    xy = moving((0, 0), 10, 100)
    xy[:4, :, 0] = SIZE[0] - 12 + 3 * np.arange(100)
    xy[:4, 4:] = np.nan
    tracks = from_xy(xy)
    assert tc.clip_motion(tracks).track_dropout_rate == 0  # where the next step leads
    status = tracks.status.copy()
    status[:2, 4] = PointStatus.OUT_OF_FRAME
    status[2:4, 4] = PointStatus.LOW_CORRELATION
    assert tc.clip_motion(with_status(tracks, status)).track_dropout_rate == 0.2


def test_a_cut_is_found_at_its_frame():
    xy = moving((1, 0), 40, 60)
    xy[:30, 25:] = np.nan
    xy[30:, :25] = np.nan
    assert tc.clip_motion(from_xy(xy, first_frame=1)).frame_of_failure == 26
    assert tc.clip_motion(from_xy(moving((1, 0)))).frame_of_failure is None


def test_a_count_that_dwindles_fails_where_it_becomes_critical():
    xy = moving((0, 0), 20, 60)
    for k in range(20):
        xy[k, 3 * k + 3 :] = np.nan
    # 20 tracks, one less every three frames: 6 are left at index 42
    assert tc.clip_motion(from_xy(xy, first_frame=0)).frame_of_failure == 42


def test_frame_samples_are_real_and_in_clip_numbers():
    xy = moving((2, 0), 10, 30)
    xy[:3, 12:] = np.nan  # last seen in frame 17
    samples = tc.clip_motion(from_xy(xy, first_frame=6)).to_dict()["frame_samples"]
    assert [s["frame"] for s in samples] == [6, 10, 20, 30]
    assert [s["active_tracks"] for s in samples] == [10, 10, 7, 7]
    assert [s["tracks_lost"] for s in samples] == [0, 0, 3, 0]
    assert samples[0]["avg_velocity"] is None
    assert_allclose(samples[1]["avg_velocity"], 2 / DIAGONAL, rtol=1e-5)


def test_the_profile_follows_the_motion():
    t = np.arange(41.0)
    xy = moving((0, 0), 5, 41)
    xy[:, :, 0] += np.where(t > 20, 2 * (t - 20), 0)
    profile = tc.clip_motion(from_xy(xy)).temporal_motion_profile
    assert_allclose(profile, np.repeat([0, 2 / DIAGONAL], 5), atol=1e-12)


def test_frame_motion_is_that_of_the_camera():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, SIZE, (200, 2))
    center = (np.array(SIZE) - 1) / 2
    a, s = 0.01, 1.02
    turn = s * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    q = (p - center) @ turn.T + center + (5, -3)
    noisy = np.stack([p, q], axis=1) + rng.normal(0, 0.1, (200, 2, 2))
    noisy[:60, 1] += (20, 10)  # something else moves across
    m = tc.frame_motion(from_xy(noisy))
    assert np.abs(m.translation_px[0] - (5, -3)).max() < 4 * m.sigma_translation_px[0]
    assert abs(m.scale[0] - s) < 4 * m.sigma_scale[0]
    assert abs(m.rotation_rad[0] - a) < 4 * m.sigma_rotation_rad[0]
    assert m.sigma_scale[0] < 1e-4
    assert_allclose(m.residual_px, 0.1 * math.sqrt(2), rtol=0.15)
    assert_allclose(m.inlier_share, 0.7, atol=0.02)
    assert_allclose(tc.synth.apply_warp(m.warp[0], p), q, atol=0.2)


def test_frame_motion_states_its_errors_rightly():
    errors = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0, SIZE, (80, 2))
        m = tc.frame_motion(
            from_xy(np.stack([p, np.add(p, (3, 1))], 1) + rng.normal(0, 0.2, (80, 2, 2)))
        )
        errors.append([
            (m.scale[0] - 1) / m.sigma_scale[0], m.rotation_rad[0] / m.sigma_rotation_rad[0],
            *(m.translation_px[0] - (3, 1)) / m.sigma_translation_px[0],
        ])  # fmt: skip
    assert_allclose(np.std(errors, axis=0), 1, atol=0.35)


def test_too_few_tracks_or_no_motion_in_common_is_nothing_known():
    assert np.isnan(tc.frame_motion(from_xy(moving((1, 1), 2, 3))).scale).all()
    rng = np.random.default_rng(0)
    chaos = tc.frame_motion(from_xy(rng.uniform(0, 700, (50, 2, 2))))
    assert np.isnan(chaos.scale).all()
    assert np.isnan(chaos.warp).all()


def test_a_wrong_centre_is_named():
    with pytest.raises(tc.InputError, match="center_px"):
        tc.frame_motion(from_xy(moving((1, 1))), center_px=(1.0,))
    with pytest.raises(tc.InputError, match="principal_point_px"):
        tc.zoom_analysis(from_xy(moving((1, 1))), (np.nan, 2.0))
