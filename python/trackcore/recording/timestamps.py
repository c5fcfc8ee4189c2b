"""The documented table of frames: `camera_id,frame_index,t_capture_monotonic_ns`."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from trackcore._files import write_text
from trackcore.errors import RecordError
from trackcore.recording.window import CapturedFrame


class Stamp(NamedTuple):
    """A row: one frame that was written to the video beside the table."""

    camera_id: str
    frame_index: int
    t_capture_monotonic_ns: int


def stamp_of(frame: CapturedFrame) -> Stamp:
    """Return a frame's row."""
    return Stamp(frame.camera_id, frame.frame_index, frame.t_capture_monotonic_ns)


class GrowingTable:
    """The table beside a video that grows: rows are on the disk as they come, under another name.

    Parameters
    ----------
    path : Path
        Of the table.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Stamp] = []

    def append(self, row: Stamp) -> None:
        """Add a row; a disk without room gets it with `close`."""
        text = _lines([row] if self.rows else [Stamp._fields, row])
        self.rows.append(row)
        with (
            contextlib.suppress(OSError),
            _beside(self.path).open("a", encoding="utf-8", newline="") as file,
        ):
            file.write(text)

    def close(self) -> str:
        """Write the table under its name, if there is a row; return what went wrong, if it did."""
        try:
            if self.rows:
                write_timestamps(self.path, self.rows)
            _beside(self.path).unlink(missing_ok=True)
        except OSError as error:
            return f"{self.path.name}: {error.strerror or error}"
        return ""


def salvage_timestamps(path: Path, frames: int) -> int:
    """Give the table of a video whose process died its name; return its rows.

    Rows beyond the frames that can be read, and a torn last one, are dropped.
    """
    beside = _beside(path)
    if not beside.is_file():
        return 0
    whole, _, _ = beside.read_text(encoding="utf-8").rpartition("\n")
    write_text(beside, whole + "\n")
    rows = read_timestamps(beside)[:frames] if whole else ()
    if rows:
        write_timestamps(path, rows)
    beside.unlink()
    return len(rows)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}.part{path.suffix}")


def write_timestamps(path: Path, rows: Iterable[Stamp]) -> None:
    """Write the table, whole or not at all."""
    write_text(path, _lines([Stamp._fields, *rows]))


def _lines(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def read_timestamps(path: Path) -> tuple[Stamp, ...]:
    """Return the rows of a table.

    Raises
    ------
    RecordError
        If it is none, naming the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordError(f"{path.name}: expected a table of time stamps: {error}") from error
    if not lines or tuple(lines[0]) != Stamp._fields:
        got = ",".join(lines[0]) if lines else "nothing"
        raise RecordError(f"{path.name}: expected the header {','.join(Stamp._fields)}, got {got}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            camera, index, t_ns = line
            rows.append(Stamp(camera, int(index), int(t_ns)))
        except ValueError as error:
            raise RecordError(
                f"{path.name}, line {number}: expected three values: {line}"
            ) from error
    return tuple(rows)
