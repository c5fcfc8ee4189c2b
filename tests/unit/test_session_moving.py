"""An import that dies half way: the store is as it was before, or as it was to be after."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import trackcore as tc
from trackcore.session import moving
from trackcore.session.upkeep import reset, verify

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")

Names = dict[str, bytes]


def session(i: int, width: int) -> dict[str, object]:
    return {
        "session_id": f"2026-01-01T00-00-{i:02d}_{i:08x}", "timestamp": f"2026-01-01T00:00:{i:02d}",
        "resolution": [width, 1080], "fps": 24, "success": True,
    }  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of sessions 2, 3 and 4, a behaviour record and a model."""
    store = tc.SessionStore(tmp_path / "other")
    for i in (2, 3, 4):
        store.save(session(i, 2000))
    name = "2026-01-01T00-10-00_00000001"
    store.behavior.save(name, {"session_id": name, "timestamp": "2026-01-01T00:10:00"})
    (store.root / "model.json").write_text('{"version": 1}')
    return tc.export_sessions(store, tmp_path / "x.zip").path


def ours(folder: Path) -> tc.SessionStore:
    """Sessions 0, 1 and 2: the last under a name that the archive uses for another."""
    store = tc.SessionStore(folder)
    for i in (0, 1, 2):
        store.save(session(i, 1920))
    (store.root / "model.json").write_text('{"version": 7}')
    return store


def contents(store: tc.SessionStore) -> Names:
    places = [store.home.sessions, store.home.behavior]
    files = [f for place in places if place.exists() for f in place.iterdir()]
    return {f.name: f.read_bytes() for f in [*files, store.home.model] if f.exists()}


def imported_until(store: tc.SessionStore, archive: Path, mode: str, renames: int) -> bool:
    """Import in a process that is killed before rename number `renames`; True if it was."""
    child = os.fork()
    if child == 0:
        left, real = [renames], os.rename

        def dying(*paths: object, **options: object) -> None:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            real(*paths, **options)  # type: ignore[arg-type]

        try:
            os.rename = os.replace = dying  # type: ignore[assignment]
            tc.import_sessions(store, archive, mode=mode)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_wherever_an_import_is_killed_it_has_happened_whole_or_not_at_all(
    mode: str, archive: Path, tmp_path: Path
) -> None:
    whole = ours(tmp_path / "whole")
    before = contents(whole)
    tc.import_sessions(whole, archive, mode=mode)
    after = contents(whole)
    outcomes = []
    for renames in range(30):
        root = tmp_path / f"store-{renames}"
        killed = imported_until(ours(root), archive, mode, renames)
        opened = tc.SessionStore(root)
        found = contents(opened)
        assert found in (before, after), f"killed before rename {renames}"
        assert moving.interrupted(opened.home) == []
        assert verify(opened).ok
        outcomes.append(found == after)
        if not killed:
            break
    assert not killed, "it never came to its end"
    assert outcomes == sorted(outcomes), "what was promised once stays promised"
    assert outcomes.count(True) >= 5, "it was killed in the middle of the move as well"
    assert False in outcomes


def test_an_import_repeated_after_it_was_killed_adds_nothing(archive: Path, tmp_path: Path) -> None:
    store = ours(tmp_path / "a")
    assert imported_until(store, archive, "merge", 5)
    assert len(moving.interrupted(store.home)) == 1
    again = tc.import_sessions(store, archive)  # ends the killed one first
    assert (again.added, again.already_there) == (0, 4)
    assert len(store.list()) == 6


def test_a_store_that_is_emptied_is_not_filled_by_an_import_that_was_killed(
    archive: Path, tmp_path: Path
) -> None:
    store = ours(tmp_path / "a")
    assert imported_until(store, archive, "replace", 5)
    reset(store)
    assert tc.SessionStore(store.root).list() == []


def test_a_running_import_is_left_alone(tmp_path: Path) -> None:
    store = ours(tmp_path / "a")
    with store.home.lock("store"), moving.staging(store.home) as folder:
        tc.SessionStore(store.root)
        assert folder.exists()


def test_records_that_cannot_be_set_aside_stay(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ours(tmp_path / "a")
    before = contents(store)
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self == store.home.behavior:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(tc.StoreError, match="No space"):
        tc.import_sessions(store, archive, mode="replace")
    assert contents(store) == before
    assert moving.interrupted(store.home) == []
