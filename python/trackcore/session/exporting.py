"""Exporting records: one archive, as documented, of which nothing can be looked up."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias

from trackcore._files import replacing
from trackcore.errors import InputError, PrivacyError, RecordError, StoreError
from trackcore.session.identity import Identity, load_identity
from trackcore.session.privacy import PrivateField, find_private, scrubbed
from trackcore.session.store import SessionStore

EXPORT_VERSION = 3
"""Ours; the add-on's archives say 2."""
FINGERPRINTS = "keyed"

_TIME_IN_ARCHIVE = (1980, 1, 1, 0, 0, 0)  # equal records, equal bytes
_MOST_TOLD = 3

Progress: TypeAlias = Callable[[int, "int | None"], object]


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    path : Path
    session_count, behavior_count, total_tracks : int
    dropped : tuple of (str, PrivateField)
        Record and field of all that `scrub` left out.
    skipped : tuple of (str, str)
        Files that hold no record, and why.
    """

    path: Path
    session_count: int
    behavior_count: int
    total_tracks: int
    dropped: tuple[tuple[str, PrivateField], ...]
    skipped: tuple[tuple[str, str], ...]


def export_sessions(
    store: SessionStore,
    path: str | os.PathLike[str] | None = None,
    *,
    scrub: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write all records to a ZIP archive that holds numbers and nothing else.

    Parameters
    ----------
    store : SessionStore
    path : path, optional
        The archive, or a folder for it. Default: `autosolve_training_YYYYMMDD.zip` (documented)
        in the current folder. Appears whole or not at all.
    scrub : bool
        Leave fields out that may not leave this machine, instead of refusing.
    progress : callable, optional
        Called as `progress(records_done, records_total)`.

    Returns
    -------
    Exported

    Raises
    ------
    PrivacyError
        Naming the records and fields that hold more than numbers; nothing was written.
    InputError
        If there is no record.
    StoreError, OSError
        If a record cannot be read or the archive not written.

    Notes
    -----
    `manifest.json`, `model.json` if there is one, `sessions/*.json`, `behavior/*.json`. Clip
    fingerprints are keyed once more with a key of the day, which stays here: records of one clip
    still belong together in the archive, and mean nothing elsewhere. Equal records give equal
    bytes on the same day. Reads one record at a time.
    """
    today = datetime.now(timezone.utc).strftime("%Y%m%d")
    target = _target(path, today)
    with replacing(target) as beside:
        job = _Export(store, load_identity(store), today, scrub, progress)
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            job.write(archive)
        job.check()
    return job.result(target)


class _Export:
    def __init__(
        self,
        store: SessionStore,
        identity: Identity,
        today: str,
        scrub: bool,  # noqa: FBT001
        progress: Progress | None,
    ) -> None:
        self._store, self._identity, self._today = store, identity, today
        self._scrub, self._progress = scrub, progress
        self._counts = {"sessions": 0, "behavior": 0}
        self._total_tracks = 0
        self._hashes: dict[str, str] = {}
        self._private: list[tuple[str, PrivateField]] = []
        self._skipped: list[tuple[str, str]] = []

    def write(self, archive: zipfile.ZipFile) -> None:
        total = sum(len(f.names()) for f in (self._store.sessions, self._store.behavior))
        for done, (folder, name, record) in enumerate(self._records(), start=1):
            self._counts[folder] += 1
            self._total_tracks += len(record.get("tracks") or [])
            self._add(archive, f"{folder}/{name}.json", self._rekeyed(record))
            if self._progress is not None:
                self._progress(done, total)
        model = self._model()
        if model is not None:
            self._add(archive, "model.json", model)
        _put(archive, "manifest.json", _json(self._manifest()))

    def check(self) -> None:
        """Raise unless what was written may leave the machine and is worth it."""
        if not any(self._counts.values()):
            raise InputError(f"store: expected at least one record, {self._store.root} has none")
        if self._private and not self._scrub:
            told = "; ".join(f"{name}: {one}" for name, one in self._private[:_MOST_TOLD])
            more = len(self._private) - _MOST_TOLD
            raise PrivacyError(
                f"nothing was exported: {told}{f'; and {more} more' if more > 0 else ''}"
                " (correct the records, or leave such fields out with scrub)"
            )

    def result(self, path: Path) -> Exported:
        return Exported(
            path, self._counts["sessions"], self._counts["behavior"], self._total_tracks,
            tuple(self._private), tuple(self._skipped),
        )  # fmt: skip

    def _records(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for label, folder in (
            ("sessions", self._store.sessions),
            ("behavior", self._store.behavior),
        ):
            for name in folder.names():
                try:
                    yield label, name, folder.load(name).to_dict()
                except (RecordError, StoreError, InputError) as error:
                    self._skipped.append((f"{label}/{name}.json", str(error)))

    def _add(self, archive: zipfile.ZipFile, name: str, record: dict[str, Any]) -> None:
        record, found = scrubbed(record) if self._scrub else (record, find_private(record))
        self._private += [(name, one) for one in found]
        data = _json(record)
        self._hashes[name] = hashlib.sha256(data).hexdigest()
        _put(archive, name, data)

    def _rekeyed(self, value: Any) -> Any:
        """Return a copy in which every fingerprint is keyed anew."""
        if isinstance(value, dict):
            return {
                key: self._identity.fingerprint(one, f"export {self._today}")
                if key == "clip_fingerprint" and isinstance(one, str)
                else self._rekeyed(one)
                for key, one in value.items()
            }
        if isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
            return [self._rekeyed(one) for one in value]
        return value

    def _model(self) -> dict[str, Any] | None:
        from trackcore.session import text
        from trackcore.session.models import LearnedModel

        try:
            data = self._store.home.model.read_bytes()
        except FileNotFoundError:
            return None
        try:
            model = text.parse(LearnedModel, data).to_dict()
        except RecordError as error:
            self._skipped.append(("model.json", str(error)))
            return None
        model.pop("clip_specific", None)  # by fingerprint: of use on this machine only
        return model

    def _manifest(self) -> dict[str, Any]:
        from trackcore.session.models import SCHEMA_VERSION

        return {
            "export_version": EXPORT_VERSION,
            "schema_version": SCHEMA_VERSION,
            "export_date": f"{self._today[:4]}-{self._today[4:6]}-{self._today[6:]}",
            "contributor_id": self._identity.contributor_id,
            "fingerprints": FINGERPRINTS,
            "session_count": self._counts["sessions"],
            "behavior_count": self._counts["behavior"],
            "total_tracks": self._total_tracks,
            "sha256": self._hashes,
        }


def _target(path: str | os.PathLike[str] | None, today: str) -> Path:
    name = f"autosolve_training_{today}.zip"
    if path is None:
        return Path(name)
    given = Path(path)
    return given / name if given.is_dir() else given


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _TIME_IN_ARCHIVE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"
