"""A run that was killed or cancelled goes on, and ends with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit import pipeline_scenes as scenes
from tests.unit.test_pipeline import quick
from trackcore.pipeline import Stage, Step, checkpoint
from trackcore.settings_policy import Fixed

SCRIPT = """
import os, sys, time
import numpy as np
import trackcore as tc
from trackcore.pipeline import Stage, checkpoint
from trackcore.settings_policy import Fixed
checkpoint.EVERY_FRAMES = 5
def slow(step):
    print(step.stage.value, step.attempt, step.done, flush=True)
    if (step.stage.value, step.attempt, step.done) == ("track", {attempt}, 18):
        time.sleep(600)
tc.SmartTracker(
    session=False, checkpoint={folder!r}, policy=Fixed(tc.Settings(threshold=0.5), 80),
    solver={solver},
).run(np.load({clip!r}), progress=slow)
"""


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "EVERY_FRAMES", 5)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return scenes.faint(14)


def tracker(folder: Path | None, solver: object = None, **options: object) -> tc.SmartTracker:
    return tc.SmartTracker(
        tc.SmartTrackerOptions(**options), session=False, checkpoint=folder,
        policy=Fixed(tc.Settings(threshold=0.5), 80), solver=solver,
    )  # fmt: skip


def killed(folder: Path, clip: Path, attempt: int, solver: str = "None") -> None:
    """Run in another process until it has tracked 18 frames of an attempt, and kill it."""
    text = SCRIPT.format(attempt=attempt, folder=str(folder), clip=str(clip), solver=solver)
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.split() == ["track", str(attempt), "18"]:
                time.sleep(0.1)
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait() == -signal.SIGKILL


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("attempt", [1, 2])
def test_a_killed_run_goes_on(tmp_path: Path, frames: np.ndarray, attempt: int) -> None:
    np.save(tmp_path / "clip.npy", frames)
    killed(tmp_path / "run", tmp_path / "clip.npy", attempt)
    steps: list[Step] = []
    found = tracker(tmp_path / "run").run(frames, progress=steps.append)
    before = [(s.attempt, s.done) for s in steps if s.message == "tracked before"]
    assert before == ([(1, 15)] if attempt == 1 else [(1, 24), (2, 15)])
    whole = tracker(None).run(frames)
    assert len(found.attempts) == len(whole.attempts)
    for mine, theirs in zip(found.attempts, whole.attempts, strict=True):
        assert mine.raw_tracks.equals(theirs.raw_tracks)
        assert mine.to_dict() == theirs.to_dict()
        assert mine.solve.to_dict() == theirs.solve.to_dict()
    quality = [r.analysis.stats.feature_quality_score for r in (found, whole)]
    assert np.array_equal(*quality, equal_nan=True)
    assert list((tmp_path / "run").iterdir()) == [], "a run that is done leaves nothing"


def test_a_cancelled_run_goes_on_where_it_was(tmp_path: Path, frames: np.ndarray) -> None:
    done = 0

    def count(step: Step) -> None:
        nonlocal done
        done = step.done if step.stage is Stage.TRACK else done

    first = tracker(tmp_path, quick()).run(frames, progress=count, cancel=lambda: done == 12)
    assert first.cancelled
    steps: list[Step] = []
    second = tracker(tmp_path, quick()).run(frames, progress=steps.append)
    assert [s.done for s in steps if s.message == "tracked before"] == [12]
    assert second.tracks.equals(tracker(None, quick()).run(frames).tracks)


def test_closing_the_steps_keeps_the_last_checkpoint(tmp_path: Path, frames: np.ndarray) -> None:
    steps = tracker(tmp_path, quick()).steps(frames)
    for step in steps:
        if step.stage is Stage.TRACK and step.done == 13:
            break
    steps.close()
    told = [
        s.done for s in tracker(tmp_path, quick()).steps(frames) if s.message == "tracked before"
    ]
    assert told == [10]


def test_adaptations_survive(tmp_path: Path) -> None:
    from tests.unit.test_pipeline import jolted

    clip, done = jolted(), 0

    def run(folder: Path | None, **how: object):
        return tc.SmartTracker(
            tc.SmartTrackerOptions(max_retries=0), session=False, checkpoint=folder,
            policy=Fixed(tc.Settings(search_size=43, motion_model="Affine"), 80), solver=quick(),
        ).run(clip, **how)  # fmt: skip

    def count(step: Step) -> None:
        nonlocal done
        done = step.done if step.stage is Stage.TRACK else done

    run(tmp_path, progress=count, cancel=lambda: done == 15)
    again, whole = run(tmp_path), run(None)
    assert whole.adaptation_history
    assert again.adaptation_history == whole.adaptation_history
    assert again.settings == whole.settings
    assert again.best.raw_tracks.equals(whole.best.raw_tracks)


@pytest.mark.parametrize("change", [
    "clip", "options", "mask", "camera_prior", "shot_type", "solve_options", "held_out", "policy",
    "protected",
])  # fmt: skip
def test_what_belongs_to_another_run_is_not_taken_up(
    tmp_path: Path, frames: np.ndarray, change: str
) -> None:
    done = 0

    def count(step: Step) -> None:
        nonlocal done
        done = step.done if step.stage is Stage.TRACK else done

    tracker(tmp_path, quick()).run(frames, progress=count, cancel=lambda: done == 12)
    other = frames[::-1] if change == "clip" else frames
    second = tracker(tmp_path, quick(), **({"robust": True} if change == "options" else {}))
    others = {
        "mask": np.ones((180, 320), bool), "camera_prior": tc.CameraPrior(focal_px=300.0),
        "shot_type": tc.ShotType(tc.ShotKind.PAN_TILT, 1.0, {}),
        "solve_options": tc.SolveOptions(max_error_px=1.0),
        "held_out": tc.SolveOptions(held_out_share=0.3),
        "policy": Fixed(tc.Settings(threshold=0.4), 80),
        "protected": tc.Tracks.from_positions(np.full((1, 24, 2), 9.0), frame_size=scenes.SIZE),
    }  # fmt: skip
    if change in others:
        setattr(second, change.replace("held_out", "solve_options"), others[change])
    steps: list[Step] = []
    second.run(other, progress=steps.append)
    assert not any(s.message == "tracked before" for s in steps)


def test_a_damaged_checkpoint_is_no_error(tmp_path: Path, frames: np.ndarray) -> None:
    done = 0

    def count(step: Step) -> None:
        nonlocal done
        done = step.done if step.stage is Stage.TRACK else done

    tracker(tmp_path, quick()).run(frames, progress=count, cancel=lambda: done == 12)
    (state,) = tmp_path.glob("attempt-1.state")
    state.write_bytes(state.read_bytes()[:-100])
    found = tracker(tmp_path, quick()).run(frames)
    assert found.tracks.equals(tracker(None, quick()).run(frames).tracks)
