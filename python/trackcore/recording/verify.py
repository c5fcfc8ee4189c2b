"""Whether a recorded session holds what it says: values and counts, not just presence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from trackcore.errors import TrackcoreError
from trackcore.recording.checks import pitch_checks, session_checks
from trackcore.recording.findings import Check, Finding
from trackcore.recording.reader import RecordedSession, open_session
from trackcore.recording.window import RecordingStatus

KINDS = {".avi": "video", ".mp4": "video", ".mkv": "video", ".png": "pictures",
         ".json": "telemetry", ".csv": "telemetry"}  # fmt: skip
TRAINING = {"detections", "observations", "frames", "calibration"}
"""Folders of what is written for training."""


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """What `verify_session` found.

    Attributes
    ----------
    checks : tuple of Check
    bytes : dict
        Of video, telemetry, pictures and other files.
    added_percent : float
        What detections, observations, pictures and calibration add to the videos [%]; NaN without
        videos.
    status : RecordingStatus or None
        How the recording ended, as it says itself; None where it does not.
    """

    checks: tuple[Check, ...]
    bytes: dict[str, int]
    added_percent: float
    status: RecordingStatus | None

    @property
    def finding(self) -> Finding:
        """The worst of all: `LACKING` where the files say themselves all that is not so."""
        found = {check.finding for check in self.checks}
        return next((f for f in (Finding.WRONG, Finding.LACKING) if f in found), Finding.GOOD)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.finding is not Finding.WRONG

    @property
    def problems(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.finding is Finding.WRONG)

    @property
    def lacks(self) -> tuple[Check, ...]:
        """What is not there, and is said not to be: see `Finding`."""
        return tuple(check for check in self.checks if check.finding is Finding.LACKING)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, fit for JSON."""
        known = self.added_percent == self.added_percent
        return {
            "ok": self.ok,
            "finding": self.finding.value,
            "status": None if self.status is None else self.status.value,
            "checks": [{"where": c.where, "what": c.what, "ok": c.ok, "said": c.said,
                        "finding": c.finding.value} for c in self.checks],
            "bytes": dict(self.bytes),
            "added_percent": self.added_percent if known else None,
        }  # fmt: skip


def verify_session(
    folder: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> SessionCheck:
    """Check a session: every document against its schema, and all of them against each other.

    Parameters
    ----------
    folder : path
    progress : callable, optional
        Called with the number of pitches done and of all.
    cancel : callable, optional
        Asked after each pitch; if True, the rest is not checked, which is a failed check.

    Returns
    -------
    SessionCheck

    Raises
    ------
    InputError
        If there is no session.

    Notes
    -----
    What a recording that was stopped or killed has not, and says it has not, is no failed check: it
    is in `lacks`. Videos are decoded and their frames counted. Observations are projected into both
    pictures by the rig of the session, each at its own time, and must come within 3 px of what was
    seen there.
    """
    session = open_session(folder)
    checks = list(_guarded("session", lambda: session_checks(session)))
    pitches = _pitches(session)
    for done, pitch in enumerate(pitches):
        if cancel is not None and cancel():
            said = f"cancelled after {done} of {len(pitches)} pitches"
            checks.append(Check("session", "all is checked", ok=False, said=said))
            break
        checks += _guarded(pitch.folder.name, lambda: pitch_checks(pitch))  # noqa: B023 - called now
        if progress is not None:
            progress(done + 1, len(pitches))
    sizes, added = sizes_of(_files(session.folder))
    return SessionCheck(tuple(checks), sizes, added, _status(session))


def _status(session: RecordedSession) -> RecordingStatus | None:
    try:
        return session.status if session.manifest is not None else None
    except TrackcoreError:  # said by the session's checks
        return None


def _pitches(session: RecordedSession) -> tuple[Any, ...]:
    try:
        return session.pitches
    except TrackcoreError:  # a calibration that cannot be read: said by the session's checks
        return ()


def _guarded(where: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield checks; a file that cannot be read is a failed one."""
    try:
        yield from checks()
    except (TrackcoreError, OSError) as error:
        yield Check(where, "files can be read", ok=False, said=str(error))


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder), path.stat().st_size


def sizes_of(files: Iterable[tuple[PurePath, int]]) -> tuple[dict[str, int], float]:
    """Return bytes by kind, and what training data add to the videos [%], of files and sizes."""
    sizes = dict.fromkeys(["video", "telemetry", "pictures", "other"], 0)
    training = 0
    for path, size in files:
        sizes[KINDS.get(path.suffix.lower(), "other")] += size
        training += size if TRAINING & set(path.parts) else 0
    return sizes, 100.0 * training / sizes["video"] if sizes["video"] else float("nan")
