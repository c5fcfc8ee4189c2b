"""The whole pipeline: order, adaptation, retries, cancelling, and the same bytes every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit import pipeline_scenes as scenes
from trackcore.pipeline import PipelineResult, Stage, Step
from trackcore.pipeline.retry import next_plan
from trackcore.settings import settings_used
from trackcore.settings_policy import Fixed

START = tc.Settings(motion_model="Affine")


def quick(grade: tc.Grade = tc.Grade.B, held_out_px: float = 0.3):
    """A solver that finds nothing, at once, with the grade that is wanted."""
    empty = tc.solve(tc.Tracks.from_positions(np.zeros((0, 1, 2)), frame_size=scenes.SIZE))

    def solver(tracks: tc.Tracks, *_: object, **__: object) -> tc.Solve:
        n, m = len(tracks), tracks.n_frames
        return replace(
            empty, grade=grade, held_out_error_px=held_out_px, ids=tracks.ids,
            T_cam_world=np.full((m, 4, 4), np.nan), points=np.zeros((n, 3)),
            role=np.zeros(n, np.uint8), track_error_px=np.full(n, 0.2),
            frame_error_px=np.full(m, 0.2), frame_numbers=tracks.frame_numbers,
            focal_px_per_frame=np.full(m, 300.0), focal_px=300.0, mean_error_px=0.2,
        )  # fmt: skip

    return solver


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return scenes.filmed(scenes.room())


@pytest.fixture(scope="module")
def result(frames: np.ndarray) -> tuple[PipelineResult, list[Step]]:
    steps: list[Step] = []
    found = tc.SmartTracker(session=False).run(frames, progress=steps.append)
    return found, steps


def test_a_clip_becomes_a_camera(result: tuple[PipelineResult, list[Step]]) -> None:
    found, _ = result
    assert found.solve is not None
    assert found.solve.grade in (tc.Grade.A, tc.Grade.B)
    assert found.tracks is not None
    assert np.array_equal(found.tracks.ids, found.solve.ids)
    assert found.analysis is not None
    assert not found.cancelled
    assert found.best is found.attempts[0]


def test_the_stages_come_in_their_order(result: tuple[PipelineResult, list[Step]]) -> None:
    found, steps = result
    order = list(dict.fromkeys(step.stage for step in steps))
    assert order == [
        Stage.PROBE, Stage.SETTINGS, Stage.TRACK, Stage.MEASURE, Stage.HEAL, Stage.FILTER,
        Stage.SOLVE, Stage.JUDGE, Stage.RECORD,
    ]  # fmt: skip
    tracked = [step.done for step in steps if step.stage is Stage.TRACK]
    assert tracked == list(range(1, 25))
    assert {step.total for step in steps if step.stage is Stage.TRACK} == {24}
    live = [step.live for step in steps if step.stage is Stage.TRACK][-1]
    assert live["alive"] > 50
    assert set(order) == set(found.stage_seconds), "every stage's share of the time is known"
    assert all(t.cpu_s >= 0 and t.wall_s >= 0 for t in found.stage_seconds.values())


def test_the_settings_stored_are_those_used(result: tuple[PipelineResult, list[Step]]) -> None:
    found, _ = result
    assert found.settings == settings_used(found.attempts[0].plan.tracker)


def test_threads_do_not_change_a_byte(
    frames: np.ndarray, result: tuple[PipelineResult, list[Step]]
) -> None:
    one = tc.SmartTracker(tc.SmartTrackerOptions(threads=1), session=False).run(frames)
    many, _ = result
    assert one.tracks.equals(many.tracks)
    assert one.solve.T_cam_world.tobytes() == many.solve.T_cam_world.tobytes()
    assert one.solve.points.tobytes() == many.solve.points.tobytes()
    assert one.solve.to_dict() == many.solve.to_dict()
    first, second = one.to_dict(), many.to_dict()
    for found in (first, second):
        del found["stage_seconds"]
    assert first == second


def test_a_pause_changes_nothing(frames: np.ndarray) -> None:
    tracker = tc.SmartTracker(session=False, solver=quick())
    steps = tracker.steps(frames)
    seen = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
            break
        seen += 1
    assert seen > 24
    assert found.tracks.equals(tracker.run(frames).tracks)


def test_cancelling_keeps_what_was_tracked(frames: np.ndarray) -> None:
    done = 0

    def count(step: Step) -> None:
        nonlocal done
        done = step.done if step.stage is Stage.TRACK else done

    found = tc.SmartTracker(session=False, solver=quick()).run(
        frames, progress=count, cancel=lambda: done == 9
    )
    assert found.cancelled
    assert found.solve is None
    assert found.best.raw_tracks.n_frames == 9
    assert found.best.raw_tracks.seen[:, -1].sum() > 50


def test_cancelling_a_retry_keeps_the_attempt_before() -> None:
    attempt = 0

    def note(step: Step) -> None:
        nonlocal attempt
        attempt = step.attempt if step.stage is Stage.TRACK else attempt

    found = tc.SmartTracker(
        session=False, solver=quick(tc.Grade.D), policy=Fixed(tc.Settings(threshold=0.5), 80)
    ).run(scenes.faint(14), progress=note, cancel=lambda: attempt == 2)
    assert found.cancelled
    assert len(found.attempts) == 2
    assert found.best.number == 1
    assert found.solve is not None


def test_nothing_to_track_is_no_error() -> None:
    found = tc.SmartTracker(session=False).run(np.full((12, 90, 160), 128, np.uint8))
    assert found.solve.grade is tc.Grade.F
    assert len(found.tracks) == 0


def test_one_frame_is_no_error() -> None:
    found = tc.SmartTracker(session=False).run(scenes.filmed(scenes.room(), 1))
    assert found.solve.grade is tc.Grade.F


def jolted() -> np.ndarray:
    """Still, then from frame 7 on every step is a long one."""
    yaw = np.concatenate([np.zeros(6), np.cumsum(np.tile([40.0, -40.0], 9))])
    scene = tc.synth.ParallaxScene(1, size=(480, 270), n_frames=24)
    return scenes.filmed(scenes.shaken(scene, yaw))


def test_where_tracks_are_lost_the_search_is_widened_on_the_way() -> None:
    start = tc.Settings(search_size=43, motion_model="Affine")
    clip = jolted()
    off, on = (
        tc.SmartTracker(
            tc.SmartTrackerOptions(max_retries=0, adapt=adapt), policy=Fixed(start, 80),
            session=False, solver=quick(),
        ).run(clip)
        for adapt in (False, True)
    )  # fmt: skip
    assert off.adaptation_history == []
    first = on.adaptation_history[0]
    assert first["iteration"] == 1
    assert first["frame"] == 7, "at once, not at the next look"
    assert first["survival_rate"] < 0.5
    assert first["new_settings"]["search_size"] > first["old_settings"]["search_size"]
    assert first["old_settings"]["search_size"] == 43
    assert first["changes"] == [f"search_size: 43 -> {first['new_settings']['search_size']}"]
    assert on.settings == on.adaptation_history[-1]["new_settings"], "stored as used"

    def held(found: PipelineResult) -> float:
        """Share of what was seen in one of the later frames that is seen in the next."""
        seen = found.best.raw_tracks.seen
        return float((seen[:, 10:-1] & seen[:, 11:]).sum() / seen[:, 10:-1].sum())

    assert held(on) > held(off) + 0.2


def test_real_footage_that_begins_to_shake_is_searched_further(
    shared_data: Callable[[str], Path],
) -> None:
    """From frame 53 on, long after the probe, a window onto the pictures jumps by 72 px."""
    clip = tc.open_clip(shared_data("boof_sweeps") / "river_overview_long_sweep.mp4")
    images = []
    for i, frame in enumerate(islice(clip, 68)):
        x = 53 + (36 if i % 2 else -36) * (i >= 52)
        images.append(frame.image[26:294, x : x + 320].copy())
    off, on = (
        tc.SmartTracker(
            tc.SmartTrackerOptions(max_retries=0, adapt=adapt), session=False, solver=quick()
        ).run(np.stack(images))
        for adapt in (False, True)
    )  # fmt: skip
    change = on.adaptation_history[0]
    assert 53 <= change["frame"] <= 55
    assert change["survival_rate"] < 0.5
    assert change["new_settings"]["search_size"] > change["old_settings"]["search_size"]

    def held(found: PipelineResult) -> float:
        """Share of what was seen in one of the last frames that is seen in the next."""
        seen = found.best.raw_tracks.seen
        return float((seen[:, 56:-1] & seen[:, 57:]).sum() / seen[:, 56:-1].sum())

    assert off.adaptation_history == []
    assert held(on) > held(off) + 0.3


def test_tracks_that_leave_the_frame_are_no_reason_to_adapt() -> None:
    scene = tc.synth.ParallaxScene(1, size=(320, 180), n_frames=24)
    pan = scenes.filmed(scenes.shaken(scene, np.arange(24) * 12.0))
    found = tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=0), policy=Fixed(START, 80), session=False,
        solver=quick(),
    ).run(pan)  # fmt: skip
    left = found.best.raw_tracks.end_status == tc.PointStatus.OUT_OF_FRAME
    assert left.sum() > 40
    assert found.adaptation_history == []


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_there_are_at_most_so_many_retries_and_all_differ(retries: int) -> None:
    found = tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=retries), session=False, solver=quick(tc.Grade.D),
        policy=Fixed(tc.Settings(threshold=0.5), 80),
    ).run(scenes.faint(14))  # fmt: skip
    assert 1 <= len(found.attempts) <= retries + 1
    assert retries == 0 or len(found.attempts) > 1
    plans = [a.plan for a in found.attempts]
    for i, plan in enumerate(plans):
        assert not any(plan.same_as(other) for other in plans[:i])


def test_a_good_grade_is_not_tried_again(frames: np.ndarray) -> None:
    found = tc.SmartTracker(session=False, solver=quick(tc.Grade.B)).run(frames)
    assert len(found.attempts) == 1


def test_sound_tracks_are_not_tried_again_whatever_the_grade(frames: np.ndarray) -> None:
    found = tc.SmartTracker(session=False, solver=quick(tc.Grade.D)).run(frames)
    assert len(found.attempts) == 1
    assert "would not help" in found.notes[0]


def test_what_only_the_camera_lacks_is_no_reason_to_track_again(frames: np.ndarray) -> None:
    found = tc.SmartTracker(tc.SmartTrackerOptions(max_retries=0), session=False).run(frames)
    last = found.attempts[0]
    settings = {**last.settings, "threshold": 0.5}  # there would be something to try

    def following(grade: tc.Grade, **evidence: float) -> object:
        few = np.arange(3)
        solve = replace(
            last.solve, grade=grade, evidence={**last.solve.evidence, **evidence},
            points=last.solve.points[few], role=last.solve.role[few], ids=last.solve.ids[few],
        )  # fmt: skip
        return next_plan([replace(
            last, settings=settings, solve=solve, tracks=last.tracks.select(
                np.isin(np.arange(len(last.tracks)), few)),
        )])  # fmt: skip

    plan, why = following(tc.Grade.D, angle_deg=0.3, leap=0.5)
    assert plan is None
    assert "agree with the camera" in why
    assert following(tc.Grade.D, frames_solved=0.6)[0] is not None
    assert following(tc.Grade.D, held_out_error=3.0)[0] is not None
    assert following(tc.Grade.F, angle_deg=0.1)[0] is not None, "without a camera all is tried"


def test_a_camera_that_stands_is_refused_once(frames: np.ndarray) -> None:
    found = tc.SmartTracker(session=False).run(np.repeat(frames[:1], 12, axis=0))
    assert len(found.attempts) == 1
    assert found.solve is not None
    assert found.solve.grade is tc.Grade.F
    assert "does not move" in found.notes[0]


def test_the_best_attempt_is_kept_by_grade_then_by_held_out_error(frames: np.ndarray) -> None:
    found = tc.SmartTracker(session=False, solver=quick()).run(frames)
    base = found.attempts[0]

    def graded(number: int, grade: tc.Grade, error: float) -> object:
        return replace(
            base, number=number, solve=replace(base.solve, grade=grade, held_out_error_px=error)
        )

    attempts = (
        graded(1, tc.Grade.C, 0.1), graded(2, tc.Grade.B, 0.9), graded(3, tc.Grade.B, 0.4),
        graded(4, tc.Grade.B, float("nan")), graded(5, tc.Grade.B, 0.4),
    )  # fmt: skip
    assert replace(found, attempts=attempts).best.number == 3
    assert next_plan([attempts[1]])[0] is None


def test_tracks_are_shared_out_by_what_the_probe_saw() -> None:
    frames = scenes.filmed(scenes.room())
    sky = frames.copy()
    sky[:, :60] = 200  # nothing to see there
    found = tc.SmartTracker(session=False, solver=quick()).run(frames)
    assert set(found.best.plan.region_confidence) == set(tc.frame_regions.REGIONS)
    weights = found.best.plan.weights
    assert weights is None or weights.shape == (3, 3)


def test_a_mask_is_kept_to(frames: np.ndarray) -> None:
    mask = np.zeros((180, 320), bool)
    mask[:, 160:] = True
    found = tc.SmartTracker(session=False, solver=quick(), mask=mask).run(frames)
    raw = found.best.raw_tracks
    born = raw.xy_px[np.arange(len(raw)), raw.first_index]
    assert (born[:, 0] >= 160).all()


def test_options_that_are_none_are_refused() -> None:
    with pytest.raises(tc.InputError, match="SmartTrackerOptions"):
        tc.SmartTracker(tc.TrackerOptions())  # type: ignore[arg-type]
    with pytest.raises(tc.InputError, match="max_retries"):
        tc.SmartTrackerOptions(max_retries=-1)
    with pytest.raises(tc.InputError, match="quality"):
        tc.SmartTrackerOptions(quality="best")
