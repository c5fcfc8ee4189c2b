"""The journal of a running session: what was recorded, on the disk as it is recorded.

A journal is a file of framed lines, each an operation on the record that is growing; the same
function applies them in the running recorder and when a journal is recovered. Its process holds a
lock beside it: whoever can take that lock knows that the process is dead, whatever its number is
used for by then.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackcore.session import framed
from trackcore.session.home import explained

if TYPE_CHECKING:
    from filelock import BaseFileLock

SUFFIX = ".journal"
LOCK_SUFFIX = ".lock"
SYNC_EVERY_S = 1.0
"""What a crash of the machine may cost; the death of the process costs nothing written."""

SET, ADD, MERGE, END = "set", "add", "merge", "end"


def apply(record: dict[str, Any], operation: str, fields: dict[str, Any]) -> None:
    """Apply one operation to a record: set fields, add to lists, merge into mappings."""
    for name, value in fields.items():
        if operation == ADD:
            record.setdefault(name, []).extend(value)
        elif operation == MERGE:
            record[name] = {**(record.get(name) or {}), **value}
        else:
            record[name] = value


def owner_lock(journal: Path) -> BaseFileLock:
    """Return the lock that the process writing `journal` holds."""
    from filelock import FileLock

    return FileLock(journal.with_suffix(LOCK_SUFFIX), timeout=0, thread_local=False)


class Journal:
    """A journal that is being written.

    Call `open` with the lock `journals` held. A line that cannot be written (a full disk) is kept
    and tried again with the next one; `problem` tells meanwhile.

    Attributes
    ----------
    problem : OSError or None
        Why the last lines are not on the disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = owner_lock(path)
        self._descriptor = -1
        self._good_bytes = 0
        self._pending = b""
        self._began_s = self._synced_s = time.monotonic()
        self.problem: OSError | None = None

    @property
    def elapsed_s(self) -> float:
        """Time since `open` [s], by a clock that does not jump."""
        return time.monotonic() - self._began_s

    def open(self) -> None:
        """Create the file and take its lock.

        Raises
        ------
        StoreError
            If that cannot be done.
        """
        with explained(self._path.parent):
            self._lock.acquire()
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(self._path, flags, 0o666)
            except OSError:
                self._lock.release()
                raise
        self._began_s = self._synced_s = time.monotonic()

    def write(self, operation: str, fields: dict[str, Any]) -> None:
        """Append one operation. It survives the death of the process from here on."""
        self._pending += framed.line([operation, round(self.elapsed_s, 3), fields])
        try:
            self._write_pending()
        except OSError as error:
            self.problem = error
        else:
            self.problem = None

    def _write_pending(self) -> None:
        if self.problem is not None:  # a line may have been torn
            os.ftruncate(self._descriptor, self._good_bytes)
            os.lseek(self._descriptor, self._good_bytes, os.SEEK_SET)
        left = memoryview(self._pending)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self._good_bytes += len(self._pending)
        self._pending = b""
        if time.monotonic() - self._synced_s >= SYNC_EVERY_S:
            os.fsync(self._descriptor)
            self._synced_s = time.monotonic()

    def remove(self) -> None:
        """Close and remove the journal: its record is safe, or not wanted."""
        self._close()
        discard(self._path, self._lock)

    def leave(self) -> None:
        """Close the journal and leave it on the disk, to be recovered."""
        self._close()
        self._lock.release()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def discard(journal: Path, held: BaseFileLock) -> None:
    """Remove a journal and its lock, which this process holds, and release it."""
    journal.unlink(missing_ok=True)
    if os.name != "nt":  # Windows keeps a file that is open; the recovery sweeps it up
        Path(held.lock_file).unlink(missing_ok=True)
    held.release()


def replay(data: bytes) -> tuple[dict[str, Any], bool]:
    """Return the record that a journal describes, as far as it is whole, and whether that ended."""
    record: dict[str, Any] = {}
    ended = False
    for value in framed.values(data):
        if not (isinstance(value, list) and len(value) == 3 and isinstance(value[2], dict)):
            break
        operation, elapsed_s, fields = value
        record["duration_seconds"] = elapsed_s
        apply(record, operation, fields)
        ended = operation == END
    return record, ended
