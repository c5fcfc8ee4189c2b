"""Healing joins what shows the same point, and nothing else."""

import json

import numpy as np
import pytest

import trackcore as tc
from tests.healing_scenes import KINDS, Posts, gap_case, score, verdict_on
from trackcore.session.models.healing import HealingAttempt, HealingStats

S = tc.PointStatus


@pytest.fixture(scope="module")
def straight():
    case = gap_case(0)
    return case, tc.heal(case.tracks, case.frames)


@pytest.mark.parametrize("seed", range(16))
def test_a_cut_track_is_joined_and_filled_to_a_tenth_of_a_pixel_or_left_alone(seed):
    case = gap_case(seed)
    healing = tc.heal(case.tracks, case.frames)
    right, wrong, filled = verdict_on(case, healing)
    assert not wrong
    assert right == (KINDS[seed % len(KINDS)] != "distractor")
    if right:
        assert np.nanmax(filled) < 0.1
        assert np.isfinite(filled).mean() > 0.5


def test_the_later_track_goes_on_under_the_earlier_id_at_the_lost_point(straight):
    case, healing = straight
    assert case.partner not in healing.tracks.ids
    assert len(healing.tracks) == len(case.tracks) - 1
    after = case.gap[1] + 1
    raw = case.tracks.xy_px[case.tracks.ids == case.partner][0, after:] - case.truth_px[after:]
    assert np.hypot(*raw.T).min() > 0.5  # it followed a point beside the lost one
    error = np.hypot(*(healing.tracks.xy_px[0, after:] - case.truth_px[after:]).T)
    assert np.nanmax(error) < 0.2


def test_other_tracks_do_not_change(straight):
    case, healing = straight
    kept = np.isin(case.tracks.ids, healing.tracks.ids) & (case.tracks.ids != case.lost)
    same = np.isin(healing.tracks.ids, case.tracks.ids[kept])
    np.testing.assert_array_equal(healing.tracks.xy_px[same], case.tracks.xy_px[kept])


def test_the_record_has_the_documented_keys_and_is_plain_json(straight):
    case, healing = straight
    record = healing.to_dict()
    json.dumps(record, allow_nan=False)
    assert set(record) == {"anchor_tracks", "healing_attempts", "healing_stats"}
    attempt = record["healing_attempts"][0]
    assert set(HealingAttempt.model_fields) <= set(attempt)
    assert set(record["healing_stats"]) == set(HealingStats.model_fields)
    assert attempt["gap_start_frame"] == case.gap[0]  # array index before the gap, from 1
    assert attempt["gap_end_frame"] == case.gap[1] + 2
    assert len(attempt["interpolated_positions"]) == case.gap[1] - case.gap[0] + 1
    assert attempt["heal_success"] is True
    assert attempt["post_heal_error"] < 0.2
    assert record["healing_stats"]["heals_successful"] == 1


@pytest.mark.parametrize("user", ["lost", "partner"])
def test_the_users_tracks_are_neither_continued_nor_used_up(user):
    case = gap_case(0)
    mine = case.tracks.ids == getattr(case, user)
    healing = tc.heal(case.tracks, case.frames, protected=mine)
    assert healing.tracks.equals(case.tracks)


def test_what_is_hidden_stays_unknown_unless_asked_for():
    case = gap_case(0)
    first, last = case.gap
    frames = [f.copy() for f in case.frames]
    for index in range(first, last + 1):
        frames[index][:] = 127  # nothing to see
    honest = tc.heal(case.tracks, frames)
    assert honest.healing_stats.heals_successful == 1
    assert np.isnan(honest.tracks.xy_px[0, first : last + 1]).all()
    assert honest.interpolated[0, first : last + 1].all()
    truth = case.truth_px[first : last + 1]
    assert np.abs(honest.interpolated_xy_px[0, first : last + 1] - truth).max() < 0.5
    full = tc.heal(case.tracks, frames, tc.HealOptions(fill="all"))
    assert np.abs(full.tracks.xy_px[0, first : last + 1] - truth).max() < 0.5
    assert (full.tracks.status[0, first : last + 1] == S.TRACKED).all()


def test_pixels_that_do_not_agree_refuse():
    case = gap_case(0)
    other = gap_case(1)
    after = case.gap[1] + 1
    healing = tc.heal(case.tracks, case.frames[:after] + other.frames[after:])
    assert healing.healing_stats.heals_successful == 0
    assert healing.healing_attempts[0].reason
    assert healing.tracks.equals(case.tracks)


def test_stopping_at_once_changes_nothing_and_progress_reaches_its_end():
    case = gap_case(0)
    stopped = tc.heal(case.tracks, case.frames, cancel=lambda: True)
    assert stopped.tracks.equals(case.tracks)
    assert stopped.healing_stats.heals_attempted == 0
    seen = []
    tc.heal(case.tracks, case.frames, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_arguments_that_do_not_fit_are_named():
    case = gap_case(0)
    with pytest.raises(tc.InputError, match="tracks: expected Tracks"):
        tc.heal(case.frames, case.frames)
    with pytest.raises(tc.InputError, match="protected: expected"):
        tc.heal(case.tracks, case.frames, protected=[True])
    with pytest.raises(tc.InputError, match="clip: expected frames of"):
        tc.heal(case.tracks, [f[:50] for f in case.frames])


def test_no_tracks_are_nothing_to_heal():
    empty = tc.Tracks.from_positions(np.zeros((0, 4, 2)), frame_size=(40, 30))
    healing = tc.heal(empty, [np.zeros((30, 40), np.uint8)] * 4)
    assert len(healing.tracks) == 0
    assert healing.healing_stats.avg_gap_frames is None


def test_among_posts_and_identical_posters_no_join_is_wrong():
    scene = Posts(1, n_frames=36, size=(200, 140))
    frames = scene.frames()
    tracks = tc.track_clip(frames)
    found = score(scene, tracks, tc.heal(tracks, frames))
    assert found.joins >= 3
    assert found.wrong == 0
