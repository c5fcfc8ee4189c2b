"""`pixel_features` and `track_quality`: the documented features, from scenes with known texture."""

import json
from dataclasses import replace

import numpy as np
import pytest

import trackcore as tc
from tests.unit.pixel_scenes import as_u8, panning
from trackcore import synth
from trackcore.frame_regions import REGIONS
from trackcore.pixels._texture import sigma_px_at


def half_sky(n_frames=12, noise=2.0):
    """Return frames whose upper third is flat, in integers with noise."""
    rng = np.random.default_rng(0)
    frames = panning((1.0, 0.0), n_frames).astype(np.float64)
    frames[:, :80] = 200
    return np.stack([as_u8(f + rng.normal(0, noise, f.shape)) for f in frames])


def test_a_sky_scores_low_and_the_ground_high():
    features = tc.pixel_features(half_sky())
    sky, ground = ("top-left", "top-center", "top-right"), ("mid-left", "center", "bottom-right")
    assert max(features.edge_density[r] for r in sky) < 0.03
    assert min(features.edge_density[r] for r in ground) > 0.3
    assert max(features.contrast_stats[r].estimated_contrast for r in sky) < 0.05
    assert min(features.contrast_stats[r].estimated_contrast for r in ground) > 0.05
    assert {features.texture_class[r] for r in sky} == {"LOW"}
    assert {features.texture_class[r] for r in ground} == {"HIGH"}
    assert max(features.feature_density[r] for r in sky) <= 10  # where the ground begins
    assert min(features.feature_density[r] for r in ground) > 50


def test_the_edge_density_mean_is_the_mean():
    features = tc.pixel_features(half_sky(3))
    assert features.edge_density_mean == pytest.approx(
        np.mean(list(features.edge_density.values()))
    )


def test_the_timeline_shows_when_texture_goes():
    frames = half_sky(41)
    frames[25:] = 128
    timeline = tc.pixel_features(frames).density_timeline
    assert list(timeline) == ["25", "50", "75"]
    assert timeline["25"]["center"] > 50
    assert timeline["50"]["center"] > 50
    assert timeline["75"] == dict.fromkeys(REGIONS, 0)


def test_more_noise_leaves_fewer_features():
    found = [tc.pixel_features(half_sky(4, noise)) for noise in (2, 4, 8)]
    n = [sum(features.feature_density.values()) for features in found]
    assert n[0] > n[1] > n[2]
    assert [features.contrast_estimate for features in found][::2] == [200, 0]


def test_twice_the_resolution_is_about_the_same_texture():
    texture = synth.pink_noise(1)
    small = synth.render(texture, (960, 720))
    large = synth.render(texture, (1920, 1440), warp=np.diag([2.0, 2.0, 1.0]))
    one, two = (sum(tc.pixel_features([f]).feature_density.values()) for f in (small, large))
    assert two == pytest.approx(one, rel=0.15)


def test_a_meter_that_the_tracking_pass_fed_is_enough():
    frames = half_sky(16)
    clip = tc.open_clip(frames)
    meter = tc.FrameMeter(clip)
    tracks = tc.track_clip(clip, on_frame=meter.push)
    fed, alone = tc.pixel_features(clip, meter=meter), tc.pixel_features(frames)
    assert fed.to_dict() == alone.to_dict()
    late = tc.FrameMeter()
    for frame in clip:
        late.push(frame)
    assert tc.pixel_features(clip, meter=late).to_dict() == alone.to_dict()
    with_tracks = tc.pixel_features(clip, meter=meter, tracks=tracks).contrast_stats
    assert sum(stats.track_count for stats in with_tracks.values()) == len(tracks.ids)
    assert with_tracks["center"].success_rate > 0.9
    assert alone.contrast_stats["center"].track_count is None


def test_the_record_is_json_with_the_documented_keys():
    record = tc.pixel_features(half_sky(3)).to_dict()
    assert {"edge_density", "edge_density_mean", "contrast_stats"} <= set(record)
    assert set(record["edge_density"]) == set(REGIONS)
    assert set(record["contrast_stats"]["center"]) == {
        "estimated_contrast", "track_count", "success_rate",
    }  # fmt: skip
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 5), (2, 8, 8)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_tiny_clip_is_no_error(shape, dtype):
    record = tc.pixel_features(list(np.zeros(shape, dtype))).to_dict()
    json.dumps(record, allow_nan=False)
    assert record["contrast_estimate"] == 0


def test_cancelling_measures_what_was_seen_and_progress_counts():
    calls = []
    answers = iter([False, False, False, True])
    features = tc.pixel_features(
        half_sky(9), cancel=lambda: next(answers), progress=lambda *at: calls.append(at)
    )
    assert features.series.frame_numbers.tolist() == [1, 2, 3]
    assert calls == [(1, 9), (2, 9), (3, 9)]


def test_what_does_not_fit_is_refused():
    frames = half_sky(2)
    with pytest.raises(tc.InputError, match="meter: expected a FrameMeter, got int"):
        tc.pixel_features(frames, meter=3)
    with pytest.raises(tc.InputError, match="tracks: expected Tracks, got int"):
        tc.pixel_features(frames, tracks=3)
    foreign = tc.FrameMeter()
    foreign.push(frames[0], number=77)
    with pytest.raises(tc.InputError, match="which has no frame 77"):
        tc.pixel_features(frames, meter=foreign)


def test_a_threshold_is_a_precision():
    assert sigma_px_at(0.4) == pytest.approx(0.1)
    assert sigma_px_at(0.0) == 1.0


NOISE = 4.0


def test_the_predicted_precision_is_the_cramer_rao_bound():
    texture, size = synth.pink_noise(3), (320, 240)
    rng = np.random.default_rng(0)
    image = synth.render(texture, size)
    image[:60] = 128  # shows the noise
    noisy = np.stack([as_u8(image + rng.normal(0, NOISE, image.shape)) for _ in range(2)])
    xy = rng.uniform((30, 90), (290, 210), (40, 2))
    tracks = tc.track_clip(noisy, xy_px=xy)
    quality = tc.track_quality(tracks, noisy)
    bound = synth.crlb_px(synth.gradient(texture, size), xy, noise=NOISE)
    # theirs is the mean of both axes, ours the worse one
    ratio = quality.sigma_px / bound
    assert np.median(ratio) == pytest.approx(1.1, abs=0.15)
    assert ratio.min() > 0.8
    expected = 1 / (1 + (quality.sigma_px / 0.1) ** 2)
    np.testing.assert_allclose(quality.feature_quality_score, expected)


def test_flat_pixels_edges_and_corners_are_told_apart():
    image = np.full((200, 300), 100, np.uint8)
    image[:, 150:] = 160
    image[100:, 200:] = 30
    xy = np.array([[50.0, 100.0], [150.0, 40.0], [200.0, 100.0]])
    tracks = tc.track_clip(np.stack([image] * 2), xy_px=xy)  # which would not start on the flat
    kept = np.repeat(xy[:, None], 2, axis=1)
    tracks = replace(
        tracks, xy_px=kept, status=np.zeros((3, 2), np.uint8), ncc=np.ones((3, 2), "f4")
    )
    flat, edge, corner = tc.track_quality(tracks, [image] * 2).feature_quality_score
    assert flat == 0.0
    assert edge < 0.01
    assert corner > 0.9


def test_a_track_that_begins_later_is_judged_there():
    frames = half_sky(10)
    tracks = tc.track_clip(frames)
    quality = tc.track_quality(tracks, frames)
    assert quality.ids.tolist() == tracks.ids.tolist()
    assert np.isfinite(quality.sigma_px).all()
    part = tc.track_quality(tracks, frames[:1])
    seen = tracks.first_index == 0
    np.testing.assert_array_equal(part.sigma_px[seen], quality.sigma_px[seen])
    assert np.isnan(part.sigma_px[~seen]).all()


def test_a_clip_of_another_size_is_refused():
    tracks = tc.track_clip(half_sky(2))
    with pytest.raises(tc.InputError, match=r"source: expected frames of \(320, 240\) px"):
        tc.track_quality(tracks, np.zeros((2, 20, 30), np.uint8))
    with pytest.raises(tc.InputError, match="window: expected an integer >= 3"):
        tc.track_quality(tracks, half_sky(2), window=2)
