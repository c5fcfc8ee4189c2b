"""Recording: what is called is written, what is wrong is refused, nothing is invented."""

import json
import math
import subprocess
import sys
import threading

import numpy as np
import pytest

import trackcore as tc
from tests.unit.session_makers import session
from trackcore.errors import InputError, RecordError, StoreError
from trackcore.session import framed, journal


@pytest.fixture
def recorder(tmp_path):
    return tc.SessionRecorder(tmp_path)


def start(recorder, **fields):
    return recorder.start_session(**{"resolution": (1920, 1080), "fps": 30, **fields})


def full(*_):
    """Stand for a write to a full disk."""
    raise OSError(28, "No space left on device")


def journals(recorder):
    folder = recorder.store.home.journals
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_the_documented_flow_makes_the_documented_file(recorder):
    name = start(recorder, frame_count=240, settings={"pattern_size": 15}, codec="h264")
    recorder.record_frame_sample(1, 27, 0, 0.012)
    recorder.record_frame_sample(frame=11, active_tracks=25, tracks_lost=2)
    recorder.record_adaptation(iteration=1, survival_rate=0.4, changes=["search_size 71 -> 93"])
    recorder.record_failure("track_00001", 87, (0.12, 0.85), "DRIFT")
    recorder.record_tracks(session(0)["tracks"])
    ended = recorder.end_session(success=True, solve_error=0.42)
    path = recorder.store.root / "sessions" / f"{name}.json"
    assert recorder.path == path
    written = json.loads(path.read_text())
    assert written == ended.to_dict() == recorder.store.load(name).to_dict()
    assert (written["schema_version"], written["success"], written["solve_error"]) == (
        1,
        True,
        0.42,
    )
    assert [s["frame"] for s in written["frame_samples"]] == [1, 11]
    assert written["track_failures"] == [
        {"track_name": "track_00001", "frame": 87, "position": [0.12, 0.85], "reason": "DRIFT"}
    ]
    assert written["adaptation_history"][0]["survival_rate"] == 0.4
    assert written["failure_type"] == "NONE"
    assert written["frame_of_failure"] is None
    assert written["clip_duration_seconds"] == 8
    assert written["codec"] == "h264"
    assert "interrupted" not in written
    assert journals(recorder) == []
    assert recorder.store.home.aggregate_stats.exists()


def test_the_name_is_the_documented_one_and_says_nothing_of_the_clip(recorder):
    name = start(recorder)
    timestamp, code = name[:19], name[20:]
    ended = recorder.end_session(success=False)
    assert ended.timestamp == timestamp[:10] + timestamp[10:].replace("-", ":")
    assert (len(code), int(code, 16) >= 0) == (8, True)
    assert ended.clip_name == f"clip_{code}"


def test_a_clip_or_tracks_tell_size_rate_and_length(recorder):
    clip = tc.open_clip(np.zeros((7, 20, 30), np.uint8), fps=25)
    recorder.start_session(clip)
    ended = recorder.end_session(success=False)
    assert (ended.resolution, ended.fps, ended.frame_count) == ((30, 20), 25, 7)
    tracks = tc.Tracks(
        ids=np.arange(2), xy_px=np.zeros((2, 5, 2)), status=np.zeros((2, 5), np.uint8),
        ncc=np.ones((2, 5)), t_ns=np.arange(5), frame_size=(64, 48), fps=12.5, first_frame=1,
    )  # fmt: skip
    recorder.start_session(tracks)
    ended = recorder.end_session(success=False)
    assert (ended.resolution, ended.fps, ended.frame_count) == ((64, 48), 12.5, 5)
    assert ended.clip_duration_seconds == 0.4


def test_nothing_to_tell_the_size_by_is_an_error(recorder):
    with pytest.raises(InputError, match="resolution: expected"):
        recorder.start_session()
    assert journals(recorder) == []


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda r: r.record_frame_sample(1, 5, 0, math.nan), "frame_samples.0.avg_velocity"),
        (lambda r: r.record_frame_sample(1.5), "frame_samples.0.frame"),
        (lambda r: r.record_tracks([{"region": "center", "lifespan": -1}]), "tracks.0.lifespan"),
        (lambda r: r.record_tracks([{"name": "a"}]), "tracks.0.region"),
        (lambda r: r.record_failure(position=(0.1,)), "track_failures.0.position"),
        (lambda r: r.record(motion_class="FAST"), "motion_class: expected one of LOW"),
        (lambda r: r.record(motion_clas="LOW"), "motion_clas: a session has no such field"),
        (lambda r: r.record(optical_flow={"mine": np.inf}), "optical_flow.mine"),
        (lambda r: r.record(optical_flow={"mine": object()}), "optical_flow.mine: expected plain"),
        (lambda r: r.record(optical_flow={1: 2}), "optical_flow: expected names as keys"),
        (lambda r: r.record(optical_flow=3), "optical_flow"),
        (lambda r: r.record_adaptation({"survival_rate": 2}), "adaptation_history.0.survival_rate"),
        (lambda r: r.end_session(success=True, solve_error=math.nan), "solve_error"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_changes_nothing(recorder, call, reason):
    start(recorder)
    recorder.record_frame_sample(1, 5, 0, 0.1)
    with pytest.raises(RecordError, match=reason):
        call(recorder)
    ended = recorder.end_session(success=False).to_dict()
    assert len(ended["frame_samples"]) == 1
    assert ended["tracks"] == []
    assert not {"motion_class", "optical_flow", "track_failures", "adaptation_history"} & set(ended)


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.record_frame_sample(1),
        lambda r: r.record_tracks([]),
        lambda r: r.record_failure("a"),
        lambda r: r.end_session(success=True),
        lambda r: r.abandon(),
    ],
)
def test_without_a_session_nothing_can_be_recorded(recorder, call):
    with pytest.raises(InputError, match="call start_session first"):
        call(recorder)


def test_one_session_at_a_time_and_then_the_next(recorder):
    first = start(recorder)
    with pytest.raises(InputError, match="end it first"):
        start(recorder)
    recorder.end_session(success=True)
    second = start(recorder)
    recorder.end_session(success=True)
    assert recorder.store.sessions.names() == sorted([first, second])


def test_leaving_the_block_ends_the_session_as_interrupted(tmp_path):
    def work(recorder):
        with recorder:
            start(recorder)
            recorder.record_frame_sample(1, 5)
            raise ZeroDivisionError

    recorder = tc.SessionRecorder(tmp_path)
    with pytest.raises(ZeroDivisionError):
        work(recorder)
    left = recorder.store.load(recorder.session_id)
    assert (left.interrupted, left.success, len(left.frame_samples)) == (True, False, 1)
    assert journals(recorder) == []


def test_a_session_that_is_abandoned_leaves_nothing(recorder):
    start(recorder)
    recorder.abandon()
    assert recorder.store.list() == []
    assert journals(recorder) == []


def test_time_is_measured_by_a_clock_that_does_not_jump(recorder, monkeypatch):
    monkeypatch.setattr("trackcore.session.store.now", lambda: "2030-01-01T00:00:00")
    monkeypatch.setattr("trackcore.session.recorder.now", lambda: "2030-01-01T00:00:00")
    start(recorder)
    monkeypatch.setattr("trackcore.session.recorder.now", lambda: "1999-01-01T00:00:00")
    ended = recorder.end_session(success=True)
    assert 0 <= ended.duration_seconds < 60
    start(recorder)
    recorder.end_session(success=True)
    assert [e.timestamp[:4] for e in recorder.store.list()] == ["1999", "2030"]


def test_each_record_is_on_the_disk_when_its_call_returns(recorder):
    name = start(recorder)
    path = recorder.store.home.journals / f"{name}{journal.SUFFIX}"
    for frame in range(1, 4):
        recorder.record_frame_sample(frame, 5)
        record, ended = journal.replay(path.read_bytes())
        assert (len(record["frame_samples"]), ended) == (frame, False)
    recorder.abandon()


def test_a_full_disk_is_outlived_in_memory_and_told(recorder, monkeypatch):
    start(recorder)
    real = journal.os.write
    torn = []

    def filling(descriptor, data):
        if not torn:
            torn.append(real(descriptor, bytes(data)[:5]))
            return 5
        return full()

    monkeypatch.setattr(journal.os, "write", filling)
    recorder.record_frame_sample(1, 5)
    recorder.record_frame_sample(2, 5)
    assert recorder.problem.errno == 28
    monkeypatch.setattr(journal.os, "write", real)
    recorder.record_frame_sample(3, 5)
    assert recorder.problem is None
    path = recorder.store.home.journals / f"{recorder.session_id}{journal.SUFFIX}"
    assert None not in framed.values(path.read_bytes())
    assert len(journal.replay(path.read_bytes())[0]["frame_samples"]) == 3
    assert len(recorder.end_session(success=True).frame_samples) == 3


def test_a_session_that_cannot_be_written_can_be_ended_again(recorder, monkeypatch):
    name = start(recorder)
    with monkeypatch.context() as patch:
        patch.setattr("trackcore.session.folder.write_durably", full)
        with pytest.raises(StoreError, match="No space left on device"):
            recorder.end_session(success=True)
        assert recorder.store.list() == []
    assert recorder.end_session(success=True, solve_error=0.3).solve_error == 0.3
    assert recorder.store.load(name).solve_error == 0.3


def test_what_could_not_be_written_is_recovered_as_it_ended(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("trackcore.session.folder.write_durably", full)
        recorder = tc.SessionRecorder(tmp_path)
        start(recorder)
        with pytest.raises(StoreError), recorder:
            recorder.end_session(success=True, solve_error=0.3)
    found = tc.SessionStore(tmp_path).load(recorder.session_id)
    assert (found.success, found.interrupted, found.solve_error) == (True, None, 0.3)


LIMITED = """
import resource, signal, sys, trackcore as tc
from trackcore.session.models import Session
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = tc.SessionRecorder(sys.argv[1])
recorder.start_session(resolution=(1920, 1080), fps=30)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
for frame in range(1, 101):
    recorder.record_frame_sample(frame, 5)
problem = recorder.problem
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
session = recorder.end_session(success=True)
print(type(problem).__name__, len(session.frame_samples))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file size")
def test_a_file_that_really_cannot_grow_loses_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["OSError", "100"], done.stderr


def test_threads_may_record_sessions_of_their_own_into_one_store(tmp_path):
    def work():
        recorder = tc.SessionRecorder(tmp_path)
        for _ in range(5):
            start(recorder)
            recorder.record_frame_sample(1, 5)
            recorder.end_session(success=True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = tc.SessionStore(tmp_path).list()
    assert [(e.problem, e.success) for e in entries] == [(None, True)] * 20
