"""What a run leaves in the session records: what was used, what was found, attempt by attempt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit import pipeline_scenes as scenes
from tests.unit.test_pipeline import jolted, quick
from trackcore.pipeline import PipelineResult
from trackcore.session.models import Session
from trackcore.settings_policy import Fixed


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(store: Path) -> PipelineResult:
    return tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=1, footage_type="indoor"), store=store,
        policy=Fixed(tc.Settings(threshold=0.5), 80), solver=scenes.never_good,
    ).run(scenes.faint(14))  # fmt: skip


@pytest.fixture(scope="module")
def records(store: Path, run: PipelineResult) -> list[Session]:
    found = {s.session_id: s for s in tc.load_sessions(store)}
    return [found[a.session_id] for a in run.attempts]


def test_each_attempt_is_a_session_and_they_are_linked(
    records: list[Session], run: PipelineResult
) -> None:
    assert [r.iteration for r in records] == [1, 2]
    assert records[0].previous_session_id is None
    assert records[1].previous_session_id == records[0].session_id
    assert records[0].clip_fingerprint == records[1].clip_fingerprint is not None
    assert run.session == run.best.session_id


def test_the_settings_recorded_are_those_used(records: list[Session], run: PipelineResult) -> None:
    for record, attempt in zip(records, run.attempts, strict=True):
        assert record.settings.to_dict() == attempt.settings
        tracker = attempt.plan.tracker
        assert record.settings.pattern_size == tracker.window
        assert record.settings.correlation == tracker.min_ncc
        assert record.settings.motion_model == tracker.model.value
    assert records[0].settings.threshold > records[1].settings.threshold


def test_probe_diagnosis_and_solve_are_in_the_documented_fields(
    records: list[Session], run: PipelineResult
) -> None:
    for record, attempt in zip(records, run.attempts, strict=True):
        solve = attempt.solve
        assert record.success is False, "graded D"
        assert record.solve_error == pytest.approx(solve.mean_error_px)
        assert record.bundle_count == solve.bundled.sum()
        assert record.total_tracks == len(attempt.raw_tracks)
        assert record.motion_probe_results.motion_class == "LOW"
        assert record.diagnosis.pattern == attempt.diagnosis.pattern.value
        assert record.camera_intrinsics.focal_length_px == pytest.approx(solve.focal_px)
        assert record.camera_intrinsics.principal_point == pytest.approx((0.5, 0.5))
        assert record.footage_type == "INDOOR"
        assert record.pre_solve_confidence.confidence == attempt.confidence
        assert record.region_confidence is not None
        assert record.visual_features is not None
        assert record.duration_seconds > 0
        contributed = {t.name for t in record.tracks if t.contributed_to_solve}
        names = np.array(attempt.tracks.names)
        assert contributed == set(names[solve.bundled])
        errors = [t.reprojection_error for t in record.tracks if t.contributed_to_solve]
        assert all(e is not None and e < 5 for e in errors)
    assert records[0].failure_type == "CONTRAST"


def test_adaptations_are_recorded(tmp_path: Path) -> None:
    found = tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=0), store=tmp_path, solver=quick(),
        policy=Fixed(tc.Settings(search_size=43, motion_model="Affine"), 80),
    ).run(jolted())  # fmt: skip
    (record,) = tc.load_sessions(tmp_path)
    assert record.success is True
    assert found.adaptation_history
    written = [a.to_dict() for a in record.adaptation_history]
    assert written == found.adaptation_history
    assert record.settings.to_dict() == found.adaptation_history[-1]["new_settings"]


def test_healing_is_recorded(tmp_path: Path) -> None:
    found = tc.SmartTracker(
        tc.SmartTrackerOptions(max_retries=0, heal="on"), store=tmp_path, solver=quick()
    ).run(scenes.blurred())
    (record,) = tc.load_sessions(tmp_path)
    stats = found.best.healing.healing_stats
    assert stats.candidates_found > 0
    assert record.healing_stats.candidates_found == stats.candidates_found
    assert len(record.healing_attempts) == stats.heals_attempted


def test_a_run_that_is_cancelled_is_recorded_as_interrupted(tmp_path: Path) -> None:
    done = 0

    def count(step: tc.pipeline.Step) -> None:
        nonlocal done
        done = step.done if step.stage == "track" else done

    tc.SmartTracker(store=tmp_path).run(scenes.faint(14), progress=count, cancel=lambda: done == 12)
    (record,) = tc.load_sessions(tmp_path)
    assert record.interrupted is True
    assert record.success is False
    assert record.frame_count == 12


def test_steps_that_are_closed_are_recorded_as_interrupted(tmp_path: Path) -> None:
    steps = tc.SmartTracker(store=tmp_path).steps(scenes.faint(14))
    for step in steps:
        if step.stage == "track" and step.done == 12:
            break
    steps.close()
    (record,) = tc.load_sessions(tmp_path)
    assert record.interrupted is True
    assert record.motion_probe_results is not None
    assert [s.frame for s in record.frame_samples] == [1, 11]


def test_no_session_is_written_where_none_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKCORE_HOME", str(tmp_path / "home"))
    found = tc.SmartTracker(session=False, solver=quick()).run(scenes.faint(14))
    assert found.session is None
    assert not (tmp_path / "home").exists()


def test_a_data_directory_that_cannot_be_written_does_not_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = tc.SmartTracker(store=tmp_path / "file", solver=quick()).run(scenes.faint(14))
    assert found.solve is not None
    assert found.session is None
    assert "no session was recorded" in " ".join(found.notes)
