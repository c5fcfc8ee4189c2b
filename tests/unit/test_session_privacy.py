"""Nothing but numbers leaves the machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trackcore as tc
from trackcore.session import privacy
from trackcore.session.identity import load_identity, reset_contributor
from trackcore.session.privacy import find_private, scrubbed

DOCUMENTS = Path(__file__).parents[1] / "compat" / "documents"


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"extra": "/plates/ann/shot.mov"}, "extra"),
        ({"extra": "C:\\shots\\a"}, "extra"),
        ({"extra": "\\\\server\\share"}, "extra"),
        ({"extra": "file:///tmp/x"}, "extra"),
        ({"extra": "~ann"}, "extra"),
        ({"extra": "A001_C003.mxf"}, "extra"),
        ({"tracks": [{"region": "center"}, {"region": "/plates"}]}, "tracks.1.region"),
        ({"codec": "ann@example.org"}, "codec"),
        ({"codec": "10.0.0.17"}, "codec"),
        ({"codec": "00:1b:44:11:3a:b7"}, "codec"),
        ({"codec": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}, "codec"),
        ({"codec": "QUJD" * 20}, "codec"),
        ({"clip_name": "hero_plate_v003"}, "clip_name"),
        ({"tracks": [{"name": "left eye"}]}, "tracks.0.name"),
        ({"track_failures": [{"track_name": "nose"}]}, "track_failures.0.track_name"),
        ({"username": "x1"}, "username"),
        ({"file_size": 123456789}, "file_size"),
        ({"notes": "the director hated it"}, "notes"),
        ({"unknown": [[0] * 32] * 32}, "unknown"),
        ({"region_stats": {"/plates/shot": {"total_tracks": 1}}}, "region_stats./plates/shot"),
    ],
)
def test_what_says_more_than_numbers_is_named(record: dict[str, Any], field: str) -> None:
    assert [found.field for found in find_private(record)] == [field]


def test_the_names_of_this_user_and_machine_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy.socket, "gethostname", lambda: "renderbox-07")
    privacy._names_here.cache_clear()
    try:
        assert find_private({"codec": "made_on_RenderBox"})[0].why == "names this user or machine"
    finally:
        privacy._names_here.cache_clear()


@pytest.mark.parametrize("name", ["session", "behavior", "export", "model", "frame_samples"])
def test_the_documented_examples_raise_no_alarm(name: str) -> None:
    assert find_private(json.loads((DOCUMENTS / f"{name}.json").read_text())) == []


def test_scrubbing_removes_just_that() -> None:
    record = {"fps": 30, "notes": "for Ann only", "tracks": [{"name": "nose", "lifespan": 9}]}
    clean, dropped = scrubbed(record)
    assert clean == {"fps": 30, "tracks": [{"lifespan": 9}]}
    assert [one.field for one in dropped] == ["notes", "tracks.0.name"]


def test_a_fingerprint_is_the_same_here_and_means_nothing_elsewhere(tmp_path: Path) -> None:
    here, there = tc.SessionStore(tmp_path / "a"), tc.SessionStore(tmp_path / "b")
    clip = ("/footage/shot_010.mp4", (1920, 1080), 24.0, 240)
    first = tc.clip_fingerprint(*clip, here)
    assert first == tc.clip_fingerprint(*clip, tc.SessionStore(tmp_path / "a"))
    assert first != tc.clip_fingerprint(*clip, there)
    assert first != "88dc6558f957462d", "the documented value can be looked up by its path"
    assert first != tc.clip_fingerprint(clip[0], clip[1], clip[2], 241, here)
    assert len(first) == 16


def test_the_key_is_the_users_alone(tmp_path: Path) -> None:
    store = tc.SessionStore(tmp_path)
    load_identity(store)
    assert (tmp_path / "identity.json").stat().st_mode & 0o077 == 0


def test_the_contributor_is_random_and_can_be_another_or_nobody(tmp_path: Path) -> None:
    store = tc.SessionStore(tmp_path)
    key, first = load_identity(store).key, load_identity(store).contributor_id
    assert reset_contributor(store) not in (None, first)
    assert reset_contributor(store, anonymous=True) is None
    assert load_identity(store).key == key


def test_a_damaged_identity_is_replaced(tmp_path: Path) -> None:
    store = tc.SessionStore(tmp_path)
    (tmp_path / "identity.json").write_text("{")
    assert load_identity(store) == load_identity(store)
