"""The store: what is saved is found again, whatever happens to the files around it."""

import json
import os
import time
from pathlib import Path

import pytest

import trackcore as tc
from tests.unit.session_makers import session
from trackcore.errors import InputError, RecordError, StoreError
from trackcore.session import folder as folders
from trackcore.session.home import data_directory

root_is_not_bound = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)


@pytest.fixture
def store(tmp_path):
    return tc.SessionStore(tmp_path)


def fill(store, n):
    for seed in range(n):
        store.save(session(seed))


def index(store):
    return store.home.index("sessions")


def names(store):
    return [entry.name for entry in store.list()]


def read_files(monkeypatch):
    """Return a list that grows by the name of each record file that is read."""
    read = []
    real = folders.RecordFolder._read
    monkeypatch.setattr(
        folders.RecordFolder, "_read", lambda self, name: (read.append(name), real(self, name))[1]
    )
    return read


def test_the_directory_is_the_argument_else_the_environment_else_the_platforms(monkeypatch):
    monkeypatch.setenv("TRACKCORE_HOME", "from-environment")
    assert data_directory("given") == Path("given")
    assert data_directory() == Path("from-environment")
    monkeypatch.delenv("TRACKCORE_HOME")
    assert data_directory().name == "trackcore"
    assert data_directory().is_absolute()


def test_a_store_that_is_only_read_creates_nothing(tmp_path):
    store = tc.SessionStore(tmp_path / "none")
    assert store.list() == []
    assert list(store.iterate()) == []
    assert not (tmp_path / "none").exists()


def test_what_is_saved_is_loaded(store):
    fields = session(7)
    path = store.save(fields)
    assert path == store.root / "sessions" / "session_00000007.json"
    loaded = store.load("session_00000007.json")
    assert loaded.to_dict() == json.loads(json.dumps(fields))
    assert json.loads(path.read_text()) == json.loads(json.dumps(fields))


def test_a_session_without_a_name_gets_the_documented_one(store):
    fields = session(0)
    del fields["session_id"]
    path = store.save(fields)
    assert path.name[:20] == "2026-01-01T00-30-00_"
    assert len(path.stem) == 28
    assert store.load(path.stem).session_id == path.stem


@pytest.mark.parametrize("name", ["../up", "/abs", "", ".hidden", "a/b", "a\\b", "a\n"])
def test_names_that_are_no_names_are_refused(store, name):
    with pytest.raises(InputError, match="name: expected"):
        store.sessions.save(name, session())
    with pytest.raises(InputError, match="name: expected"):
        store.sessions.save("x" * 200, session())
    with pytest.raises(InputError, match="name: expected"):
        store.load(name)
    assert list(store.root.rglob("*.json")) == []


def test_a_record_that_is_wrong_leaves_the_old_one(store):
    store.save(session(0))
    with pytest.raises(RecordError, match="solve_error: Input should be a finite number"):
        store.save(session(0, solve_error=float("nan")))
    with pytest.raises(RecordError, match="motion_class"):
        store.save(session(0, motion_class="FAST"))
    assert store.load("session_00000000").to_dict()["solve_error"] == session(0)["solve_error"]
    store.save(session(0, motion_class="FAST"), strict=False)
    assert store.load("session_00000000").motion_class == "FAST"


def test_the_documented_functions_use_the_users_directory():
    paths = {tc.save_session(session(seed)) for seed in range(3)}
    assert {path.parent.parent for path in paths} == {data_directory()}
    assert [s.session_id for s in tc.load_sessions()] == [f"session_{i:08x}" for i in range(3)]


def test_a_listing_says_what_the_records_say(store):
    fill(store, 5)
    entries = store.list()
    assert [e.name for e in entries] == [f"session_{seed:08x}" for seed in range(5)]
    for seed, entry in enumerate(entries):
        fields = session(seed)
        for name in ("timestamp", "resolution", "fps", "success", "solve_error", "bundle_count"):
            assert getattr(entry, name) == fields[name]
    assert tc.SessionStore(store.root).list() == entries


def test_sessions_are_found_by_class_and_outcome(store):
    fill(store, 18)
    assert {e.footage_class for e in store.list()} == {
        f"{size}_{rate}fps" for size in ("SD", "HD", "4K") for rate in (24, 30, 60)
    }
    assert [e.name for e in store.list(footage_class="HD_30fps")] == [
        "session_00000004", "session_0000000d",
    ]  # fmt: skip
    assert len(store.list(footage_class="HD_30fps_MEDIUM_MOTION")) == 2
    assert store.list(footage_class="HD_30fps_LOW_MOTION") == []
    assert [s.session_id for s in store.iterate(footage_class="HD_30fps", success=True)] == [
        "session_0000000d"
    ]


def test_a_second_listing_reads_no_record(store, monkeypatch):
    fill(store, 4)
    read = read_files(monkeypatch)
    store.list()
    tc.SessionStore(store.root).list()
    assert read == []


def test_files_that_come_change_and_go_are_noticed(store, monkeypatch):
    fill(store, 4)
    before = store.list()
    read = read_files(monkeypatch)
    changed = store.sessions.file("session_00000001")
    text = changed.read_text().replace('"success": true', '"success": false')
    replaced = changed.with_suffix(".tmp")
    replaced.write_text(text)
    replaced.replace(changed)
    store.sessions.file("session_00000002").unlink()
    (store.home.sessions / "new.json").write_text(json.dumps(session(9)))
    after = {entry.name: entry for entry in store.list()}
    assert set(after) == {"session_00000000", "session_00000001", "session_00000003", "new"}
    assert before[1].success
    assert not after["session_00000001"].success
    assert sorted(read) == ["new", "session_00000001"]
    store.list()
    assert len(read) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00" * 5000),
        lambda path: path.write_bytes(path.read_bytes()[:-30]),
        lambda path: path.write_bytes(path.read_bytes()[:700]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"session_", b"sessiom_")),
        lambda path: path.write_bytes(b"{}\n" + path.read_bytes()),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"trackcore index":', b'"x":')),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_an_index_that_is_lost_or_damaged_costs_time_and_nothing_else(store, damage):
    fill(store, 6)
    wanted = store.list()
    damage(index(store))
    assert store.list() == wanted
    store.save(session(6))
    assert store.list()[:-1] == wanted
    assert len(tc.SessionStore(store.root).list()) == 7


def test_a_rebuilt_index_serves_the_next_listing(store, monkeypatch):
    fill(store, 3)
    index(store).write_bytes(b"nonsense")
    store.list()
    read = read_files(monkeypatch)
    store.list()
    assert read == []


def test_an_index_does_not_grow_for_ever(store, monkeypatch):
    monkeypatch.setattr("trackcore.session.index._DEAD_LINES_KEPT", 10)
    for _ in range(40):
        store.save(session(0))
    assert len(index(store).read_bytes().splitlines()) > 40
    assert len(store.list()) == 1
    assert len(index(store).read_bytes().splitlines()) == 2


def test_damaged_and_foreign_files_are_listed_with_the_reason_and_hide_nobody(store):
    fill(store, 2)
    bad = {
        "empty": (b"", "EOF"),
        "half": (b'{"timestamp": "2026', "EOF"),
        "other": (b'{"name": "package", "version": "1.0"}', "timestamp: Field required"),
        "later": (json.dumps(session(2, schema_version=7)).encode(), "version 7 is unknown"),
        "list": (b"[1, 2]", "valid dictionary"),
        "deep": (b'{"a":' + b"[" * 10**5, "recursion"),
    }
    for name, (data, _) in bad.items():
        (store.home.sessions / f"{name}.json").write_bytes(data)
    (store.home.sessions / "folder.json").mkdir()
    (store.home.sessions / "note.txt").write_text("not looked at")
    for entries in (store.list(), store.list()):  # found, and from the index
        problems = {entry.name: entry.problem for entry in entries}
        assert len(problems) == 9
        for name, (_, reason) in bad.items():
            assert reason in problems[name]
            with pytest.raises(RecordError):
                store.load(name)
        assert problems["folder"] is not None
        assert problems["session_00000000"] is None
    assert len(store.list(problems=False)) == 2
    assert [s.session_id for s in store.iterate()] == ["session_00000000", "session_00000001"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links here")
def test_a_link_is_not_followed(store, tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(session(0)))
    fill(store, 1)
    (store.home.sessions / "link.json").symlink_to(outside)
    problems = {entry.name: entry.problem for entry in store.list()}
    assert problems["link"] == "not a regular file"
    with pytest.raises(RecordError, match="regular"):
        store.load("link")


def test_loading_what_is_not_there_says_so(store):
    with pytest.raises(StoreError, match=r"nothing.json"):
        store.load("nothing")


def test_sessions_are_read_one_at_a_time(store, monkeypatch):
    fill(store, 5)
    read = read_files(monkeypatch)
    sessions = store.iterate()
    next(sessions)
    assert len(read) == 1


def test_a_session_that_vanishes_while_iterating_is_passed_over(store):
    fill(store, 3)
    sessions = store.iterate()
    next(sessions)
    store.sessions.delete("session_00000001")
    assert [s.session_id for s in sessions] == ["session_00000002"]


@root_is_not_bound
def test_a_folder_that_may_not_be_written_is_read_and_refused_for_writing(store):
    fill(store, 2)
    index(store).unlink()
    for folder in (store.home.sessions, store.root):
        folder.chmod(0o500)
    try:
        assert len(tc.SessionStore(store.root).list()) == 2
        with pytest.raises(StoreError, match=r"cannot write the records in .*TRACKCORE_HOME"):
            store.save(session(5))
        with pytest.raises(StoreError, match="TRACKCORE_HOME"):
            tc.SessionRecorder(store).start_session(resolution=(1, 1), fps=1)
    finally:
        for folder in (store.root, store.home.sessions):
            folder.chmod(0o700)


def test_a_root_that_cannot_be_a_folder_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("")
    store = tc.SessionStore(tmp_path / "file")
    with pytest.raises(StoreError, match="TRACKCORE_HOME"):
        store.save(session())
    with pytest.raises(StoreError, match="TRACKCORE_HOME"):
        tc.SessionRecorder(store).start_session(resolution=(1, 1), fps=1)


def test_behavior_records_are_kept_beside(store):
    record = {"session_id": "s", "timestamp": "2026-01-01T00:00:00", "net_track_change": 2}
    store.behavior.save("b1", record)
    assert store.behavior.load("b1").net_track_change == 2
    (entry,) = store.behavior.list()
    assert (entry.name, entry.session_id, entry.net_track_change) == ("b1", "s", 2)
    assert store.list() == []


def test_aggregate_stats_are_those_of_the_sessions(store):
    fill(store, 12)
    (store.home.sessions / "foreign.json").write_text("{}")
    stats = store.write_aggregate_stats()
    sessions = [session(seed) for seed in range(12)]
    errors = [s["solve_error"] for s in sessions]
    assert stats.session_count == 12
    assert stats.success_count == 9
    assert stats.success_rate == stats.first_try_success_rate == 0.75
    assert stats.average_solve_error == pytest.approx(sum(errors) / 12)
    assert stats.track_survival_rate == pytest.approx(3 / 5)
    hd = [s for s in sessions if s["resolution"][0] == 1920 and s["fps"] == 24]
    of_class = stats.footage_classes["HD_24fps"]
    assert of_class.session_count == len(hd) == 2
    assert of_class.average_solve_error == pytest.approx(sum(s["solve_error"] for s in hd) / 2)
    written = store.home.aggregate_stats.read_bytes()
    store.home.aggregate_stats.unlink()
    assert store.write_aggregate_stats() == stats
    assert store.home.aggregate_stats.read_bytes() == written


def test_aggregate_stats_of_nothing_are_unknown_not_zero(store):
    stats = store.aggregate_stats()
    assert (stats.session_count, stats.success_rate, stats.average_solve_error) == (0, None, None)


def test_thousands_of_sessions_are_listed_fast(store):
    fields = session(0)
    for number in range(2000):
        stamp = store.home.sessions / f"s{number:05d}.json"
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(json.dumps({**fields, "session_id": stamp.stem}))
    store.list()
    began = time.process_time()
    assert len(tc.SessionStore(store.root).list()) == 2000
    assert time.process_time() - began < 0.2 * 5  # five times what 10,000 in 1 s allow
