"""Packages of sessions: what is handed on is what they say, and nothing else gets in."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import warnings
import zipfile
from datetime import datetime, timezone

import pytest

import trackcore as tc
from tests.unit.pitch_windows import small, tiny
from trackcore import InputError
from trackcore.errors import ArchiveError, SourceError
from trackcore.recording.package import LAYOUT, SUBMISSION

pytest.importorskip("cv2")

NOON = datetime(2026, 11, 27, 12, 0, 0, tzinfo=timezone.utc)
EVERYTHING = {"save_detections": True, "save_observations": True, "save_training_frames": True}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The folder of a session with all there can be, and a file that is none of it."""
    made, windows = small()
    windows = [tiny(window) for window in windows]
    setup = tc.PitchSetup(recording=tc.RecordingOptions(**EVERYTHING))
    with tc.SessionWriter(tmp_path_factory.mktemp("out"), "night", made, setup) as writer:
        for window in windows:
            writer.write_pitch(window)
        for frame in windows[0].frames["left"][:3]:
            writer.write_frame(frame)
    (writer.folder / "telemetry.journal").write_text("private")
    return writer.folder


@pytest.fixture(scope="module")
def full(session, tmp_path_factory):
    return tc.package_session(session, tmp_path_factory.mktemp("full"), created=NOON)


@pytest.fixture(scope="module")
def bare(session, tmp_path_factory):
    return tc.package_session(
        session, tmp_path_factory.mktemp("bare"), kind="telemetry_only", created=NOON
    )


def failed(path, **how):
    return [check.what for check in tc.verify_package(path, **how).problems]


def rewritten(package, path, *, change=lambda _, data: data, more=()):
    """Write a package anew, entry by entry, with others after them."""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            data = change(info.filename, old.read(info))
            if data is not None:
                new.writestr(info, data)
        for info, data in more:
            new.writestr(info, data)
    return path


def retold(package, path, change):
    """Write a package whose manifest says something else."""

    def told(name, data):
        if name != SUBMISSION:
            return data
        value = json.loads(data)
        change(value)
        return json.dumps(value)

    return rewritten(package, path, change=told)


def test_a_package_holds_the_session_as_documented_and_verifies(session, full):
    assert full.path.name == "ml-submission-20261127-120000.zip"
    check = tc.verify_package(full.path)
    assert check.ok, check.problems
    assert full.left_out == ("telemetry.journal",)
    with zipfile.ZipFile(full) as archive:
        names = set(archive.namelist())
        for pitch in ("made-pitch-001", "made-pitch-002"):
            assert {f"pitches/{pitch}/{n}" for n in (
                "manifest.json", "left.avi", "right_timestamps.csv", "sightings.json",
                "detections/left_detections.json", "observations/stereo_observations.json",
                "frames/right/pre_roll_last.png")} <= names  # fmt: skip
        assert {"session/manifest.json", "session/session_summary.csv", "session/session_left.avi",
                "session/calibration/stereo_geometry.json", SUBMISSION} <= names  # fmt: skip
        files = {p for p in session.rglob("*") if p.is_file()}
        assert len(names) == len(files)  # one less, and the manifest
        assert archive.read("session/manifest.json") == (session / "manifest.json").read_bytes()


def test_its_manifest_has_the_documented_fields_and_they_are_right(full):
    with zipfile.ZipFile(full) as archive:
        said = json.loads(archive.read(SUBMISSION))
        names = [name for name in archive.namelist() if name != SUBMISSION]
        for name in names:
            data = archive.read(name)
            assert said["files"][name] == {
                "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)
            }  # fmt: skip
    assert said["files"].keys() == set(names)
    assert said["size_bytes"] == full.path.stat().st_size
    assert said["submission_id"] == "ml-submission-20261127-120000"
    assert said["submission_type"] == "full"
    assert said["created_utc"] == "2026-11-27T12:00:00Z"
    assert said["session"]["session_id"] == "night"
    assert said["session"]["pitch_count"] == 2
    assert said["session"]["started_utc"] <= said["session"]["ended_utc"]
    assert said["data_manifest"] == {
        "videos": {"session_videos": True, "pitch_videos": True, "key_frames": True},
        "telemetry": dict.fromkeys(
            ("detections", "observations", "calibration", "performance_metrics"), True
        ),
    }
    assert said["privacy"] == {
        "player_consent": False, "anonymized": False, "retention_days": 730
    }  # fmt: skip
    assert said["source"] == {
        "app": "trackcore", "rig_id": None, "location": None, "pitcher_id": None, "operator": None
    }  # fmt: skip
    assert said["telemetry_only_reason"] is None


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_its_checksum_is_that_of_the_list_that_sha256sum_writes(full, tmp_path):
    with zipfile.ZipFile(full) as archive:
        archive.extractall(tmp_path)
    names = sorted(full.manifest.files)
    listed = subprocess.run(
        ["sha256sum", *names], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    assert hashlib.sha256(listed).hexdigest() == full.manifest.checksum_sha256


def test_telemetry_only_has_no_pictures_and_says_why(bare, full, session, tmp_path):
    with zipfile.ZipFile(bare) as archive:
        assert not [n for n in archive.namelist() if n.endswith((".avi", ".png"))]
    assert tc.verify_package(bare).ok
    assert not any(bare.manifest.data_manifest.videos.to_dict().values())
    assert bare.manifest.telemetry_only_reason == "pictures were not asked for"
    assert "made-pitch-001/left.avi" in bare.left_out
    assert bare.path.stat().st_size < full.path.stat().st_size / 5
    told = tc.package_session(
        session, tmp_path / "a.zip", kind="telemetry_only", reason="no consent", location="Field 2",
        anonymized=True, player_consent=True, retention_days=30, intended_use=["research"],
    ).manifest  # fmt: skip
    assert told.telemetry_only_reason == "no consent"
    assert told.source.location == "Field 2"
    assert told.privacy.to_dict() == {
        "player_consent": True, "anonymized": True, "retention_days": 30
    }  # fmt: skip
    assert told.intended_use == ["research"]


def test_equal_sessions_of_equal_times_give_equal_bytes(bare, session, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(session, copy, copy_function=shutil.copyfile)
    again = tc.package_session(copy, tmp_path / "b.zip", kind="telemetry_only", created=NOON)
    assert again.path.read_bytes() == bare.path.read_bytes()


@pytest.mark.parametrize("beyond", [1, 0])
def test_it_knows_its_size_beyond_32_bits_too(session, bare, tmp_path, monkeypatch, beyond):
    with zipfile.ZipFile(bare) as archive:
        start = archive.getinfo(SUBMISSION).header_offset
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", start - beyond)
    package = tc.package_session(session, tmp_path, kind="telemetry_only")
    assert package.manifest.size_bytes == package.path.stat().st_size
    assert tc.verify_package(package).ok


def test_what_is_known_is_told_and_what_was_never_saved_is_not_promised(tmp_path):
    made, windows = small()
    with tc.SessionWriter(tmp_path, "plain", made) as writer:
        writer.write_pitch(tiny(windows[0]))
    said = tc.package_session(writer.folder, tmp_path / "a.zip").manifest.data_manifest
    assert said.telemetry.to_dict() == {
        "detections": False, "observations": False, "calibration": True, "performance_metrics": True
    }  # fmt: skip
    assert said.videos.to_dict() == {
        "session_videos": False, "pitch_videos": True, "key_frames": False
    }  # fmt: skip


def test_links_do_not_go_along(session, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(session, copy, ignore=shutil.ignore_patterns("*.avi", "*.png"))
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (copy / "calibration" / "linked.json").symlink_to(secret)
    package = tc.package_session(copy, tmp_path / "a.zip")
    assert "calibration/linked.json" in package.left_out
    assert "session/calibration/linked.json" not in package.manifest.files


def test_a_cancelled_package_is_none_and_progress_counts_bytes(session, tmp_path):
    told = []
    assert tc.package_session(session, tmp_path, cancel=lambda: len(told) > 3,
                              progress=lambda *at: told.append(at)) is None  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    tc.package_session(session, tmp_path, kind="telemetry_only",
                       progress=lambda *at: told.append(at))  # fmt: skip
    assert told[-1][0] == told[-1][1] > 0
    package = next(tmp_path.glob("*.zip"))
    assert "all is checked" in failed(package, cancel=lambda: True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"kind": "half"}, "kind: expected 'full' or 'telemetry_only', got 'half'"),
     ({"reason": "x"}, "reason: expected None with kind 'full'"),
     ({"anonymized": True}, "anonymized: expected False, the package has pictures of people"),
     ({"kind": "telemetry_only", "anonymized": True, "operator": "Ann"},
      "anonymized: expected False, the package has operator"),
     ({"retention_days": -1}, "retention_days: expected whole days, 0 or more, got -1"),
     ({"created": datetime(2026, 1, 1)}, "created: expected a datetime with its time zone")],
)  # fmt: skip
def test_wrong_arguments_are_refused_by_name(session, tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        tc.package_session(session, tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_session_without_a_pitch_is_refused(tmp_path):
    with tc.SessionWriter(tmp_path, "empty", small()[0]) as writer:
        pass
    with pytest.raises(InputError, match="a pitch at least, it has none"):
        tc.package_session(writer.folder, tmp_path)


def test_a_file_that_was_changed_is_found(bare, tmp_path):
    name = "pitches/made-pitch-001/left_timestamps.csv"
    path = rewritten(
        bare, tmp_path / "a.zip", change=lambda n, d: d.replace(b"1", b"2", 1) if n == name else d
    )
    problem = next(c for c in tc.verify_package(path).problems if "files are what" in c.what)
    assert problem.said == name


def test_a_file_that_is_gone_or_more_is_found(bare, tmp_path):
    name = "pitches/made-pitch-001/left_timestamps.csv"
    gone = rewritten(bare, tmp_path / "a.zip", change=lambda n, d: None if n == name else d)
    assert "the manifest names the files that are there" in failed(gone)
    more = rewritten(bare, tmp_path / "b.zip", more=[("session/session_left.avi", b"x")])
    assert {"the manifest names the files that are there", "it holds the kinds of data it says",
            "pictures are only where they may be"} <= set(failed(more))  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"),
    [(lambda v: v.update(size_bytes=1), "the package is as large as it says"),
     (lambda v: v.update(checksum_sha256="0"), "the checksum is that of the list of files"),
     (lambda v: v["session"].update(pitch_count=3),
      "pitches are as many as it says, each with its manifest"),
     (lambda v: v["data_manifest"]["telemetry"].update(observations=False),
      "it holds the kinds of data it says")],
)  # fmt: skip
def test_a_manifest_that_says_something_else_is_found(bare, tmp_path, change, what):
    assert what in failed(retold(bare, tmp_path / "a.zip", change))


def test_a_document_that_breaks_its_schema_is_found(bare, tmp_path):
    name = "pitches/made-pitch-002/detections/left_detections.json"
    path = rewritten(bare, tmp_path / "a.zip",
                     change=lambda n, d: b'{"camera": 1}' if n == name else d)  # fmt: skip
    problem = next(c for c in tc.verify_package(path).problems if "schemas" in c.what)
    assert problem.said.startswith(f"{name}, pitch_id: ")


@pytest.mark.parametrize(
    "name",
    ["../escape.json", "/etc/passwd", "session/../x.json", "pitches/a/../../b.json",
     "pitches/a/run.exe", "session/calibration/.hidden.json", "pitches\\a\\manifest.json",
     "session/manifest.json/x", "SESSION/manifest.json", "session/"],
)  # fmt: skip
def test_names_out_of_place_are_refused(bare, tmp_path, name):
    assert LAYOUT.fullmatch(name) is None
    with pytest.raises(ArchiveError, match=r"is no name a package has|stands twice"):
        tc.verify_package(rewritten(bare, tmp_path / "a.zip", more=[(name, b"{}")]))


def test_a_link_an_entry_that_stands_twice_and_a_bomb_are_refused(bare, tmp_path):
    link = zipfile.ZipInfo("session/calibration/link.json")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with pytest.raises(ArchiveError, match="is a link or device"):
        tc.verify_package(rewritten(bare, tmp_path / "a.zip", more=[(link, b"/etc/passwd")]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twice = rewritten(bare, tmp_path / "b.zip", more=[("session/manifest.json", b"{}")])
    with pytest.raises(ArchiveError, match="stands twice"):
        tc.verify_package(twice)
    bomb = zipfile.ZipInfo("session/calibration/bomb.json")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    with pytest.raises(ArchiveError, match="unpacks to 200 times its size"):
        tc.verify_package(rewritten(bare, tmp_path / "c.zip", more=[(bomb, bytes(1 << 20))]))
    deep = b"[" * 50 + b"]" * 50
    with pytest.raises(ArchiveError, match="nested deeper"):
        tc.verify_package(rewritten(
            bare, tmp_path / "d.zip", more=[("session/calibration/deep.json", deep)]
        ))  # fmt: skip


def test_what_is_no_package_is_refused(bare, tmp_path):
    with pytest.raises(SourceError, match="is no file"):
        tc.verify_package(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(ArchiveError, match="is damaged or no package"):
        tc.verify_package(tmp_path / "text.zip")
    data = bytearray(bare.path.read_bytes())
    data[len(data) // 4] ^= 255
    (tmp_path / "flipped.zip").write_bytes(data)
    with pytest.raises(ArchiveError, match="is damaged"):
        tc.verify_package(tmp_path / "flipped.zip")
    no = rewritten(bare, tmp_path / "a.zip", change=lambda n, d: None if n == SUBMISSION else d)
    with pytest.raises(ArchiveError, match=f"expected a package with its {SUBMISSION}"):
        tc.verify_package(no)
    with pytest.raises(ArchiveError, match=f"{SUBMISSION}, size_bytes"):
        tc.verify_package(retold(bare, tmp_path / "b.zip", lambda value: value.pop("size_bytes")))


def test_the_result_says_it_in_plain_values(full):
    check = tc.verify_package(full)
    told = json.loads(json.dumps(check.to_dict(), allow_nan=False))
    assert told["bytes"]["video"] > told["bytes"]["telemetry"] > 0
    assert told["added_percent"] > 0
    assert dataclasses.asdict(check.checks[0])["where"] == "package"
