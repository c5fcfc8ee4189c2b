"""Clips from image files, and one image file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trackcore._check import IMAGE_DTYPES
from trackcore._cv2 import load_cv2, quiet
from trackcore.errors import SourceError
from trackcore.frames._sequence import FileSequence
from trackcore.frames._source import (
    DEFAULT_FPS,
    ClipInfo,
    Frame,
    Image,
    Source,
    time_ns,
    to_bgr,
    to_grey,
)

# In compressed JPEG data FF is followed by 00 or a restart marker; anything else ends a scan.
_JPEG_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_NOT_BUILT_IN = {b"\x76\x2f\x31\x01": "EXR", b"SDPX": "DPX", b"XPDS": "DPX"}


class ImageSource(Source):
    """Numbered image files of one size and dtype."""

    def __init__(self, sequence: FileSequence, *, color: bool, fps: float | None) -> None:
        self._sequence = sequence
        self._files = sequence.files
        self._color = color
        self.name = sequence.pattern
        self.fps = fps or DEFAULT_FPS
        self._fps_given = fps is not None
        first = read_image("source", self._files[0][1], color=color)
        self.dtype = first.dtype
        self.size = (first.shape[1], first.shape[0])

    def count(self, at_most: int | None = None) -> int:
        """Return how many files there are."""
        n = len(self._files)
        return n if at_most is None else min(n, at_most)

    def numbers(self, indices: Sequence[int]) -> NDArray[np.int64]:
        """Return the file numbers."""
        return np.array([self._files[i][0] for i in indices], dtype=np.int64)

    def read(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames at `indices`."""
        for index in indices:
            frame = self.frame(index)
            if frame is None:
                return
            yield frame

    def frame(self, index: int) -> Frame | None:
        """Read one file."""
        if index >= len(self._files):
            return None
        number, path = self._files[index]
        image = read_image("source", path, color=self._color)
        size = (image.shape[1], image.shape[0])
        if size != self.size or image.dtype != self.dtype:
            raise SourceError(
                f"source: {path}: expected {_described(self.size, self.dtype)} as "
                f"{self._files[0][1].name}, got {_described(size, image.dtype)}"
            )
        return Frame(image, time_ns(number - self._files[0][0], self.fps), number)

    def info(self) -> ClipInfo:
        """Describe the sequence. Reads nothing: the count is of files."""
        first, last, n = self._files[0][0], self._files[-1][0], len(self._files)
        span = last - first + 1
        warnings = []
        if not self._sequence.numbered:
            warnings.append("the file names hold no frame number: counted from 1")
        if span > n:
            warnings.append(f"{span - n} of the numbers {first} .. {last} are missing")
        if not self._fps_given:
            warnings.append(f"images have no frame rate: {self.fps:g} assumed")
        return ClipInfo(
            kind="images",
            source=self.name,
            codec=self._files[0][1].suffix[1:].lower(),
            size=self.size,
            fps=self.fps,
            reported_count=n,
            decoded_count=n,
            duration_s=span / self.fps,
            variable_frame_rate=False,
            dtype=str(self.dtype),
            bit_depth=self.dtype.itemsize * 8,
            rotation_deg=0,
            first_number=first,
            last_number=last,
            missing_numbers=span - n,
            warnings=tuple(warnings),
        )


def read_image(argument: str, path: Path, *, color: bool) -> Image:
    """Read one image file as stored: uint8, uint16 or float32, grey (h, w) or BGR (h, w, 3).

    EXIF rotation is applied, transparency dropped. Grey JPEGs are their own luma plane.

    Raises
    ------
    SourceError
        If the file is absent, cut off, damaged, or of a kind this OpenCV cannot read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{argument}: {path}: {error.strerror or error}") from None
    cv2 = load_cv2()
    image: Image | None = None
    if _is_complete(data):
        flags = cv2.IMREAD_ANYDEPTH
        jpeg_luma = not color and data.startswith(_JPEG)
        flags |= cv2.IMREAD_GRAYSCALE if jpeg_luma else cv2.IMREAD_ANYCOLOR
        try:
            with quiet(cv2):
                image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:
            image = None  # too many pixels, or a broken header
    if image is None:
        raise SourceError(f"{argument}: {path}: {_why_unreadable(path, data)}")
    if image.dtype not in IMAGE_DTYPES:
        raise SourceError(
            f"{argument}: {path}: expected 8-bit, 16-bit or 32-bit float samples, got {image.dtype}"
        )
    return to_bgr(image) if color else to_grey(image)


def _is_complete(data: bytes) -> bool:
    """Tell whether PNG or JPEG data has its end; OpenCV 4 fills what is missing with grey."""
    if data.startswith(_PNG):
        return b"IEND" in data
    if not data.startswith(_JPEG):
        return len(data) > 0
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            return True
        if marker == 0xFF:  # padding
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            end = _JPEG_SCAN_END.search(data, at)
            if end is None:
                return False
            at = end.start()
    return data[at : at + 2] == b"\xff\xd9"


def _why_unreadable(path: Path, data: bytes) -> str:
    """Say what is wrong with a file that did not decode."""
    cv2 = load_cv2()
    if not data:
        return "expected an image, got an empty file"
    kind = _NOT_BUILT_IN.get(data[:4])
    with quiet(cv2):
        readable = cv2.haveImageReader(str(path))
    if kind is not None and not readable:
        return (
            f"expected a format this OpenCV ({cv2.__version__}) can read, got {kind}, which it "
            "was built without: convert to 16-bit PNG or TIFF"
        )
    if not readable:
        return f"expected an image, got a file that starts with {data[:12]!r}"
    return "expected a whole image, got one that is cut off or damaged"


def _described(size: tuple[int, int], dtype: np.dtype[np.generic]) -> str:
    return f"{size[0]}x{size[1]} {dtype}"
