"""The user's own tracks in the pipeline, and a solve that is cancelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit import pipeline_scenes as scenes
from tests.unit.test_pipeline import quick
from trackcore.pipeline import Stage, Step
from trackcore.solver import TrackRole


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return scenes.filmed(scenes.room())


@pytest.fixture(scope="module")
def own() -> tc.Tracks:
    """Two points of the scene, exactly; one that slips, which the filters would leave out."""
    xy = scenes.room().track_truth(np.array([[80.0, 60.0], [200.0, 110.0], [150.0, 90.0]]))[:, :24]
    xy[2, 12:] += np.linspace(0, 60, 12)[:, None]
    xy[2, 5] += 25.0
    return tc.Tracks.from_positions(xy, frame_size=scenes.SIZE)


def test_own_tracks_are_neither_filtered_nor_held_out_nor_outliers(
    frames: np.ndarray, own: tc.Tracks
) -> None:
    found = tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=0), session=False, protected=own
    ).run(frames)  # fmt: skip
    (best,) = found.attempts
    assert len(best.protected_ids) == 3
    raw = best.raw_tracks
    mine = np.isin(raw.ids, best.protected_ids)
    np.testing.assert_array_equal(raw.xy_px[mine], own.xy_px)
    assert tc.find_bad_tracks(raw).mute(raw).delete().ids.tolist() != found.tracks.ids.tolist()
    assert best.protected_ids[2] not in tc.find_bad_tracks(raw).mute(raw).delete().ids, (
        "unless it is the user's own it is left out"
    )
    assert set(best.protected_ids) <= set(found.tracks.ids)
    assert not set(best.protected_ids) & set(found.solve.held_out_ids)
    roles = found.solve.role[best.protected]
    assert (roles[:2] == TrackRole.BUNDLE).all()
    assert roles[2] != TrackRole.OUTLIER
    assert found.to_dict()["attempts"][0]["protected_tracks"] == 3


def test_own_tracks_reach_heal_filter_and_solver_of_every_attempt(own: tc.Tracks) -> None:
    asked = []

    def solver(tracks: tc.Tracks, *_: object, protected: np.ndarray, **__: object) -> tc.Solve:
        asked.append((tracks.ids[protected], tracks))
        return quick(tc.Grade.D)(tracks)

    found = tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=1, heal="on"), session=False, protected=own,
        policy=tc.settings_policy.Fixed(tc.Settings(threshold=0.5), 80), solver=solver,
    ).run(scenes.faint(14))  # fmt: skip
    assert len(asked) == len(found.attempts) == 2
    for (ids, tracks), attempt in zip(asked, found.attempts, strict=True):
        assert ids.tolist() == attempt.protected_ids.tolist()
        np.testing.assert_array_equal(tracks.select(np.isin(tracks.ids, ids)).xy_px, own.xy_px)


def test_own_tracks_that_cannot_be_of_the_clip_are_refused(frames: np.ndarray) -> None:
    for own, words in (
        (tc.Tracks.from_positions(np.full((1, 24, 2), 9.0), frame_size=(64, 64)), "320"),
        (tc.Tracks.from_positions(np.full((1, 3, 2), 9.0), frame_size=scenes.SIZE,
                                  first_frame=900), r"1 \.\. 24"),
        ("tracks.npz", "Tracks"),
    ):  # fmt: skip
        with pytest.raises(tc.InputError, match=f"protected: .*{words}"):
            tc.SmartTracker(session=False, protected=own).run(frames)


@pytest.mark.parametrize("after", [1, 5, 20])
def test_a_solve_is_cancelled_between_its_steps(after: int) -> None:
    scene, asked = scenes.room(), 0
    grid = np.stack(np.meshgrid(np.linspace(10, 310, 12), np.linspace(10, 170, 7)), -1)
    xy = scene.track_truth(grid.reshape(-1, 2))
    tracks = tc.Tracks.from_positions(xy, frame_size=scenes.SIZE)

    def cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked >= after

    with pytest.raises(tc.CancelledError):
        tc.solve(tracks, cancel=cancel)
    assert asked == after, "it ends at once"
    never = tc.solve(tracks, cancel=lambda: False)
    assert never.T_cam_world.tobytes() == tc.solve(tracks).T_cam_world.tobytes()


def test_a_run_cancelled_in_its_solve_keeps_the_tracks(tmp_path: Path, frames: np.ndarray) -> None:
    filtered, asked = False, 0

    def note(step: Step) -> None:
        nonlocal filtered
        filtered = filtered or step.stage is Stage.FILTER

    def cancel() -> bool:
        nonlocal asked
        asked += filtered
        return asked > 10  # the first is before the solve, the others within

    def tracker() -> tc.SmartTracker:
        return tc.SmartTracker(
            tc.SmartTrackerOptions(max_retries=0), session=False, checkpoint=tmp_path
        )

    stages: list[Step] = []
    found = tracker().run(frames, progress=lambda s: (note(s), stages.append(s)), cancel=cancel)
    assert found.cancelled
    assert found.solve is None
    assert found.best.raw_tracks.n_frames == 24
    assert Stage.SOLVE not in [step.stage for step in stages]
    steps: list[Step] = []
    again = tracker().run(frames, progress=steps.append)
    assert any(step.message == "tracked before" for step in steps)
    assert again.solve.grade in (tc.Grade.A, tc.Grade.B)
