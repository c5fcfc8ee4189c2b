"""The documented table of frames: `camera_id,frame_index,t_capture_monotonic_ns`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
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


def write_timestamps(path: Path, rows: Iterable[Stamp]) -> None:
    """Write the table, whole or not at all."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Stamp._fields)
    table.writerows(rows)
    write_text(path, text.getvalue())


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
