"""One attempt: what was tracked, what of it was solved, and how good it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.analysis import ClipAnalysis
from trackcore.diagnosis import Diagnosis
from trackcore.healing import Healing
from trackcore.pipeline.events import Stage, StageTime
from trackcore.pipeline.plan import Plan
from trackcore.pipeline.watch import Adaptation
from trackcore.solver import Grade, Solve
from trackcore.tracks import Tracks

GRADES = tuple(Grade)
GOOD = (Grade.A, Grade.B)
"""Grades after which nothing more is tried."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attempt:
    """One attempt on a clip.

    Attributes
    ----------
    number : int
        From 1.
    plan : Plan
        What it was begun with, and why.
    settings : dict
        The documented settings that were really used, at its end.
    adaptation_history : tuple of Adaptation
        How they changed on the way.
    raw_tracks : Tracks
        As tracked, the whole clip.
    tracks : Tracks
        What was solved: of the longest shot, healed, without bad tracks.
    analysis : ClipAnalysis or None
        None where nothing was tracked.
    protected_ids : (n,) int64
        Which tracks are the user's own.
    healing : Healing or None
        None where no gap was looked at.
    shot_frames : (first, last) or None
        Clip frame numbers of the shot that was solved, the longest, where the clip has cuts.
    confidence : float or None
        How likely the tracks determine a camera, said before the solve, 0 .. 1.
    solve : Solve or None
        None where it was not tried: cancelled, nothing tracked, or a cut was found that has to
        be tracked anew.
    diagnosis : Diagnosis or None
        After the solve.
    session_id : str or None
        Of its record.
    """

    number: int
    plan: Plan
    settings: dict[str, int | float | str]
    adaptation_history: tuple[Adaptation, ...]
    raw_tracks: Tracks
    tracks: Tracks
    analysis: ClipAnalysis | None = None
    protected_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    healing: Healing | None = None
    shot_frames: tuple[int, int] | None = None
    confidence: float | None = None
    solve: Solve | None = None
    diagnosis: Diagnosis | None = None
    session_id: str | None = None

    @property
    def protected(self) -> NDArray[np.bool_]:
        """(n_tracks,) which of `tracks` are the user's own."""
        return np.isin(self.tracks.ids, self.protected_ids)

    @property
    def frames_left_out(self) -> tuple[tuple[int, int], ...]:
        """Clip frame numbers, first and last, before and after the shot that was solved."""
        if self.shot_frames is None or not self.raw_tracks.n_frames:
            return ()
        numbers, (first, last) = self.raw_tracks.frame_numbers, self.shot_frames
        parts = (numbers[numbers < first], numbers[numbers > last])
        return tuple((int(part[0]), int(part[-1])) for part in parts if len(part))

    @property
    def rank(self) -> tuple[int, float, int]:
        """By which attempts are compared, smaller is better: grade, held-out error, number."""
        if self.solve is None:
            return len(GRADES), float("inf"), self.number
        error = self.solve.held_out_error_px
        return (
            GRADES.index(self.solve.grade), error if np.isfinite(error) else float("inf"),
            self.number,
        )  # fmt: skip

    @property
    def success_rate(self) -> float:
        """Share of the samples, of the shot that was solved, that lie on tracks with a bundle.

        Without bundles: on tracks that the filters left.
        """
        numbers, shot = self.raw_tracks.frame_numbers, self.shot_frames
        inside = slice(None) if shot is None else (numbers >= shot[0]) & (numbers <= shot[1])
        all_samples = int(self.raw_tracks.seen[:, inside].sum())
        if not all_samples:
            return 0.0
        kept = self.tracks
        if self.solve is not None and self.solve.bundled.any():
            kept = kept.select(self.solve.bundled)
        return float(kept.seen.sum() / all_samples)

    def to_dict(self) -> dict[str, Any]:
        """Return what is worth reading of it, as plain JSON types."""
        solve = self.solve
        return {
            "number": self.number,
            **self.plan.to_dict(),
            "settings_at_the_end": dict(self.settings),
            "adaptation_history": [a.to_dict() for a in self.adaptation_history],
            "tracks": len(self.raw_tracks),
            "tracks_solved": len(self.tracks),
            "protected_tracks": len(self.protected_ids),
            "shot_frames": self.shot_frames and list(self.shot_frames),
            "frames_left_out": [list(part) for part in self.frames_left_out],
            "pre_solve_confidence": self.confidence,
            "grade": solve and solve.grade.value,
            "reasons": [] if solve is None else list(solve.reasons),
            "held_out_error_px": None if solve is None else _plain(solve.held_out_error_px),
            "mean_error_px": None if solve is None else _plain(solve.mean_error_px),
            "diagnosis": self.diagnosis and self.diagnosis.to_dict(),
            "healing": self.healing and self.healing.healing_stats.to_dict(),
            "session_id": self.session_id,
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PipelineResult:
    """What `SmartTracker.run` found.

    Attributes
    ----------
    tracks : Tracks
        Those of the best attempt that were solved, in the solve's order.
    solve : Solve or None
        Of the best attempt; None where nothing could be solved or the run was cancelled before.
    session : str or None
        Session of the best attempt; the others are linked to it.
    attempts : tuple of Attempt
        All of them, in their order.
    best : Attempt or None
        None only if cancelled before the first frame.
    stage_seconds : dict of Stage to StageTime
        How long each stage took over all attempts.
    notes : tuple of str
        What a person should know: cuts, refused retries, a session that could not be written.
    cancelled : bool
    """

    attempts: tuple[Attempt, ...]
    stage_seconds: dict[Stage, StageTime] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    cancelled: bool = False

    @property
    def best(self) -> Attempt | None:
        """The best attempt: by grade, then by held-out error, then the earlier one."""
        return min(self.attempts, key=lambda a: a.rank, default=None)

    @property
    def tracks(self) -> Tracks | None:
        """Tracks that were solved."""
        return None if self.best is None else self.best.tracks

    @property
    def solve(self) -> Solve | None:
        """The best solve."""
        return None if self.best is None else self.best.solve

    @property
    def frames_left_out(self) -> tuple[tuple[int, int], ...]:
        """Clip frame numbers, first and last, that the best attempt does not solve: other shots."""
        return () if self.best is None else self.best.frames_left_out

    @property
    def session(self) -> str | None:
        """Session of the best attempt."""
        return None if self.best is None else self.best.session_id

    @property
    def analysis(self) -> ClipAnalysis | None:
        """What was measured of the best attempt's tracks."""
        return None if self.best is None else self.best.analysis

    @property
    def settings(self) -> dict[str, int | float | str]:
        """The documented settings that the best attempt used."""
        return {} if self.best is None else dict(self.best.settings)

    @property
    def adaptation_history(self) -> list[dict[str, Any]]:
        """How the best attempt's settings changed on the way, as records have it."""
        return [] if self.best is None else [a.to_dict() for a in self.best.adaptation_history]

    def to_dict(self) -> dict[str, Any]:
        """Return what is worth reading, as plain JSON types."""
        return {
            "cancelled": self.cancelled,
            "best_attempt": self.best and self.best.number,
            "frames_left_out": [list(part) for part in self.frames_left_out],
            "attempts": [a.to_dict() for a in self.attempts],
            "stage_seconds": {
                stage.value: {"wall_s": round(t.wall_s, 4), "cpu_s": round(t.cpu_s, 4)}
                for stage, t in self.stage_seconds.items()
            },
            "notes": list(self.notes),
        }


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
