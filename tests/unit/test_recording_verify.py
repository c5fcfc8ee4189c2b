"""`verify_session` finds what is wrong: each check fails where what it looks at is broken."""

from __future__ import annotations

import json
import os
import shutil

import pytest

import trackcore as tc
from tests.unit.pitch_windows import small, tiny
from trackcore.recording.timestamps import read_timestamps, write_timestamps
from trackcore.recording.window import SIDES

pytest.importorskip("cv2")

EVERYTHING = {"save_detections": True, "save_observations": True, "save_training_frames": True}
PITCH = "made-pitch-001"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a session of a pitch with all there can be, which verifies."""
    made, windows = small()
    setup = tc.PitchSetup(recording=tc.RecordingOptions(**EVERYTHING))
    with tc.SessionWriter(tmp_path_factory.mktemp("out"), "night", made, setup) as writer:
        window = tiny(windows[0])
        writer.write_pitch(window)
        for frame in window.frames["left"][:5]:
            writer.write_frame(frame)
    check = tc.verify_session(writer.folder)
    assert check.ok, check.problems
    return writer.folder, [c.what for c in check.checks]


@pytest.fixture
def copy(written, tmp_path):
    """A copy to break; files are replaced, never changed, as they are links."""
    return shutil.copytree(written[0], tmp_path / "copy", copy_function=os.link)


def failed(folder):
    return {check.what for check in tc.verify_session(folder).problems}


def changed(path, change):
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.unlink()
    path.write_text(json.dumps(record))


def rows_changed(path, change):
    rows = list(read_timestamps(path))
    change(rows)
    path.unlink()
    write_timestamps(path, rows)


DOCUMENTS = {
    "intrinsics are those of the rig": (
        "calibration/intrinsics_left.json", lambda r: r.update(fx=r["fx"] + 1.0)
    ),
    "the geometry is that of the rig": (
        "calibration/stereo_geometry.json", lambda r: r.update(baseline_ft=1.625)
    ),
    "the summary names the pitches that are there": (
        "session_summary.json", lambda r: r.update(pitch_count=2)
    ),
    "strikes, balls and heatmap are those of the pitches": (
        "session_summary.json", lambda r: r["heatmap"][2].__setitem__(0, 9)
    ),
    "the table says what the summary says": (
        "session_summary.json", lambda r: r["pitches"][0].update(sample_count=1)
    ),
    "the summary says of each pitch what its manifest says": (
        f"{PITCH}/manifest.json", lambda r: r.update(measured_speed_mph=101.0)
    ),
    "the manifest says how many right frames there are": (
        f"{PITCH}/manifest.json", lambda r: r["frames"].update(right=1)
    ),
    "left detections are as many as they say": (
        f"{PITCH}/detections/left_detections.json", lambda r: r.update(detection_count=1)
    ),
    "right detections are of frames of the window": (
        f"{PITCH}/detections/right_detections.json",
        lambda r: r["detections"][0].update(timestamp_ns=5),
    ),
    "left sightings are of frames of the window": (
        f"{PITCH}/sightings.json", lambda r: r["left"][0].update(timestamp_ns=5)
    ),
    "observations are as many as they say": (
        f"{PITCH}/observations/stereo_observations.json", lambda r: r.update(observation_count=1)
    ),
    "observations are of detections": (
        f"{PITCH}/observations/stereo_observations.json",
        lambda r: r["observations"][3]["right_px"].__setitem__(0, 1.0),
    ),
    "observations lie where both pictures saw them": (
        f"{PITCH}/observations/stereo_observations.json",
        lambda r: r["observations"][3].update(X_ft=r["observations"][3]["X_ft"] + 1.0),
    ),
    "the manifest has performance metrics": (
        f"{PITCH}/manifest.json", lambda r: r.pop("performance_metrics")
    ),
    "performance metrics are what the files hold": (
        f"{PITCH}/manifest.json",
        lambda r: r["performance_metrics"]["timing_accuracy"].update(pre_roll_frames_captured=0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_that_says_something_else_is_found(copy, written, what):
    assert what in written[1]
    name, change = DOCUMENTS[what]
    changed(copy / name, change)
    assert what in failed(copy)


GONE = {
    "the manifest is there": "manifest.json",
    "the calibration is there": "calibration/rig.json",
    "the documented calibration files are there": "calibration/roi_annotations.json",
    "the geometry is that of the rig": "calibration/stereo_geometry.json",
    "intrinsics are those of the rig": "calibration/intrinsics_right.json",
    "the summary is there": "session_summary.json",
    "the table says what the summary says": "session_summary.csv",
    "all files are there": f"{PITCH}/sightings.json",
    "the right video has a frame for each row": f"{PITCH}/right.avi",
    "the left video has a frame for each row": "session_left.avi",
}


@pytest.mark.parametrize("what", GONE)
def test_a_file_that_is_gone_is_found(copy, what):
    (copy / GONE[what]).unlink()
    assert what in failed(copy)


@pytest.mark.parametrize("table", ["session_left_timestamps.csv", f"{PITCH}/left_timestamps.csv"])
def test_rows_out_of_order_or_fewer_than_pictures_are_found(copy, table):
    rows_changed(copy / table, lambda rows: rows.reverse())
    assert "left stamps and numbers grow" in failed(copy)
    rows_changed(copy / table, lambda rows: rows.pop(0))
    assert "the left video has a frame for each row" in failed(copy)


def test_a_frame_that_is_not_there_has_to_be_named_as_lost(copy):
    what = "each left frame that is not there is named as lost"
    gone = []
    rows_changed(copy / PITCH / "left_timestamps.csv", lambda rows: gone.append(rows.pop(10)))
    assert what in failed(copy)
    lost = {"side": "left", "frame_index": gone[0].frame_index, "reason": "queue full"}
    changed(copy / PITCH / "manifest.json", lambda r: r["lost_frames"].append(lost))
    assert what not in failed(copy)


@pytest.mark.parametrize("side", SIDES)
def test_a_moment_without_its_picture_or_with_a_broken_one_is_found(copy, side):
    what = f"each {side} moment has its picture, once"
    pictures = copy / PITCH / "frames" / side
    broken = next(pictures.glob("uniform_*.png"))
    whole = broken.read_bytes()
    broken.unlink()
    broken.write_bytes(whole[:50])
    assert what in failed(copy)
    broken.write_bytes(whole)
    assert what not in failed(copy)
    shutil.copy(broken, pictures / "pitch_00001_last.png")
    assert what in failed(copy)
    (pictures / "pitch_00001_last.png").unlink()
    next(pictures.glob("*_release.png")).unlink()
    assert what in failed(copy)


def test_a_video_that_is_cut_off_is_found(copy):
    video = copy / PITCH / "left.avi"
    data = video.read_bytes()
    video.unlink()
    video.write_bytes(data[: len(data) // 2])
    assert "the left video has a frame for each row" in failed(copy)


@pytest.mark.parametrize("text", ['{"pitch_id": "a"}', "[NaN]", "{", ""])
def test_a_document_that_is_none_is_a_failed_check_not_an_error(copy, text):
    for name in (f"{PITCH}/observations/stereo_observations.json", "calibration/rig.json"):
        (copy / name).unlink()
        (copy / name).write_text(text)
        assert "files can be read" in failed(copy)


def test_nan_is_no_place(copy):
    path = copy / PITCH / "observations" / "stereo_observations.json"
    changed(path, lambda r: r["observations"][0].update(Z_ft=float("nan")))
    problem = tc.verify_session(copy).problems[-1]
    assert problem.said.startswith("stereo_observations.json, observations.0.Z_ft: ")


def test_timing_is_checked_where_nothing_else_was_saved(tmp_path):
    made, windows = small()
    with tc.SessionWriter(tmp_path, "plain", made) as writer:
        writer.write_pitch(tiny(windows[0]))
    assert tc.verify_session(writer.folder).ok
    changed(
        writer.folder / PITCH / "manifest.json",
        lambda r: r["performance_metrics"]["timing_accuracy"].update(post_roll_frames_captured=0),
    )
    assert failed(writer.folder) == {"performance metrics are what the files hold"}


def test_bytes_by_kind_and_what_training_data_add_to_the_videos(written):
    folder, _ = written
    check = tc.verify_session(folder)
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert sum(check.bytes.values()) == sum(p.stat().st_size for p in files)
    video = sum(p.stat().st_size for p in folder.rglob("*.avi"))
    assert check.bytes["video"] == video
    places = [folder / "calibration",
              *(folder / PITCH / n for n in ("detections", "observations", "frames"))]  # fmt: skip
    added = sum(p.stat().st_size for at in places for p in at.rglob("*") if p.is_file())
    assert check.added_percent == pytest.approx(100 * added / video)


def test_a_cancelled_check_is_no_good_one(written):
    told = []
    check = tc.verify_session(written[0], cancel=lambda: True, progress=lambda *a: told.append(a))
    assert not check.ok
    assert check.problems[0].said == "cancelled after 0 of 1 pitches"
    assert told == []
