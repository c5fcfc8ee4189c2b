"""What a user changed between two solves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackcore as tc
from trackcore.session.identity import agree

SIZE = (200, 100)


def tracks(n: int = 4, n_frames: int = 40) -> tc.Tracks:
    """Points near the middle, each in a row of its own, that drift right."""
    start = np.stack([np.linspace(80, 110, n), np.linspace(40, 60, n)], axis=-1)
    return tc.Tracks.from_positions(
        start[:, None] + np.arange(n_frames)[:, None] * [0.2, 0.0], frame_size=SIZE
    )


def recorder(folder: Path, *, agreed: bool = True) -> tc.BehaviorRecorder:
    store = tc.SessionStore(folder)
    agree(store, learn_from_edits=agreed)
    return tc.BehaviorRecorder(store)


def changed(
    folder: Path, before: tc.Tracks, after: tc.Tracks, old: dict[str, Any], new: dict[str, Any]
) -> Any:
    one = recorder(folder)
    one.before(before, session_id="2026-01-01T00-00-00_00000001", iteration=2, **old)
    return one.after(after, **new)


def test_nothing_is_written_until_the_user_agrees(tmp_path: Path) -> None:
    one = tc.BehaviorRecorder(tmp_path)
    assert not one.agreed
    one.before(tracks(), session_id="s")
    assert one.after(tracks(3)).net_track_change == -1
    assert one.store.behavior.names() == []
    agree(one.store, learn_from_edits=True)
    one.before(tracks(), session_id="s")
    one.after(tracks(3))
    assert len(one.store.behavior.names()) == 1


def test_settings_that_changed_are_told_with_their_difference(tmp_path: Path) -> None:
    record = changed(
        tmp_path, tracks(), tracks(),
        {"settings": {"search_size": 71, "correlation": 0.7, "motion_model": "Loc"}},
        {"settings": {"search_size": 100, "correlation": 0.7, "motion_model": "Affine"}},
    )  # fmt: skip
    found = record.settings_adjustments
    assert set(found) == {"search_size", "motion_model"}
    assert (found["search_size"].before, found["search_size"].delta) == (71, 29)
    assert found["motion_model"].delta is None


def test_a_failed_solve_is_told_as_failed_and_never_as_a_number(tmp_path: Path) -> None:
    failed = changed(tmp_path, tracks(), tracks(), {"solve_error": 1.8}, {"solved": True}).re_solve
    assert failed.attempted
    assert failed.error_after is None
    assert failed.improvement is None
    assert failed.improved is False
    better = changed(tmp_path, tracks(), tracks(), {"solve_error": 1.8}, {"solve_error": 0.9})
    assert better.re_solve.improvement == pytest.approx(0.9)
    assert better.re_solve.improved
    none = changed(tmp_path, tracks(), tracks(), {}, {})
    assert none.re_solve.attempted is False


def test_added_tracks_are_told_with_where_and_how_long(tmp_path: Path) -> None:
    record = changed(tmp_path, tracks(3), tracks(4), {}, {"has_bundle": [True] * 4})
    (added,) = record.track_additions
    assert (added.region, added.lifespan_achieved, added.had_bundle) == ("center", 40, True)
    assert record.region_additions == {"center": 1}
    assert record.net_track_change == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n_frames": 6}, "short_lifespan"),
        ({"shift": (-75.0, -35.0)}, "edge_region"),
        ({"error": 3.2}, "high_error"),
        ({"noise": 2.0}, "jittery"),
        ({}, "user_manual"),
    ],
)
def test_why_a_track_was_deleted_is_inferred(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    all_of_them = tracks()
    xy_px = np.array(all_of_them.xy_px)
    xy_px[0, change.get("n_frames", 40) :] = np.nan
    xy_px[0] += change.get("shift", (0, 0))
    xy_px[0] += np.random.default_rng(0).normal(0, 1, xy_px[0].shape) * change.get("noise", 0)
    before = tc.Tracks.from_positions(xy_px, frame_size=SIZE)
    errors = [change.get("error", 0.3), 0.3, 0.3, 0.3]
    record = changed(
        tmp_path, before, before.select([1, 2, 3]), {"reprojection_error_px": errors}, {}
    )
    assert [d.inferred_reason for d in record.track_deletions] == [reason]


def test_a_locked_off_track_is_not_called_jittery(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (4, 40, 2))
    before = tc.Tracks.from_positions(np.array([100.0, 50.0]) + noise, frame_size=SIZE)
    record = changed(tmp_path, before, before.select([1, 2, 3]), {}, {})
    assert record.track_deletions[0].inferred_reason == "user_manual"


def test_muted_and_weightless_tracks_are_exclusions_once(tmp_path: Path) -> None:
    record = changed(
        tmp_path, tracks(), tracks(),
        {"muted": [True, False, False, False]},
        {"muted": [True, True, False, False], "weight": [1.0, 1.0, 0.0, 1.0]},
    )  # fmt: skip
    told = {e.track_name: (e.kind, e.inferred_reason) for e in record.exclusions}
    assert told == {
        "track_00001": ("mute", "user_manual"),
        "track_00002": ("zero_weight", "user_manual"),
    }


def test_positions_moved_by_more_than_half_a_pixel_are_refinements(tmp_path: Path) -> None:
    before = tracks()
    xy_px = np.array(before.xy_px)
    xy_px[1, 7] += [3.0, -4.0]
    xy_px[2, 9] += [0.3, 0.0]
    after = tc.Tracks.from_positions(xy_px, frame_size=SIZE)
    (moved,) = changed(tmp_path, before, after, {}, {}).marker_refinements
    assert (moved.track_name, moved.frame) == ("track_00001", 8)
    assert moved.displacement_px == pytest.approx(5.0)
    assert moved.new_position[1] > moved.old_position[1]  # y is up in records


def test_attempts_on_one_clip_can_be_joined(tmp_path: Path) -> None:
    one = recorder(tmp_path)
    one.before(
        tracks(), session_id="b", previous_session_id="a", iteration=3, clip_fingerprint="f" * 16
    )
    record = one.after(tracks())
    assert (record.session_id, record.previous_session_id, record.iteration) == ("b", "a", 3)
    assert one.store.behavior.list()[0].session_id == "b"
    assert record.contributor_id


def test_wrong_use_is_explained(tmp_path: Path) -> None:
    one = recorder(tmp_path)
    with pytest.raises(tc.InputError, match="before"):
        one.after(tracks())
    with pytest.raises(tc.InputError, match=r"muted: expected shape \(4,\), got \(3,\)"):
        one.before(tracks(), session_id="s", muted=[True] * 3)
    one.before(tracks(), session_id="s")
    other = tc.Tracks.from_positions(np.zeros((1, 2, 2)), frame_size=(10, 10))
    with pytest.raises(tc.InputError, match="frames of"):
        one.after(other)
