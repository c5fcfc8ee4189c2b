"""Importing records that others exported: all of an archive, or nothing of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from trackcore._compat import StrEnum
from trackcore.errors import ArchiveError, InputError, RecordError
from trackcore.session import moving
from trackcore.session.archive import Archive, Entry, plain_json
from trackcore.session.exporting import FINGERPRINTS
from trackcore.session.folder import NAME, SUFFIX, RecordFolder
from trackcore.session.home import explained
from trackcore.session.identity import Identity, load_identity
from trackcore.session.store import SessionStore

if TYPE_CHECKING:
    from trackcore.session.models import Record

Progress: TypeAlias = Callable[[int, "int | None"], object]

_DIGITS = 8


class ImportMode(StrEnum):
    """What becomes of the records that are there already."""

    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    added, already_there : int
        Records new to the store, and those it had.
    replaced : int
        Records that were there before and are gone (`replace`).
    kept_model : bool
        The archive's `model.json` was left aside because the store has one of its own: two models
        cannot be added up, the sessions they come from can.
    """

    added: int
    already_there: int
    replaced: int
    kept_model: bool


def import_sessions(
    store: SessionStore,
    path: str | os.PathLike[str],
    *,
    mode: ImportMode | str = ImportMode.MERGE,
    progress: Progress | None = None,
) -> Imported:
    """Import an archive of records: ours, the AutoSolve add-on's, or its older single file.

    Parameters
    ----------
    store : SessionStore
    path : path
        The archive. It may be hostile: see `trackcore.session.archive`.
    mode : str
        `merge` adds what is new; doing so twice changes nothing. `replace` leaves only what the
        archive holds.
    progress : callable, optional
        Called as `progress(records_done, records_total)`.

    Returns
    -------
    Imported

    Raises
    ------
    ArchiveError, RecordError
        Saying what is wrong with which file; the store is as it was.
    InputError
        If the mode is unknown or there is no such file.
    StoreError
        If the store cannot be written.

    Notes
    -----
    Every record is checked and written aside first; only then are they moved into place. A process
    killed before that has changed nothing; one killed in the middle of the move has promised it,
    and whoever opens the store next ends it. A record whose name is taken by a different one gets
    a name of its own, made from its content. Fingerprints that are not keyed yet are keyed with
    this store's key.
    """
    try:
        how = ImportMode(str(mode).lower())
    except ValueError:
        raise InputError(f"mode: expected merge or replace, got {mode!r}") from None
    archive = Archive(Path(path))
    with store.home.lock("store"):
        store.home.make()
        moving.recover_locked(store.home)
        with moving.staging(store.home) as staging:
            job = _Import(store, load_identity(store), archive, staging, how)
            job.stage(progress)
            return job.move()


class _Import:
    def __init__(
        self,
        store: SessionStore,
        identity: Identity,
        archive: Archive,
        staging: Path,
        mode: ImportMode,
    ) -> None:
        self._store, self._identity, self._archive = store, identity, archive
        self._staging, self._mode = staging, mode
        self._keyed = archive.manifest.get("fingerprints") == FINGERPRINTS
        self._added = self._there = 0
        self._model: Path | None = None

    def stage(self, progress: Progress | None) -> None:
        """Check every record and write it aside."""
        from trackcore.session import models

        kinds: dict[str, type[Record]] = {
            "sessions": models.Session, "behavior": models.Behavior, "model": models.LearnedModel,
        }  # fmt: skip
        for folder in ("sessions", "behavior"):
            (self._staging / folder).mkdir()
        total = len(self._archive)
        for done, entry in enumerate(self._archive.entries(), start=1):
            data = self._checked(entry, kinds[entry.folder])
            if entry.folder == "model":
                self._model = self._staging / "model.json"
                self._model.write_bytes(data)
            else:
                self._stage_record(entry, data)
            if progress is not None:
                progress(done, total)
        if not self._added + self._there and self._model is None:
            raise ArchiveError("path: the archive holds no record")

    def move(self) -> Imported:
        """Put what was staged into place."""
        replace, home = self._mode is ImportMode.REPLACE, self._store.home
        kept = self._model is not None and not replace and home.model.exists()
        there = sum(len(folder.names()) for folder in (self._store.sessions, self._store.behavior))
        with explained(home.root):
            moving.move(home, self._staging, replace=replace)
        return Imported(self._added, self._there, there if replace else 0, kept)

    def _checked(self, entry: Entry, kind: type[Record]) -> bytes:
        from trackcore.session import text

        where = f"{entry.folder}/{entry.name}{SUFFIX}"
        plain_json(entry.data, where)
        try:
            fields = text.parse(kind, entry.data).to_dict()
            if not self._keyed:
                fields = _keyed(fields, self._identity)
            fields.pop("contributor_id", None)
            return text.render(text.checked(kind, fields, strict=False))
        except RecordError as error:
            raise RecordError(f"{where}: {error}") from None

    def _stage_record(self, entry: Entry, data: bytes) -> None:
        folder = getattr(self._store, entry.folder)
        name = entry.name if NAME.fullmatch(entry.name) else _named_by(data)
        for candidate in (name, f"{name[:100]}_{_named_by(data)}"):
            staged = self._staging / entry.folder / f"{candidate}{SUFFIX}"
            there = self._there_already(folder, candidate, staged)
            if there is None:
                staged.write_bytes(data)
                self._added += 1
                return
            if _same(there, data):
                self._there += 1
                return
        raise ArchiveError(f"{entry.folder}/{entry.name}{SUFFIX}: its names are taken")

    def _there_already(
        self, folder: RecordFolder[Any, Any], name: str, staged: Path
    ) -> bytes | None:
        """Return the file that has this name, in the archive so far or in the store."""
        places = [staged] if self._mode is ImportMode.REPLACE else [staged, folder.file(name)]
        for place in places:
            try:
                return place.read_bytes()
            except FileNotFoundError:
                continue
        return None


def _keyed(value: Any, identity: Identity) -> Any:
    if isinstance(value, dict):
        return {
            key: identity.fingerprint(one)
            if key == "clip_fingerprint" and isinstance(one, str)
            else _keyed(one, identity)
            for key, one in value.items()
        }
    return [_keyed(one, identity) for one in value] if isinstance(value, list) else value


def _same(a: bytes, b: bytes) -> bool:
    """Return whether two records say the same; fingerprints depend on where one was."""
    return a == b or _bare(a) == _bare(b)


def _bare(data: bytes) -> Any:
    import json

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            hidden = ("clip_fingerprint", "contributor_id")
            return {k: without(v) for k, v in value.items() if k not in hidden}
        return [without(one) for one in value] if isinstance(value, list) else value

    try:
        return without(json.loads(data))
    except ValueError:
        return None  # a damaged file is not the same as anything


def _named_by(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]
