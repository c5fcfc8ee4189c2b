"""`trackcore pitch demo`, `replay`, `record`, `verify`, `package`: the whole chain, from pixels."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import trackcore as tc
from tests.cli import only_json, run
from tests.unit import pitch_windows
from trackcore._cv2 import load_cv2
from trackcore.ballistics import BALLS
from trackcore.cameras import WORLD
from trackcore.cameras.io import load_rig
from trackcore.pitch_report.live import LiveState, draw_live
from trackcore.recording.calibration import read_intrinsics
from trackcore.recording.timestamps import read_timestamps

pytest.importorskip("cv2")

SMALL = ("--pitches", "1", "--size", "640x360", "--seed", "3")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One small demo: its folder, and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    told = only_json(run("pitch", "demo", "-o", folder, *SMALL, "--json"))
    footage = folder / "footage"
    both = [footage / f"{side}.avi" for side in ("left", "right")]
    return SimpleNamespace(folder=folder, told=told, footage=footage, both=both)


@pytest.fixture
def no_pictures(monkeypatch):
    """Spend no time on drawing."""
    monkeypatch.setattr(
        "trackcore.cli_pitch.fit.write_pitch_picture", lambda path, *_, **__: path.touch() or path
    )


def numbers(told):
    return [{n["name"]: n["value"] for n in pitch["numbers"]} for pitch in told["pitches"]]


def test_the_demo_finds_its_pitch_within_the_targets(demo):
    told = demo.told
    assert (told["command"], told["outcome"]) == ("pitch demo", "done")
    error = told["error"]
    assert (error["thrown"], error["found"], error["false"]) == (1, 1, 0)
    assert error["rms"]["across_in"] <= 0.15
    assert error["rms"]["up_in"] <= 0.15
    assert error["rms"]["speed_mph"] <= 0.5
    assert error["rms"]["clock_ms"] <= 0.3
    assert error["calls_right"] == 1


def test_the_demo_writes_pictures_report_summary_and_truth(demo):
    for name in ("report.html", "summary.json", "truth.json", "demo-pitch-001.png"):
        assert (demo.folder / name).stat().st_size > 200, name
    text = (demo.folder / "report.html").read_text(encoding="utf-8")
    assert "Against the truth" in text
    assert "demo-pitch-001" in text


@pytest.mark.usefixtures("no_pictures")
def test_replaying_the_demos_footage_with_a_configuration_gives_its_numbers_without_the_truth(
    demo, tmp_path
):
    for file in demo.footage.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "pitch.yaml").write_text(
        "recording: {pre_roll_ms: 100, post_roll_ms: 100, output_dir: 'C:/none',"
        " session_min_active_frames: 5, session_end_gap_frames: 10, save_detections: true}\n"
        "strike_zone: {batter_height_in: 66}\n"
    )
    told = only_json(
        run("pitch", "replay", tmp_path / "left.avi", tmp_path / "right.avi", "--rig",
            tmp_path / "rig.json", "--config", tmp_path / "pitch.yaml", "--save-observations",
            "--post-roll-ms", "50", "-o", tmp_path / "out", "--json")
    )  # fmt: skip
    assert numbers(told) == numbers(demo.told)
    assert "error" not in told
    pitch = Path(told["files"]["session"]) / "session-pitch-001"
    assert (pitch / "detections" / "left_detections.json").exists()
    assert (pitch / "observations" / "stereo_observations.json").exists()
    assert not (pitch / "frames").exists()
    seen = told["pitches"][0]
    rolls = seen["frames"]["left"] - seen["sightings"]["left"]
    assert rolls == pytest.approx(0.15 * 120, abs=4)


def as_images(demo, folder, *, numbers):
    """Write some of the demo's footage as numbered pictures."""
    for video in demo.both:
        (folder / video.stem).mkdir()
        for frame in tc.open_clip(str(video)):
            if frame.number in numbers:
                path = folder / video.stem / f"frame_{frame.number:05d}.bmp"
                load_cv2().imwrite(str(path), frame.image)
    return folder / "left", folder / "right"


@pytest.mark.usefixtures("no_pictures")
def test_image_folders_with_gaps_are_replayed_with_a_foreign_rig_that_knows_no_plate(
    demo, tmp_path
):
    middle = len(tc.open_clip(str(demo.both[0]))) // 2
    missing = {middle, middle + 1}
    around = set(range(middle - 40, middle + 41))
    left, right = as_images(demo, tmp_path, numbers=around - missing)
    stamps = [demo.footage / f"{side}_timestamps.csv" for side in ("left", "right")]
    rig = load_rig(demo.footage / "rig.json")
    plain = rig.with_world(rig.left.T_cam_world, WORLD)
    T = plain.T_right_left
    np.savez(
        tmp_path / "rig.npz", mtx_left=rig.left.K, mtx_right=rig.right.K, dist_left=np.zeros(5),
        dist_right=np.zeros(5), R=T[:3, :3], T=T[:3, 3] / 0.3048, img_size=rig.left.size,
    )  # fmt: skip
    told = only_json(
        run("pitch", "replay", left, right, "--rig", tmp_path / "rig.npz", "--unit", "ft",
            "-o", tmp_path / "out", "--left-stamps", stamps[0], "--right-stamps", stamps[1],
            "--no-session", "--json")
    )  # fmt: skip
    assert told["outcome"] == "done"
    assert {(f["side"], f["frame"]) for f in told["lost"]} == {
        (side, n) for side in ("left", "right") for n in missing
    }
    whole, found = numbers(demo.told)[0], numbers(told)[0]
    assert "strike probability" not in found
    assert found["the same"] == pytest.approx(whole["speed at 50 ft"], rel=0.08)
    assert 5 < found["acceleration across"] < 20
    assert told["pitches"][0]["sightings"]["left"] < demo.told["pitches"][0]["sightings"]["left"]


def test_footage_without_a_pitch_ends_with_nothing_found(demo, tmp_path):
    rig = demo.footage / "rig.json"
    noise = np.random.default_rng(0)
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
        for i in range(1, 7):
            image = noise.integers(60, 64, (360, 640), np.uint8)
            load_cv2().imwrite(str(tmp_path / side / f"{i}.png"), image)
    result = run("pitch", "replay", tmp_path / "left", tmp_path / "right", "--rig", rig, "--fps",
                 "120", "-o", tmp_path / "out", "--no-session", code=4)  # fmt: skip
    assert "no pitch in 6 left and 6 right frames" in result.stderr
    assert "No pitch was found" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert (
        json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["outcome"]
        == "no_pitch"
    )


@pytest.mark.usefixtures("no_pictures")
def test_ctrl_c_keeps_what_was_done(demo, tmp_path, monkeypatch):
    count = iter(range(10_000))
    monkeypatch.setattr(
        "trackcore.cli_pitch.session_verbs.interruptible",
        lambda _output: _Stop(lambda: next(count) > 40),
    )
    result = run("pitch", "replay", *demo.both, "--rig", demo.footage / "rig.json", "-o",
                 tmp_path / "out", "--no-session", code=130)  # fmt: skip
    assert "what was done is written" in result.stderr
    record = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert record["outcome"] == "cancelled"
    assert 0 < sum(record["frames"].values()) < 45


class _Stop:
    """A stand-in for Ctrl-C."""

    def __init__(self, asked):
        self._asked = asked

    def __enter__(self):
        return self._asked

    def __exit__(self, *_):
        return None


def test_a_flag_out_of_range_and_a_missing_unit_are_refused(demo, tmp_path):
    rig = demo.footage / "rig.json"
    said = run("pitch", "replay", *demo.both, "--rig", rig, "--confirm", "0", code=2).stderr
    assert "StereoTrackOptions.confirm" in said
    (tmp_path / "rig.yml").write_text("%YAML:1.0\n---\nfx: 1.0\n")
    assert (
        "unit" in run("pitch", "replay", *demo.both, "--rig", tmp_path / "rig.yml", code=1).stderr
    )


@pytest.mark.usefixtures("no_pictures")
def test_footage_that_ends_before_its_table_is_named_and_weak(demo, tmp_path):
    whole = demo.both[1].read_bytes()
    cut = tmp_path / "right.avi"
    cut.write_bytes(whole[: int(0.8 * len(whole))])
    stamps = demo.footage / "right_timestamps.csv"
    rig = demo.footage / "rig.json"
    result = run("pitch", "replay", demo.both[0], cut, "--rig", rig, "--right-stamps", stamps,
                 "-o", tmp_path / "out", "--no-session", code=None)  # fmt: skip
    n = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["unread"]
    assert n["left"] == 0 < n["right"] < 0.5 * len(tc.open_clip(str(demo.both[1])))
    assert f"right: {n['right']} frames could not be read" in result.stderr
    assert result.exit_code in (3, 4)


def test_what_is_wrong_is_said_by_the_name_of_its_flag(demo, tmp_path):
    rig = demo.footage / "rig.json"
    replay = ("pitch", "replay", *demo.both, "--rig")
    said = run(*replay, tmp_path / "none.json", code=1).stderr
    assert "rig: expected a file, there is none at 'none.json'" in said
    for out in (rig, rig / "deeper"):
        said = run(*replay, rig, "-o", out, code=1).stderr
        assert "out: expected a folder, " in said
        assert "is a file" in said
    (tmp_path / "bad.csv").write_text("frame_index,t_capture_monotonic_ns\n1,5\n2,soon\n")
    said = run(*replay, rig, "--left-stamps", tmp_path / "bad.csv", "-o", tmp_path, code=1).stderr
    assert "bad.csv, line 3: expected whole numbers, got '2', 'soon'" in said
    halves = load_rig(rig)
    smaller = tc.StereoRig(
        left=replace(halves.left, size=(320, 180)), right=halves.right, frame=halves.frame
    )
    tc.save_rig(tmp_path / "half.json", smaller)
    said = run(*replay, tmp_path / "half.json", "-o", tmp_path, "--no-session", code=1).stderr
    assert "left: expected pictures of 320 x 180 px, as the rig's, got 640 x 360" in said


def test_the_live_view_rings_detections_and_marks_pitches_in_the_zone():
    _, windows = pitch_windows.small()
    window = windows[0]
    t = int(window.pitch.left.t_ns[len(window.pitch.left) // 2])
    frames = {
        s: min(window.frames[s], key=lambda f: abs(f.t_capture_monotonic_ns - t))
        for s in ("left", "right")
    }
    balls = {
        s: min(window.detections[s], key=lambda f: abs(f.balls.t_ns - t)).balls
        for s in ("left", "right")
    }
    empty = draw_live(LiveState(frames, {"left": None, "right": None}, "running"))
    ringed = draw_live(LiveState(frames, balls, "running"))
    assert empty.shape == ringed.shape == (414, 1280, 3)
    changed = np.argwhere((ringed != empty).any(axis=2))
    x, y = balls["left"].xy_px[0]
    assert np.abs(changed[:, ::-1] - [x, y]).sum(axis=1).min() < 12
    called = draw_live(LiveState(frames, balls, "running", [w.fit for w in windows]))
    assert (called != ringed).any()
    waiting = draw_live(LiveState({"left": None, "right": None}, {}, "waiting"))
    assert waiting.std() > 1


def test_flags_of_a_capture_stand_once_with_their_defaults():
    shown = run("pitch", "replay", "--help").stdout
    for flag in ("--refine", "--no-refine", "--save-detections", "--fit-model"):
        assert len(re.findall(rf"{flag}(?![\w-])", shown)) == 1, flag
    words = " ".join(shown.replace("│", " ").split())
    for default in ("(off)", "(on)", "(physics)", "(baseball)", "(500.0)"):
        assert f"[default: {default}]" in words


def test_every_verb_says_how_it_is_used():
    for verb in ("demo", "package", "record", "replay", "verify"):
        assert f"trackcore pitch {verb}" in run("pitch", verb, "--help").stdout


@pytest.mark.usefixtures("no_pictures")
def test_a_recorded_pitch_is_replayed_from_its_own_videos(demo, tmp_path):
    session = Path(demo.told["files"]["session"])
    pitch = session / "demo-pitch-001"
    told = only_json(
        run("pitch", "replay", pitch / "left.avi", pitch / "right.avi", "--rig",
            session / "calibration" / "rig.json", "-o", tmp_path, "--no-session", "--json")
    )  # fmt: skip
    again, first = numbers(told)[0], numbers(demo.told)[0]
    assert again["speed at 50 ft"] == pytest.approx(first["speed at 50 ft"], abs=0.2)
    assert again["across the plate"] == pytest.approx(first["across the plate"], abs=0.25)
    assert again["above the ground"] == pytest.approx(first["above the ground"], abs=0.25)


@pytest.mark.usefixtures("no_pictures")
def test_a_session_is_fitted_anew_from_its_own_files_to_the_same_numbers(demo, tmp_path):
    told = only_json(run("pitch", "fit", demo.told["files"]["session"], "-o", tmp_path, "--json"))
    assert numbers(told) == numbers(demo.told)
    pitch = Path(demo.told["files"]["session"]) / "demo-pitch-001"
    assert numbers(only_json(run("pitch", "fit", pitch, "-o", tmp_path, "--json"))) == numbers(told)


def test_a_session_is_verified_and_a_count_that_is_wrong_is_named(demo, tmp_path):
    told = only_json(run("pitch", "verify", demo.told["files"]["session"], "--json"))
    assert (told["outcome"], told["ok"]) == ("done", True)
    assert told["added_percent"] > 0
    broken = tmp_path / "broken"
    shutil.copytree(demo.told["files"]["session"], broken)
    file = broken / "demo-pitch-001" / "detections" / "left_detections.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record["detection_count"] += 1
    file.write_text(json.dumps(record))
    result = run("pitch", "verify", broken, "--all", code=1)
    assert "demo-pitch-001: not so" in result.stderr
    assert "wrong" in result.stdout
    assert "checks failed" in result.stdout


@pytest.mark.usefixtures("no_pictures")
def test_footage_is_recorded_as_cameras_are_and_ends_as_a_session_that_verifies(demo, tmp_path):
    told = only_json(
        run("pitch", "record", *demo.both, "--rig", demo.footage / "rig.json", "-o", tmp_path,
            "--session", "night", "--no-view", "--json", code=None)
    )  # fmt: skip
    n = len(tc.open_clip(str(demo.both[0])))
    assert told["status"] == "complete"
    assert told["frames"]["left"] + told["lost"]["left"] == n
    session = tc.open_session(told["files"]["session"])
    assert [p.pitch_id for p in session.pitches] == [p["pitch_id"] for p in told["pitches"]]
    assert (session.folder / "report.html").stat().st_size > 10_000
    if told["pitches"]:  # a machine that cannot keep up may miss it, and says so
        assert told["outcome"] == "done"
        assert numbers(told)[0]["speed at 50 ft"] == pytest.approx(
            numbers(demo.told)[0]["speed at 50 ft"], abs=0.5
        )
    else:
        assert told["outcome"] == "no_pitch"
    run("pitch", "verify", session.folder)


@pytest.mark.usefixtures("no_pictures")
def test_ctrl_c_ends_a_recording_and_is_no_cancellation(demo, tmp_path, monkeypatch):
    count = iter(range(10_000))
    monkeypatch.setattr(
        "trackcore.cli_pitch.session_verbs.interruptible",
        lambda _output: _Stop(lambda: next(count) > 4),
    )
    told = only_json(
        run("pitch", "record", *demo.both, "--rig", demo.footage / "rig.json", "-o", tmp_path,
            "--no-view", "--json", code=4)
    )  # fmt: skip
    n = len(tc.open_clip(str(demo.both[0])))
    assert told["outcome"] == "no_pitch"
    assert told["frames"]["left"] < n
    assert (Path(told["files"]["session"]) / "manifest.json").exists()


@pytest.mark.usefixtures("no_pictures")
def test_a_recording_goes_where_the_configuration_says_with_its_ball(demo, tmp_path):
    config = tmp_path / "pitch.yaml"
    config.write_text(
        f"recording: {{output_dir: '{tmp_path / 'there'}'}}\nball: {{type: softball}}\n"
    )
    told = only_json(
        run("pitch", "record", *demo.both, "--rig", demo.footage / "rig.json", "--config", config,
            "--duration", "0.4", "--no-view", "--json", code=None)
    )  # fmt: skip
    session = tc.open_session(told["files"]["session"])
    assert session.folder.parent == tmp_path / "there"
    assert session.setup.ball == BALLS["softball"]
    assert session.manifest.config_path == "pitch.yaml"
    stamps = read_timestamps(session.folder / "session_left_timestamps.csv")
    names = read_intrinsics(session.folder)
    assert stamps[0].camera_id == names["left"].camera_id == "demo-left"


def test_a_session_is_packed_and_a_package_that_was_changed_is_found_out(demo, tmp_path):
    session = demo.told["files"]["session"]
    told = only_json(
        run("pitch", "package", session, "-o", tmp_path / "all.zip", "--player-consent", "--json")
    )
    assert told["submission"]["privacy"]["player_consent"] is True
    assert told["submission"]["session"]["pitch_count"] == 1
    run("pitch", "verify", tmp_path / "all.zip")
    bare = only_json(
        run("pitch", "package", session, "-o", tmp_path / "bare.zip", "--kind", "telemetry_only",
            "--reason", "no pictures", "--json")
    )  # fmt: skip
    assert bare["submission"]["telemetry_only_reason"] == "no pictures"
    assert not any(name.endswith((".png", ".avi")) for name in bare["submission"]["files"])
    data = bytearray((tmp_path / "bare.zip").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "bare.zip").write_bytes(data)
    run("pitch", "verify", tmp_path / "bare.zip", code=1)
    assert "reason" in run("pitch", "package", session, "--reason", "x", code=1).stderr
