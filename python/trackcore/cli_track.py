"""`trackcore track`: a clip in, files out. The demo uses the same steps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

import trackcore
from trackcore import tracks_text
from trackcore._files import write_text
from trackcore.analysis import ClipAnalysis
from trackcore.cli_analysis import PICTURE, SessionLog, draw, probe_line, table
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.frames import Clip
from trackcore.options import TrackerOptions
from trackcore.overlay import write_overlay
from trackcore.pixels import FrameMeter, MotionProbe
from trackcore.settings import settings_used
from trackcore.summary import TrackSummary, summarize
from trackcore.tracks import Tracks

FORMATS = ("csv", "json", *tracks_text.FORMS)
_OVERLAYS = ("overlay.mp4", "overlay.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """Which frames of which clip, and where to write what is found."""

    source: str
    folder: Path
    frames: tuple[int | None, int | None] | None = None
    step: int = 1
    mask: Path | None = None
    overlay: bool = True
    session: bool = True
    fps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Footage):
    """What to track and what to write."""

    options: TrackerOptions
    threads: int = 0
    backwards_from: int | None = None
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job."""

    tracks: Tracks
    summary: TrackSummary
    files: dict[str, str]
    exit: Exit
    analysis: ClipAnalysis | None = None

    @property
    def word(self) -> str:
        """The outcome as JSON says it."""
        words = {Exit.NOTHING_TRACKABLE: "nothing_trackable", Exit.CANCELLED: "cancelled"}
        return words.get(self.exit, "done")


def run(
    job: Job,
    output: Output,
    cancelled: Interrupt,
    judge: Callable[[Tracks], dict[str, Any]] | None = None,
) -> tuple[Outcome, dict[str, Any]]:
    """Track, write every file, and return the outcome with its JSON form.

    `judge` may add to the JSON form what else is known about the tracks.

    Raises
    ------
    TrackcoreError, OSError
        If the clip cannot be read or a file not written.
    """
    recording = SessionLog(output, on=job.session)
    clip = trackcore.open_clip(job.source, frames=job.frames, step=job.step, fps=job.fps)
    settings = settings_used(job.options)
    job.folder.mkdir(parents=True, exist_ok=True)  # now, not when the work is done
    with recording:
        probe = trackcore.motion_probe(clip, threads=job.threads)
        output.log(probe_line(probe))
        recording.start(clip, job.source, settings, probe)
        tracks, seconds, meter = _track(job, clip, output, cancelled)
        stopped = cancelled()
        summary = summarize(tracks, seconds)
        analysis = _analyze(job, clip, tracks, meter, probe, settings)
        record = _record(job, tracks, summary, analysis)
        if judge is not None:
            record.update(judge(tracks))
        alive = bool((tracks.lifespan_frames > 1).any())
        code = Exit.CANCELLED if stopped else Exit.GOOD if alive else Exit.NOTHING_TRACKABLE
        outcome = Outcome(tracks, summary, {}, code, analysis)
        record["outcome"] = outcome.word
        record["session"] = recording.end(clip, analysis, stopped=stopped)
    _write(job, tracks, record, outcome.files)
    if analysis is not None and not stopped:
        path = job.folder / PICTURE
        if draw(analysis, path, output, clip=job.source, title=Path(job.source).name):
            outcome.files["statistics"] = str(path)
    if job.overlay and tracks.n_frames:
        draw_overlay(job, tracks, output, cancelled, outcome.files)
        if cancelled() and code is not Exit.CANCELLED:
            outcome = replace(outcome, exit=Exit.CANCELLED)
            record["outcome"] = outcome.word
    return outcome, {**record, "files": outcome.files}


def report(outcome: Outcome, job: Job, output: Output, *more: RenderableType) -> list[Any]:
    """Return what a person should see, after saying on stderr what is not as hoped."""
    if outcome.exit is Exit.NOTHING_TRACKABLE:
        output.error(
            f"nothing trackable in {job.source}: no point could be followed from one frame to the"
            " next (try a lower --quality or --min-ncc, or other --frames)"
        )
    if outcome.exit is Exit.CANCELLED:
        output.log(f"stopped after {outcome.tracks.n_frames} frames; what was done is written")
    written = [Text(f"wrote {path}") for path in outcome.files.values()]
    findings = [] if outcome.analysis is None else [table(outcome.analysis)]
    return [
        Text(job.source, style="bold"), outcome.summary.table(), *findings, *more, *written,
    ]  # fmt: skip


def default_folder(clip: str, what: str = "tracks") -> Path:
    """Return where a clip's results go when nobody says: `<clip stem>-<what>` right here."""
    path = Path(clip)
    stem = path.stem if path.suffix else path.name
    stem = stem.split("%")[0].rstrip("#._- ")
    return Path(f"{stem or path.resolve().parent.name or 'clip'}-{what}")


def _track(
    job: Job, clip: Clip, output: Output, cancelled: Interrupt
) -> tuple[Tracks, float, FrameMeter]:
    meter = FrameMeter(clip)
    began = time.perf_counter()
    with output.progress("tracking") as progress:
        tracks = trackcore.track_clip(
            clip, job.options, progress=progress, cancel=cancelled, mask=job.mask,
            backwards_from=job.backwards_from, threads=job.threads, on_frame=meter.push,
        )  # fmt: skip
    return tracks, time.perf_counter() - began, meter


def _analyze(
    job: Job,
    clip: Clip,
    tracks: Tracks,
    meter: FrameMeter,
    probe: MotionProbe,
    settings: dict[str, Any],
) -> ClipAnalysis | None:
    """Measure what was tracked; None where no frame was."""
    if not tracks.n_frames:
        return None
    pixels = trackcore.pixel_features(clip, meter=meter, tracks=tracks, threads=job.threads)
    quality = trackcore.track_quality(tracks, clip, window=job.options.window, threads=job.threads)
    return trackcore.analyze(
        tracks, probe=probe, pixels=pixels, settings=settings, threads=job.threads,
        feature_quality_score=quality.feature_quality_score,
    )  # fmt: skip


def _record(
    job: Job, tracks: Tracks, summary: TrackSummary, analysis: ClipAnalysis | None
) -> dict[str, Any]:
    return {
        "trackcore": version(),
        "clip": clip_record(job.source, tracks),
        "options": asdict(job.options),
        "summary": summary.to_dict(),
        "statistics": None if analysis is None else analysis.to_dict(),
    }  # fmt: skip


def clip_record(source: str, tracks: Tracks) -> dict[str, Any]:
    """Return what the JSON form says of the clip."""
    w, h = tracks.frame_size
    ends = tracks.frame_numbers[[0, -1]].tolist() if tracks.n_frames else [None, None]
    return {
        "source": source, "width_px": w, "height_px": h, "fps": tracks.fps,
        "first_frame": ends[0], "last_frame": ends[1],
    }  # fmt: skip


def remove_overlays(folder: Path) -> None:
    """Remove those of an earlier run: they would show other tracks."""
    for name in _OVERLAYS:
        (folder / name).unlink(missing_ok=True)


def _write(job: Job, tracks: Tracks, record: dict[str, Any], files: dict[str, str]) -> None:
    folder = job.folder
    remove_overlays(folder)

    def written(name: str, path: Path) -> Path:
        files[name] = str(path)
        return path

    tracks.save(written("tracks", folder / "tracks.npz"))
    tracks.to_csv(written("csv", folder / "tracks.csv"))
    if "json" in job.formats:
        tracks.to_json(written("json", folder / "tracks.json"))
    for form in job.formats:
        if form in tracks_text.FORMS:
            tracks.to_text(written(form, folder / tracks_text.PATHS[form]), form)
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    write_text(written("summary", folder / "summary.json"), text)


def draw_overlay(
    job: Footage, tracks: Tracks, output: Output, cancelled: Interrupt, files: dict[str, str]
) -> None:
    """Write the overlay. Tracking that was stopped is still drawn; a new Ctrl-C stops drawing."""
    stop_drawing = None if cancelled() else cancelled
    clip = trackcore.open_clip(job.source, frames=job.frames, step=job.step, color=True)
    with output.progress("drawing ") as progress:
        path = write_overlay(
            job.folder / _OVERLAYS[0], clip, tracks, progress=progress, cancel=stop_drawing,
        )  # fmt: skip
    files["overlay"] = str(path)


def version() -> str:
    """Return the installed version of trackcore."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("trackcore")
    except PackageNotFoundError:  # run from a source tree
        return "unknown"
