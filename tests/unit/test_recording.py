"""Sessions of pitches on disk: what is written is what was handed in, and reads back the same."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.unit.pitch_windows import rig, seen_from, small
from trackcore import InputError
from trackcore.ballistics import BALLS
from trackcore.errors import RecordError
from trackcore.recording import KeyFrame, schema
from trackcore.recording.documents import from_feet, to_feet
from trackcore.recording.timestamps import read_timestamps
from trackcore.recording.video import VideoFile, frames_in
from trackcore.recording.window import SIDES

pytest.importorskip("cv2")

EVERYTHING = {"save_detections": True, "save_observations": True, "save_training_frames": True}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A session of two pitches with everything in it, without loss: its folder and the windows."""
    made, windows = small()
    setup = tc.PitchSetup(
        recording=tc.RecordingOptions(**EVERYTHING, video_codec="FFV1"),
        lanes_px={"left": [[0, 0], [9, 0], [9, 9]]},
    )
    with tc.SessionWriter(
        tmp_path_factory.mktemp("out"), "night 1", made, setup, config_path="/a/b.yaml",
        camera_ids={"left": "L7", "right": "R9"},
    ) as writer:  # fmt: skip
        for window in windows:
            assert writer.write_pitch(window).problems == ()
    return writer.folder, made, windows


def told(path):
    def refuse(constant):
        pytest.fail(f"{constant} in {path.name}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_a_session_reads_back_as_what_was_handed_in(written):
    folder, made, windows = written
    session = tc.open_session(folder)
    assert session.gaps == ()
    assert session.status is tc.RecordingStatus.COMPLETE
    assert_array_equal(session.rig.P_img_world, made.P_img_world)
    assert [p.pitch_id for p in session.pitches] == [w.pitch_id for w in windows]
    for pitch, window in zip(session.pitches, windows, strict=True):
        again = pitch.window()
        assert again.fit.documented() == window.fit.documented()
        assert (again.index, again.lost, again.status) == (
            window.index, window.lost, window.status
        )  # fmt: skip
        for side in SIDES:
            was, now = getattr(window.pitch, side), getattr(again.pitch, side)
            assert_array_equal(now.t_ns, was.t_ns)
            assert_array_equal(now.xy_px, was.xy_px)
            assert_array_equal(now.covariance, was.covariance)
            for a, b in zip(again.frames[side], window.frames[side], strict=True):
                assert (a.frame_index, a.t_capture_monotonic_ns, a.camera_id) == (
                    b.frame_index, b.t_capture_monotonic_ns, b.camera_id
                )  # fmt: skip
                assert_array_equal(a.image, b.image)
            for c, d in zip(again.detections[side], window.detections[side], strict=True):
                assert c.balls.t_ns == d.balls.t_ns
                assert_array_equal(c.balls.xy_px, d.balls.xy_px)
                assert_array_equal(c.balls.covariance, d.balls.covariance)
        for x, y in zip(again.pitch.observations, window.pitch.observations, strict=True):
            assert (x.t_ns, x.right_t_ns) == (y.t_ns, y.right_t_ns)
            assert_allclose(x.X_world, y.X_world, atol=1e-12)
            assert_allclose(x.V_world, y.V_world, atol=1e-12)
            assert_allclose(x.covariance, y.covariance, rtol=1e-9, atol=1e-18)


def test_documented_files_have_the_documented_names_and_keys(written):
    folder, _, windows = written
    assert re.fullmatch(r"night_1_\d{8}-\d{6}", folder.name)
    pitch = folder / windows[0].pitch_id
    found = told(pitch / "detections" / "left_detections.json")
    assert found["detection_count"] == len(found["detections"]) > 0
    assert {"frame_index", "timestamp_ns", "u_px", "v_px", "radius_px", "confidence"} <= set(
        found["detections"][0]
    )
    seen = told(pitch / "observations" / "stereo_observations.json")
    assert seen["observation_count"] == len(seen["observations"])
    assert {"timestamp_ns", "left_px", "right_px", "X_ft", "Y_ft", "Z_ft", "quality",
            "confidence"} <= set(seen["observations"][0])  # fmt: skip
    manifest = told(pitch / "manifest.json")
    assert manifest["config_path"] == "b.yaml"
    assert manifest["schema_version"] == "1.2.0"
    assert [p.name for p in sorted((folder / "calibration").iterdir())] == [
        "intrinsics_left.json", "intrinsics_right.json", "rig.json", "roi_annotations.json",
        "stereo_geometry.json", "strike_zone_definition.json",
    ]  # fmt: skip
    assert told(folder / "calibration" / "intrinsics_left.json")["camera_id"] == "L7"
    rows = (folder / "session_summary.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + len(windows)
    assert len(rows[0].split(",")) == 18


def test_all_nine_metrics_are_what_the_window_holds(written):
    folder, made, windows = written
    for window in windows:
        metrics = told(folder / window.pitch_id / "manifest.json")["performance_metrics"]
        quality, timing = metrics["detection_quality"], metrics["timing_accuracy"]
        start, end = window.pitch.start_ns, window.pitch.end_ns
        before = empty = 0
        for side, camera in zip(SIDES, made.cameras, strict=True):
            accepted = [int((f.balls.rule == 0).sum()) for f in window.detections[side]]
            assert quality[f"{side}_camera_detections"] == sum(accepted)
            times = [camera.common_time_ns(f.t_capture_monotonic_ns) for f in window.frames[side]]
            before += sum(t < start for t in times)
            empty += sum(start <= t <= end and not n for t, n in zip(times, accepted, strict=True))
        observed = len(window.pitch.observations)
        assert quality["stereo_observations"] == observed
        assert quality["frames_with_no_detection"] == empty
        assert quality["detection_rate_hz"] == pytest.approx(observed / ((end - start) * 1e-9))
        assert timing["pre_roll_frames_captured"] == before > 0
        assert (timing["start_ns"], timing["end_ns"]) == (start, end)
        assert timing["duration_ns"] == end - start


def test_the_seven_moments_are_there_once_for_each_camera(written):
    folder, _, windows = written
    for window in windows:
        named = told(folder / window.pitch_id / "manifest.json")["key_frames"]
        for side in SIDES:
            there = {p.name for p in (folder / window.pitch_id / "frames" / side).glob("*.png")}
            moments = {n for n in there if not n.startswith("uniform_")}
            assert set(named[side].values()) == moments
            assert len(moments) == len(KeyFrame) == 7
            assert len(there - moments) == len(window.frames[side]) // 5


def test_a_session_verifies(written):
    check = tc.verify_session(written[0])
    assert check.ok, check.problems
    assert check.bytes["video"] > 0
    assert check.added_percent > 0
    assert json.loads(json.dumps(check.to_dict(), allow_nan=False))["ok"]


def test_the_customers_script_prints_only_its_good_marks(written, seed_003, tmp_path):
    script = tmp_path / "script.py"
    code = re.search(r"```python\n(# test_ml_data_export.py.*?)```", seed_003, re.S)[1]
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, written[0]], capture_output=True, encoding="utf-8", check=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert all(line[0] in "✓-" for line in lines[1:]), done.stdout
    assert sum(line[0] == "✓" for line in lines) == 8


def test_nothing_is_saved_that_was_not_asked_for(tmp_path):
    made, windows = small()
    with tc.SessionWriter(tmp_path, "bare", made) as writer:
        writer.write_pitch(windows[0])
    names = {p.name for p in (writer.folder / windows[0].pitch_id).iterdir()}
    assert names == {"left.avi", "right.avi", "left_timestamps.csv", "right_timestamps.csv",
                     "manifest.json", "sightings.json"}  # fmt: skip
    pitch = tc.open_session(writer.folder).pitches[0]
    assert pitch.detections("left") == ()
    assert pitch.fit().documented() == windows[0].fit.documented()


def test_a_session_can_be_opened_at_any_moment(tmp_path):
    made, windows = small()
    writer = tc.SessionWriter(tmp_path, "night", made)
    assert tc.open_session(writer.folder).pitches == ()
    writer.write_pitch(windows[0])
    session = tc.open_session(writer.folder)
    assert session.status is tc.RecordingStatus.TRUNCATED
    assert session.summary.pitch_count == 1
    writer.close()
    assert tc.open_session(writer.folder).status is tc.RecordingStatus.COMPLETE


def test_a_session_whose_writer_died_goes_on_and_keeps_what_it_had(tmp_path):
    made, windows = small()
    setup = tc.PitchSetup(
        recording=tc.RecordingOptions(save_observations=True, pre_roll_ms=250.0),
        ball=BALLS["softball"], lanes_px={"right": [[0, 0], [9, 0], [9, 9]]},
        zone=tc.StrikeZone.of_batter(70.0),
    )  # fmt: skip
    writer = tc.SessionWriter(tmp_path, "night", made, setup)
    writer.write_pitch(windows[0])
    writer.write_frame(windows[0].frames["left"][0])
    writer.shed(tc.LostFrame(side="left", frame_index=3, reason="slow disk"))
    again = tc.SessionWriter.resume(writer.folder)
    assert dataclasses.replace(again.setup, zone=setup.zone) == setup
    assert again.setup.zone.top_m == pytest.approx(setup.zone.top_m, rel=1e-15)
    again.write_pitch(windows[1])
    again.write_pitch(windows[0])
    lost = tc.LostFrame(side="left", frame_index=3, reason="disconnected")
    again.close(tc.RecordingStatus.RECOVERED, lost=[lost])
    session = tc.open_session(writer.folder)
    assert session.status is tc.RecordingStatus.RECOVERED
    assert session.manifest.lost_frames[-1].reason == "disconnected"
    assert [p.pitch_id for p in session.summary.pitches] == [w.pitch_id for w in windows]
    assert session.manifest.pitches == [w.pitch_id for w in windows]
    assert session.pitches[1].observations
    assert list(writer.folder.glob(".*")) == []
    with pytest.raises(InputError, match="folder"):
        tc.SessionWriter.resume(tmp_path)


def test_a_session_of_a_rig_without_a_plate_says_places_in_feet_of_its_world(tmp_path):
    made, windows = small()
    other = dataclasses.replace(
        made.with_world(made.left.T_cam_world), frame=tc.WorldFrame("world", "m")
    )
    window = seen_from(other, windows[0])
    with tc.SessionWriter(
        tmp_path, "lab", other, tc.PitchSetup(recording=tc.RecordingOptions(**EVERYTHING))
    ) as w:
        w.write_pitch(window)
    pitch = tc.open_session(w.folder).pitches[0]
    assert pitch.observations_document.frame == "world"
    first = pitch.observations_document.observations[0]
    assert_allclose([first.X_ft, first.Y_ft, first.Z_ft],
                    window.pitch.observations[0].X_world / 0.3048)  # fmt: skip
    geometry = told(w.folder / "calibration" / "stereo_geometry.json")
    assert geometry["camera_height_ft"] is None
    assert not (w.folder / "calibration" / "strike_zone_definition.json").exists()


def test_a_converging_rig_has_a_positive_angle_a_diverging_one_a_negative():
    from trackcore.recording.calibration import geometry

    near, far = rig(look_at_m=(0.0, 0.0, -5.0)), rig(look_at_m=(0.0, 0.0, -50.0))
    assert geometry(near).convergence_angle_deg > geometry(far).convergence_angle_deg > 0
    swapped = dataclasses.replace(
        near,
        left=dataclasses.replace(near.left, T_cam_world=_turned(near.left.T_cam_world, -0.4)),
        right=dataclasses.replace(near.right, T_cam_world=_turned(near.right.T_cam_world, 0.4)),
    )
    assert geometry(swapped).convergence_angle_deg < 0


def _turned(T, angle):
    R = np.eye(4)
    R[0, 0] = R[2, 2] = np.cos(angle)
    R[0, 2], R[2, 0] = -np.sin(angle), np.sin(angle)
    return R @ T


@pytest.mark.parametrize("frame", [tc.PITCH_FRAME, tc.WorldFrame("world", "m")])
def test_feet_and_back(frame):
    X = np.random.default_rng(0).normal(size=(20, 3))
    assert_allclose(from_feet(frame, to_feet(frame, X)), X, atol=1e-15)


def frame_at(side, index, t_ns, value=7):
    return tc.CapturedFrame(
        side=side, camera_id=side, frame_index=index, t_capture_monotonic_ns=t_ns,
        image=np.full((48, 64), value, np.uint8),
    )  # fmt: skip


def recorded(tmp_path, **keys):
    """Record a pitch of ten frames by the documented methods: two before, five with a ball."""
    recorder = tc.PitchRecorder({"recording": {**EVERYTHING, **keys}}, tmp_path, "a-pitch-001")
    ball = SimpleNamespace(u=3.0, v=4.0, radius_px=2.0, confidence=0.5)
    for k in range(10):
        if k == 2:
            recorder.start_pitch()
        if k == 8:
            recorder.end_pitch(6)
        for side in SIDES:
            recorder.write_frame_with_detections(
                side, frame_at(side, k + 1, k, value=20 * k), [ball] if 2 <= k < 7 else None
            )
    recorder.add_observation(SimpleNamespace(
        t_ns=3, left=(1.0, 2.0), right=(3.0, 4.0), X=1.0, Y=2.0, Z=3.0, quality=1.0, confidence=0.9
    ))  # fmt: skip
    recorder.close()
    recorder.write_manifest(
        SimpleNamespace(pitch_id="a-pitch-001", t_start_ns=2, t_end_ns=6), "c.yaml"
    )
    return recorder


def test_the_documented_recorder_writes_each_frame_once_and_keeps_the_first_sighting(tmp_path):
    recorder = recorded(tmp_path)
    assert recorder.problems == []
    for side in SIDES:
        rows = read_timestamps(recorder.pitch_dir / f"{side}_timestamps.csv")
        assert [r.frame_index for r in rows] == list(range(1, 11))
        assert frames_in(recorder.pitch_dir / f"{side}.avi") == 10
        found = told(recorder.pitch_dir / "detections" / f"{side}_detections.json")
        assert [d["frame_index"] for d in found["detections"]] == [3, 4, 5, 6, 7]
        names = {p.stem for p in (recorder.pitch_dir / "frames" / side).iterdir()}
        assert names == {"pre_roll_00001", "pre_roll_last", "pitch_00003_first",
                         "pitch_00007_last", "post_roll_last", "uniform_00005",
                         "uniform_00010"}  # fmt: skip
    timing = told(recorder.pitch_dir / "manifest.json")["performance_metrics"]["timing_accuracy"]
    assert timing["pre_roll_frames_captured"] == 4
    assert (timing["start_ns"], timing["end_ns"]) == (2, 6)
    read = tc.RecordedPitch(recorder.pitch_dir, None, None)
    assert read.observations[0].right_px.tolist() == [3.0, 4.0]
    assert np.isnan(read.observations[0].covariance).all()


def test_the_last_moment_is_the_last_one(tmp_path):
    import cv2

    recorder = recorded(tmp_path)
    last = cv2.imread(str(recorder.pitch_dir / "frames/left/pitch_00007_last.png"), 0)
    assert last[0, 0] == 120


def test_a_recorder_that_is_closed_takes_no_frames(tmp_path):
    recorder = recorded(tmp_path)
    with pytest.raises(InputError, match="write_frame: expected an open recorder"):
        recorder.write_frame("left", frame_at("left", 11, 11))
    with pytest.raises(InputError, match="label: expected 'left' or 'right', got 'up'"):
        tc.PitchRecorder({}, tmp_path, "b-pitch-001").write_frame("up", frame_at("left", 1, 1))


def test_a_video_that_could_not_be_written_says_so(tmp_path):
    video = VideoFile(tmp_path / "missing" / "left.avi", fps=60)
    assert not video.write(np.zeros((8, 8), np.uint8))
    assert "nothing could be written" in video.close()


def test_a_video_takes_one_size(tmp_path):
    video = VideoFile(tmp_path / "left.avi", fps=60)
    assert video.write(np.zeros((48, 64), np.uint8))
    assert not video.write(np.zeros((48, 60), np.uint8))
    assert video.close() == ""
    assert frames_in(tmp_path / "left.avi") == video.count == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "expected the header"), ("a,b\n", "expected the header .*, got a,b"),
     ("camera_id,frame_index,t_capture_monotonic_ns\nx,1\n", "line 2: expected three values")],
)  # fmt: skip
def test_a_table_that_is_none_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "left_timestamps.csv"
    path.write_text(text)
    with pytest.raises(RecordError, match=message):
        read_timestamps(path)


def test_a_broken_document_is_refused_by_name_and_field(written, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(written[0], copy, ignore=shutil.ignore_patterns("*.avi", "*.png"))
    pitch = tc.open_session(copy).pitches[0]
    record = told(pitch.folder / "sightings.json")
    record["left"][0]["u_px"] = "there"
    (pitch.folder / "sightings.json").write_text(json.dumps(record))
    with pytest.raises(RecordError, match=r"sightings.json, left.0.u_px"):
        tc.open_session(copy).pitches[0].window()
    assert any("left.avi" in gap for gap in tc.RecordedPitch(copy / "x", None, None).gaps)


def test_what_is_no_session_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected the folder of a session, there is none"):
        tc.open_session(tmp_path / "none")
    with pytest.raises(InputError, match=r"expected a session, .* no pitches"):
        tc.open_session(tmp_path)


def test_docs_schema_pitch_is_what_the_models_say():
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / "docs" / "schema" / "pitch"
    assert {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*")} == schema.files()
