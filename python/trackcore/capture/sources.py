"""Where frames come from: arrays, videos, image folders, and stamps from a table or a rate."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError, SourceError
from trackcore.frames import Clip, open_clip
from trackcore.recording import SIDES

STAMP_COLUMNS = ("camera_id", "frame_index", "t_capture_monotonic_ns")


class SourceFrame(NamedTuple):
    """A picture, its number from 1, and its stamp on the camera's clock [ns]."""

    frame_index: int
    t_ns: int
    image: NDArray[np.uint8]


@runtime_checkable
class FrameSource(Protocol):
    """A camera, or what stands for one.

    Attributes
    ----------
    camera_id : str
    fps : float or None
        Nominal [1/s].
    live : bool
        Whether it sets the pace itself. The host plays what does not at the pace of its stamps.
    """

    camera_id: str
    fps: float | None
    live: bool

    def open(self) -> None:
        """Get ready; again after a `SourceError` of `read`."""

    def read(self) -> SourceFrame | None:
        """Return the next frame, None at the end. `SourceError`: the camera is gone."""

    def close(self) -> None:
        """Let go of the device or the file."""


class ClipSource:
    """A clip that has been recorded: its frames, with their numbers and stamps.

    Parameters
    ----------
    clip : Clip
    camera_id : str
    fps : float, optional
        Of the stamps [1/s], where no table is given: a frame's stamp is (its number - 1) / fps,
        for both sides, so that gaps and different beginnings stay in step. Default: the container's
        own times.
    stamps : (n, 2) int64, optional
        Number and stamp of each frame.
    by_number : bool
        Whether `stamps` are looked up by the clip's number, not by its order.
    """

    live = False

    def __init__(
        self,
        clip: Clip,
        *,
        camera_id: str,
        fps: float | None = None,
        stamps: NDArray[np.int64] | None = None,
        by_number: bool = False,
    ) -> None:
        self.clip = clip
        self.camera_id = camera_id
        self.fps: float | None = clip.fps if fps is None else fps
        self._given_fps = fps
        self._stamps = stamps
        self._rows = dict(stamps.tolist()) if by_number and stamps is not None else None
        if stamps is not None and len(stamps) > 1 and fps is None:
            steps = np.diff(stamps[:, 1]) / np.maximum(np.diff(stamps[:, 0]), 1)
            if np.median(steps) > 0:
                self.fps = float(1e9 / np.median(steps))
        self._frames: Iterator[Any] | None = None
        self._position = 0

    @property
    def expected_length(self) -> int | None:
        """How many frames there seem to be, by the clip, or by a table with a row for each."""
        length = self.clip.expected_length
        if self._stamps is None or self._rows is not None:
            return length
        return max(length or 0, len(self._stamps))

    @property
    def unread(self) -> int:
        """How many of them did not come; once it has ended."""
        return max((self.expected_length or 0) - self._position, 0)

    def open(self) -> None:
        """Begin at the first frame."""
        self._frames, self._position = iter(self.clip), 0

    def read(self) -> SourceFrame | None:
        """Return the next frame, None at the end."""
        if self._frames is None:
            self.open()
        assert self._frames is not None
        frame = next(self._frames, None)
        if frame is None:
            return None
        number, t_ns = self._stamp(frame)
        self._position += 1
        return SourceFrame(number, t_ns, _bytes(frame.image, self.clip.name))

    def close(self) -> None:
        """Close the clip."""
        self._frames = None
        self.clip.close()

    def _stamp(self, frame: Any) -> tuple[int, int]:
        if self._rows is not None:
            if frame.number not in self._rows:
                raise SourceError(
                    f"timestamps: no row for frame {frame.number} of {self.clip.name}"
                )
            return frame.number, self._rows[frame.number]
        if self._stamps is not None:
            if self._position >= len(self._stamps):
                raise SourceError(
                    f"timestamps: {len(self._stamps)} rows for more frames of {self.clip.name}"
                )
            number, t_ns = self._stamps[self._position].tolist()
            return number, t_ns
        if self._given_fps is not None:
            return frame.number, round((frame.number - 1) / self._given_fps * 1e9)
        return frame.number, int(frame.t_ns)


def _bytes(image: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if image.dtype != np.uint8:
        raise SourceError(f"source: expected 8 bits per sample, got {image.dtype} from {name}")
    return image


class LoopSource:
    """Pictures from memory, over and over: a camera that can be relied on.

    Parameters
    ----------
    images : (n, h, w) or (n, h, w, 3) uint8
    fps : float
        [1/s].
    n_frames : int, optional
        How many to give. Default: no end.
    camera_id : str
    start_ns : int
        Stamp of the first.
    """

    live = False

    def __init__(
        self,
        images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]],
        *,
        fps: float,
        n_frames: int | None = None,
        camera_id: str = "loop",
        start_ns: int = 0,
    ) -> None:
        if not fps > 0:
            raise InputError(f"fps: expected a number above 0, got {fps!r}")
        if len(images) == 0:
            raise InputError("images: expected at least one picture, got none")
        self.images, self.camera_id = images, camera_id
        self.fps: float | None = float(fps)
        self.expected_length = n_frames
        self._start_ns, self._i, self._rate = int(start_ns), 0, float(fps)

    def open(self) -> None:
        """Nothing is to be done."""

    def read(self) -> SourceFrame | None:
        """Return the next frame, None when there were `n_frames`."""
        if self.expected_length is not None and self._i >= self.expected_length:
            return None
        i, self._i = self._i, self._i + 1
        t_ns = self._start_ns + round(i / self._rate * 1e9)
        return SourceFrame(i + 1, t_ns, self.images[i % len(self.images)])

    def close(self) -> None:
        """Nothing is to be done."""


def open_source(
    what: Any,
    *,
    side: str,
    fps: float | None = None,
    timestamps: str | os.PathLike[str] | ArrayLike | None = None,
    camera_id: str | None = None,
    color: bool = False,
) -> FrameSource:
    """Open what frames come from.

    Parameters
    ----------
    what : path, pattern, array, list of arrays, int or FrameSource
        A video, a folder or pattern of images (file numbers that are left out are lost frames), an
        array (n, h, w) or (n, h, w, 3) uint8, the number of a camera, or a source that is handed
        through.
    side : "left" or "right"
    fps : float, optional
        Rate of the stamps [1/s]; see `ClipSource`.
    timestamps : path or (n,) int64, optional
        A table with the documented columns `camera_id,frame_index,t_capture_monotonic_ns`, or the
        stamps of frames 1, 2, ... [ns]. Default: `<stem>_timestamps.csv` beside a video or folder,
        or `timestamps.csv` in the folder, if there is one and no `fps` is given.
    camera_id : str, optional
        Default: as the table says, else the side.
    color : bool
        Keep colour.

    Raises
    ------
    InputError
        If an argument is none of these, or an array or a folder has neither rate nor stamps.
    SourceError
        If it cannot be opened.
    """
    if side not in SIDES:
        raise InputError(f"side: expected 'left' or 'right', got {side!r}")
    if isinstance(what, int) and not isinstance(what, bool):
        from trackcore.capture.cameras import OpenCVCamera

        return OpenCVCamera(what, fps=fps, camera_id=camera_id, color=color)
    if isinstance(what, FrameSource):
        return what
    path = Path(what) if isinstance(what, (str, os.PathLike)) else None
    table = timestamps
    if table is None and fps is None and path is not None:
        table = _table_beside(path)
    stamps, named = (None, None) if table is None else _stamps(table)
    still = path is None or path.is_dir() or _is_pattern(path)
    if still and fps is None and stamps is None:
        raise InputError(
            f"fps: expected the rate of {what if path else 'the array'} [1/s], or timestamps: "
            "pictures have no times of their own"
        )
    clip = open_clip(what, color=color, fps=fps)
    return ClipSource(
        clip, camera_id=camera_id or named or side, fps=fps if stamps is None else None,
        stamps=stamps, by_number=stamps is not None and path is not None and still,
    )  # fmt: skip


def _is_pattern(path: Path) -> bool:
    return not path.exists() and ("#" in path.name or "%" in path.name)


def _table_beside(path: Path) -> Path | None:
    places = [path.with_name(f"{path.stem}_timestamps.csv")]
    if path.is_dir():
        places.insert(0, path / "timestamps.csv")
    return next((place for place in places if place.is_file()), None)


def _stamps(table: Any) -> tuple[NDArray[np.int64], str | None]:
    """Return (n, 2) numbers and stamps, and the camera's name if it is told."""
    if isinstance(table, (str, os.PathLike)):
        return read_stamps(Path(table))
    t_ns = np.asarray(table)
    if t_ns.ndim != 1 or t_ns.dtype.kind not in "iu":
        raise InputError(f"timestamps: expected (n,) integers [ns], got {t_ns.dtype} {t_ns.shape}")
    return np.stack([np.arange(1, len(t_ns) + 1), t_ns.astype(np.int64)], axis=1), None


def _whole(row: dict[str, str | None], path: Path, line: int) -> list[int]:
    """Return number and stamp of a row."""
    try:
        return [int(row[name] or "") for name in STAMP_COLUMNS[1:]]
    except ValueError:
        got = ", ".join(repr(row[name]) for name in STAMP_COLUMNS[1:])
        raise SourceError(
            f"timestamps: {path}, line {line}: expected whole numbers, got {got}"
        ) from None


def read_stamps(path: Path) -> tuple[NDArray[np.int64], str | None]:
    """Read a table of stamps: (n, 2) numbers and stamps, and the camera's name.

    Raises
    ------
    SourceError
        If it cannot be read or is no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            missing = set(STAMP_COLUMNS[1:]) - set(table.fieldnames or ())
            if missing:
                raise SourceError(f"timestamps: {path} lacks the columns {sorted(missing)}")
            rows = list(table)
        stamps = np.array([_whole(row, path, n) for n, row in enumerate(rows, start=2)], np.int64)
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"timestamps: {path} cannot be read ({error})") from error
    names = {row.get(STAMP_COLUMNS[0]) for row in rows}
    return stamps.reshape(-1, 2), names.pop() if len(names) == 1 else None
