"""The journal of a capture: what was seen, lost and written, on the disk within some milliseconds.

Each line is an operation `take` whose `rows` are, in the order in which they happened: `frame`
(side, number, stamp, balls), `lost`, `unused`, `jump`, `pitch`, `written`, `shed` and `camera`. The
frames are in the order in which the tracker took them: pushing them again gives the same pitches.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackcore.balls import Candidates
from trackcore.capture.priority import FOLLOW, first_in_line
from trackcore.session.journal import END, Journal

if TYPE_CHECKING:
    from filelock import BaseFileLock

JOURNAL_NAME = "telemetry.journal"
RECORDER_LOCK = "recorder.lock"
HEAD, TAKE = "head", "take"
VERSION = 1

_ARRAYS = tuple(f.name for f in fields(Candidates) if f.name not in ("t_ns", "overloaded"))
_DTYPES: dict[str, Any] = {"rule": np.uint8, "refined": np.bool_}
_SHAPES = {"streak_px": (2,), "covariance": (2, 2)}


def balls_to_row(balls: Candidates) -> list[Any]:
    """Return candidates as JSON can hold them; numbers are exact, NaN is None."""
    if not len(balls):
        return [int(balls.overloaded)]
    return [int(balls.overloaded), *(_plain(getattr(balls, name)) for name in _ARRAYS)]


def row_to_balls(row: list[Any], t_ns: int) -> Candidates:
    """Return the candidates of `balls_to_row`."""
    arrays: dict[str, Any] = {}
    for i, name in enumerate(_ARRAYS, start=1):
        values = row[i] if len(row) > 1 else []
        made = np.array(values, dtype=np.float64).astype(_DTYPES.get(name, np.float64))
        arrays[name] = made.reshape(-1, *_SHAPES.get(name, ()))
    return Candidates(t_ns=t_ns, overloaded=bool(row[0]), **arrays)


def _plain(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    elif values.dtype.kind == "f" and not np.isfinite(values).all():
        unknown = values.astype(object)
        unknown[~np.isfinite(values)] = None
        values = unknown
    return list(values.tolist())


def recorder_lock(folder: Path) -> BaseFileLock:
    """Return the lock that a `RecorderProcess` holds: it may outlive its parent for a moment."""
    from filelock import FileLock

    return FileLock(folder / RECORDER_LOCK)


class TelemetryJournal:
    """Writes the journal from a thread of its own, some milliseconds after `add`.

    Parameters
    ----------
    folder : Path
    head : dict
        What a recovery must know.
    flush_s : float
    """

    def __init__(self, folder: Path, head: dict[str, Any], flush_s: float) -> None:
        self._journal = Journal(folder / JOURNAL_NAME)
        self._journal.open()
        self._journal.write(HEAD, {"version": VERSION, **head})
        self._rows: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._flush_s = flush_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> OSError | None:
        """Why the last lines are not on the disk; they are kept and tried again."""
        return self._journal.problem

    def add(self, *row: Any) -> None:
        """Write a row soon. The candidates of a `frame` are turned into numbers later."""
        self._rows.put(row)

    def end(self, status: str, *, keep: bool) -> None:
        """Write the rest and close; the file stays if it is to be kept."""
        self._rows.put(None)
        self._thread.join()
        self._journal.write(END, {"status": status})
        if keep:
            self._journal.leave()
        else:
            self._journal.remove()

    def _run(self) -> None:
        first_in_line(FOLLOW)
        more = True
        while more:
            rows = []
            row = self._rows.get()
            while row is not None:
                rows.append(_written(row))
                try:
                    row = self._rows.get_nowait()
                except queue.Empty:
                    break
            more = row is not None
            if rows:
                self._journal.write(TAKE, {"rows": rows})
            if more:
                self._ended.wait(self._flush_s)


def _written(row: tuple[Any, ...]) -> list[Any]:
    if row[0] == "frame":
        return [*row[:4], balls_to_row(row[4])]
    return list(row)
