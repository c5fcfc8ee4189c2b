"""Exporting, importing, verifying and emptying a store of records."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trackcore as tc
from trackcore.session import archive as limits
from trackcore.session.upkeep import reset, verify

Files = dict[str, "str | bytes | dict[str, Any]"]


def session(i: int, **more: Any) -> dict[str, Any]:
    return {
        "session_id": f"2026-01-01T00-00-{i:02d}_{i:08x}",
        "timestamp": f"2026-01-01T00:00:{i:02d}",
        "clip_name": "clip_0000000a",
        "resolution": [1920, 1080],
        "fps": 24,
        "frame_count": 120,
        "success": True,
        "clip_fingerprint": "a4f3c89b2e71d6f0",
        "tracks": [{"name": "track_00001", "region": "center", "lifespan": 40 + i}],
        **more,
    }


def filled(folder: Path, n: int = 3) -> tc.SessionStore:
    store = tc.SessionStore(folder)
    for i in range(n):
        store.save(session(i))
    behavior = {"session_id": session(0)["session_id"], "timestamp": "2026-01-01T00:10:00"}
    store.behavior.save("2026-01-01T00-10-00_00000001", behavior)
    return store


def contents(store: tc.SessionStore) -> dict[str, bytes]:
    """Every file of a store but what can be rebuilt."""
    return {
        path.relative_to(store.root).as_posix(): path.read_bytes()
        for path in sorted(store.root.rglob("*"))
        if path.is_file() and ".trackcore" not in path.parts
    }


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, json.dumps(value) if isinstance(value, dict) else value)
    return path


def test_an_export_has_the_documented_layout(tmp_path: Path) -> None:
    done = tc.export_sessions(filled(tmp_path / "a"), tmp_path)
    assert done.path.name.startswith("autosolve_training_20")
    with zipfile.ZipFile(done.path) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        assert len([n for n in names if n.startswith("sessions/")]) == 3
        assert len([n for n in names if n.startswith("behavior/")]) == 1
        for name, digest in manifest["sha256"].items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    assert (manifest["session_count"], manifest["total_tracks"]) == (3, 3)


def test_an_export_holds_no_fingerprint_of_the_store_but_joins_records_of_a_clip(
    tmp_path: Path,
) -> None:
    done = tc.export_sessions(filled(tmp_path / "a"), tmp_path / "x.zip")
    with zipfile.ZipFile(done.path) as archive:
        records = [json.loads(archive.read(n)) for n in archive.namelist() if "sessions/" in n]
    prints = {record["clip_fingerprint"] for record in records}
    assert len(prints) == 1
    assert prints != {"a4f3c89b2e71d6f0"}


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    first = tc.export_sessions(store, tmp_path / "1.zip").path.read_bytes()
    assert tc.export_sessions(store, tmp_path / "2.zip").path.read_bytes() == first


def test_an_export_that_would_tell_too_much_is_refused_and_names_the_field(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    store.save(session(9, codec="/plates/ann/x"), strict=False)
    with pytest.raises(tc.PrivacyError, match=r"sessions/2026-.*codec looks like a path"):
        tc.export_sessions(store, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()
    done = tc.export_sessions(store, tmp_path / "x.zip", scrub=True)
    assert [str(field) for _, field in done.dropped] == ["codec looks like a path"]
    with zipfile.ZipFile(done.path) as archive:
        assert not any(b"ann" in archive.read(name) for name in archive.namelist())


def test_an_empty_store_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(tc.InputError, match="at least one record"):
        tc.export_sessions(tc.SessionStore(tmp_path / "a"), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    path = tc.export_sessions(filled(tmp_path / "a"), tmp_path / "x.zip").path
    store = tc.SessionStore(tmp_path / "b")
    first = tc.import_sessions(store, path)
    assert (first.added, first.already_there) == (4, 0)
    before = contents(store)
    second = tc.import_sessions(store, path)
    assert (second.added, second.already_there) == (0, 4)
    assert contents(store) == before


def test_ones_own_export_adds_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    path = tc.export_sessions(store, tmp_path / "x.zip").path
    before = contents(store)
    assert tc.import_sessions(store, path).added == 0
    assert contents(store) == before


def test_another_record_of_the_same_name_is_kept_beside_ours(tmp_path: Path) -> None:
    store = filled(tmp_path / "b", 1)
    other = tc.SessionStore(tmp_path / "a")
    other.save(session(0, frame_count=99))
    path = tc.export_sessions(other, tmp_path / "x.zip").path
    for _ in range(2):
        tc.import_sessions(store, path)
    assert sorted(s.frame_count for s in store.iterate()) == [99, 120]


def test_replace_leaves_only_what_the_archive_holds(tmp_path: Path) -> None:
    path = tc.export_sessions(filled(tmp_path / "a", 1), tmp_path / "x.zip").path
    store = tc.SessionStore(tmp_path / "b")
    for i in range(5, 9):
        store.save(session(i))
    assert tc.import_sessions(store, path, mode="replace").replaced == 4
    assert [e.frame_count for e in store.list()] == [120]


def test_the_add_ons_archive_is_read(tmp_path: Path) -> None:
    old = {k: v for k, v in session(1).items() if k != "session_id"}
    files: Files = {
        "sessions/2025-12-07T19-30-00_ab12cd34.json": old,
        "behavior/20251209_093000.json": {"session_id": "x", "timestamp": "2025-12-09T09:35:00"},
        "edits/1.json": {"anything": 1},
        "contributor_id.txt": "x7f2k9a1",
        "model.json": {"version": 1, "region_models": {"center": {"successful_tracks": 3}}},
        "manifest.json": {"export_version": 2, "session_count": 1, "total_tracks": 10},
    }
    store = tc.SessionStore(tmp_path / "a")
    assert tc.import_sessions(store, zipped(tmp_path / "telemetry.zip", files)).added == 2
    (found,) = store.iterate()
    assert found.clip_fingerprint not in (None, "a4f3c89b2e71d6f0"), "it was not keyed"
    assert (store.root / "model.json").exists()
    legacy = {"export_type": "autosolve_training_data", "sessions": [old, session(2)]}
    (tmp_path / "old.json").write_text(json.dumps(legacy))
    again = tc.import_sessions(store, tmp_path / "old.json")
    assert again.added == 2


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "traversal": lambda p: zipped(p, {"../evil.json": session(1)}),
    "deep traversal": lambda p: zipped(p, {"sessions/../../evil.json": session(1)}),
    "absolute": lambda p: zipped(p, {"/etc/x.json": session(1)}),
    "drive": lambda p: zipped(p, {"C:x.json": session(1)}),
    "other file": lambda p: zipped(p, {"sessions/run.sh": "x"}),
    "nested archive": lambda p: zipped(p, {"sessions/a.zip": "PK"}),
    "case twice": lambda p: zipped(
        p, {"sessions/a.json": session(1), "sessions/A.json": session(2)}
    ),
    "bomb": lambda p: zipped(p, {"sessions/a.json": b" " * 10_000_000}),
    "no json": lambda p: zipped(p, {"sessions/a.json": "{"}),
    "bad utf-8": lambda p: zipped(p, {"sessions/a.json": b'{"a": "\xff"}'}),
    "deep": lambda p: zipped(p, {"sessions/a.json": "[" * 100_000}),
    "nested": lambda p: zipped(p, {"sessions/a.json": session(1, extra=nested(60))}),
    "huge number": lambda p: zipped(p, {"sessions/a.json": '{"fps": ' + "9" * 10_000 + "}"}),
    "large number": lambda p: zipped(p, {"sessions/a.json": session(1, frame_count=10**30)}),
    "wrong type": lambda p: zipped(p, {"sessions/a.json": session(1, resolution="wide")}),
    "a list": lambda p: zipped(p, {"sessions/a.json": "[1]"}),
    "newer": lambda p: zipped(p, {"sessions/a.json": session(1, schema_version=2)}),
    "tampered": lambda p: zipped(
        p, {"sessions/a.json": session(1), "manifest.json": {"sha256": {"sessions/a.json": "0"}}}
    ),
    "missing": lambda p: zipped(p, {"manifest.json": {"sha256": {"sessions/a.json": "0"}}}),
    "bad manifest": lambda p: zipped(p, {"manifest.json": "[]"}),
    "empty": lambda p: zipped(p, {}),
    "one bad of two": lambda p: zipped(
        p, {"sessions/a.json": session(1), "sessions/b.json": {"fps": 1}}
    ),
    "no archive": lambda p: text_file(p, "hello"),
    "truncated": lambda p: cut_short(zipped(p, {"sessions/a.json": session(1)})),
    "other json": lambda p: text_file(p, '{"export_type": "pictures"}'),
}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"x": value}
    return value


def text_file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def cut_short(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_hostile_input_is_refused_and_the_store_untouched(
    kind: str, mode: str, tmp_path: Path
) -> None:
    store = filled(tmp_path / "a")
    path = HOSTILE[kind](tmp_path / "x.zip")
    before = contents(store)
    with pytest.raises(tc.InputError) as refused:
        tc.import_sessions(store, path, mode=mode)
    assert len(str(refused.value)) > 10
    after = contents(store)
    after.pop("identity.json", None)
    assert after == before
    assert not list((store.root / ".trackcore").glob("import-*"))


def test_links_encryption_and_overlaps_are_refused(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    link = zipfile.ZipInfo("sessions/a.json")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(tc.ArchiveError, match="link"):
        tc.import_sessions(store, path)
    zipped(path, {"sessions/a.json": session(1)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(tc.ArchiveError, match="encrypted"):
        tc.import_sessions(store, path)
    zipped(path, {"sessions/a.json": session(1), "sessions/b.json": session(1)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 42 : at + 46] = bytes(4)  # the second entry's data is the first's
    path.write_bytes(data)
    with pytest.raises(tc.InputError):
        tc.import_sessions(store, path)


def test_an_archive_of_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_FILES", 2)
    path = zipped(tmp_path / "x.zip", {f"sessions/{i}.json": session(i) for i in range(3)})
    with pytest.raises(tc.ArchiveError, match="3 files, more than 2"):
        tc.import_sessions(tc.SessionStore(tmp_path / "a"), path)


def test_unknown_fields_survive_the_journey(tmp_path: Path) -> None:
    store = tc.SessionStore(tmp_path / "a")
    store.save(session(1, novel={"depth": 3}))
    path = tc.export_sessions(store, tmp_path / "x.zip").path
    other = tc.SessionStore(tmp_path / "b")
    tc.import_sessions(other, path)
    (found,) = other.iterate()
    assert found.to_dict()["novel"] == {"depth": 3}


def test_verify_names_each_file_that_is_wrong(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    assert verify(store).ok
    (store.root / "sessions" / "bad.json").write_text("{")
    store.save(session(9, codec="/plates/ann/x"), strict=False)
    (store.root / "model.json").write_text("[]")
    found = verify(store)
    assert not found.ok
    assert sorted(file for file, _ in found.problems) == [
        "model.json", "sessions/2026-01-01T00-00-09_00000009.json", "sessions/bad.json",
    ]  # fmt: skip


def test_reset_empties_the_store_but_forgets_no_consent(tmp_path: Path) -> None:
    from trackcore.session.identity import agree, load_identity

    store = filled(tmp_path / "a")
    agree(store, learn_from_edits=True)
    name = load_identity(store).contributor_id
    assert reset(store) == 4
    assert store.list() == []
    assert load_identity(store).learn_from_edits
    assert load_identity(store).contributor_id != name
