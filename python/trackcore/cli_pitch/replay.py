"""`trackcore pitch replay`: recorded footage of two cameras in; its pitches out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from trackcore.cameras import StereoRig
from trackcore.capture import FrameSource, open_source, replay_pitches
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.outcome import SessionOutcome
from trackcore.cli_pitch.settings import Settings
from trackcore.cli_track import version
from trackcore.recording import SIDES, RecordingStatus, SessionWriter

Judge = Callable[[SessionOutcome], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayJob:
    """What to replay, how, and where to write it."""

    left: str
    right: str
    rig: StereoRig
    settings: Settings
    folder: Path
    session: str
    fps: float | None
    stamps: tuple[Path | None, Path | None]
    write_session: bool = True


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to."""

    exit: Exit
    record: dict[str, Any]
    outcome: SessionOutcome


def run(
    job: ReplayJob, output: Output, cancelled: Interrupt, judge: Judge | None = None
) -> Replayed:
    """Run the footage through detector, tracker and fit; write session, pictures and report.

    `judge` may add to the record what else is known: `comparison` is shown in the report.

    Raises
    ------
    TrackcoreError, OSError
        If something cannot be read or written.
    """
    chosen = job.settings
    for note in chosen.notes:
        output.log(f"note: {note}")
    outcome = SessionOutcome(job.rig, chosen.setup, job.folder, job.session, output)
    left, right = (
        open_source(what, side=side, fps=job.fps, timestamps=table)
        for what, side, table in zip((job.left, job.right), SIDES, job.stamps, strict=True)
    )
    writer = session_writer(job, left, right) if job.write_session else None
    sinks: list[Any] = [outcome] if writer is None else [writer, outcome]
    with writer or nullcontext(), output.progress("replaying") as progress:
        done = replay_pitches(
            left, right, job.rig, chosen.setup, session=job.session, sinks=sinks, progress=progress,
            cancel=cancelled,
        )  # fmt: skip
        if writer is not None:
            ended = RecordingStatus.TRUNCATED if done.cancelled else RecordingStatus.COMPLETE
            writer.close(ended, tuple(done.lost))
            outcome.files["session"] = str(writer.folder)
    code, word = outcome.judged(cancelled=done.cancelled, doubtful=any(done.unread.values()))
    record: dict[str, Any] = {
        "outcome": word,
        "trackcore": version(),
        "sources": {"left": job.left, "right": job.right},
        "frames": dict(done.frames),
        "unread": dict(done.unread),
        "lost": [{"side": f.side, "frame": f.frame_index, "reason": f.reason} for f in done.lost],
    }
    more = {} if judge is None else judge(outcome)
    comparison = more.pop("comparison", ())
    notes = [
        ("left", job.left), ("right", job.right),
        ("frames", ", ".join(f"{n} {side}" for side, n in done.frames.items())),
        ("frames that are missing", str(len(done.lost))), ("trackcore", version()),
    ]  # fmt: skip
    return Replayed(code, outcome.finish({**record, **more}, notes, comparison), outcome)


def session_writer(job: ReplayJob, left: FrameSource, right: FrameSource) -> SessionWriter:
    """Return what writes the session's folder."""
    chosen = job.settings
    return SessionWriter(
        job.folder, job.session, job.rig, chosen.setup,
        config_path=None if chosen.config is None else str(chosen.config), fps=left.fps,
        camera_ids={"left": left.camera_id, "right": right.camera_id},
        mode="replay",
    )  # fmt: skip


def report(done: Replayed, output: Output, *more: RenderableType) -> list[Any]:
    """Return what a person should see, after saying on stderr what is not as hoped."""
    lost = done.record["lost"]
    if done.exit is Exit.NOTHING_TRACKABLE:
        frames = done.record["frames"]
        n = len(done.outcome.pitches)
        found = f"{n} seen that could not be fitted" if n else "no pitch"
        output.error(
            f"{found} in {frames['left']} left and {frames['right']} right frames (are the stamps"
            " of both cameras on one clock, and is the rig that of this footage, left and right?)"
        )
    elif done.exit is Exit.WEAK and done.outcome.faults():
        output.error("not every pitch was fitted without a warning: see below the table")
    elif done.exit is Exit.CANCELLED:
        output.log(f"stopped after {sum(done.record['frames'].values())} frames; what was done is"
                   " written")  # fmt: skip
    for side, n in done.record["unread"].items():
        if n:
            output.error(f"{side}: {n} frames could not be read (is the file whole?)")
    if lost:
        output.log(f"note: {len(lost)} frames are missing from the footage")
    files = [Text(f"wrote {path}") for path in done.outcome.files.values()]
    return [*done.outcome.tables(), *more, *files]
