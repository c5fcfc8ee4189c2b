"""A folder of records of one kind: save, load, list, whoever else writes there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from trackcore._files import write_durably
from trackcore.errors import InputError, RecordError, StoreError
from trackcore.session.entries import BehaviorEntry, SessionEntry
from trackcore.session.home import explained
from trackcore.session.index import Index, Known, Stamp, stamp

if TYPE_CHECKING:
    from trackcore.session.models import Behavior, File, Session  # noqa: F401

SUFFIX = ".json"
BIGGEST_RECORD_BYTES = 256 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")
"""Names that mean the same on every file system."""

AnyRecord = TypeVar("AnyRecord", bound="File")
AnyEntry = TypeVar("AnyEntry", SessionEntry, BehaviorEntry)


class RecordFolder(Generic[AnyRecord, AnyEntry]):
    """Records of one kind, a file each.

    Parameters
    ----------
    path
        The folder; it need not exist.
    index
        File of the index.
    kind
        Name of the model in `trackcore.session.models`.
    entry
        What a listing says.
    """

    def __init__(self, path: Path, index: Path, kind: str, entry: type[AnyEntry]) -> None:
        self.path = path
        self._index = Index(index, tuple(entry.__annotations__))
        self._kind = kind
        self._entry: type[AnyEntry] = entry

    def file(self, name: str) -> Path:
        """Return the path of a record.

        Raises
        ------
        InputError
            If `name` is no name of a record.
        """
        if not NAME.fullmatch(name):
            raise InputError(f"name: expected letters, digits, '_', '-' and '.', got {name!r}")
        return self.path / f"{name}{SUFFIX}"

    def save(self, name: str, record: object, *, strict: bool = True) -> AnyRecord:
        """Write a record, whole and on the disk when this returns, and return it as written.

        Raises
        ------
        RecordError
            If the record is not what the schema says; `strict` as in `text.checked`.
        StoreError
            If it cannot be written. A record of that name is then as it was.
        """
        from trackcore.session import text

        path = self.file(name)
        checked = text.checked(self._model, record, strict=strict)
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            write_durably(path, text.render(checked))
            seen = stamp(path.stat())
        self._index.add(name, seen, self._cached(self._entry.of(name, checked)))
        return checked

    def load(self, name: str) -> AnyRecord:
        """Read a record.

        Raises
        ------
        InputError
            If `name` is no name of a file.
        RecordError
            If the file does not hold a record, with the reason.
        StoreError
            If there is no such file, or it cannot be read.
        """
        if not name or name.startswith(".") or set(name) & {"/", "\\", "\0", "\n"}:
            raise InputError(f"name: expected the name of a file in {self.path}, got {name!r}")
        return self._read(name)[0]

    def delete(self, name: str) -> None:
        """Remove a record; one that is not there is removed already."""
        with explained(self.path):
            self.file(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of all files, sorted, whatever they hold."""
        return sorted(name for name, _ in self._scan())

    def list(self) -> list[AnyEntry]:
        """Return an entry per file, sorted by name; files that hold no record say why."""
        known = self._index.read()
        alive: Known = {}
        for name, seen in self._scan():
            cached = known.get(name)
            if cached is not None and cached[0] == seen:
                alive[name] = cached
                continue
            found = self._examine(name, seen)
            if found is not None:
                alive[name] = found
                self._index.add(name, *found)  # at once: who stops here need not begin again
        self._index.tidy(alive)
        return [self._entry(name=name, **alive[name][1]) for name in sorted(alive)]

    def _scan(self) -> Iterator[tuple[str, Stamp]]:
        try:
            with os.scandir(self.path) as files:
                for file in files:
                    if file.name.endswith(SUFFIX) and not file.name.startswith("."):
                        try:
                            yield file.name[: -len(SUFFIX)], stamp(file.stat(follow_symlinks=False))
                        except FileNotFoundError:
                            continue
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(error.errno, f"cannot read {self.path}: {error.strerror}") from error

    def _examine(self, name: str, seen: Stamp) -> tuple[Stamp, dict[str, Any]] | None:
        """Return the stamp and entry of a file, None if it has gone."""
        try:
            record, seen = self._read(name)
        except RecordError as error:
            return seen, self._cached(self._entry(name=name, problem=str(error)))
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            return seen, self._cached(self._entry(name=name, problem=str(error)))
        return seen, self._cached(self._entry.of(name, record))

    def _read(self, name: str) -> tuple[AnyRecord, Stamp]:
        from trackcore.session import text

        path = self.path / f"{name}{SUFFIX}"
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or path.is_symlink():
                    raise RecordError("not a regular file")
                if status.st_size > BIGGEST_RECORD_BYTES:
                    raise RecordError(f"larger than {BIGGEST_RECORD_BYTES >> 20} MiB")
                data = file.read()
        except OSError as error:
            raise StoreError(error.errno, f"cannot read {path}: {error.strerror}") from error
        return text.parse(self._model, data), stamp(status)

    @property
    def _model(self) -> type[AnyRecord]:
        from trackcore.session import models

        model: type[AnyRecord] = getattr(models, self._kind)
        return model

    @staticmethod
    def _cached(entry: SessionEntry | BehaviorEntry) -> dict[str, Any]:
        return {k: v for k, v in asdict(entry).items() if k != "name" and v is not None}
