"""What was stopped or killed is no failure: `verify` says what it lacks, and still finds damage."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import trackcore as tc
from tests.cli import only_json, run
from tests.unit.pitch_windows import small, tiny
from trackcore.recording import Finding, LostFrame, RecordingStatus
from trackcore.recording.timestamps import read_timestamps, write_timestamps
from trackcore.recording.window import SIDES

pytest.importorskip("cv2")

PITCH = "made-pitch-001"
SETUP = tc.PitchSetup(recording=tc.RecordingOptions(
    save_detections=True, save_observations=True, pre_roll_ms=150.0, post_roll_ms=150.0
))  # fmt: skip


def rebuilt(window):
    return replace(tiny(window), status=RecordingStatus.RECOVERED, lost=())


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The folder of a session whose process died, with what was on the disk then."""
    made, windows = small()
    writer = tc.SessionWriter(tmp_path_factory.mktemp("out"), "night", made, SETUP)
    frames = windows[0].frames["left"]  # of full size: what is small stays in the encoder's buffer
    for frame in frames[:40]:
        writer.write_frame(frame)
    folder = tmp_path_factory.mktemp("killed") / writer.folder.name
    shutil.copytree(writer.folder, folder)
    writer.close()
    table = next(folder.glob(".session_left_timestamps.part.csv"))
    table.write_text(table.read_text() + "left,41,12")  # torn
    return folder


@pytest.fixture
def mended(killed, tmp_path):
    """The same, gone on with as `recover_session` does: one pitch is rebuilt."""
    folder = tmp_path / killed.name
    shutil.copytree(killed, folder)
    writer = tc.SessionWriter.resume(folder)
    writer.write_pitch(rebuilt(small()[1][0]))
    writer.close(RecordingStatus.RECOVERED, frames={"left": 40, "right": 38})
    return folder


def changed(path: Path, change) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record))


def test_a_recovered_session_says_what_it_lacks_and_is_not_wrong(mended):
    check = tc.verify_session(mended)
    assert (check.ok, check.finding, check.status) == (True, Finding.LACKING, "recovered")
    assert [c.what for c in check.lacks] == ["the session is complete"]
    assert check.lacks[0].said.startswith("recovered: its process died")
    (pitch,) = [c for c in check.checks if c.what == "the pitch is complete"]
    assert (pitch.finding, pitch.said) == (Finding.GOOD, "recovered: nothing is missing")
    told = only_json(run("pitch", "verify", mended, "--json", code=3))
    assert (told["outcome"], told["ok"], told["status"]) == ("lacking", True, "recovered")
    result = run("pitch", "verify", mended, "--all", code=3)
    assert "session: lacking: recovered: its process died" in result.stderr
    assert "recovered: nothing is wrong, but 1 of" in result.stdout


def test_the_videos_of_a_killed_session_keep_the_stamps_of_their_frames(killed, mended):
    manifest = tc.open_session(mended).manifest
    rows = read_timestamps(mended / "session_left_timestamps.csv")
    frames = small()[1][0].frames["left"]
    assert 10 < len(rows) <= 40
    assert manifest.video_frames == {"left": len(rows)}
    assert [r.t_capture_monotonic_ns for r in rows] == [
        f.t_capture_monotonic_ns for f in frames[: len(rows)]
    ]
    assert manifest.frames == {"left": 40, "right": 38}
    assert manifest.shed_frames == {"left": 40 - len(rows), "right": 38}
    assert list(mended.glob(".*")) == []
    assert len(list(killed.glob(".*"))) == 2


def test_a_video_without_rows_lacks_them_where_the_session_says_so(killed, tmp_path):
    folder = shutil.copytree(killed, tmp_path / "a")
    (folder / ".session_left_timestamps.part.csv").unlink()
    tc.SessionWriter.resume(folder).close(RecordingStatus.RECOVERED)
    check = tc.verify_session(folder)
    assert check.finding is Finding.LACKING
    assert "the left video has a frame for each row" in [c.what for c in check.lacks]
    assert "0 with their stamps" in check.lacks[0].said
    changed(folder / "manifest.json", lambda r: r.update(status="complete"))
    assert [c.what for c in tc.verify_session(folder).problems] == [
        "the left video has a frame for each row"
    ]


DAMAGE = {
    "the left video has a frame for each row": lambda folder: cut(folder / "session_left.avi"),
    "the right video has a frame for each row": lambda folder: cut(folder / PITCH / "right.avi"),
    "all files are there": lambda folder: (folder / PITCH / "sightings.json").unlink(),
    "left sightings are of frames of the window": lambda folder: changed(
        folder / PITCH / "sightings.json", lambda r: r["left"][0].update(timestamp_ns=5)
    ),
    "left detections are of frames of the window": lambda folder: changed(
        folder / PITCH / "detections" / "left_detections.json",
        lambda r: r["detections"][0].update(frame_index=99_999),
    ),
    "the summary names the pitches that are there": lambda folder: shutil.rmtree(folder / PITCH),
    "the manifest is there": lambda folder: (folder / "manifest.json").unlink(),
}


def cut(video: Path) -> None:
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_to_a_recovered_session_is_a_failure(mended, what):
    DAMAGE[what](mended)
    check = tc.verify_session(mended)
    assert check.finding is Finding.WRONG
    assert what in [c.what for c in check.problems]
    run("pitch", "verify", mended, code=1)


@pytest.fixture
def without_pictures(killed, tmp_path):
    """A recovered session whose ring was gone: what was seen, and no picture of it."""
    folder = shutil.copytree(killed, tmp_path / "b")
    window = rebuilt(small()[1][0])
    lost = tuple(
        LostFrame(side=s, frame_index=f.frame_index, reason="unreadable")
        for s in SIDES for f in window.frames[s]
    )  # fmt: skip
    writer = tc.SessionWriter.resume(folder)
    writer.write_pitch(replace(window, frames={s: () for s in SIDES}, lost=lost))
    writer.close(RecordingStatus.RECOVERED)
    return folder


def test_a_pitch_whose_pictures_are_lost_says_so_and_is_not_wrong(without_pictures):
    check = tc.verify_session(without_pictures)
    assert check.finding is Finding.LACKING, check.problems
    (said,) = [c.said for c in check.lacks if c.what == "the pitch is complete"]
    n = len(small()[1][0].frames["left"])
    assert f"recovered: {n} left frames are lost" in said
    assert tc.open_session(without_pictures).pitches[0].fit() is not None
    changed(without_pictures / PITCH / "manifest.json", lambda r: r.update(lost_frames=[]))
    wrong = {c.what for c in tc.verify_session(without_pictures).problems}
    assert "left detections are of frames of the window" in wrong


@pytest.mark.parametrize("status", ["truncated", "recovered"])
def test_a_pitch_that_was_cut_short_says_by_how_much(mended, status):
    manifest, table = mended / PITCH / "manifest.json", mended / PITCH / "left_timestamps.csv"
    changed(manifest, lambda r: r.update(status=status))
    rows = read_timestamps(table)
    write_timestamps(table, rows[:-6])
    check = tc.verify_session(mended)
    (said,) = [c.said for c in check.lacks if c.what == "the pitch is complete"]
    early = float(said.split("left ends ")[1].split(" ms before the post-roll")[0])
    assert early == pytest.approx(6 * 1000 / 120, abs=1000 / 120)
    assert "the manifest says how many left frames there are" in [c.what for c in check.problems]


def test_a_session_that_is_still_open_is_truncated_not_wrong(tmp_path):
    made, windows = small()
    writer = tc.SessionWriter(tmp_path, "night", made, SETUP)
    writer.write_pitch(replace(tiny(windows[0]), lost=()))
    check = tc.verify_session(writer.folder)
    assert (check.finding, check.status) == (Finding.LACKING, "truncated")
    assert check.lacks[0].said == "truncated: stopped in the middle, or still going on"
    writer.close()
    assert tc.verify_session(writer.folder).finding is Finding.GOOD
