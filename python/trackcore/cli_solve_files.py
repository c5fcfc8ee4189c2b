"""The files of `trackcore solve`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackcore._files import write_text
from trackcore.cli_analysis import PICTURE, draw
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_track import draw_overlay, remove_overlays
from trackcore.errors import DependencyError, InputError
from trackcore.exports import FORMATS, export_solve
from trackcore.frames import open_clip
from trackcore.report import ReportAttempt, ReportSetting, write_report
from trackcore.settings import Settings
from trackcore.solver import Solve
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.cli_solve import Solved, SolveJob
    from trackcore.pipeline import Attempt, PipelineResult

EXPORTS = tuple(name for name in FORMATS if name != "json")
"""What can be asked for besides; `solve.json` is always written."""

_OURS = ("solve.json", "report.html", "solved.npz")


class SolveFiles:
    """Writes what was found, file by file: what one cannot hold keeps no other from its place.

    Attributes
    ----------
    paths : dict of str to str
        What was written.
    problems : dict of str to str
        What could not be, and why.
    """

    def __init__(self, job: SolveJob, output: Output, cancelled: Interrupt) -> None:
        self._job, self._output, self._cancelled = job, output, cancelled
        self.paths: dict[str, str] = {}
        self.problems: dict[str, str] = {}

    def write(self, found: Solved, record: dict[str, Any]) -> None:
        """Write tracks, solve, report, exports, summary and pictures."""
        folder = self._job.folder
        for name in _OURS:  # of an earlier run: another camera
            (folder / name).unlink(missing_ok=True)
        remove_overlays(folder)
        if found.raw is not None:
            self._tracks(found.raw)
        if found.solve is not None and found.tracks is not None:
            n_tracked = None if found.raw is None else len(found.raw)
            self._solve(found.solve, found.tracks, found.pipeline, n_tracked)
        text = json.dumps({**record, "outcome": found.word}, indent=2, allow_nan=False) + "\n"
        write_text(self._at("summary", "summary.json"), text)
        if found.raw is not None and found.exit is not Exit.CANCELLED:
            self._pictures(found, found.raw)

    def _at(self, name: str, file: str) -> Path:
        path = self._job.folder / file
        self.paths[name] = str(path)
        return path

    def _tracks(self, raw: Tracks) -> None:
        path = self._job.folder / "tracks.npz"
        if self._job.of_tracks and path.exists() and path.samefile(self._job.source):
            return
        raw.save(self._at("tracks", "tracks.npz"))
        raw.to_csv(self._at("csv", "tracks.csv"))

    def _solve(
        self, solve: Solve, tracks: Tracks, pipeline: PipelineResult | None, n_tracked: int | None
    ) -> None:
        job = self._job
        tracks.save(self._at("solved", "solved.npz"))
        self._at("solve", FORMATS["json"].writes)
        export_solve(solve, job.folder, "json")
        settings, why, attempts = of_pipeline(pipeline)
        with self._output.stages() as show:
            show("report", 0, None, "")
            clip = None
            if job.footage is not None:
                clip = open_clip(job.footage, frames=_part(tracks), color=True)
            write_report(
                self._at("report", "report.html"), solve, tracks, clip=clip, attempts=attempts,
                settings=settings, why=why, notes=() if pipeline is None else pipeline.notes,
                title=Path(job.source).name, n_tracked=n_tracked,
            )  # fmt: skip
        self._exports(solve, tracks)

    def _exports(self, solve: Solve, tracks: Tracks) -> None:
        job = self._job
        if job.exports and not solve.solved.any():
            self._output.log("nothing is exported: no camera was solved")
            return
        for name in job.exports:
            if self._cancelled():
                return
            try:
                written = export_solve(solve, job.folder, name, tracks=tracks, clip=job.footage)
            except (DependencyError, InputError) as error:
                self.problems[name] = str(error)
                continue
            self.paths.update({name: str(path) for name, path in written.items()})
            for loss in FORMATS[name].lost(solve):
                self._output.log(f"{name}: {loss}")

    def _pictures(self, found: Solved, raw: Tracks) -> None:
        job = self._job
        if found.analysis is not None:
            path = job.folder / PICTURE
            title = Path(job.source).name
            if draw(found.analysis, path, self._output, clip=job.footage, title=title):
                self.paths["statistics"] = str(path)
        if job.overlay and raw.n_frames and not job.of_tracks:
            draw_overlay(job, raw, self._output, self._cancelled, self.paths)


def of_pipeline(
    result: PipelineResult | None,
) -> tuple[tuple[ReportSetting, ...], tuple[str, ...], tuple[ReportAttempt, ...]]:
    """Return the settings, why these, and the attempts, as the report shows them."""
    if result is None or result.best is None:
        return (), (), ()
    best = result.best
    why = [*best.plan.why]
    why += [
        f"after frame {a.frame}, {a.survival_rate:.0%} of the tracks having survived: "
        + "; ".join(a.changes)
        for a in best.adaptation_history
    ]
    return _settings(best), tuple(why), _attempts(result.attempts, best)


def _settings(best: Attempt) -> tuple[ReportSetting, ...]:
    defaults, units = Settings().to_dict(), {k.name: k.unit for k in Settings.knobs()}
    rows = [
        ReportSetting(
            name=name, value=f"{_short(value)} {units.get(name, '')}".strip(),
            why="" if value == defaults.get(name) else f"default {_short(defaults[name])}",
        )
        for name, value in best.settings.items() if name in defaults
    ]  # fmt: skip
    count = ReportSetting(name="tracks kept alive", value=str(best.plan.tracker.target_count))
    return (*rows, count)


def _attempts(attempts: Sequence[Attempt], best: Attempt) -> tuple[ReportAttempt, ...]:
    before = [(), *(_changes(a, b) for a, b in pairwise(attempts))]
    return tuple(
        ReportAttempt(
            changed=changed, why="; ".join(attempt.plan.why) if changed else "",
            grade=None if attempt.solve is None else attempt.solve.grade,
            tracks=len(attempt.raw_tracks), kept=attempt is best, **_errors(attempt.solve),
        )
        for attempt, changed in zip(attempts, before, strict=True)
    )  # fmt: skip


def _errors(solve: Solve | None) -> dict[str, Any]:
    if solve is None:
        return {}
    return {
        "held_out_error_px": solve.held_out_error_px, "mean_error_px": solve.mean_error_px,
        "bundles": int(solve.bundled.sum()),
    }  # fmt: skip


def _changes(before: Attempt, after: Attempt) -> tuple[str, ...]:
    """Return how an attempt's plan differs from the one before, in words."""
    old, new = before.plan.settings.to_dict(), after.plan.settings.to_dict()
    found = [
        f"{name.replace('_', ' ')} {_short(old[name])} to {_short(new[name])}"
        for name in new
        if old[name] != new[name]
    ]
    if after.plan.redetect_frames != before.plan.redetect_frames:
        found.append(f"new tracks at frames {', '.join(map(str, after.plan.redetect_frames))}")
    if after.plan.center_weight != before.plan.center_weight:
        found.append(f"centre of the frame weighted {_short(after.plan.center_weight)} times")
    return tuple(found) or ("tracks shared out by how the regions did",)


def _part(tracks: Tracks) -> tuple[int, int] | None:
    numbers = tracks.frame_numbers
    return (int(numbers[0]), int(numbers[-1])) if len(numbers) else None


def _short(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
