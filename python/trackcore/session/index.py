"""The index of a folder of records: a cache, so that a listing need not read every record.

One framed line per file and state of it, `[name, size, mtime_ns, inode, entry]`; the last line of a
name counts, and only while the file still looks like that. A line that is torn, of another release,
or missing costs no more than reading its file again. Nothing here is worth a lock: lines are
appended in one write, and whatever two processes make of the index, each line is true or not
believed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from trackcore._files import write_durably
from trackcore.session import framed

VERSION = 1
Stamp: TypeAlias = tuple[int, int, int]

_DEAD_LINES_KEPT = 256


def stamp(status: os.stat_result) -> Stamp:
    """Return what changes whenever a file is replaced or rewritten."""
    return (status.st_size, status.st_mtime_ns, status.st_ino)


class Index:
    """The cached entries of one folder, of entries that have these fields."""

    def __init__(self, path: Path, fields: tuple[str, ...]) -> None:
        self._path = path
        self._header = {"trackcore index": VERSION, "fields": list(fields)}
        self._lines = 0
        self._whole = False

    def read(self) -> dict[str, tuple[Stamp, dict[str, Any]]]:
        """Return the entries by name; none if there is no index of this version."""
        known: dict[str, tuple[Stamp, dict[str, Any]]] = {}
        self._lines, self._whole = 0, False
        try:
            lines = framed.values(self._path.read_bytes())
        except OSError:
            return known
        if not lines or lines[0] != self._header:
            return known
        self._lines = len(lines) - 1
        self._whole = None not in lines  # a torn end would spoil the next line appended
        for value in lines[1:]:
            if value is not None:
                name, size, mtime_ns, inode, entry = value
                known[name] = ((size, mtime_ns, inode), entry)
        return known

    def update(
        self,
        new: Iterable[tuple[str, Stamp, dict[str, Any]]],
        alive: dict[str, tuple[Stamp, dict[str, Any]]],
    ) -> None:
        """Write what is new, or everything that is `alive` where the index is worn.

        An index that cannot be written is as good as one that does not exist.
        """
        lines = [[name, *seen, entry] for name, seen, entry in new]
        worn = self._lines + len(lines) > 2 * len(alive) + _DEAD_LINES_KEPT
        if not lines and not worn and (self._whole or not alive):
            return
        with contextlib.suppress(OSError):
            if self._whole and not worn:
                self._write(0, lines)
            else:
                every = ([name, *seen, entry] for name, (seen, entry) in alive.items())
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_durably(self._path, b"".join(map(framed.line, [self._header, *every])))

    def add(self, name: str, seen: Stamp, entry: dict[str, Any]) -> None:
        """Append the entry of one file."""
        with contextlib.suppress(OSError):
            if not self._path.exists():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._write(os.O_CREAT | os.O_EXCL, [self._header])
            self._write(0, [[name, *seen, entry]])

    def _write(self, flags: int, lines: list[Any]) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | flags, 0o666)
        try:
            os.write(descriptor, b"".join(map(framed.line, lines)))
        finally:
            os.close(descriptor)
