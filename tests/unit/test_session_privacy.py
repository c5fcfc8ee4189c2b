"""Nothing but numbers leaves the machine."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trackcore as tc
from trackcore.frame_regions import REGIONS
from trackcore.session import privacy
from trackcore.session.identity import load_identity, reset_contributor
from trackcore.session.privacy import find_private, scrubbed


@st.composite
def ordinary_sessions(draw: st.DrawFn) -> dict[str, Any]:
    """What a recorder writes: words of the schema, numbers of any size, generic names."""
    share = st.floats(0, 1)
    region = st.sampled_from(REGIONS)
    tracks = st.fixed_dictionaries({
        "name": st.integers(0, 99_999).map("track_{:05d}".format),
        "region": region,
        "lifespan": st.integers(0, 10**6),
        "jitter_score": share,
        "trajectory": st.lists(st.tuples(share, share).map(list), max_size=4),
    })  # fmt: skip
    digits = st.text("0123456789abcdef", min_size=8, max_size=8)
    moment = st.datetimes(datetime(1990, 1, 1)).map(datetime.isoformat)
    name = st.builds("{}_{}".format, moment.map(lambda t: t[:19].replace(":", "-")), digits)
    region_stats = st.fixed_dictionaries({"total_tracks": st.integers(0)})
    return draw(st.fixed_dictionaries({
        "timestamp": moment,
        "session_id": name,
        "clip_name": digits.map("clip_{}".format),
        "clip_fingerprint": st.text("0123456789abcdef", min_size=16, max_size=16),
        "resolution": st.tuples(st.integers(1, 10**5), st.integers(1, 10**5)).map(list),
        "fps": st.floats(1, 1000),
        "success": st.booleans(),
        "solve_error": st.none() | st.floats(0, 1e6),
        "motion_class": st.sampled_from(["LOW", "MEDIUM", "HIGH"]),
        "region_stats": st.dictionaries(region, region_stats),
        "tracks": st.lists(tracks, max_size=3),
    }))  # fmt: skip


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


ORDINARY: dict[str, list[Any]] = {
    "codec": [
        "h264",
        "hevc",
        "H.264",
        "prores_ks",
        "ProRes 4444 XQ",
        "DNxHR HQX",
        "mjpeg",
        "dng_8bit",
        "png",
        "rawvideo",
        "v210",
        "MPEG-4 part 2",
        "AVC-Intra 100",
        "h264 (High 4:2:2)",
    ],
    "fps": [23.976, 24, 29.97, 30000 / 1001, 59.94, 119.88],
    "resolution": [[1920, 1080], [4096, 2160], [7680, 4320]],
    "footage_class": ["HD_30fps", "4K_24fps_LOW_MOTION", "SD_25fps"],
    "failure_type": ["NONE", "DRIFT", "BLUR", "CUT"],
    "timestamp": ["2026-11-27T14:03:05", "2026-01-01T00:00:00+00:00", "1999-12-31T23:59:59.999999"],
    "session_id": ["2026-11-27T14-03-05_0a1b2c3d", "session_00000001"],
    "clip_name": ["clip_0000000a", "clip_1", "footage", "shot_00ff", "session-12"],
    "solver_version": ["0.1.0", "1.2.3.dev4+g0a1b2c3", "4.5.15", "2026.11"],
    "novel_metric": [0.123456789, -1e-9, 1e17, 0, True, None, [1.5] * 200, {"a": [1, 2]}],
    "novel_word": ["trackcore-0.1.0", "LOW_MOTION", "k1.k2", "a+b", "24p", "x1"],
}


@pytest.mark.parametrize("field", ORDINARY)
def test_ordinary_values_raise_no_alarm(field: str) -> None:
    for value in ORDINARY[field]:
        assert find_private({field: value}) == [], value


@settings(max_examples=40)
@given(record=ordinary_sessions())
def test_ordinary_sessions_raise_no_alarm(record: dict[str, Any]) -> None:
    assert find_private(record) == []


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
