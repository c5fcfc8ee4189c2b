"""Sessions whose process died: the pitches that were not yet written, from journal and ring."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import Timeout

from trackcore._files import sync_folder
from trackcore.cameras import StereoRig
from trackcore.cameras.io import rig_from_dict
from trackcore.capture.assemble import SeenFrame, WindowAssembler, WindowPlan
from trackcore.capture.engine import camera_of, fitted, window_of
from trackcore.capture.faults import LossReason
from trackcore.capture.replay import PitchSink
from trackcore.capture.ring import RingReader
from trackcore.capture.telemetry import (
    HEAD,
    JOURNAL_NAME,
    RECORDER_LOCK,
    TAKE,
    VERSION,
    recorder_lock,
    row_to_balls,
)
from trackcore.errors import RecordError, StoreError
from trackcore.pitch import PitchFit
from trackcore.recording import (
    SIDES,
    CapturedFrame,
    LostFrame,
    PitchSetup,
    PitchWindow,
    RecordingStatus,
)
from trackcore.session import framed
from trackcore.session.journal import discard, owner_lock

_RECORDER_S = 60.0


@dataclass(slots=True)
class RecoveryReport:
    """What was found of a session whose process died.

    Attributes
    ----------
    pitch_ids : list of str
        Pitches that were rebuilt.
    already_written : list of str
        Pitches that were on the disk.
    windows : list of PitchWindow
        The rebuilt ones, if there were no sinks.
    frames : mapping of str to int
        Frames in the journal.
    last_ns : mapping of str to (int or None)
        Stamp of the last of them.
    pictures_lost : int
        Frames of rebuilt pitches whose pixels are gone.
    lost : list of LostFrame
        What the journal says was lost.
    problems : list of str
        What sinks could not write; journal and ring then stay.
    """

    pitch_ids: list[str] = field(default_factory=list)
    already_written: list[str] = field(default_factory=list)
    windows: list[PitchWindow] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    last_ns: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(SIDES))
    pictures_lost: int = 0
    lost: list[LostFrame] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def needs_recovery(folder: str | os.PathLike[str]) -> bool:
    """Return whether a session's process died before it was closed.

    False while the process lives.
    """
    journal = Path(folder) / JOURNAL_NAME
    if not journal.is_file():
        return False
    try:
        with owner_lock(journal):
            return True
    except Timeout:
        return False


def recover_session(
    folder: str | os.PathLike[str],
    sinks: Sequence[PitchSink] = (),
    *,
    remove: bool = True,
) -> RecoveryReport:
    """Rebuild the pitches that a dead process had not yet written.

    Parameters
    ----------
    folder : path
        Of the session.
    sinks : sequence of PitchSink
        Take each pitch, with the status RECOVERED.
    remove : bool
        Remove journal and ring when every sink has taken everything. Without sinks they stay.

    Returns
    -------
    RecoveryReport

    Raises
    ------
    StoreError
        If the session's process lives, or its recorder does for another minute.
    RecordError
        If there is no journal, or it is none.

    Notes
    -----
    The journal holds what the detectors found, in the order in which the tracker took it: the same
    tracker makes the same pitches of it, by the setup of the recording. Pixels come from the mapped
    ring.
    """
    journal = Path(folder) / JOURNAL_NAME
    if not journal.is_file():
        raise RecordError(f"{journal}: no journal: the session was closed, or never began")
    lock = owner_lock(journal)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreError(f"{folder}: the session is still being recorded") from error
    try:
        _wait_for_recorder(journal.parent)
        head, rows = _read(journal)
        ring_path = Path(head["ring"]) if head.get("ring") else None
        report = _rebuild(head, rows, _ring(ring_path), sinks)
    except BaseException:
        lock.release()
        raise
    if remove and sinks and not report.problems:
        discard(journal, lock)
        if ring_path is not None:
            ring_path.unlink(missing_ok=True)
        sync_folder(journal.parent)
    else:
        lock.release()
    return report


def _wait_for_recorder(folder: Path) -> None:
    """Let a recorder whose parent died finish the pitch it is at."""
    if not (folder / RECORDER_LOCK).exists():
        return
    lock = recorder_lock(folder)
    try:
        with lock.acquire(timeout=_RECORDER_S):
            Path(lock.lock_file).unlink(missing_ok=True)
    except Timeout as error:
        raise StoreError(f"{folder}: a recorder is still writing to it") from error


def _ring(path: Path | None) -> RingReader | None:
    return RingReader(path) if path is not None and path.exists() else None


def _read(journal: Path) -> tuple[dict[str, Any], list[list[Any]]]:
    head: dict[str, Any] | None = None
    rows: list[list[Any]] = []
    for value in framed.values(journal.read_bytes()):
        if not (isinstance(value, list) and len(value) == 3 and isinstance(value[2], dict)):
            break  # torn by the death of its process
        operation, _, fields = value
        if operation == HEAD:
            head = fields
        elif operation == TAKE:
            rows += fields["rows"]
    if head is None or head.get("version") != VERSION:
        raise RecordError(f"{journal}: expected a telemetry journal of version {VERSION}")
    return head, rows


def _rebuild(
    head: dict[str, Any],
    rows: list[list[Any]],
    ring: RingReader | None,
    sinks: Sequence[PitchSink],
) -> RecoveryReport:
    rig, setup = rig_from_dict(head["rig"]), PitchSetup.from_dict(head["setup"])
    assembler = WindowAssembler(rig, setup)
    report = RecoveryReport()
    plans: list[WindowPlan] = []
    for kind, *fields in rows:
        if kind == "frame":
            plans += _again(fields, rig, assembler, report)
        elif kind == "lost":
            side, number, reason = fields
            report.lost.append(LostFrame(side=side, frame_index=number, reason=reason))
            assembler.lose(report.lost[-1])
        elif kind == "written":
            report.already_written.append(fields[0])
    plans += assembler.finish()[1]
    for plan in plans:
        if _id(head["session"], plan) in report.already_written:
            continue
        flight = fitted(rig, plan.pitch, setup)
        window = _window(plan, flight, head, ring, report)
        report.pitch_ids.append(window.pitch_id)
        for sink in sinks:
            report.problems += getattr(sink.write_pitch(window), "problems", ())
        if not sinks:
            report.windows.append(window)
    return report


def _again(
    fields: list[Any], rig: StereoRig, assembler: WindowAssembler, report: RecoveryReport
) -> list[WindowPlan]:
    side, number, t_ns, balls = fields
    common = int(camera_of(rig, side).common_time_ns(t_ns))
    report.frames[side] += 1
    report.last_ns[side] = t_ns
    return assembler.push(SeenFrame(side, number, t_ns, common, row_to_balls(balls, t_ns)))[1]


def _id(session: str, plan: WindowPlan) -> str:
    return f"{session}-pitch-{plan.pitch.index:03d}"


def _window(
    plan: WindowPlan,
    flight: PitchFit | None,
    head: dict[str, Any],
    ring: RingReader | None,
    report: RecoveryReport,
) -> PitchWindow:
    frames: dict[str, tuple[CapturedFrame, ...]] = {}
    lost = list(plan.lost)
    for side in SIDES:
        there = []
        for seen in plan.seen[side]:
            image = None if ring is None else ring.image(side, seen.frame_index)
            if image is None:
                lost.append(LostFrame(
                    side=side, frame_index=seen.frame_index, reason=LossReason.UNREADABLE.value
                ))  # fmt: skip
                report.pictures_lost += 1
                continue
            there.append(CapturedFrame(
                side=side, camera_id=head["camera_ids"][side], frame_index=seen.frame_index,
                t_capture_monotonic_ns=seen.t_ns, image=image,
            ))  # fmt: skip
        frames[side] = tuple(there)
    window = window_of(plan, head["session"], frames, flight, RecordingStatus.RECOVERED)
    return replace(window, lost=tuple(lost))
