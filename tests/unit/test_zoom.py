"""Zooms, and what only looks like one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import trackcore as tc
from tests.unit.moving_cameras import along, cloud, filmed, from_xy, moving, pan, turned, zoom


@pytest.mark.parametrize(("ratio", "is_zoom"), [(1.04, False), (1.06, True), (1.2, True)])
def test_a_zoom_is_a_change_of_more_than_five_percent(ratio, is_zoom):
    z = tc.zoom_analysis(zoom(ratio))
    assert z.is_zoom_detected == is_zoom
    assert_allclose([z.apparent_scale_ratio, z.scale_timeline[-1]], ratio, rtol=2e-3)
    assert z.scale_timeline[0] == 1
    assert z.is_uniform_scale
    wanted = ("ZOOM_OUT", "LONGER") if is_zoom else ("NONE", "NONE")  # the documented sign
    assert (z.zoom_direction, z.focal_change) == wanted
    if is_zoom:
        assert z.radial_convergence > 0.9
        assert z.confidence > 0.9


def test_a_shorter_lens_is_zoom_in_in_the_documents():
    z = tc.zoom_analysis(zoom(0.8))
    assert (z.zoom_direction, z.focal_change) == ("ZOOM_IN", "SHORTER")
    assert_allclose(z.estimated_fl_ratio, 0.8, rtol=2e-3)
    assert z.radial_convergence < -0.9


def test_a_pan_is_no_zoom_even_with_a_wide_lens():
    for degrees, focal in ((0.5, 1000.0), (1.0, 500.0)):
        z = tc.zoom_analysis(pan(degrees, focal))
        assert not z.is_zoom_detected
        assert (z.zoom_direction, z.focal_change) == ("NONE", "NONE")
        assert_allclose(z.scale_timeline, 1, atol=2e-3)
        assert abs(z.radial_convergence) < 0.3


def test_a_pan_over_the_left_half_of_the_frame_only_is_no_zoom():
    tracks = pan(0.5, 600.0)
    xy = tracks.xy_px.copy()
    xy[xy[..., 0] > 640] = np.nan
    assert_allclose(tc.zoom_analysis(from_xy(xy)).scale_timeline, 1, atol=0.01)


def test_a_zoom_during_a_pan_is_measured_alike():
    z = tc.zoom_analysis(zoom(1.5, pan_degrees=20))
    assert_allclose(z.estimated_fl_ratio, 1.5, rtol=5e-3)
    assert z.focal_change == "LONGER"


def test_the_true_principal_point_is_what_the_scale_is_about():
    X = cloud(1500)
    angles = np.radians(0.4) * np.arange(60)
    shift = np.array([150.0, -60.0])
    tracks = filmed(X, R=[turned(yaw=-a) for a in angles])
    off_axis = from_xy(tracks.xy_px + shift)
    center = (np.array([1279, 719]) / 2 + shift).tolist()
    assert_allclose(tc.zoom_analysis(off_axis, center).scale_timeline, 1, atol=2e-3)


def test_a_dolly_through_depths_is_not_uniform_and_changes_no_lens():
    z = tc.zoom_analysis(filmed(cloud(), eye_m=along((0, 0, 0.03))))
    assert z.is_zoom_detected
    assert z.is_uniform_scale is False
    assert (z.zoom_direction, z.focal_change) == ("ZOOM_OUT", "NONE")


def test_a_dolly_at_a_wall_looks_like_a_zoom():
    wall = cloud(depth_m=(5, 5))
    z = tc.zoom_analysis(filmed(wall, eye_m=along((0, 0, 0.02))))
    assert z.is_uniform_scale
    assert_allclose(z.estimated_fl_ratio, 5 / (5 - 59 * 0.02), rtol=3e-3)


def test_tracks_that_come_and_go_do_not_move_the_timeline():
    whole = zoom(1.3)
    xy = whole.xy_px.copy()
    rng = np.random.default_rng(0)
    start, life = rng.integers(-20, 55, len(xy)), rng.integers(2, 25, len(xy))
    index = np.arange(60)
    xy[(index < start[:, None]) | (index >= (start + life)[:, None])] = np.nan
    z = tc.zoom_analysis(from_xy(xy))
    assert_allclose(z.scale_timeline, 1.3 ** np.linspace(0, 1, 60), rtol=5e-3)


def test_a_zoom_that_comes_back_is_a_zoom():
    focal = 1000 * 1.3 ** np.concatenate([np.linspace(0, 1, 30), np.linspace(1, 0, 30)])
    z = tc.zoom_analysis(filmed(cloud(), focal_px=focal))
    assert z.is_zoom_detected
    assert z.zoom_direction == "ZOOM_OUT"
    assert_allclose([z.estimated_fl_ratio, z.scale_timeline.max()], [1, 1.3], rtol=3e-3)


def test_scale_and_its_error_are_per_clip_frame():
    tracks = zoom(1.2)
    third = tc.Tracks(
        tracks.ids, tracks.xy_px[:, ::3], tracks.status[:, ::3], tracks.ncc[:, ::3],
        tracks.t_ns[::3], tracks.frame_size, 25.0, 1, tracks.frame_numbers[::3],
    )  # fmt: skip
    z = tc.zoom_analysis(third)
    assert_allclose(z.scale_per_frame, 1.2 ** (1 / 59), rtol=1e-3)
    misses = (z.scale_per_frame - 1.2 ** (1 / 59)) / z.scale_sigma
    assert 0.5 < np.std(misses) < 2


def test_a_frame_without_tracks_is_bridged_and_a_cut_is_the_end():
    xy = zoom(1.3).xy_px.copy()
    xy[:, 20] = np.nan
    z = tc.zoom_analysis(from_xy(xy))
    assert np.isnan(z.scale_timeline[20])
    assert_allclose(z.estimated_fl_ratio, 1.3, rtol=5e-3)
    half = len(xy) // 2
    xy[:half, 30:] = np.nan
    xy[half:, :30] = np.nan
    cut = tc.zoom_analysis(from_xy(xy))
    assert np.isfinite(cut.scale_timeline[29])
    assert np.isnan(cut.scale_timeline[30:]).all()
    assert cut.to_dict()["scale_timeline"][40] is None


def test_nothing_to_measure_is_no_zoom_with_no_confidence():
    z = tc.zoom_analysis(from_xy(moving((1, 0), 2, 5)))
    assert (z.is_zoom_detected, z.confidence, z.is_uniform_scale) == (False, 0.0, None)
    assert z.to_dict()["estimated_fl_ratio"] is None


def test_the_record_has_the_eight_documented_fields():
    record = tc.zoom_analysis(zoom(1.2)).to_dict()
    documented = {
        "is_zoom_detected", "zoom_direction", "scale_timeline", "estimated_fl_ratio",
        "scale_variance", "is_uniform_scale", "radial_convergence", "confidence",
    }  # fmt: skip
    assert documented <= set(record)
