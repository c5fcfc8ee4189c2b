"""One frame at several scales, built once and shared by every call that uses it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore import _core
from trackcore._check import image_array, threads_count
from trackcore.errors import InputError
from trackcore.options import TrackOptions

_DEFAULT_LEVELS: int = TrackOptions().levels
MOST_LEVELS = 8
"""More than any picture needs."""


class FramePyramid:
    """A frame and its successive half-size copies.

    Whatever takes an image also takes a `FramePyramid`; passing one saves building it again.
    It never changes after construction, so threads may share it.

    Parameters
    ----------
    image : (h, w) or (h, w, 1|3|4) array of uint8, uint16 or float32
        Any strides: crops, flips and channel views need no copy first. Colour is turned to grey
        (ITU-R BT.601).
    levels : int
        Levels wanted, 1 .. 8; a small image has fewer.
    color : {"bgr", "rgb"}
        Order of the colour channels; "bgr" is what OpenCV reads.
    copy : bool
        False: refer to a grey image's memory instead of copying it. You then promise not to
        change it while this object lives.
    threads : int
        Threads to build with; 0 means all.

    Raises
    ------
    InputError
        If the image's dtype or shape is none of these, or another argument is out of range.

    Notes
    -----
    Each level is the one before, filtered with [1 4 6 4 1] / 16 in both directions (Burt &
    Adelson 1983): pixel x of level l lies at x * 2**l of level 0.
    """

    __slots__ = ("_core", "_dtype", "_source")

    def __init__(
        self,
        image: NDArray[Any],
        levels: int = _DEFAULT_LEVELS,
        *,
        color: str = "bgr",
        copy: bool = True,
        threads: int = 1,
    ) -> None:
        array = image_array("image", image)
        if not _is_whole(levels, 1, MOST_LEVELS):
            raise InputError(f"levels: expected an integer 1 .. {MOST_LEVELS}, got {levels!r}")
        if color not in ("bgr", "rgb"):
            raise InputError(f"color: expected 'bgr' or 'rgb', got {color!r}")
        if not isinstance(copy, (bool, np.bool_)):
            raise InputError(f"copy: expected True or False, got {copy!r}")
        self._dtype = array.dtype
        self._core = _core.FramePyramid()
        self._core.build(array, int(levels), color == "bgr", bool(copy), threads_count(threads))
        self._source = array if self._core.refers_to_source else None

    @property
    def levels(self) -> int:
        """Number of levels."""
        return self._core.levels

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of level 0 [px]."""
        return self._core.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Sample type: uint8, uint16 or float32."""
        return self._dtype

    def level(self, index: int) -> NDArray[Any]:
        """Return a copy of level `index` as a grey image."""
        if not _is_whole(index, 0, self.levels - 1):
            raise InputError(f"index: expected an integer 0 .. {self.levels - 1}, got {index!r}")
        return np.array(self._core.level(int(index)))

    def __repr__(self) -> str:
        width, height = self.size
        return f"FramePyramid({width} x {height}, levels={self.levels})"


def as_pyramid(
    name: str, image: NDArray[Any] | FramePyramid, levels: int, threads: int
) -> FramePyramid:
    """Return `image` itself if it is a pyramid, else one built for the duration of a call."""
    if isinstance(image, FramePyramid):
        return image
    return FramePyramid(image_array(name, image), levels, copy=False, threads=threads)


def comparable(prev: FramePyramid, next_: FramePyramid) -> None:
    """Raise unless both frames have the same size and kind of grey levels."""
    if prev.size != next_.size:
        raise InputError(f"next: expected size {prev.size} as prev has, got {next_.size}")
    if prev.dtype != next_.dtype:
        raise InputError(f"next: expected dtype {prev.dtype} as prev has, got {next_.dtype}")


def _is_whole(value: object, lo: int, hi: int) -> bool:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and lo <= value <= hi  # type: ignore[operator]
