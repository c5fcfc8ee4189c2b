"""`Tracks` as files: npz (exact, ours), CSV and JSON (for spreadsheets and scripts).

Positions keep our convention: x right, y down, pixel centres at integers. NaN is never written
to text: a cell is empty (CSV) or null (JSON).
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from trackcore._files import replacing, write_text
from trackcore.errors import InputError, SourceError
from trackcore.types import PointStatus

if TYPE_CHECKING:
    from trackcore.tracks import Tracks

FORMAT = "trackcore.tracks"
VERSION = 1

_ARRAYS = ("ids", "xy_px", "status", "ncc", "t_ns", "frame_numbers")
_UNREADABLE = (
    ValueError, TypeError, KeyError, SyntaxError, OSError, EOFError, MemoryError, OverflowError,
    RuntimeError, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
_STATUS_NAMES = [status.name for status in PointStatus]


def write_npz(tracks: Tracks, path: Path) -> None:
    """Write `tracks` exactly, as one compressed npz with a format name and version inside."""
    arrays = {name: getattr(tracks, name) for name in _ARRAYS}
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez_compressed(
            file,
            format=np.array(FORMAT),
            version=np.array(VERSION),
            frame_size=np.array(tracks.frame_size),
            fps=np.array(tracks.fps),
            first_frame=np.array(tracks.first_frame),
            **arrays,
        )


def read_npz(path: Path) -> dict[str, Any]:
    """Read what `write_npz` wrote, as the arguments of `Tracks`.

    Raises
    ------
    InputError
        If the file is not there (`SourceError`), is not ours, is damaged, or is newer.
    """
    if not path.is_file():
        raise SourceError(f"path: expected a tracks file, found none at {path}")
    with path.open("rb") as file:  # numpy would leave the file of a damaged archive open
        return _read_open(file, path)


def _read_open(file: BinaryIO, path: Path) -> dict[str, Any]:
    try:
        archive = np.load(file, allow_pickle=False)
    except _UNREADABLE:
        raise InputError(f"path: expected a trackcore tracks file (.npz), got {path}") from None
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise InputError(f"path: expected a trackcore tracks file (.npz), got one array in {path}")
    try:
        with archive:
            return _contents(archive, path)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"path: {path} is damaged ({error})") from None


def _contents(archive: np.lib.npyio.NpzFile, path: Path) -> dict[str, Any]:
    if "format" not in archive.files or str(archive["format"]) != FORMAT:
        raise InputError(f"path: expected a trackcore tracks file, got another npz: {path}")
    version = int(archive["version"])
    if version > VERSION:
        raise InputError(
            f"path: {path} has version {version}, this trackcore reads up to {VERSION}: update it"
        )
    w, h = archive["frame_size"].tolist()
    return {
        **{name: archive[name] for name in _ARRAYS},
        "frame_size": (w, h),
        "fps": float(archive["fps"]),
        "first_frame": int(archive["first_frame"]),
    }


def spans(tracks: Tracks) -> Iterator[tuple[int, int, int]]:
    """Yield (track index, start, stop): array frames worth writing for each track.

    From the first to the last position, and the frame beside them that says why the track ended
    (after the last, or before the first if it was lost while being followed backwards).
    """
    lost_backwards = ~np.isin(tracks.start_status, (PointStatus.TRACKED, PointStatus.UNSEEN))
    starts = np.where(lost_backwards, tracks.first_index - 1, tracks.first_index)
    stops = np.minimum(tracks.last_index + 2, tracks.n_frames)
    for track, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        yield track, max(start, 0), stop if start >= 0 else 0


def write_csv(tracks: Tracks, path: Path) -> None:
    """Write `track,frame,t_ns,x_px,y_px,ncc,status`, a line per track and frame."""
    with replacing(path) as beside, beside.open("w", encoding="ascii", newline="\n") as file:
        file.write("track,frame,t_ns,x_px,y_px,ncc,status\n")
        file.writelines(_csv_lines(tracks))


def _csv_lines(tracks: Tracks) -> Iterable[str]:
    times = list(zip(tracks.frame_numbers.tolist(), tracks.t_ns.tolist(), strict=True))
    for track, start, stop in spans(tracks):
        name = int(tracks.ids[track])
        rows = zip(
            times[start:stop], tracks.xy_px[track, start:stop].tolist(),
            tracks.ncc[track, start:stop].tolist(), tracks.status[track, start:stop].tolist(),
            strict=True,
        )  # fmt: skip
        for (frame, t_ns), (x, y), ncc, status in rows:
            place = "," if math.isnan(x) else f"{x:.6f},{y:.6f}"
            match = "" if math.isnan(ncc) else f"{ncc:.6f}"
            yield f"{name},{frame},{t_ns},{place},{match},{_STATUS_NAMES[status]}\n"


def write_json(tracks: Tracks, path: Path) -> None:
    """Write one JSON object: the clip, and a list of tracks."""
    frames = tracks.frame_numbers.tolist()
    clip = {
        "format": FORMAT,
        "version": VERSION,
        "convention": "x right, y down, pixel centres at integers",
        "frame_size": list(tracks.frame_size),
        "fps": tracks.fps,
        "frames": frames,
        "t_ns": tracks.t_ns.tolist(),
    }
    listed = [
        {
            "id": int(tracks.ids[track]),
            "frames": frames[start:stop],
            "xy_px": [
                None if math.isnan(x) else [round(x, 6), round(y, 6)]
                for x, y in tracks.xy_px[track, start:stop].tolist()
            ],
            "ncc": [
                None if math.isnan(ncc) else round(ncc, 6)
                for ncc in tracks.ncc[track, start:stop].tolist()
            ],
            "status": [_STATUS_NAMES[s] for s in tracks.status[track, start:stop].tolist()],
        }
        for track, start, stop in spans(tracks)
    ]
    write_text(path, json.dumps({**clip, "tracks": listed}, allow_nan=False) + "\n")
