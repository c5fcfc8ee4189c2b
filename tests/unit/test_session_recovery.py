"""Processes that die: what they had recorded is found, and never taken for more than it is."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import trackcore as tc
from trackcore._files import PART
from trackcore.session import journal
from trackcore.session.models import Session

PROJECT = Path(__file__).resolve().parents[2]
DIES = """
import os, sys, trackcore as tc
recorder = tc.SessionRecorder(sys.argv[1])
print(recorder.start_session(resolution=(1920, 1080), fps=30, frame_count=10))
for frame in range(1, 6):
    recorder.record_frame_sample(frame, 20, 0, 0.01)
recorder.record_tracks([{"name": "track_00000", "region": "center", "lifespan": 9}])
sys.stdout.flush()
os._exit(1)
"""
LIVES = DIES.replace("os._exit(1)", "input()\nrecorder.end_session(success=True)")


def dead(folder):
    """Let a process die while it records into `folder`; return the name of its session."""
    done = subprocess.run(
        [sys.executable, "-c", DIES, folder], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stderr
    return done.stdout.strip()


def path_of(folder, name):
    return Path(folder) / ".trackcore" / "journals" / f"{name}{journal.SUFFIX}"


def full(*_):
    """Stand for a write to a full disk."""
    raise OSError(28, "No space left on device")


def left(folder):
    return sorted(p.name for p in (Path(folder) / ".trackcore" / "journals").iterdir())


@pytest.mark.parametrize(
    "opened", [tc.SessionStore, lambda folder: tc.SessionRecorder(folder).store]
)
def test_the_next_store_or_recorder_recovers_what_a_dead_process_recorded(tmp_path, opened):
    name = dead(tmp_path)
    assert not (tmp_path / "sessions" / f"{name}.json").exists()
    (entry,) = opened(tmp_path).list()
    assert (entry.name, entry.interrupted, entry.success) == (name, True, False)
    session = tc.SessionStore(tmp_path).load(name)
    assert [sample.frame for sample in session.frame_samples] == [1, 2, 3, 4, 5]
    assert (session.total_tracks, session.failure_type, session.solve_error) == (1, None, None)
    assert session.duration_seconds is not None
    assert left(tmp_path) == []


def test_the_journal_of_a_living_process_is_left_alone(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", LIVES, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        name = process.stdout.readline().strip()
        while not path_of(tmp_path, name).exists():
            time.sleep(0.01)
        assert tc.SessionStore(tmp_path).list() == []
        other = tc.SessionRecorder(tmp_path)
        other.start_session(resolution=(2, 2), fps=1)
        assert f"{name}{journal.SUFFIX}" in left(tmp_path)
        other.abandon()
        process.communicate("\n", timeout=60)
    (entry,) = tc.SessionStore(tmp_path).list()
    assert (entry.name, entry.success, entry.interrupted) == (name, True, None)
    assert left(tmp_path) == []


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_journal_cut_anywhere_gives_what_is_whole(tmp_path, share):
    name = dead(tmp_path)
    path = path_of(tmp_path, name)
    data = path.read_bytes()
    whole = len([i for i in range(len(data)) if data[i : i + 1] == b"\n" and i < share * len(data)])
    path.write_bytes(data[: int(share * len(data))])
    entries = tc.SessionStore(tmp_path).list()
    assert left(tmp_path) == []
    if whole == 0:  # killed before anything was known
        assert entries == []
        return
    session = tc.SessionStore(tmp_path).load(name)
    assert session.interrupted
    assert len(session.frame_samples or []) == min(5, whole - 1)


def test_bytes_that_went_bad_end_what_is_believed(tmp_path):
    name = dead(tmp_path)
    path = path_of(tmp_path, name)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"active_tracks":20', b'"active_tracks":21')
    path.write_bytes(b"".join(lines))
    session = tc.SessionStore(tmp_path).load(name)
    assert [sample.frame for sample in session.frame_samples] == [1, 2]


def test_a_session_that_was_finished_is_not_replaced_by_its_journal(tmp_path):
    recorder = tc.SessionRecorder(tmp_path)
    name = recorder.start_session(resolution=(2, 2), fps=1)
    path = path_of(tmp_path, name)
    half = path.read_bytes()
    recorder.end_session(success=True)
    path.write_bytes(half)  # as if killed between the last two steps
    (entry,) = tc.SessionStore(tmp_path).list()
    assert (entry.success, entry.interrupted) == (True, None)
    assert left(tmp_path) == []


def test_a_journal_that_makes_no_session_is_kept_and_hides_nothing(tmp_path):
    name = dead(tmp_path)
    path = path_of(tmp_path, name)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[1])  # a sample of no session
    other = dead(tmp_path)
    assert [entry.name for entry in tc.SessionStore(tmp_path).list()] == [other]
    assert left(tmp_path) == [f"{name}.unreadable"]


def test_a_store_that_cannot_be_written_keeps_the_journal(tmp_path, monkeypatch):
    name = dead(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("trackcore.session.folder.write_durably", full)
        assert tc.SessionStore(tmp_path).list() == []
    assert [entry.name for entry in tc.SessionStore(tmp_path).list()] == [name]


def test_remains_of_killed_writers_are_swept_up_when_they_are_old(tmp_path):
    store = tc.SessionStore(tmp_path)
    tc.SessionRecorder(store).start_session(resolution=(2, 2), fps=1)  # its lock is held
    old, new = (store.home.sessions / f".{name}.json.1.2{PART}" for name in ("old", "new"))
    for part in (old, new):
        part.write_bytes(b"{")
    os.utime(old, (time.time() - 7200,) * 2)
    orphan = store.home.journals / f"x{journal.LOCK_SUFFIX}"
    orphan.touch()
    assert store.list() == []  # never seen as sessions
    store.recover()
    assert (old.exists(), new.exists(), orphan.exists()) == (False, True, False)


def test_two_processes_at_once_lose_nothing(tmp_path):
    script = (
        "import sys, trackcore as tc\n"
        "recorder = tc.SessionRecorder(sys.argv[1])\n"
        "for i in range(15):\n"
        "    recorder.start_session(resolution=(1920, 1080), fps=30)\n"
        "    recorder.record_frame_sample(i, 5)\n"
        "    recorder.end_session(success=True)\n"
        "    assert recorder.session_id in {e.name for e in recorder.store.list()}\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path], stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    store = tc.SessionStore(tmp_path)
    assert [(e.problem, e.success) for e in store.list()] == [(None, True)] * 30
    assert store.aggregate_stats().session_count == 30
    assert all(isinstance(session, Session) for session in store.iterate())
    assert left(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_writers_lose_no_finished_session():
    script = PROJECT / "bench" / "session_crash.py"
    done = subprocess.run(
        [sys.executable, script, "--kills", "20", "--seed", "3"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    kills, finished, interrupted = map(
        int, re.findall(r"(\d+) (?:kills|finished|int)", done.stdout)
    )
    assert kills == 20
    assert finished + interrupted > 0


@pytest.mark.parametrize("suffix", [journal.SUFFIX, journal.LOCK_SUFFIX])
def test_a_journal_that_cannot_be_opened_hides_no_other_and_stops_nobody(tmp_path, suffix):
    path = path_of(tmp_path, dead(tmp_path)).with_suffix(suffix)
    path.unlink()
    path.mkdir()  # nothing that can be read, or locked
    good = dead(tmp_path)
    assert good in [entry.name for entry in tc.SessionStore(tmp_path).list()]
    recorder = tc.SessionRecorder(tmp_path)
    recorder.start_session(resolution=(2, 2), fps=1)
    recorder.end_session(success=True)
