"""Each documented pattern of failure, provoked: its fix reaches detector and tracker, and helps."""

from __future__ import annotations

import numpy as np
import pytest

import trackcore as tc
from tests.unit import pipeline_scenes as scenes
from trackcore.diagnosis import FailurePattern as P
from trackcore.pipeline import Attempt, PipelineResult

START = tc.Settings(motion_model="Affine")


def fixed(result: PipelineResult, pattern: P) -> tuple[Attempt, Attempt]:
    """Return the attempts before and after a fix, once it is sure that this fix was made."""
    before, after = result.attempts
    assert before.diagnosis is not None
    assert pattern in [cause.pattern for cause in before.diagnosis.causes]
    assert after.plan.why[0].startswith(pattern.value)
    assert not after.plan.same_as(before.plan)
    return before, after


def held_out(attempt: Attempt) -> float:
    return np.inf if attempt.solve is None else float(np.nan_to_num(
        attempt.solve.held_out_error_px, nan=np.inf))  # fmt: skip


def survivors(attempt: Attempt, frames: slice) -> float:
    """Share of tracks seen in the frame before that are still seen in the last of these frames."""
    seen = attempt.raw_tracks.seen
    return float(seen[seen[:, frames.start - 1], frames.stop - 1].mean())


def test_rapid_motion_is_searched_for_twice_as_far() -> None:
    found = scenes.run(scenes.rapid(), START, retries=1, adapt=False)
    before, after = fixed(found, P.RAPID_MOTION)
    assert after.plan.settings.search_size >= 2 * before.plan.settings.search_size - 1
    assert after.plan.tracker.levels > before.plan.tracker.levels
    assert after.settings["search_size"] > before.settings["search_size"]

    def lost(attempt: Attempt) -> float:
        """Share of samples after which a track is lost inside the frame."""
        raw = attempt.raw_tracks
        inside = ~np.isin(raw.end_status, [tc.PointStatus.TRACKED, tc.PointStatus.OUT_OF_FRAME])
        return float(inside.sum() / raw.seen.sum())

    assert lost(after) < 0.6 * lost(before)


def test_motion_blur_gets_a_larger_pattern() -> None:
    start = tc.Settings(pattern_size=9, search_size=43, motion_model="Affine", correlation=0.9)
    found = scenes.run(scenes.blurred(), start, retries=1, adapt=False)
    before, after = fixed(found, P.MOTION_BLUR)
    assert after.plan.tracker.window == pytest.approx(1.5 * 9, abs=1.5)
    assert after.plan.tracker.min_ncc == pytest.approx(0.7)
    blurred = slice(8, 10)
    assert survivors(after, blurred) > survivors(before, blurred) + 0.2
    assert after.solve.solved.sum() > before.solve.solved.sum()


def test_low_contrast_lowers_the_threshold() -> None:
    glints = scenes.faint(14, contrast=0.08, slide_px=1.0)
    found = scenes.run(glints, tc.Settings(threshold=0.5, motion_model="Affine"), retries=1)
    before, after = fixed(found, P.LOW_CONTRAST)
    assert after.plan.settings.threshold == pytest.approx(0.6 * 0.5)
    assert after.plan.tracker.quality == pytest.approx(0.36 * before.plan.tracker.quality)
    assert after.plan.tracker.min_ncc == pytest.approx(before.plan.tracker.min_ncc - 0.1)
    assert len(after.raw_tracks) > 1.5 * len(before.raw_tracks)
    assert after.solve.bundled.sum() > 1.5 * before.solve.bundled.sum()
    assert held_out(after) < 0.5 * held_out(before), "what is faint but firm outvotes the glints"


def test_insufficient_features_are_detected_more_sensitively() -> None:
    found = scenes.run(scenes.faint(6), tc.Settings(threshold=0.5), retries=1)
    before, after = fixed(found, P.INSUFFICIENT_FEATURES)
    assert after.plan.settings.threshold == pytest.approx(0.25)
    assert after.plan.tracker.quality == pytest.approx(0.25 * before.plan.tracker.quality)
    assert before.solve.bundled.sum() < 8 <= after.solve.bundled.sum()
    assert held_out(after) < 0.5 < held_out(before)


def test_corners_that_fail_weigh_less() -> None:
    found = scenes.run(scenes.restless_corners(), START, retries=1, target=80)
    before, after = fixed(found, P.EDGE_DISTORTION)
    assert after.plan.center_weight == 2.0
    weights = after.plan.weights
    assert weights is not None
    corners, rest = weights[::2, ::2], np.r_[weights[1], weights[::2, 1]]
    assert corners.max() <= rest.min() / 2

    def in_corners(attempt: Attempt) -> float:
        """Share of the first frame's tracks that start in a corner."""
        tracks = attempt.raw_tracks
        xy = tracks.xy_px[tracks.seen[:, 0], 0] / scenes.SIZE
        return float((np.abs(xy - 0.5) > 1 / 6).all(axis=1).mean())

    assert in_corners(after) < in_corners(before) - 0.05
    assert after.success_rate > before.success_rate
    assert after.solve.bundled.sum() > before.solve.bundled.sum()


def test_a_cut_is_tracked_anew_and_the_longest_shot_is_solved() -> None:
    found = scenes.run(scenes.cut(), START, retries=1)
    before, after = fixed(found, P.SCENE_CUT)
    assert before.solve is None, "what a cut runs through is not solved"
    assert after.plan.redetect_frames == (31,)
    across = [int((a.raw_tracks.seen[:, 29] & a.raw_tracks.seen[:, 30]).sum())
              for a in found.attempts]  # fmt: skip
    assert across[0] > 0, "a tracker that knows nothing of the cut follows what looks alike"
    assert across[1] == 0
    assert (after.raw_tracks.first_index == 30).sum() > 40, "others start in its first frame"
    assert after.shot_frames == (1, 30)
    assert after.solve.n_frames == 30
    through = tc.solve(before.raw_tracks)  # as if nobody had seen the cut
    assert after.solve.held_out_error_px < 0.7 * through.held_out_error_px
    assert not through.solved.all()
    assert found.frames_left_out == ((31, 44),)
    assert found.to_dict()["frames_left_out"] == [[31, 44]]
    (note,) = (note for note in found.notes if "cuts" in note)
    assert "frames 1 .. 30" in note
    assert "14 of 44 frames are left out: 31 .. 44" in note
    assert after.solve.solved.all()
    bundled = after.tracks.select(after.solve.bundled).seen.sum()
    assert after.success_rate == bundled / after.raw_tracks.seen[:, :30].sum()


def test_without_retries_a_cut_still_splits_the_clip() -> None:
    (only,) = scenes.run(scenes.cut(), START, retries=0).attempts
    assert only.shot_frames == (1, 30)
    assert only.solve.n_frames == 30
