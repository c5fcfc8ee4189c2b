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
from pathlib import Path
from typing import Any, TypeAlias

from trackcore._files import write_durably
from trackcore.session import framed

VERSION = 1
Stamp: TypeAlias = tuple[int, int, int]
Known: TypeAlias = dict[str, tuple[Stamp, dict[str, Any]]]

_DEAD_LINES_KEPT = 256


def stamp(status: os.stat_result) -> Stamp:
    """Return what changes whenever a file is replaced or rewritten."""
    return (status.st_size, status.st_mtime_ns, status.st_ino)


class Index:
    """The cached entries of one folder, of entries that have these fields.

    An index that cannot be written is as good as one that does not exist: no method fails.
    """

    def __init__(self, path: Path, fields: tuple[str, ...]) -> None:
        self._path = path
        self._header = {"trackcore index": VERSION, "fields": list(fields)}
        self._lines = 0

    def read(self) -> Known:
        """Return the entries by name, and mend an index that is damaged or of another release."""
        known: Known = {}
        self._lines = 0
        try:
            lines = framed.values(self._path.read_bytes())
        except OSError:
            return known
        if lines and lines[0] == self._header:
            self._lines = len(lines) - 1
            for value in lines[1:]:
                if value is not None:
                    name, size, mtime_ns, inode, entry = value
                    known[name] = ((size, mtime_ns, inode), entry)
        if not lines or lines[0] != self._header or None in lines:
            self.rewrite(known)  # a torn end would spoil the next line
        return known

    def add(self, name: str, seen: Stamp, entry: dict[str, Any]) -> None:
        """Append the entry of one file."""
        self._lines += 1
        with contextlib.suppress(OSError):
            if not self._path.exists():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._append(os.O_CREAT | os.O_EXCL, self._header)
            self._append(0, [name, *seen, entry])

    def tidy(self, alive: Known) -> None:
        """Write the index anew where most of its lines are of files that have gone."""
        if self._lines > 2 * len(alive) + _DEAD_LINES_KEPT:
            self.rewrite(alive)

    def rewrite(self, alive: Known) -> None:
        """Write an index of these entries only."""
        self._lines = len(alive)
        lines = ([name, *seen, entry] for name, (seen, entry) in alive.items())
        with contextlib.suppress(OSError):
            write_durably(self._path, b"".join(map(framed.line, [self._header, *lines])))

    def _append(self, flags: int, value: Any) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | flags, 0o666)
        try:
            os.write(descriptor, framed.line(value))
        finally:
            os.close(descriptor)
