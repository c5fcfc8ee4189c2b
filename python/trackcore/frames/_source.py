"""What every kind of clip delivers, and what it has to be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2

Image = NDArray[Any]

DEFAULT_FPS = 24.0
"""Frames per second [1/s] of sources that do not say: cinema's."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a clip.

    Attributes
    ----------
    image : (h, w) or (h, w, 3)
        Grey, or blue-green-red if asked for; uint8, uint16 or float32.
    t_ns : int
        Time since the first frame of the source [ns].
    number : int
        Frame number as the source has it: 1 is the first of a movie or an array, an image
        sequence uses its file numbers.
    """

    image: Image
    t_ns: int
    number: int


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What a source holds, as found by decoding all of it.

    Attributes
    ----------
    kind : str
        `video`, `images` or `array`.
    source : str
        Path, pattern or description of the array.
    codec : str
        Four-character code of a video, file suffix of images, empty for an array.
    size : (int, int)
        Width and height [px], after rotation.
    fps : float
        Frames per second: as the container says, as given, or 24.
    reported_count : int or None
        Frames the container claims; None where it claims nothing usable.
    decoded_count : int
        Frames there really are.
    duration_s : float
        From the first frame to the end of the last [s].
    variable_frame_rate : bool
        True if the time stamps are not evenly spaced.
    dtype : str
        dtype of `Frame.image`.
    bit_depth : int
        Bits per sample as stored; may be more than `dtype` holds (see `warnings`).
    rotation_deg : int
        Rotation flag, clockwise [deg]; the frames are delivered upright.
    first_number, last_number : int
        Frame numbers at both ends.
    missing_numbers : int
        Numbers between them that do not exist.
    warnings : tuple of str
        What a user should know: wrong counts, lost bits, gaps.
    """

    kind: str
    source: str
    codec: str
    size: tuple[int, int]
    fps: float
    reported_count: int | None
    decoded_count: int
    duration_s: float
    variable_frame_rate: bool
    dtype: str
    bit_depth: int
    rotation_deg: int
    first_number: int
    last_number: int
    missing_numbers: int
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, fit for JSON."""
        return {**asdict(self), "size": list(self.size), "warnings": list(self.warnings)}


class Source(ABC):
    """Frames by index from 0, whatever they come from."""

    name: str
    size: tuple[int, int]
    fps: float
    dtype: np.dtype[Any]
    closed: bool = False

    @abstractmethod
    def count(self, at_most: int | None = None) -> int:
        """Return how many frames there are, looking no further than `at_most`."""

    def expected_count(self) -> int | None:
        """Return how many frames there seem to be, at no cost; None if nothing is known."""
        return self.count()

    @abstractmethod
    def read(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames at `indices`, evenly spaced up or down; end where the source ends."""

    @abstractmethod
    def frame(self, index: int) -> Frame | None:
        """Return one frame, or None if there is no such index."""

    @abstractmethod
    def info(self) -> ClipInfo:
        """Describe the whole source."""

    def numbers(self, indices: Sequence[int]) -> NDArray[np.int64]:
        """Return the frame numbers at existing `indices`."""
        return np.asarray(indices, dtype=np.int64) + 1

    def close(self) -> None:
        """Release decoders; reading raises from here on."""
        self.closed = True


def time_ns(frames_since_first: int, fps: float) -> int:
    """Return the time of a frame at a constant rate, since the first [ns]."""
    return round(frames_since_first / fps * 1e9)


def to_grey(image: Image) -> Image:
    """Return (h, w) from (h, w), (h, w, 1), or (h, w, 3|4) in blue-green-red order.

    Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as in OpenCV.
    """
    if image.ndim == 2:
        return image
    if image.shape[2] == 1:
        return image[:, :, 0]
    cv2 = load_cv2()
    code = cv2.COLOR_BGR2GRAY if image.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    grey: Image = cv2.cvtColor(np.ascontiguousarray(image), code)
    return grey


def to_bgr(image: Image) -> Image:
    """Return (h, w, 3) from an image of any layout `to_grey` takes."""
    if image.ndim == 3 and image.shape[2] == 3:
        return image
    if image.ndim == 3 and image.shape[2] == 4:
        return image[:, :, :3]
    grey = to_grey(image)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
