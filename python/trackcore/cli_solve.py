"""`trackcore solve`: a clip or its tracks in, a camera out. The demo uses the same steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

import trackcore
from trackcore.analysis import ClipAnalysis
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_solve_files import SolveFiles
from trackcore.cli_track import Footage, clip_record, default_folder, version
from trackcore.errors import CancelledError
from trackcore.options import FilterOptions, SolveOptions, SolveWith
from trackcore.solver import CameraPrior, Grade, Solve
from trackcore.summary import summarize
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.pipeline import PipelineResult, SmartTrackerOptions, Step

RESUME = ".resume"
WORDS = {Exit.GOOD: "solved", Exit.WEAK: "weak", Exit.UNSOLVED: "failed",
         Exit.CANCELLED: "cancelled"}  # fmt: skip

_STYLE = {Grade.A: "bold green", Grade.B: "bold green", Grade.C: "bold yellow",
          Grade.D: "bold yellow", Grade.F: "bold red"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveJob(Footage):
    """What to solve, how, and what to write."""

    options: SmartTrackerOptions
    solving: SolveOptions
    prior: CameraPrior
    exports: tuple[str, ...] = ()
    clip: str | None = None  # of tracks that are solved again
    protected: Path | None = None  # tracks of the user's own

    @property
    def of_tracks(self) -> bool:
        """Whether tracks are given, not a clip."""
        return self.source.lower().endswith(".npz")

    @property
    def footage(self) -> str | None:
        """The clip, if there is one."""
        return self.clip if self.of_tracks else self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What was found.

    Attributes
    ----------
    raw : Tracks or None
        As tracked; None where nothing was done before Ctrl-C.
    tracks : Tracks or None
        Those that were solved, in the solve's order.
    """

    exit: Exit
    raw: Tracks | None = None
    tracks: Tracks | None = None
    solve: Solve | None = None
    analysis: ClipAnalysis | None = None
    pipeline: PipelineResult | None = None
    files: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """The outcome as JSON says it."""
        if self.exit is Exit.UNSOLVED and (self.raw is None or not len(self.raw)):
            return "nothing_trackable"
        return WORDS.get(self.exit, "error")


def folder_for(source: str) -> Path:
    """Return where a solve goes when nobody says."""
    if source.lower().endswith(".npz"):
        return Path(source).parent / "solved"
    return default_folder(source, "solve")


def check(job: SolveJob) -> None:
    """Refuse flags that mean nothing for what is given.

    Raises
    ------
    typer.BadParameter
    """
    given = job.step != 1 or any(x is not None for x in (job.frames, job.mask, job.protected))
    if job.of_tracks and given:
        raise typer.BadParameter(
            "--frames, --step, --mask and --protected are for clips, not for tracks"
        )
    if job.clip is not None and not job.of_tracks:
        raise typer.BadParameter("--clip is the footage of a tracks.npz; CLIP is a clip itself")


def run(
    job: SolveJob,
    output: Output,
    cancelled: Interrupt,
    judge: Callable[[Solved], dict[str, Any]] | None = None,
) -> tuple[Solved, dict[str, Any]]:
    """Track, solve, write every file, and return the outcome with its JSON form.

    `judge` may add to the JSON form what else is known about the camera.

    Raises
    ------
    TrackcoreError, OSError
        If something cannot be read or written.
    """
    found = _again(job, output, cancelled) if job.of_tracks else _from_clip(job, output, cancelled)
    record = _record(job, found)
    if judge is not None:
        record.update(judge(found))
    files = SolveFiles(job, output, cancelled)
    files.write(found, record)
    found = replace(found, files=files.paths, problems=files.problems)
    if found.exit in (Exit.GOOD, Exit.WEAK):
        if cancelled():  # while drawing or exporting
            found = replace(found, exit=Exit.CANCELLED)
        elif files.problems:
            found = replace(found, exit=Exit.ERROR)
    record["outcome"] = found.word
    return found, {**record, "files": found.files, "problems": found.problems}


def report(found: Solved, job: SolveJob, output: Output, *more: RenderableType) -> list[Any]:
    """Return what a person should see, after saying on stderr what is not as hoped."""
    if found.word == "nothing_trackable":
        output.error(f"nothing trackable in {job.source} (try --quality, or other --frames)")
    elif found.exit is Exit.UNSOLVED and found.solve is not None:
        output.error(f"no camera for {job.source}: {found.solve.reasons[0]}")
    elif found.exit is Exit.WEAK and found.solve is not None:
        output.error(f"a weak camera (grade D): {found.solve.reasons[0]}")
    if found.exit is Exit.CANCELLED:
        n = 0 if found.raw is None else found.raw.n_frames
        onwards = ", and the same command goes on" if (job.folder / RESUME).is_dir() else ""
        output.log(f"stopped after {n} frames; what was done is written{onwards}")
    for name, problem in found.problems.items():
        output.error(f"{name}: {problem}")
    shown: list[Any] = [Text(job.source, style="bold")]
    if found.solve is not None:
        shown.append(_table(found.solve))
    notes = () if found.pipeline is None else found.pipeline.notes
    shown += [Text(f"note: {note}", style="dim") for note in notes]
    return [*shown, *more, *(Text(f"wrote {path}") for path in found.files.values())]


def _from_clip(job: SolveJob, output: Output, cancelled: Interrupt) -> Solved:
    clip = trackcore.open_clip(job.source, frames=job.frames, step=job.step, fps=job.fps)
    job.folder.mkdir(parents=True, exist_ok=True)  # now, not when the work is done
    kept = job.folder / RESUME
    own = None if job.protected is None else Tracks.load(job.protected)
    tracker = trackcore.SmartTracker(
        _options(job), camera_prior=job.prior, solve_options=job.solving, protected=own,
        mask=job.mask,
        session=job.session, checkpoint=kept,
    )  # fmt: skip
    with output.stages() as show:

        def told(step: Step) -> None:
            again = f" (attempt {step.attempt})" if step.attempt > 1 else ""
            show(f"{step.stage.value}{again}", step.done, step.total, step.message)

        result = tracker.run(clip, progress=told, cancel=cancelled)
    if not result.cancelled and kept.is_dir() and not any(kept.iterdir()):
        kept.rmdir()
    best = result.best
    return Solved(
        exit=_exit(result.solve, cancelled=result.cancelled), solve=result.solve, pipeline=result,
        raw=None if best is None else best.raw_tracks, tracks=result.tracks,
        analysis=result.analysis,
    )  # fmt: skip


def _again(job: SolveJob, output: Output, cancelled: Interrupt) -> Solved:
    """Solve tracks that were made before; they are measured and filtered as in the pipeline."""
    raw = Tracks.load(job.source)
    job.folder.mkdir(parents=True, exist_ok=True)
    options = _options(job)
    with output.stages() as show:
        show("measure", 0, 3, "")
        analysis = trackcore.analyze(raw, threads=options.threads) if raw.n_frames else None
        show("filter", 1, 3, "")
        limits = FilterOptions(tripod=options.tripod, seed=options.seed)
        tracks = trackcore.find_bad_tracks(raw, limits).mute(raw).delete()
        show("solve", 2, 3, f"{len(tracks)} of {len(raw)} tracks are good")
        try:
            solve = trackcore.solve(
                tracks, job.prior, None if analysis is None else analysis.shot,
                options=replace(job.solving, seed=options.seed), cancel=cancelled,
                threads=options.threads,
            )  # fmt: skip
        except CancelledError:
            return Solved(exit=Exit.CANCELLED, raw=raw, tracks=tracks, analysis=analysis)
        show("solve", 3, 3, f"grade {solve.grade.value}: {solve.reasons[0]}")
    return Solved(
        exit=_exit(solve, cancelled=False), raw=raw, tracks=tracks, solve=solve, analysis=analysis
    )


def _options(job: SolveJob) -> SmartTrackerOptions:
    """Return the options with `--shot-type tripod` said to all stages."""
    turns = job.options.tripod or job.solving.kind is SolveWith.TRIPOD
    return replace(job.options, tripod=turns)


def _exit(solve: Solve | None, *, cancelled: bool) -> Exit:
    if cancelled:
        return Exit.CANCELLED
    if solve is None or solve.grade is Grade.F:
        return Exit.UNSOLVED
    return Exit.WEAK if solve.grade is Grade.D else Exit.GOOD


def _record(job: SolveJob, found: Solved) -> dict[str, Any]:
    raw, solve, pipeline = found.raw, found.solve, found.pipeline
    return {
        "trackcore": version(),
        "clip": None if raw is None else clip_record(job.source, raw),
        "options": asdict(_options(job)),
        "camera_prior": job.prior.to_dict(),
        "summary": None if raw is None else summarize(raw).to_dict(),
        "statistics": None if found.analysis is None else found.analysis.to_dict(),
        "solve": None if solve is None else solve_record(solve),
        "pipeline": None if pipeline is None else pipeline.to_dict(),
        "session": None if pipeline is None else pipeline.session,
    }


def solve_record(solve: Solve) -> dict[str, Any]:
    """Return a solve in a few numbers; all of it is in solve.json."""
    whole = solve.to_dict()
    kept = ("grade", "reasons", "kind", "held_out_error_px", "mean_error_px", "focal_px",
            "focal_sigma_px", "lens", "keyframes", "evidence")  # fmt: skip
    return {
        **{name: whole[name] for name in kept},
        "frames": solve.n_frames, "frames_solved": int(solve.solved.sum()),
        "tracks": len(solve.ids), "bundles": int(solve.bundled.sum()),
        "held_out_tracks": len(solve.held_out_ids),
    }  # fmt: skip


def _table(solve: Solve) -> Table:
    """Return the camera for people."""
    rows = Table(show_header=False)
    rows.add_column(style="dim")
    rows.add_column()
    rows.add_row("grade", Text(solve.grade.value, style=_STYLE[solve.grade]))
    for reason in solve.reasons:
        rows.add_row("", Text(reason))
    rows.add_row("camera", solve.kind.value.lower())
    rows.add_row("frames solved", f"{int(solve.solved.sum())} of {solve.n_frames}")
    rows.add_row("tracks in the solve", f"{int(solve.bundled.sum())} of {len(solve.ids)}")
    rows.add_row("held-out error", f"{solve.held_out_error_px:.3f} px")
    rows.add_row("reprojection error", f"{solve.mean_error_px:.3f} px")
    sigma = "" if solve.focal_sigma_px == 0 else f" +- {solve.focal_sigma_px:.1f}"
    rows.add_row("focal length", f"{solve.focal_px:.1f}{sigma} px")
    return rows
