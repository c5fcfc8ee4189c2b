"""The documented configuration: loads as it is, says what it does not use, refuses the wrong."""

from __future__ import annotations

import json

import pytest

import trackcore as tc
from trackcore import InputError
from trackcore.ballistics import BALLS, INCH_M, OUNCE_KG

DOCUMENTED = """
camera: {width: 1280, height: 720, fps: 60, pixfmt: GRAY8, color_mode: true, exposure_us: 2000}
stereo: {pairing_tolerance_ms: 8, epipolar_epsilon_px: 3, baseline_ft: 1.625, z_min_ft: 3,
  z_max_ft: 80, max_jump_in: 12, cx: null}
tracking: {gate_distance_ft: 0.5, min_track_frames: 20}
metrics: {plate_plane_z_ft: 0, release_plane_z_ft: 50, approach_window_ft: 5}
recording:
  pre_roll_ms: 500
  post_roll_ms: 400
  output_dir: "D:/Pitches of today/recordings"
  session_min_active_frames: 5
  session_end_gap_frames: 10

  # ML training data options
  save_detections: true
  save_observations: true
  save_training_frames: true
  frame_save_interval: 7
detector: {type: classical, mode: MODE_A, crop_padding_px: 20,
  filters: {min_area: 12, max_area: null, min_circularity: 0.1, min_velocity: 0}}
strike_zone: {batter_height_in: 70, top_ratio: 0.5, bottom_ratio: 0.25}
ball: {type: softball, radius_in: {baseball: 1.45, softball: 1.88}}
ui: {refresh_hz: 15}
upload: {enabled: false, swa_api_base: null}
house: {rule: 7}
"""


def test_the_documented_keys_load_as_they_are():
    config = tc.PitchConfig.parse(DOCUMENTED)
    recording = config.recording
    assert (recording.pre_roll_ms, recording.post_roll_ms) == (500.0, 400.0)
    assert recording.save_detections
    assert recording.save_observations
    assert recording.save_training_frames
    assert recording.frame_save_interval == 7
    assert config.output_dir == "D:/Pitches of today/recordings"
    assert config.fps == 60.0
    timing = config.setup.at_rate(60.0).timing
    assert timing.min_active_ms == pytest.approx(4000 / 60)
    assert timing.end_gap_ms == pytest.approx(10_000 / 60)
    assert config.tracking.pairing_s == pytest.approx(0.008)
    assert config.tracking.max_depth_m == pytest.approx(80 * 0.3048)
    assert config.tracking.max_jump_m == pytest.approx(0.3048)
    assert config.fit.release_plane_z_ft == 50.0
    assert config.detection.min_radius_px == pytest.approx(1.954, abs=1e-3)
    assert config.zone.top_m == pytest.approx(35 * 0.0254)
    assert config.ball == config.setup.ball == BALLS["softball"]
    assert config.setup.zone == config.zone
    assert config.setup.tracking == config.tracking


def test_a_ball_of_any_size_and_mass_is_taken():
    ball = tc.PitchConfig.parse("ball: {type: softball, radius_in: 1.75, mass_oz: 6}").ball
    assert ball == tc.BallPhysics(radius_m=1.75 * INCH_M, mass_kg=6 * OUNCE_KG)
    heavy = tc.PitchConfig.parse("ball: {mass_oz: {baseball: 6, softball: 7}}")
    assert heavy.ball == tc.BallPhysics(mass_kg=6 * OUNCE_KG)
    assert heavy.notes == ()


def test_what_does_nothing_is_kept_and_said():
    config = tc.PitchConfig.parse(DOCUMENTED)
    assert config.get("house.rule") == 7
    assert "house.rule: kept, does nothing here" in config.notes
    assert any(note.startswith("detector.mode:") for note in config.notes)
    assert not any("recording." in note for note in config.notes)


def test_saving_is_off_by_default():
    recording = tc.PitchConfig.parse("").recording
    assert recording == tc.RecordingOptions()
    assert not recording.save_detections
    assert not recording.save_observations
    assert not recording.save_training_frames


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recording: {pre_roll_ms: soon}", r"recording.pre_roll_ms = 'soon': expected a number"),
        ("recording: {pre_roll_ms: -1}", r"recording.pre_roll_ms = -1.0 ms: expected 0.0 .. 60000"),
        ("recording: {save_detections: 1}", r"recording.save_detections = 1: expected True or Fal"),
        ("recording: {frame_save_interval: 0}", r"recording.frame_save_interval = 0: expected 1"),
        ("recording: {session_end_gap_frames: 1.5}", r"recording.session_end_gap_frames = 1.5: e"),
        ("recording: {output_dir: 7}", r"recording.output_dir = 7: expected a path"),
        ("recording: 7", r"recording: expected keys and values"),
        ("stereo: {z_max_ft: .nan}", r"stereo.z_max_ft = nan: expected a number"),
        ("stereo: {epipolar_epsilon_px: 0}", r"stereo.epipolar_epsilon_px = 0.0 px: expected 0.01"),
        ("camera: {fps: fast}", r"camera.fps = 'fast': expected a number"),
        ("camera: {fps: -5}", r"camera.fps = -5: expected a number above 0"),
        ("strike_zone: {top_ratio: 0.1}", r"strike_zone.top_ratio = 0.1: .* bottom below top"),
        ("stereo: {z_min_ft: 90, z_max_ft: 3}", r"stereo.z_min_ft = 90, .* below stereo.z_max_ft"),
        ("detector: {filters: {min_area: 50, max_area: 12}}", r"min_area = 50, .* below .*max_"),
        ("ball: {type: football}", r"ball.type = 'football': expected one of baseball, softball"),
        ("ball: {type: [1]}", r"ball.type = \[1\]: expected one of baseball, softball"),
        ("ball: {radius_in: 99}", r"ball.radius_in = 2.51.* m: expected 0.001 .. 1.0"),
        ("ball: {radius_in: {baseball: big}}", r"ball.radius_in.baseball = 'big': expected a numb"),
        ("ball: {mass_oz: -1}", r"ball.mass_oz = -0.02.* kg: expected 0.0001"),
        ("strike_zone: {top_ratio: 0.1, bottom_ratio: 0.2}", r"expected bottom below top"),
        ("- 1\n- 2", r"config: expected sections with keys, got list"),
        ("a: [", r"config: expected YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_key(text, message):
    with pytest.raises(InputError, match=message):
        tc.PitchConfig.parse(text)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config: cannot read 'none\.yaml'"):
        tc.PitchConfig.load(tmp_path / "none.yaml")


def test_yaml_can_do_no_harm():
    with pytest.raises(InputError, match="expected YAML"):
        tc.PitchConfig.parse("a: !!python/object/apply:os.getcwd []")


def test_the_documented_polygons_beside_the_file_are_read(tmp_path):
    path = tmp_path / "default.yaml"
    path.write_text(DOCUMENTED)
    rois = tmp_path / "roi.json"
    rois.write_text(json.dumps({"shared": True, "lane": [[0, 0], [9, 0], [9, 9]], "plate": None}))
    config = tc.PitchConfig.load(path)
    assert config.lanes_px == {s: [(0, 0), (9, 0), (9, 9)] for s in ("left", "right")}
    assert config.setup.lanes_px == config.lanes_px
    assert config.plates_px == {}
    own = tmp_path / "lane_roi.json"
    own.write_text(json.dumps({"right": [[0, 0], [5, 0], [5, 5]], "SN-123": [[0, 0]]}))
    both = {"lane": [[0, 0], [9, 0], [9, 9]], "plate": [[1, 1], [2, 1], [2, 2]]}
    rois.write_text(json.dumps(both))
    config = tc.PitchConfig.load(path)
    assert config.lanes_px["left"] == [(0, 0), (9, 0), (9, 9)]
    assert config.lanes_px["right"] == [(0, 0), (5, 0), (5, 5)]
    assert config.setup.plates_px["right"] == [(1, 1), (2, 1), (2, 2)]
    assert config.notes[-1] == "lane_roi.json, SN-123: no lane is set, expected left or right"
    own.unlink()
    rois.write_text(json.dumps({"lane": None}))
    assert tc.PitchConfig.load(path).lanes_px == {}
    for wrong in ('{"lane": [[0, 0], [1, 1]]}', '{"lane": 7}', "[]", "no"):
        rois.write_text(wrong)
        with pytest.raises(InputError, match=r"roi\.json"):
            tc.PitchConfig.load(path)


def test_the_document_s_own_example_loads(seed_003):
    for block in seed_003.split("```yaml")[1:]:
        config = tc.PitchConfig.parse(block.split("```")[0])
        assert config.notes == ()
