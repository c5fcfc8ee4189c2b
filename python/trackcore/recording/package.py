"""A session as one file to hand on: the documented submission, every file of it with its hash."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from trackcore._files import replacing
from trackcore.errors import ArchiveError, InputError
from trackcore.recording import models
from trackcore.recording.documents import APP_VERSION
from trackcore.recording.models.submission import (
    DataManifest,
    PackedFile,
    Privacy,
    Source,
    SubmittedSession,
    SubmittedTelemetry,
    SubmittedVideos,
)
from trackcore.recording.reader import RecordedSession, open_session
from trackcore.session.archive import BIGGEST_RATIO, MOST_FILES, Limits

KINDS = ("full", "telemetry_only")
SUBMISSION = "submission_manifest.json"
RETENTION_DAYS = 730
LIMITS = Limits(MOST_FILES, file_bytes=1 << 40, total_bytes=1 << 42, ratio=BIGGEST_RATIO)
"""Videos are large; what does not fit into memory is never read into it."""

PICTURES = (".avi", ".mp4", ".mkv", ".png")
_NAME = r"[0-9A-Za-z_-]+"
_VIDEO = r"(?:left|right)(?:\.avi|\.mp4|\.mkv|_timestamps\.csv)"
LAYOUT = re.compile(
    rf"session/(?:manifest\.json|session_summary\.(?:json|csv)|session_{_VIDEO})"
    rf"|session/calibration/{_NAME}\.json"
    rf"|pitches/(?P<pitch>{_NAME})/(?:manifest\.json|sightings\.json|{_VIDEO}"
    rf"|detections/(?:left|right)_detections\.json|observations/stereo_observations\.json"
    rf"|frames/(?:left|right)/{_NAME}\.png)"
)
"""Names that a package may hold, beside its manifest."""

_TIME_IN_ARCHIVE = (1980, 1, 1, 0, 0, 0)  # equal files, equal bytes
_UNIX = 3
_CHUNK = 1 << 20
# Bytes that the format (APPNOTE 6.3) spends on an entry, and more on what lies beyond 32 bits.
_LOCAL, _CENTRAL, _FAR_OFFSET, _FAR_END = 30, 46, 12, 56 + 20


@dataclass(frozen=True, slots=True)
class PackagedSession:
    """What `package_session` wrote.

    Attributes
    ----------
    path : Path
    manifest : SubmissionManifest
    left_out : tuple of str
        Files of the session's folder that no package has, or that this kind has not.
    """

    path: Path
    manifest: models.SubmissionManifest
    left_out: tuple[str, ...]

    def __fspath__(self) -> str:
        """Return the path."""
        return str(self.path)


def package_session(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    kind: str = "full",
    reason: str | None = None,
    location: str | None = None,
    pitcher_id: str | None = None,
    operator: str | None = None,
    player_consent: bool = False,
    anonymized: bool = False,
    retention_days: int = RETENTION_DAYS,
    intended_use: Sequence[str] = ("ml_training",),
    created: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> PackagedSession | None:
    """Write the documented submission of a session: a ZIP file with the hash of every file in it.

    Parameters
    ----------
    folder : path
        Of the session.
    out : path, optional
        The file, or a folder for it. Default: `ml-submission-YYYYMMDD-HHMMSS.zip` in the current
        folder. Appears whole or not at all.
    kind : str
        `full`, or `telemetry_only`: neither videos nor pictures.
    reason : str, optional
        Why there are no pictures; with `telemetry_only` only.
    location, pitcher_id, operator : str, optional
        Written as they are.
    player_consent : bool
        Whether who is seen has agreed.
    anonymized : bool
        Whether nobody can be recognised. Nothing is made so here: pictures and names of people
        beside it are refused.
    retention_days : int
        How long it may be kept [days].
    intended_use : sequence of str
    created : datetime, optional
        With its time zone. Default: now. Equal sessions of equal times give equal bytes.
    progress : callable, optional
        Called with the number of bytes done and of all.
    cancel : callable, optional
        Asked as it goes; if True, nothing is written.

    Returns
    -------
    PackagedSession or None
        None: cancelled.

    Raises
    ------
    InputError
        If there is no session, or an argument is none of these.
    OSError
        If the package cannot be written.
    """
    if kind not in KINDS:
        raise InputError(f"kind: expected 'full' or 'telemetry_only', got {kind!r}")
    if kind == "full" and reason is not None:
        raise InputError(f"reason: expected None with kind 'full', got {reason!r}")
    people = [n for n, v in (("pitcher_id", pitcher_id), ("operator", operator)) if v is not None]
    if anonymized and (kind == "full" or people):
        named = ", ".join(people) or "pictures"
        raise InputError(f"anonymized: expected False, the package has {named} of people")
    if type(retention_days) is not int or retention_days < 0:
        raise InputError(f"retention_days: expected whole days, 0 or more, got {retention_days!r}")
    when = _utc(created)
    session = open_session(Path(folder))
    plan = _plan(session, kind)
    if not any(name.startswith("pitches/") for name in plan.files):
        raise InputError("folder: expected a session with a pitch at least, it has none")
    stamp = when.strftime("%Y%m%d-%H%M%S")
    told = reason or "pictures were not asked for" if kind == "telemetry_only" else None
    says: dict[str, Any] = {
        "submission_id": f"ml-submission-{stamp}", "submission_type": kind,
        "created_utc": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "session": _session(session, plan),
        "source": Source(app="trackcore", rig_id=session.manifest and session.manifest.rig_id,
                         location=location, pitcher_id=pitcher_id, operator=operator),
        "data_manifest": contents(plan.files, metrics=plan.metrics),
        "intended_use": list(intended_use),
        "privacy": Privacy(player_consent=bool(player_consent), anonymized=bool(anonymized),
                           retention_days=retention_days),
        "telemetry_only_reason": told,
    }  # fmt: skip
    target = _target(out, f"ml-submission-{stamp}.zip")
    with replacing(target) as beside:
        packed = _write(beside, plan.files, _Ticker(plan.files, progress, cancel))
        if packed is None:
            beside.unlink()
            return None
        manifest = _append_manifest(beside, packed, says)
    return PackagedSession(target, manifest, plan.left_out)


def listed_sha256(files: dict[str, PackedFile]) -> str:
    """Return the hash of a package: that of its list of files, as sha256sum writes it."""
    lines = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def contents(names: Any, *, metrics: bool) -> DataManifest:
    """Return what the files of a package are."""
    names = list(names)

    def has(pattern: str) -> bool:
        return any(re.fullmatch(pattern, name) for name in names)

    video = r"\.(avi|mp4|mkv)"
    return DataManifest(
        videos=SubmittedVideos(
            session_videos=has(rf"session/[^/]+{video}"),
            pitch_videos=has(rf"pitches/[^/]+/[^/]+{video}"), key_frames=has(r".*\.png"),
        ),
        telemetry=SubmittedTelemetry(
            detections=has(r".*/detections/.*"), observations=has(r".*/observations/.*"),
            calibration=has(r"session/calibration/.*"), performance_metrics=metrics,
        ),
    )  # fmt: skip


def hashed(source: Any, write: Callable[[bytes], object], tick: Callable[[int], bool]) -> str:
    """Return the hash of all that can be read from `source`; empty if `tick` says to stop."""
    digest = hashlib.sha256()
    while data := source.read(_CHUNK):
        digest.update(data)
        write(data)
        if not tick(len(data)):
            return ""
    return digest.hexdigest()


@dataclass(slots=True)
class _Plan:
    files: dict[str, Path] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    metrics: bool = False


class _Ticker:
    """Tells how far it is, and asks whether to go on."""

    def __init__(
        self,
        files: dict[str, Path],
        progress: Callable[[int, int], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self._all = sum(path.stat().st_size for path in files.values())
        self._done, self._progress, self._cancel = 0, progress, cancel

    def __call__(self, more: int) -> bool:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, self._all)
        return self._cancel is None or not self._cancel()


def _plan(session: RecordedSession, kind: str) -> _Plan:
    """Return what goes along, by its name in the package."""
    plan, out = _Plan(), []
    pitches = {pitch.folder.name for pitch in session.pitches}
    for path in sorted(session.folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        inside = path.relative_to(session.folder)
        top = "pitches" if inside.parts[0] in pitches else "session"
        name = f"{top}/{inside.as_posix()}"
        wanted = kind == "full" or path.suffix.lower() not in PICTURES
        linked = any(p.is_symlink() for p in (path, *path.parents) if session.folder in p.parents)
        if LAYOUT.fullmatch(name) and wanted and not linked:
            plan.files[name] = path
        else:
            out.append(inside.as_posix())
    told = [pitch.manifest for pitch in session.pitches]
    plan.metrics = all(m is not None and m.performance_metrics is not None for m in told)
    plan.left_out = tuple(out)
    return plan


def pitches_in(names: Any) -> set[str]:
    """Return the folders of pitches among names of a package."""
    return {m["pitch"] for m in map(LAYOUT.fullmatch, names) if m and m["pitch"]}


def _session(session: RecordedSession, plan: _Plan) -> SubmittedSession:
    said = session.manifest
    return SubmittedSession(
        session_id=session.folder.name if said is None else said.session,
        started_utc=said and said.started_utc, ended_utc=said and said.ended_utc,
        pitch_count=len(pitches_in(plan.files)), status=session.status.value,
    )  # fmt: skip


def _write(path: Path, files: dict[str, Path], tick: _Ticker) -> dict[str, PackedFile] | None:
    packed = {}
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            size = files[name].stat().st_size
            with files[name].open("rb") as source, archive.open(_entry(name, size), "w") as entry:
                digest = hashed(source, entry.write, tick)
            if not digest:
                return None
            packed[name] = PackedFile(sha256=digest, size_bytes=archive.getinfo(name).file_size)
    return packed


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME_IN_ARCHIVE)
    pictures = name.endswith(PICTURES) or name == SUBMISSION
    info.compress_type = zipfile.ZIP_STORED if pictures else zipfile.ZIP_DEFLATED
    info.create_system, info.external_attr, info.file_size = _UNIX, 0o644 << 16, size
    return info


def _append_manifest(
    path: Path, packed: dict[str, PackedFile], says: dict[str, Any]
) -> models.SubmissionManifest:
    """Add the manifest, which says how large the package is with it."""
    before = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    size = before
    for _ in range(4):  # its own digits are part of it
        manifest = models.SubmissionManifest(
            app_version=APP_VERSION, size_bytes=size, checksum_sha256=listed_sha256(packed),
            files=packed, **says,
        ).checked()  # fmt: skip
        text = (json.dumps(manifest.to_dict(), indent=2, allow_nan=False) + "\n").encode()
        again = before + _added(start, len(text))
        if again == size:
            break
        size = again
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_entry(SUBMISSION, len(text)), text)
    there = path.stat().st_size
    if there != size:
        raise ArchiveError(f"path: the package has {there} bytes, expected {size}")
    return manifest


def _added(start: int, content: int) -> int:
    """Return the bytes that a stored manifest adds to an archive whose directory is at `start`."""
    name = len(SUBMISSION)
    far = zipfile.ZIP64_LIMIT
    end = start + _LOCAL + name + content
    return (
        _LOCAL + _CENTRAL + 2 * name + content
        + (_FAR_OFFSET if start > far else 0) + (_FAR_END if end > far >= start else 0)
    )  # fmt: skip


def _utc(created: datetime | None) -> datetime:
    if created is None:
        return datetime.now(timezone.utc)
    if not isinstance(created, datetime) or created.tzinfo is None:
        raise InputError(f"created: expected a datetime with its time zone, got {created!r}")
    return created.astimezone(timezone.utc)


def _target(out: str | os.PathLike[str] | None, name: str) -> Path:
    if out is None:
        return Path(name)
    given = Path(out)
    return given / name if given.is_dir() else given
