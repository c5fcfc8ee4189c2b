"""`motion_probe`: classes of motion and texture from twenty frames with a known motion."""

import math

import numpy as np
import pytest

import trackcore as tc
from tests.unit.pixel_scenes import panning
from trackcore.footage import motion_class, texture_class

DIAGONAL = math.hypot(320, 240)


def moving(diagonals, n_frames=20):
    step = diagonals * DIAGONAL
    return panning((0.8 * step, 0.6 * step), n_frames)


@pytest.mark.parametrize(
    ("speed", "name"),
    [(0.0, "LOW"), (0.0097, "LOW"), (0.0103, "MEDIUM"), (0.0297, "MEDIUM"), (0.0303, "HIGH")],
)
def test_the_class_changes_at_the_documented_speeds(speed, name):
    probe = tc.motion_probe(moving(speed))
    assert probe.motion_class == name
    assert probe.motion_magnitude == pytest.approx(speed, abs=5e-5)
    assert probe.motion_variance < 2e-4


@pytest.mark.parametrize(
    ("speed", "name"),
    [(math.nextafter(0.01, 0), "LOW"), (0.01, "MEDIUM"), (0.03, "MEDIUM"),
     (math.nextafter(0.03, 1), "HIGH")],
)  # fmt: skip
def test_the_limits_themselves_are_medium(speed, name):
    assert motion_class(speed) == name


def test_a_fast_pan_is_followed_and_not_lost():
    probe = tc.motion_probe(moving(0.12, 8))
    assert probe.motion_class == "HIGH"
    assert probe.motion_magnitude == pytest.approx(0.12, rel=0.02)


def test_the_same_seed_gives_the_same_answer_on_any_number_of_threads():
    frames = moving(0.015)
    first = tc.motion_probe(frames, seed=3, threads=1)
    assert tc.motion_probe(frames, seed=3, threads=1) == first
    assert tc.motion_probe(frames, seed=3, threads=4) == first
    other = tc.motion_probe(frames, seed=4, threads=1)
    assert other.motion_magnitude != first.motion_magnitude
    assert other.motion_magnitude == pytest.approx(first.motion_magnitude, rel=0.01)


def test_the_frame_number_step_is_taken_into_account():
    clip = tc.open_clip(moving(0.008, 30), step=2)
    assert tc.motion_probe(clip).motion_magnitude == pytest.approx(0.008, rel=0.01)


@pytest.mark.parametrize("at", [1, 8, 15, 19])
def test_a_cut_in_the_window_is_no_motion(at):
    frames = np.concatenate([panning((0.5, 0), at, seed=1), panning((0.5, 0), 20 - at, seed=2)])
    probe = tc.motion_probe(frames)
    assert probe.motion_class == "LOW"
    assert probe.cuts == (at + 1,)
    assert probe.n_frames == max(at, 20 - at)
    assert probe.first_frame == (1 if at > 10 else at + 1)


def test_frames_that_have_nothing_in_common_give_no_speed():
    frames = np.concatenate([panning((0, 0), 1, seed=s) for s in range(6)])
    probe = tc.motion_probe(frames)
    assert probe.status in ("ALL_LOST", "TOO_SHORT")
    assert probe.motion_class is None
    assert probe.motion_magnitude is None
    assert probe.to_dict()["success"] is False


@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_without_texture_there_is_no_guess(noise):
    rng = np.random.default_rng(0)
    frames = np.clip(rng.normal(120, noise, (5, 240, 320)), 0, 255).astype(np.uint8)
    probe = tc.motion_probe(frames)
    assert probe.status == "NO_TEXTURE"
    assert probe.motion_class is None
    assert probe.texture_class == "LOW"
    assert probe.best_regions == ()
    assert set(probe.region_success.values()) == {None}


def test_a_region_of_sky_is_not_among_the_best():
    frames = moving(0.002, 12)
    rng = np.random.default_rng(0)
    frames[:, :90] = rng.normal(200, 2, (12, 90, 320))
    probe = tc.motion_probe(frames)
    assert not {"top-left", "top-center", "top-right"} & set(probe.best_regions)
    assert {"center", "bottom-left", "bottom-right"} <= set(probe.best_regions)
    assert probe.texture_class == "MEDIUM"


def test_one_frame_is_too_short():
    probe = tc.motion_probe(moving(0.01, 1))
    assert probe.status == "TOO_SHORT"
    assert probe.motion_class is None
    assert probe.texture_class == "HIGH"


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (9, 12), (1, 300)])
def test_a_tiny_clip_is_no_error(shape):
    frames = np.random.default_rng(0).integers(0, 255, (4, *shape)).astype(np.uint8)
    assert tc.motion_probe(list(frames)).n_frames >= 1


@pytest.mark.parametrize(("dtype", "scale"), [("uint16", 257.0), ("float32", 1 / 255)])
def test_other_pixels_give_the_same(dtype, scale):
    frames = moving(0.015, 8)
    probe = tc.motion_probe((frames * scale).astype(dtype))
    assert probe.motion_magnitude == pytest.approx(0.015, rel=0.01)
    assert probe.texture_class == tc.motion_probe(frames).texture_class


def test_the_window_begins_at_a_quarter_but_not_late():
    texture = panning((1.0, 0.0), 1)[0]
    starts = {n: tc.motion_probe([texture] * n).first_frame for n in (10, 24, 40, 100, 400)}
    assert starts == {10: 1, 24: 5, 40: 11, 100: 26, 400: 49}


def test_the_record_has_the_documented_keys_first():
    record = tc.motion_probe(moving(0.002, 5)).to_dict()
    assert list(record)[:4] == ["success", "motion_class", "texture_class", "best_regions"]
    assert type(record["motion_class"]) is str
    assert type(record["n_points"]) is int


@pytest.mark.parametrize("seed", [-1, 1.5, None, True])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(tc.InputError, match="seed: expected an integer >= 0"):
        tc.motion_probe(np.zeros((2, 9, 9), np.uint8), seed=seed)


@pytest.mark.parametrize(
    ("name", "motion"),
    [
        ("boof_sweeps/horse_jitter.mp4", "LOW"),
        ("bulk_water/bulk-water.mov", "LOW"),
        ("boof_zoom_shake_rotate/shake.mjpeg", "HIGH"),
        ("boof_zoom_shake_rotate/rotate.mjpeg", "HIGH"),
    ],
)
def test_real_clips(shared_data, name, motion):
    assert tc.motion_probe(shared_data(name)).motion_class == motion


def test_the_classes_of_texture_are_those_of_five_markers():
    assert [texture_class(n / 5) for n in range(6)] == ["LOW"] * 2 + ["MEDIUM"] * 2 + ["HIGH"] * 2
