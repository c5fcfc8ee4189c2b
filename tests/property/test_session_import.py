"""Whatever an archive holds, it is imported whole or refused, and the store is in order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trackcore as tc
from tests.unit.test_session_transfer import contents, filled, session, zipped


def imported_or_refused(store: tc.SessionStore, path: Path, mode: str) -> None:
    """Import what may be damaged: a refusal leaves every byte, else the store is in order."""
    before = contents(store)
    done = None
    with suppress(tc.InputError):  # nothing else may be raised
        done = tc.import_sessions(store, path, mode=mode)
    after = contents(store)
    if done is None:
        after.pop("identity.json", None)
        assert after == before
    else:
        assert all(entry.problem is None for entry in [*store.list(), *store.behavior.list()])
        if mode == "merge":
            assert {name: after.get(name) for name in before} == before
            again = tc.import_sessions(store, path)
            assert (again.added, again.already_there) == (0, done.added + done.already_there)
    assert not list((store.root / ".trackcore").glob("import-*"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store `ours`, and an archive `x.zip` that shares a record with it."""
    folder = tmp_path_factory.mktemp("place")
    tc.export_sessions(filled(folder / "theirs"), folder / "x.zip")
    (folder / "theirs/identity.json").unlink(missing_ok=True)
    filled(folder / "ours", 1)
    return folder


@contextmanager
def copy_of(place: Path) -> Iterator[tuple[Path, tc.SessionStore]]:
    with TemporaryDirectory(dir=place) as folder:
        shutil.copytree(place / "ours", Path(folder) / "store")
        yield Path(folder) / "x.zip", tc.SessionStore(Path(folder) / "store")


modes = st.sampled_from(["merge", "replace"])
damages = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "drop", "double", "flip"]),
        st.floats(0, 1, exclude_max=True), st.integers(0, 255),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(damage=damages, mode=modes)
def test_a_damaged_archive_is_imported_whole_or_refused(
    place: Path, damage: list[tuple[str, float, int]], mode: str
) -> None:
    data = bytearray((place / "x.zip").read_bytes())
    for what, share, byte in damage:
        at = int(share * len(data))
        if what == "set" and data:
            data[at] = byte
        elif what == "flip" and data:
            data[at] ^= 1 << byte % 8
        elif what == "cut":
            del data[at:]
        elif what == "drop":
            del data[at : at + byte]
        else:
            data[at:at] = data[at : at + byte]
    with copy_of(place) as (path, store):
        path.write_bytes(data)
        imported_or_refused(store, path, mode)


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats()
    | st.text(max_size=12) | st.sampled_from(["/etc/passwd", "..", "\0", "NaN", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
names = st.sampled_from([
    "sessions/a.json", "sessions/A.json", "behavior/b.json", "manifest.json", "model.json",
    "../a.json", "sessions/../../a.json", "sessions/.a.json", "edits/e.json", "/a.json",
    "sessions/é.json", "sessions/" + "x" * 200 + ".json", "sessions/", "contributor_id.txt",
])  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> Any:
    """A session of which some fields hold anything, or anything at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(odd)
    changed = draw(
        st.dictionaries(st.sampled_from([*session(0), "novel", "settings"]), odd, max_size=2)
    )
    return {**session(draw(st.integers(0, 3))), **changed}


@settings(max_examples=80, deadline=None)
@given(files=st.dictionaries(names, records(), min_size=1, max_size=4), mode=modes)
def test_an_archive_of_anything_is_imported_whole_or_refused(
    place: Path, files: dict[str, Any], mode: str
) -> None:
    with copy_of(place) as (path, store):
        zipped(path, {name: json.dumps(value) for name, value in files.items()})
        imported_or_refused(store, path, mode)
