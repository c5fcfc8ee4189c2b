"""`trackcore pitch record`: two cameras in; a session's folder, pictures and a report out."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.text import Text

from trackcore.balls import Candidates
from trackcore.cameras import StereoRig
from trackcore.capture import CaptureHost, FrameSource, HostReport, HostStatus, open_source
from trackcore.cli_output import Exit, Interrupt, Output
from trackcore.cli_pitch.outcome import SessionOutcome
from trackcore.cli_pitch.recorded import show_session
from trackcore.cli_pitch.settings import Settings
from trackcore.cli_track import version
from trackcore.pitch import PitchFit, StrikeZone
from trackcore.pitch_report.live import LiveState, LiveWindow, draw_live
from trackcore.pitch_report.numbers import call_words, pitch_numbers
from trackcore.recording import (
    SIDES,
    CapturedFrame,
    FrameDetections,
    PitchWindow,
    SessionWriter,
)

_POLL_S, _LINE_S = 0.03, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordJob:
    """What to record, how, and where to write it."""

    left: str
    right: str
    rig: StereoRig
    settings: Settings
    folder: Path
    session: str
    fps: float | None
    duration_s: float | None
    view: bool


@dataclass(slots=True)
class Watch:
    """What is seen of a capture while it runs: a sink, and hooks of the host."""

    rig: StereoRig
    zone: StrikeZone
    frames: dict[str, CapturedFrame | None] = field(default_factory=lambda: dict.fromkeys(SIDES))
    balls: dict[str, Candidates | None] = field(default_factory=lambda: dict.fromkeys(SIDES))
    fits: list[PitchFit | None] = field(default_factory=list)

    def write_pitch(self, window: PitchWindow) -> None:
        """Take in a pitch."""
        self.fits.append(window.fit)

    def on_frame(self, frame: CapturedFrame, found: FrameDetections) -> None:
        """Take in a frame, and what was found in it; its pixels are lent for this call only."""
        kept = replace(frame, image=frame.image.copy())
        self.frames[frame.side], self.balls[frame.side] = kept, found.balls

    def state(self, line: str) -> LiveState:
        """Return what the live view shows."""
        return LiveState(
            dict(self.frames), dict(self.balls), line, tuple(self.fits), self.zone,
            self.rig.has_plate,
        )  # fmt: skip


def run(
    job: RecordJob, output: Output, cancelled: Interrupt
) -> tuple[Exit, dict[str, Any], list[Any]]:
    """Record until Ctrl-C, the end of the sources or of the time; then draw what was recorded.

    Ctrl-C is how a recording ends: it is no cancellation.

    Raises
    ------
    TrackcoreError, OSError
        If a camera cannot be opened or something not be written.
    """
    chosen = job.settings
    for note in chosen.notes:
        output.log(f"note: {note}")
    watch = Watch(job.rig, chosen.setup.zone)
    left, right = _source(job.left, "left", job), _source(job.right, "right", job)
    recorder = partial(
        SessionWriter, job.folder, job.session, job.rig, chosen.setup,
        config_path=None if chosen.config is None else str(chosen.config), fps=left.fps,
        camera_ids={"left": left.camera_id, "right": right.camera_id},
    )  # fmt: skip
    host = CaptureHost(
        (left, right), job.rig, (watch,), recorder=recorder, session=job.session,
        setup=chosen.setup, on_frame=watch.on_frame,
    )  # fmt: skip
    done = _watched(host, watch, job, output, cancelled)
    folder = host.folder
    assert folder is not None
    found = SessionOutcome(job.rig, chosen.setup, folder, job.session, output, told=True)
    show_session(folder, found, output)
    return _said(done, found, folder, output)


def _source(what: str, side: str, job: RecordJob) -> FrameSource:
    """Return a source: the number of a camera, or a path.

    The configuration's rate is that of cameras; footage has its own.
    """
    if what.isdigit():
        return open_source(int(what), side=side, fps=job.fps or job.settings.fps)
    return open_source(what, side=side, fps=job.fps)


def _watched(
    host: CaptureHost, watch: Watch, job: RecordJob, output: Output, cancelled: Interrupt
) -> HostReport:
    """Run the host to its end, show what it sees, and stop it."""
    window = LiveWindow(f"trackcore pitch: {job.session}") if job.view else None
    if window is not None and not window.usable:
        output.log("note: no screen to show the cameras on: one line a second instead")
    host.start()
    began, told, seen = time.monotonic(), 0.0, 0
    output.log(f"recording {job.session} to {host.folder} (Ctrl-C ends it)")
    try:
        while not host.wait(_POLL_S):
            now = time.monotonic() - began
            over = job.duration_s is not None and now >= job.duration_s
            if cancelled() or over or (window is not None and window.closed):
                break
            line = status_line(host.status(), now)
            if window is not None and window.usable:
                window.show(draw_live(watch.state(line)))
            elif now - told >= _LINE_S:
                told = now
                output.status(line)
            for fit in watch.fits[seen:]:
                seen += 1
                output.log(_pitch_line(seen, fit, plate=job.rig.has_plate))
    finally:
        done = host.stop()
        if window is not None:
            window.close()
    return done


def status_line(status: HostStatus, seconds: float) -> str:
    """Return a capture's state in one line."""
    clock = f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
    parts = [clock, str(status.phase.value).lower()]
    for side in SIDES:
        frames, lost = status.counts.frames[side], status.counts.lost[side]
        rate = frames / seconds if seconds > 0 else 0.0
        state = status.cameras[side].value
        parts.append(f"{side} {state} {frames} ({rate:.0f}/s, {lost} lost)")
    parts.append(f"pitches {len(status.pitch_ids)}")
    p95 = status.latency_ms.get("p95", math.nan)
    if math.isfinite(p95):
        parts.append(f"latency {p95:.1f} ms")
    if status.shed:
        parts.append(f"{status.shed} shed from the session's video")
    return "   ".join([*parts, *status.problems])


def _pitch_line(number: int, fit: PitchFit | None, *, plate: bool) -> str:
    words = [n.text for n in pitch_numbers(fit, plate=plate)[:1]]
    return f"pitch {number}: {', '.join([*words, *([call_words(fit)] if plate else [])])}"


def _said(
    done: HostReport, found: SessionOutcome, folder: Path, output: Output
) -> tuple[Exit, dict[str, Any], list[Any]]:
    final = done.final
    code, word = found.judged(cancelled=False)
    record: dict[str, Any] = {
        "outcome": word,
        "trackcore": version(),
        "status": done.status.value,
        "frames": dict(final.counts.frames),
        "lost": {side: final.counts.lost[side] for side in SIDES},
        "shed": final.shed,
        "callback_ms": _known(final.callback_ms),
        "latency_ms": _known(final.latency_ms),
        "problems": list(final.problems),
    }
    notes = [
        ("recording", done.status.value),
        ("frames", ", ".join(f"{n} {side}" for side, n in final.counts.frames.items())),
        ("frames lost", ", ".join(f"{final.counts.lost[side]} {side}" for side in SIDES)),
        ("outages", "; ".join(f"{o.side}: {o.reason}" for o in done.outages) or "none"),
    ]  # fmt: skip
    found.files["session"] = str(folder)
    record = found.finish(record, notes)
    for problem in final.problems:
        output.error(problem)
    if code is Exit.NOTHING_TRACKABLE:
        output.error("no pitch was seen")
    return code, record, [*found.tables(), *_wrote(found.files.values())]


def _known(times: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in times.items()}


def _wrote(paths: Any) -> Sequence[Text]:
    return [Text(f"wrote {path}") for path in paths]
