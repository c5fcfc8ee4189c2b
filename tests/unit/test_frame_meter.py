"""`FrameMeter`: exposure, blur, noise, contrast and edges with known answers."""

import numpy as np
import pytest

import trackcore as tc
from tests.unit.pixel_scenes import as_u8, edges, panning
from trackcore.frame_regions import REGIONS


def measure(*frames, **options):
    meter = tc.FrameMeter(**options)
    for frame in frames:
        meter.push(frame)
    return meter.result()


@pytest.mark.parametrize("sigma_px", [0.7, 1.0, 1.5, 2.0, 3.0, 5.0])
def test_a_known_blur_is_measured(sigma_px):
    series = measure(np.float32(edges(sigma_px) / 255))
    assert series.blur_px[0] == pytest.approx(sigma_px, rel=0.05, abs=0.05)
    if sigma_px <= 3:  # then rounding is no longer small beside the slopes
        assert measure(as_u8(edges(sigma_px))).blur_px[0] == pytest.approx(sigma_px, rel=0.1)


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_noise_hardly_changes_the_blur(noise):
    series = measure(*(as_u8(edges(sigma, noise)) for sigma in (1.0, 2.0)))
    assert series.blur_px.tolist() == pytest.approx([1.0, 2.0], rel=0.2)


def test_the_sharpness_falls_with_every_step_of_blur():
    series = measure(*(as_u8(edges(s, 1.0)) for s in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)))
    assert (np.diff(series.sharpness) < 0).all()
    assert series.sharpness[0] == pytest.approx(1.0, abs=0.1)


def test_motion_blur_shows_in_the_direction_of_the_motion():
    box = np.ones(15) / 15
    sharp = edges(0.6)
    moved = np.apply_along_axis(lambda row: np.convolve(row, box, "same"), 1, sharp)
    blur_x, blur_y = measure(as_u8(moved[:, 20:-20])).blur_xy_px[0]
    assert blur_x == pytest.approx(0.28 * 15, rel=0.25)
    assert blur_y < 1.0


@pytest.mark.parametrize("sigma", [1.0, 2.0, 5.0, 10.0])
@pytest.mark.parametrize("blur_px", [1.0, 3.0])
def test_a_known_noise_is_measured_beside_edges(sigma, blur_px):
    series = measure(as_u8(edges(blur_px, sigma)))
    assert series.noise_sigma[0] == pytest.approx(sigma, rel=0.08)


def test_noise_is_in_the_grey_levels_of_the_image():
    levels = edges(2.0, 3.0)
    deep = measure(np.uint16(levels * 257))
    real = measure(np.float32(levels / 255))
    assert deep.noise_sigma[0] == pytest.approx(3.0 * 257, rel=0.08)
    assert real.noise_sigma[0] == pytest.approx(3.0 / 255, rel=0.08)
    for series in (deep, real):
        ours = measure(as_u8(levels))
        assert series.exposure[0] == pytest.approx(ours.exposure[0], abs=0.002)
        assert series.region_contrast[0] == pytest.approx(ours.region_contrast[0], abs=0.003)
        assert series.blur_px[0] == pytest.approx(ours.blur_px[0], rel=0.05)


def test_an_exposure_ramp_is_read_in_stops():
    picture = edges(1.0) * 0.4
    gains = 2.0 ** (0.1 * np.arange(8))
    series = measure(*(np.float32(picture * gain / 255) for gain in gains))
    assert np.isnan(series.exposure_change[0])
    assert series.exposure_change[1:] == pytest.approx(np.full(7, 0.1), abs=0.003)
    assert series.cuts.tolist() == []


def test_motion_is_no_change_of_exposure():
    series = measure(*panning((9.0, 4.0), 6))
    assert np.abs(series.exposure_change[1:]).max() < 0.05


def test_contrast_is_about_the_local_mean_and_without_the_noise():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:360, 0:480]
    checks = 128 + 20.0 * (2 * ((x // 2 + y // 2) % 2) - 1)
    checks[:120] = 90  # a frame textured everywhere would not show its noise
    noisy = measure(np.float32((checks + rng.normal(0, 5, checks.shape)) / 255))
    assert noisy.region_contrast[0, 3:] == pytest.approx(np.full(6, 20 / 127.5), rel=0.02)
    assert noisy.region_contrast[0, :3].max() < 0.02
    flat = measure(as_u8(128 + rng.normal(0, 5, checks.shape)))
    assert flat.region_contrast[0].max() < 0.015  # of 0.039 that the noise has


def test_flat_noise_has_no_edges_and_texture_has():
    rng = np.random.default_rng(1)
    levels = np.full((360, 480), 150.0)
    levels[120:] += 60 * np.sin(np.arange(480) / 2.0) * np.sin(np.arange(240) / 2.0)[:, None]
    series = measure(as_u8(levels + rng.normal(0, 4, levels.shape)))
    sky, ground = series.region_edges[0, :3], series.region_edges[0, 3:]
    assert sky.max() < 0.02  # of noise alone 0.001; the row beside the ground counts
    assert ground.min() > 0.6


def test_clipped_shares_are_counted():
    image = np.full((400, 400), 128, np.uint8)
    image[:, :100] = 255
    image[:, 100:120] = 0
    series = measure(image)
    assert series.clipped_bright[0] == pytest.approx(0.25)
    assert series.clipped_dark[0] == pytest.approx(0.05)


def test_frames_may_come_in_any_order():
    frames = panning((3.0, 0.0), 7)
    meter = tc.FrameMeter()
    for i in (3, 4, 5, 6, 2, 1, 0):
        meter.push(frames[i], number=i + 1)
    there, back = measure(*frames), meter.result()
    for name in there.__slots__:
        np.testing.assert_array_equal(getattr(there, name), getattr(back, name))


def test_threads_change_nothing():
    frames = panning((3.0, 0.0), 3, size=(700, 500))
    one, many = measure(*frames, threads=1), measure(*frames, threads=4)
    for name in one.__slots__:
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2), (8, 8), (1, 400), (400, 1), (20, 2000)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_tiny_frame_has_what_it_has(shape, dtype):
    series = measure(np.full(shape, 1, dtype), np.full(shape, 1, dtype))
    white = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    assert series.exposure.tolist() == pytest.approx([1 / white] * 2, rel=1e-3)
    assert np.isnan(series.blur_px).all()
    assert series.cuts.tolist() == []


def test_nothing_pushed_is_nothing_measured():
    series = tc.FrameMeter().result()
    assert len(series.frame_numbers) == len(series.exposure) == len(series.cuts) == 0
    assert series.region_edges.shape == (0, len(REGIONS))


def test_what_does_not_fit_is_refused_and_changes_nothing():
    meter = tc.FrameMeter()
    meter.push(np.zeros((40, 60), np.uint8))
    with pytest.raises(tc.InputError, match="frame: expected size"):
        meter.push(np.zeros((40, 61), np.uint8))
    with pytest.raises(tc.InputError, match="number: expected one that is new, got 1"):
        meter.push(np.zeros((40, 60), np.uint8), number=1)
    with pytest.raises(tc.InputError, match="frame: expected a numpy image"):
        meter.push("frame")
    with pytest.raises(tc.InputError, match="clip: expected a Clip, got str"):
        tc.FrameMeter("clip.mp4")
    assert meter.n_frames == 1


def test_the_record_has_plain_numbers_and_no_nan():
    record = measure(*panning((3.0, 0.0), 3)).to_dict()
    assert record["exposure_change"][0] is None
    assert {type(v) for v in record["blur_px"]} == {float}
    assert record["frame_numbers"] == [1, 2, 3]


def test_the_tracking_pass_feeds_it_with_every_frame_once():
    frames = panning((2.0, 0.0), 9)
    seen = []
    tc.track_clip(frames, on_frame=lambda frame: seen.append(frame.number))
    assert seen == list(range(1, 10))
    seen.clear()
    tc.track_clip(frames, backwards_from=4, on_frame=lambda frame: seen.append(frame.number))
    assert seen == [4, 5, 6, 7, 8, 9, 3, 2, 1]
    meter = tc.FrameMeter()
    tc.track_clip(frames, backwards_from=4, on_frame=meter.push)
    np.testing.assert_array_equal(meter.result().blur_px, measure(*frames).blur_px)
