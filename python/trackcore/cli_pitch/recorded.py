"""Recorded sessions: opened, mended where their process died, and shown."""

from __future__ import annotations

from pathlib import Path

from trackcore.capture import needs_recovery, recover_session
from trackcore.capture.telemetry import JOURNAL_NAME
from trackcore.cli_output import Output
from trackcore.cli_pitch.outcome import SessionOutcome
from trackcore.errors import RecordError
from trackcore.recording import RecordedSession, RecordingStatus, SessionWriter, open_session


def opened(folder: Path, output: Output) -> RecordedSession:
    """Open a session; if its process died, rebuild first the pitches that were not yet written.

    Raises
    ------
    InputError
        If there is none.
    """
    session = open_session(folder)
    if needs_recovery(folder):
        writer = SessionWriter.resume(folder)
        found = recover_session(folder, [writer])
        writer.close(RecordingStatus.RECOVERED, tuple(found.lost), found.frames)
        n = len(found.pitch_ids)
        output.log(f"note: this recording was killed; pitches rebuilt from its journal: {n}")
        return open_session(folder)
    if (folder / JOURNAL_NAME).exists():
        output.log("note: this session is still being recorded")
    return session


def show_session(folder: Path, found: SessionOutcome, output: Output) -> None:
    """Draw every pitch of a session's folder into `found`; what cannot be read is said."""
    session = opened(folder, output)
    with output.progress("drawing ") as progress:
        for i, pitch in enumerate(session.pitches, start=1):
            try:
                found.write_pitch(pitch.window())
            except RecordError as error:
                output.log(f"note: {pitch.pitch_id} is left out: {error}")
            progress(i, len(session.pitches))
