"""Opening a clip, and the clip itself."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError, SourceError
from trackcore.frames import _sequence
from trackcore.frames._arrays import ArraySource
from trackcore.frames._images import ImageSource
from trackcore.frames._source import ClipInfo, Frame, Image, Source
from trackcore.frames._video import VideoSource

_END = 2**62  # index no source reaches: "to the end", where the end is not known yet

FrameRange = str | tuple[int | None, int | None]


class Clip:
    """Frames of a source, or a part of them: iterate, index, slice, as often as you like.

    Made by `open_clip`. Slices share the source. Usable as a context manager, which closes the
    decoders; reading a closed clip raises. Reading by several threads is safe.
    """

    def __init__(self, source: Source, indices: Sequence[int], asked: str | None = None) -> None:
        self._source = source
        self._indices = indices
        self._asked = asked  # the range the user wrote, which must not be empty

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [px]."""
        return self._source.size

    @property
    def fps(self) -> float:
        """Frames per second of the source; steps of the clip do not change it."""
        return self._source.fps

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of every image: uint8, uint16 or float32."""
        return self._source.dtype

    @property
    def name(self) -> str:
        """Path, pattern or description of the source."""
        return self._source.name

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(n,) frame numbers, gaps included as they are. Counts as `len` does."""
        return self._source.numbers(self._counted())

    def number_at(self, position: int) -> int:
        """Return the frame number at a position >= 0, at no cost: without asking if it exists.

        Raises
        ------
        IndexError
            If it is known that there is no such position.
        """
        return int(self._source.numbers([self._indices[position]])[0])

    @property
    def expected_length(self) -> int | None:
        """How many frames there seem to be, at no cost: for progress bars.

        What `len` gives where that is known, else what the container claims, which may be wrong;
        None where it claims nothing.
        """
        n = self._source.expected_count()
        if n is None:
            return None
        return sum(1 for i in self._indices[:n] if i < n) if n else 0

    def info(self) -> ClipInfo:
        """Describe the whole source, whatever part of it this clip is. Decodes a video fully."""
        self._check_open()
        return self._source.info()

    def __len__(self) -> int:
        """Return how many frames there really are.

        A video is decoded as far as the clip reaches, without converting the images, unless a
        pass has been there before: 65 to 95 % of the time of reading it. `list(clip)` asks for
        the length first; `list(iter(clip))` does not.
        """
        return len(self._counted())

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order. Needs no count."""
        self._check_open()
        empty = True
        for frame in self._source.read(self._indices):
            empty = False
            yield frame
        if empty:
            self._check_not_empty(0)

    @overload
    def __getitem__(self, key: int) -> Frame: ...
    @overload
    def __getitem__(self, key: slice) -> Clip: ...
    def __getitem__(self, key: int | slice) -> Frame | Clip:
        """Return the frame at a position (negative: from the end), or a part of the clip.

        A frame of a video costs decoding up to it, from the last one asked for or from the
        start; once the clip has been iterated over, from the key frame before it.
        """
        self._check_open()
        if isinstance(key, slice):
            return Clip(self._source, self._sliced(key))
        try:
            position = operator.index(key)
        except TypeError:
            raise TypeError(
                f"clip position: expected an integer or a slice, got {type(key).__name__}"
            ) from None
        indices = self._counted() if position < 0 else self._indices
        if -len(indices) <= position < len(indices):
            frame = self._source.frame(indices[position])
            if frame is not None:
                return frame
        raise IndexError(f"clip position {position}: the clip has {len(self)} frames")

    def __enter__(self) -> Clip:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the decoders of this clip and of all its slices."""
        self._source.close()

    def __repr__(self) -> str:
        width, height = self.size
        return f"<Clip {self.name!r} {width}x{height} {self.dtype} {self.fps:g} fps>"

    def _sliced(self, key: slice) -> Sequence[int]:
        forward = key.step is None or key.step > 0
        ends_known = all(end is None or end >= 0 for end in (key.start, key.stop))
        return (self._indices if forward and ends_known else self._counted())[key]

    def _counted(self) -> Sequence[int]:
        """Return the indices that exist."""
        self._check_open()
        indices = self._indices
        if len(indices) == 0 or not isinstance(indices, range) or indices.step < 0:
            return indices  # made from a counted source
        n = self._source.count(at_most=indices[-1] + 1)
        self._check_not_empty(max(0, n - indices.start))
        return range(indices.start, min(indices.stop, max(n, indices.start)), indices.step)

    def _check_not_empty(self, n: int) -> None:
        if n == 0 and self._asked is not None:
            total = self._source.count()
            raise SourceError(
                f"frames = {self._asked}: expected some of the frames 1 .. {total} of {self.name}"
            )

    def _check_open(self) -> None:
        if self._source.closed:
            raise SourceError("source: expected an open clip, got one that has been closed")


def open_clip(
    source: str | os.PathLike[str] | NDArray[Any] | Sequence[Image],
    *,
    frames: FrameRange | None = None,
    step: int = 1,
    color: bool = False,
    fps: float | None = None,
) -> Clip:
    """Open a video, an image sequence or an array as a clip.

    Parameters
    ----------
    source : path, pattern, array or list of arrays
        A video file; a folder with one image sequence; a pattern such as `shot.####.png` or
        `shot.%04d.tif`; one image; an array (n, h, w) or (n, h, w, 3) of uint8, uint16 or
        float32, blue-green-red; or a list or tuple of images. Grey arrays are handed out as
        views.
    frames : (first, last) or "FIRST:LAST", optional
        Frame numbers of the source, both included; None or nothing leaves an end open. A movie
        and an array begin at 1, an image sequence has its file numbers. What lies beyond the
        source is left out.
    step : int
        Take every n-th frame number, from the first of the range on.
    color : bool
        False: images are grey (h, w). True: blue-green-red (h, w, 3).
    fps : float, optional
        Frames per second; overrides the container and its time stamps. Images and arrays have
        none of their own: 24 unless given.

    Returns
    -------
    Clip
        Iterable of `Frame(image, t_ns, number)`.

    Raises
    ------
    InputError
        If an argument has the wrong type or range.
    SourceError
        If there is no such source, or it is not what its kind has to be.

    Notes
    -----
    `t_ns` is 0 at the first frame of the source, also for a later range. Videos are timed by
    their container's time stamps; a stamp that does not rise is replaced by the frame before
    plus 1 / `fps`, one within 0.51 ms of the constant rate is taken as that.

    Video grey is the decoder's luma where that has been checked to be right, spread to
    0 .. 255. Video deeper than 8 bits arrives as 8, but for 16-bit grey: `Clip.info` says so.
    EXR depends on how OpenCV was built; DPX is not supported by it.

    Looking at the source takes its first frame; nothing else is read.
    """
    if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step < 1:
        raise InputError(f"step: expected an integer >= 1 (every n-th frame), got {step!r}")
    if fps is not None:
        fps = _checked_fps(fps)
    first, last = _parsed_range(frames)
    opened: Source
    if isinstance(source, (str, os.PathLike)):
        opened = _open_path(Path(source), color=color, fps=fps)
    elif isinstance(source, (np.ndarray, list, tuple)):
        opened = ArraySource(source, color=color, fps=fps)
    else:
        raise InputError(
            "source: expected a path, an array (n, h, w) or a list of images, "
            f"got {type(source).__name__}"
        )
    asked = None if frames is None else f"{_written(first)}:{_written(last)}"
    if isinstance(opened, ImageSource):
        return Clip(opened, _numbered(opened, first, last, int(step), asked))
    start = 0 if first is None else first - 1
    if start < 0:
        start %= int(step)  # the steps are counted from `first` all the same
    stop = _END if last is None else max(0, last)
    clip = Clip(opened, range(start, max(start, stop), int(step)), asked)
    if isinstance(opened, ArraySource) or stop <= start:
        clip._check_not_empty(len(clip))
    return clip


def _open_path(path: Path, *, color: bool, fps: float | None) -> Source:
    """Choose the kind of source a path stands for."""
    if path.is_dir():
        return ImageSource(_sequence.from_folder(path), color=color, fps=fps)
    if not path.exists():
        if _sequence.has_placeholder(path.name):
            return ImageSource(_sequence.from_pattern(path), color=color, fps=fps)
        raise SourceError(f"source: no such file or folder: {path}")
    if path.suffix.lower() in _sequence.IMAGE_SUFFIXES:
        return ImageSource(_sequence.from_file(path), color=color, fps=fps)
    return VideoSource(path, color=color, fps=fps)


def _numbered(
    source: ImageSource, first: int | None, last: int | None, step: int, asked: str | None
) -> Sequence[int]:
    """Return the indices of the files whose numbers are in the range and on the step."""
    numbers = source.numbers(range(source.count()))
    origin = numbers[0] if first is None else first
    wanted = (numbers >= origin) & ((numbers - origin) % step == 0)
    if last is not None:
        wanted &= numbers <= last
    indices: list[int] = np.flatnonzero(wanted).tolist()
    if not indices:
        raise SourceError(
            f"frames = {asked}, step = {step}: expected some of the frames "
            f"{numbers[0]} .. {numbers[-1]} of {source.name}"
        )
    return indices


def _parsed_range(frames: object) -> tuple[int | None, int | None]:
    """Turn (a, b), "A:B", "A:" or "A" into two ends, None where open."""
    if frames is None:
        return None, None
    ends: list[object] = []
    if isinstance(frames, str):
        ends = [part.strip() for part in frames.split(":")]
        ends = ends * 2 if len(ends) == 1 else ends
    elif isinstance(frames, (tuple, list)):
        ends = list(frames)
    try:
        if len(ends) != 2:
            raise ValueError
        first, last = (_end(value) for value in ends)
        if first is not None and last is not None and first > last:
            raise ValueError
    except (ValueError, TypeError):
        raise InputError(
            'frames: expected (first, last) or "FIRST:LAST", first <= last, either end may be '
            f"left out; got {frames!r}"
        ) from None
    return first, last


def _end(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return int(value)
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)  # type: ignore[arg-type]  # raises TypeError itself


def _written(end: int | None) -> str:
    return "" if end is None else str(end)


def _checked_fps(fps: object) -> float:
    good = isinstance(fps, (int, float, np.integer, np.floating)) and not isinstance(fps, bool)
    if not good or not math.isfinite(fps) or fps <= 0:  # type: ignore[arg-type,operator]
        raise InputError(f"fps: expected a finite number > 0 [1/s], got {fps!r}")
    return float(fps)  # type: ignore[arg-type]
