"""Whether a package holds what it says. It is read as what it is: input that may be hostile."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from trackcore.errors import ArchiveError, SourceError
from trackcore.recording import models
from trackcore.recording.documents import MANIFEST
from trackcore.recording.findings import Check
from trackcore.recording.models.submission import PackedFile
from trackcore.recording.package import (
    LAYOUT,
    LIMITS,
    PICTURES,
    SUBMISSION,
    contents,
    hashed,
    listed_sha256,
    pitches_in,
)
from trackcore.recording.schema import KINDS
from trackcore.recording.verify import SessionCheck, sizes_of
from trackcore.recording.window import RecordingStatus
from trackcore.session.archive import (
    BIGGEST_FILE_BYTES,
    DAMAGE,
    check_entries,
    content,
    plain_json,
)
from trackcore.session.models._base import Record

_BIGGEST = 2.0**63
"""Stamps are nanoseconds in 64 bits."""
_OF_FILE = {
    "session/manifest": "session_manifest",
    "left_detections": "detections",
    "right_detections": "detections",
    "intrinsics_left": "intrinsics",
    "intrinsics_right": "intrinsics",
    "manifest": "pitch_manifest",
}
"""Schemas of files that have another name."""


def verify_package(
    path: str | os.PathLike[str],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> SessionCheck:
    """Check a package: every file against its hash, documents against their schemas, all counted.

    Parameters
    ----------
    path : path
        Of the ZIP file.
    progress : callable, optional
        Called with the number of files done and of all.
    cancel : callable, optional
        Asked after each file; if True, the rest is not checked, which is a failed check.

    Returns
    -------
    SessionCheck

    Raises
    ------
    SourceError
        If there is no such file.
    ArchiveError
        If it is damaged or no package, or holds what no package has: names out of place, links,
        entries that stand twice, overlap, are encrypted or unpack to absurd sizes. Nothing is
        extracted, ever.
    """
    file = Path(path)
    if not file.is_file():
        raise SourceError(f"path: {file} is no file")
    try:
        with zipfile.ZipFile(file) as archive:
            infos = {info.filename: info for info in _checked(archive)}
            manifest = _manifest(archive, infos)
            reading = _Reading(archive, infos, progress, cancel)
            checks = (*reading.checks(manifest), *_said(file, manifest, infos, reading))
    except DAMAGE as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(f"path: {file} is damaged or no package ({error})") from None
    sizes, added = sizes_of((PurePosixPath(n), i.file_size) for n, i in infos.items())
    said = manifest.session.status
    return SessionCheck(checks, sizes, added, RecordingStatus(said) if said else None)


def _checked(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    infos = archive.infolist()
    check_entries(infos, LIMITS)
    for info in infos:
        if info.filename != SUBMISSION and LAYOUT.fullmatch(info.filename) is None:
            raise ArchiveError(f"{info.filename!r}: is no name a package has")
    return infos


def _manifest(
    archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo]
) -> models.SubmissionManifest:
    if SUBMISSION not in infos:
        raise ArchiveError(f"path: expected a package with its {SUBMISSION}")
    try:
        value = plain_json(_small(archive, infos[SUBMISSION]), SUBMISSION, biggest=_BIGGEST)
        return models.SubmissionManifest.model_validate(value)
    except ValidationError as error:
        raise ArchiveError(f"{SUBMISSION}, {_first(error)}") from None


def _small(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > BIGGEST_FILE_BYTES:
        raise ArchiveError(f"{info.filename!r}: would unpack to {info.file_size >> 20} MiB")
    return content(archive, info)


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'whole'}: {first['msg']}"


class _Reading:
    """Reads all files once: their hashes, and what is wrong with the documents among them."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        infos: dict[str, zipfile.ZipInfo],
        progress: Callable[[int, int], None] | None,
        cancel: Callable[[], bool] | None,
    ) -> None:
        self._archive, self._infos = archive, infos
        self._progress, self._cancel = progress, cancel
        self.metrics: list[bool] = []

    def checks(self, manifest: models.SubmissionManifest) -> Iterator[Check]:
        said = manifest.files or {}
        names = [name for name in self._infos if name != SUBMISSION]
        wrong, broken = [], []
        for done, name in enumerate(names):
            if self._cancel is not None and self._cancel():
                yield _check("all is checked", ok=False,
                             said=f"cancelled after {done} of {len(names)} files")  # fmt: skip
                break
            if name in said and self._read(name) != said[name]:
                wrong.append(name)
            if name.endswith(".json"):
                problem = self._problem(name)
                broken += [f"{name}, {problem}"] if problem else []
            if self._progress is not None:
                self._progress(done + 1, len(names))
        yield _check("files are what the manifest says", ok=not wrong,
                     said=", ".join(wrong) or f"{len(names)} files")  # fmt: skip
        yield _check("documents hold to their schemas", ok=not broken,
                     said="; ".join(broken) or "yes")  # fmt: skip

    def _read(self, name: str) -> PackedFile:
        with self._archive.open(self._infos[name]) as source:
            sizes: list[int] = []
            digest = hashed(source, lambda data: sizes.append(len(data)), lambda _: True)
        return PackedFile(sha256=digest, size_bytes=sum(sizes))

    def _problem(self, name: str) -> str:
        """Return what is wrong with a document."""
        stem = name.removesuffix(".json")
        short = stem.rsplit("/", 1)[1]
        kind: type[Record] | None = KINDS.get(_OF_FILE.get(stem) or _OF_FILE.get(short) or short)
        value: Any = plain_json(_small(self._archive, self._infos[name]), name, biggest=_BIGGEST)
        if kind is None:
            return ""
        try:
            document = kind.model_validate(value)
        except ValidationError as error:
            return _first(error)
        if isinstance(document, models.PitchManifest):
            self.metrics.append(document.performance_metrics is not None)
        return ""


def _said(
    file: Path,
    manifest: models.SubmissionManifest,
    infos: dict[str, zipfile.ZipInfo],
    reading: _Reading,
) -> Iterator[Check]:
    """Yield the checks of what the manifest says of the whole."""
    said = manifest.files or {}
    names = infos.keys() - {SUBMISSION}
    strange = sorted(names ^ said.keys())
    yield _check("the manifest names the files that are there", ok=not strange,
                 said=", ".join(strange) or f"{len(names)} files")  # fmt: skip
    size = file.stat().st_size
    yield _check("the package is as large as it says", ok=size == manifest.size_bytes,
                 said=f"{manifest.size_bytes} bytes said, {size} there")  # fmt: skip
    yield _check("the checksum is that of the list of files",
                 ok=manifest.checksum_sha256 == listed_sha256(said),
                 said=manifest.checksum_sha256)  # fmt: skip
    pitches = pitches_in(names)
    counted = manifest.session.pitch_count
    whole = all(f"pitches/{pitch}/{MANIFEST}" in names for pitch in pitches)
    yield _check("pitches are as many as it says, each with its manifest",
                 ok=counted == len(pitches) and whole,
                 said=f"{counted} said, {len(pitches)} there")  # fmt: skip
    metrics = len(reading.metrics) == len(pitches) and all(reading.metrics)
    there = contents(names, metrics=metrics)
    yield _check("it holds the kinds of data it says",
                 ok=there.to_dict() == manifest.data_manifest.to_dict(),
                 said=_difference(manifest.data_manifest.to_dict(), there.to_dict()))  # fmt: skip
    pictures = sum(name.endswith(PICTURES) for name in names)
    bare = manifest.submission_type == "telemetry_only"
    yield _check("pictures are only where they may be",
                 ok=not (pictures and (bare or manifest.privacy.anonymized)),
                 said=f"{pictures} files, {manifest.submission_type}")  # fmt: skip


def _difference(said: dict[str, Any], there: dict[str, Any]) -> str:
    wrong = [
        f"{group}.{name}: {said[group].get(name)} said"
        for group, flags in there.items() for name, flag in flags.items()
        if said[group].get(name) != flag
    ]  # fmt: skip
    return "; ".join(wrong) or "yes"


def _check(what: str, *, ok: bool, said: str) -> Check:
    return Check("package", what, ok, said)
