"""The session records of a run: one for each attempt, and never a reason to fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from trackcore.errors import RecordError, StoreError
from trackcore.frames import Clip
from trackcore.normalised import normalised
from trackcore.pipeline.attempt import Attempt
from trackcore.pipeline.plan import Plan
from trackcore.pipeline.watch import Adaptation
from trackcore.pixels import MotionProbe
from trackcore.settings_policy import FootageType
from trackcore.solver import Grade, LensModel, Solve
from trackcore.stats import track_stats

if TYPE_CHECKING:
    from trackcore.session.recorder import SessionRecorder
    from trackcore.session.store import SessionStore

SUCCESS = (Grade.A, Grade.B, Grade.C)
"""Grades with which a session reached its aim: D is a weak camera, F none."""
FEW_TRACKS, LOW_CONFIDENCE = 12, 0.4
"""Documented limits below which a solve is warned of."""


class Recording:
    """Writes what happens to the journal as it happens.

    Parameters
    ----------
    store : SessionStore, path or None
        Where to; None: the data directory.
    on : bool
        Off: nothing is recorded.
    """

    def __init__(self, store: SessionStore | str | PathLike[str] | None, *, on: bool) -> None:
        self._store, self._on = store, on
        self._recorder: SessionRecorder | None = None
        self._previous: str | None = None
        self.problem: str | None = None

    def fingerprint(self, clip: Clip) -> str | None:
        """Return what the clip is recognised by on this machine."""
        if not self._on:
            return None
        from trackcore.session.identity import clip_fingerprint
        from trackcore.session.store import SessionStore

        with self._never_fatal():
            store = (
                self._store if isinstance(self._store, SessionStore) else SessionStore(self._store)
            )
            return clip_fingerprint(
                clip.name, clip.size, clip.fps, clip.expected_length or 0, store
            )
        return None

    def start(
        self, clip: Clip, attempt: int, plan: Plan, probe: MotionProbe | None,
        fingerprint: str | None, footage: FootageType,
    ) -> None:  # fmt: skip
        """Begin the record of an attempt with what is known before anything is tracked."""
        if not self._on:
            return
        from trackcore.session.recorder import SessionRecorder

        with self._never_fatal():
            recorder = SessionRecorder(self._store)
            recorder.start_session(
                resolution=clip.size, fps=clip.fps, frame_count=clip.expected_length,
                settings=plan.used, iteration=attempt, clip_fingerprint=fingerprint,
                motion_probe_results=probe, footage_type=footage.value.upper(),
                previous_session_id=self._previous, region_confidence=plan.region_confidence,
            )  # fmt: skip
            self._recorder = recorder

    def adapted(self, adaptation: Adaptation) -> None:
        """Put down a change of settings."""
        if self._recorder is not None:
            with self._never_fatal():
                self._recorder.record_adaptation(adaptation.to_dict())

    def sample(self, frame: int, live: dict[str, float]) -> None:
        """Put down the state of the tracker at a frame; what is measured later replaces it."""
        if self._recorder is not None and live:
            with self._never_fatal():
                self._recorder.record_frame_sample(
                    frame=frame, active_tracks=int(live["alive"]), tracks_lost=int(live["lost"])
                )

    def end(self, attempt: Attempt, *, cancelled: bool) -> str | None:
        """Put down what was found; return the session's name, None where there is none."""
        recorder = self._recorder
        if recorder is None:
            return None
        with self._never_fatal():
            fields = _fields(attempt)
            recorder.record(**fields)
            self._previous = recorder.session_id
            if cancelled:
                self.interrupt()
                return self._previous
            solve = attempt.solve
            good = solve is not None and solve.grade in SUCCESS
            error = None if solve is None or np.isnan(solve.mean_error_px) else solve.mean_error_px
            recorder.end_session(
                success=good, solve_error=error,
                bundle_count=0 if solve is None else int(solve.bundled.sum()),
            )  # fmt: skip
            self._recorder = None
            return self._previous
        return None

    def interrupt(self) -> None:
        """End a session that was not ended, as interrupted."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            with self._never_fatal():
                recorder.__exit__(None, None, None)

    @contextmanager
    def _never_fatal(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, RecordError) as error:
            self._recorder = None
            self.problem = f"no session was recorded: {error}"


def _fields(attempt: Attempt) -> dict[str, Any]:
    """Return all that a session says of an attempt."""
    from trackcore.session.losses import track_failures

    raw = attempt.raw_tracks
    fields: dict[str, Any] = {
        "frame_count": raw.n_frames,
        "settings": attempt.settings,
        "adaptation_history": [a.to_dict() for a in attempt.adaptation_history],
        "track_failures": track_failures(raw),
    }
    if attempt.analysis is not None:
        fields |= attempt.analysis.session_fields()
        fields |= _with_bundles(attempt)
    if attempt.healing is not None:
        fields |= attempt.healing.to_dict()
    if attempt.diagnosis is not None:
        fields["diagnosis"] = attempt.diagnosis
    if attempt.confidence is not None:
        fields["pre_solve_confidence"] = _confidence(attempt)
    if attempt.solve is not None and attempt.solve.grade is not Grade.F:
        fields["camera_intrinsics"] = camera_intrinsics(attempt.solve)
    return fields


def _confidence(attempt: Attempt) -> dict[str, Any]:
    """Return what was expected of the tracks before they were solved."""
    parallax = None if attempt.analysis is None else attempt.analysis.motion.parallax_score
    chance = attempt.confidence or 0.0
    warnings = [f"{len(attempt.tracks)} tracks"] if len(attempt.tracks) < FEW_TRACKS else []
    warnings += [f"confidence {chance:.2f}"] if chance < LOW_CONFIDENCE else []
    found: dict[str, Any] = {"confidence": chance, "warnings": warnings}
    known = parallax is not None and np.isfinite(parallax)
    return {**found, "parallax_score": parallax} if known else found


def _with_bundles(attempt: Attempt) -> dict[str, Any]:
    """Return the records of all tracks, with what the solve made of those it was given."""
    analysis, solve = attempt.analysis, attempt.solve
    if analysis is None or solve is None:
        return {}
    place = {int(track): i for i, track in enumerate(solve.ids)}
    rows = [place.get(int(track), -1) for track in analysis.tracks.ids]
    given = np.array(rows) >= 0
    bundled, error = np.zeros(len(rows), np.bool_), np.full(len(rows), np.nan)
    bundled[given] = solve.bundled[np.array(rows)[given]]
    error[given] = solve.track_error_px[np.array(rows)[given]]
    stats = track_stats(
        analysis.tracks, feature_quality_score=analysis.stats.feature_quality_score,
        has_bundle=bundled, reprojection_error_px=error,
    )  # fmt: skip
    return stats.to_dict()


def camera_intrinsics(solve: Solve) -> dict[str, Any]:
    """Return a solved camera as records have it: the principal point in shares, y up."""
    centre = normalised(np.array([solve.principal_point_px]), solve.frame_size)[0]
    found: dict[str, Any] = {
        "focal_length_px": float(solve.focal_px),
        "pixel_aspect": float(solve.pixel_aspect),
        "principal_point": centre.round(6).tolist(),
    }
    names = {
        LensModel.POLYNOMIAL: ("k1", "k2", "k3"),
        LensModel.BROWN: ("brown_k1", "brown_k2", "brown_p1", "brown_p2", "brown_k3"),
    }.get(solve.lens.model)
    if names is not None:
        found["distortion_model"] = solve.lens.model.value
        found |= dict(zip(names, solve.lens.coefficients, strict=True))
    return found
