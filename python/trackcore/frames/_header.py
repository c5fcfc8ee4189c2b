"""What a video container says, and why a file is no video."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from pathlib import Path

from trackcore.errors import SourceError
from trackcore.frames._decoder import Capture
from trackcore.frames._source import Image

_MAX_FPS = 100_000.0
_MAX_COUNT = 2**40
_TEXT = frozenset(string.printable.encode())
_TEXT_CODEC = "ansi"  # FFmpeg renders text files as terminal videos


@dataclass(frozen=True, slots=True)
class Header:
    """What the container says; None where it says nothing that can be true."""

    codec: str
    fps: float | None
    reported_count: int | None
    bit_depth: int
    rotation_deg: int


def read_header(path: Path) -> tuple[Header, Image]:
    """Return the header and the first frame (h, w, 3), upright.

    Raises
    ------
    SourceError
        If the file is not a video, or no frame of it decodes.
    """
    start = _start_of(path)
    capture = Capture(path, raw=False)
    try:
        if not capture.opened:
            raise SourceError(f"source: {path}: {_why_no_video(start)}")
        header = Header(
            codec=_codec(capture.get("FOURCC")),
            fps=_plausible(capture.get("FPS"), _MAX_FPS),
            reported_count=_whole(_plausible(capture.get("FRAME_COUNT"), _MAX_COUNT)),
            bit_depth=_bit_depth(capture.get("CODEC_PIXEL_FORMAT")),
            rotation_deg=int(capture.get("ORIENTATION_META")),
        )
        if header.codec == _TEXT_CODEC:
            raise SourceError(f"source: {path}: {_why_no_video(start)}")
        first = capture.retrieve() if capture.grab() else None
    finally:
        capture.close()
    if first is None:
        raise SourceError(
            f"source: {path}: expected a video with at least one frame that decodes, got none "
            f"(container says {header.reported_count or 'nothing about its'} frames)"
        )
    return header, first


def _start_of(path: Path) -> bytes:
    """Return the first bytes of a file that has to be readable."""
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise SourceError(f"source: {path}: {error.strerror or error}") from None


def _why_no_video(start: bytes) -> str:
    """Say what a file is that OpenCV cannot open as a video."""
    if not start:
        return "expected a video, got an empty file"
    if _TEXT.issuperset(start):
        return f"expected a video, got a text file that starts with {start[:24].decode()!r}"
    if start[4:8] == b"ftyp":
        return (
            "expected a video, got an MP4 or MOV file that OpenCV cannot open: cut off before "
            "its index, or an unknown codec"
        )
    return f"expected a video, got a file OpenCV cannot open (starts with {start[:12]!r})"


def _plausible(value: float, most: float) -> float | None:
    return value if math.isfinite(value) and 0 < value <= most else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _codec(fourcc: float) -> str:
    tag = _tag(fourcc)
    return tag.decode() if _TEXT.issuperset(tag) else ""


def _tag(number: float) -> bytes:
    """Return a four-character code as bytes; empty if there is none."""
    return int(number).to_bytes(4, "little") if 0 < number < 2**32 else b""


def _bit_depth(pixel_format: float) -> int:
    """Return the bits per sample of FFmpeg's pixel format tag; 8 if it does not tell."""
    tag = _tag(pixel_format)
    if tag[:1] == b"P" and tag[1:].isdigit():  # P010, P216
        return int(tag[2:])
    if tag[:3] in (b"RGB", b"BGR") and tag[3] % 3 == 0:  # bits of all three
        return max(8, tag[3] // 3)
    for letter, depth in (tag[:1] + tag[3:], tag[::-3]) if len(tag) == 4 else ():
        if letter in b"YG" and 8 < depth <= 16:  # planar YUV or GBR, little or big endian
            return depth
    return 8
