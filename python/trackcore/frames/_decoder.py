"""One pass of OpenCV over a video file: forwards, or to a place that can be checked."""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trackcore._cv2 import load_cv2, quiet
from trackcore.errors import SourceError
from trackcore.frames._source import Frame, Image, to_bgr, to_grey
from trackcore.frames._timeline import Timeline

_JUMP_FRAMES = 64  # nearer frames are reached by decoding on
_SAME_STAMP_MS = 1e-3
# Every 16th row meets every 16 x 16 block, and damage comes in blocks.
_MARK_ROWS = 16


@dataclass(frozen=True, slots=True)
class Delivery:
    """How images come out of OpenCV.

    Attributes
    ----------
    raw : bool
        True: the decoder's own first plane (luma or 16-bit grey); False: blue-green-red.
    spread : bool
        True: luma has video range, 16 .. 235, to be spread to 0 .. 255.
    color : bool
        True: deliver (h, w, 3); False: (h, w).
    dtype : type
        np.uint16 where OpenCV really hands out 16 bits, else np.uint8.
    """

    color: bool
    raw: bool = False
    spread: bool = False
    dtype: type[np.uint8 | np.uint16] = np.uint8


class Capture:
    """`cv2.VideoCapture`, silent, closable from another thread."""

    def __init__(self, path: Path, *, raw: bool) -> None:
        self._cv2 = load_cv2()
        self._path = path
        self._raw = raw
        self._lock = threading.Lock()
        self._closed = False
        self._capture = self._open()
        self.opened = bool(self._capture.isOpened())

    def restart(self) -> None:
        """Go back to before the first frame, by opening the file anew."""
        with self._lock:
            self._check_open()
            self._capture.release()
            self._capture = self._open()

    def grab(self) -> bool:
        """Decode the next frame; False at the end."""
        with self._lock, quiet(self._cv2):
            self._check_open()
            return bool(self._capture.grab())

    def retrieve(self) -> Image | None:
        """Return the frame grabbed last, in an array of its own."""
        with self._lock, quiet(self._cv2):
            self._check_open()
            ok, image = self._capture.retrieve()
        return image if ok else None

    def seek(self, index: int) -> bool:
        """Ask for a frame. OpenCV may land elsewhere, so the caller has to check."""
        with self._lock, quiet(self._cv2):
            self._check_open()
            self._capture.set(self._cv2.CAP_PROP_POS_FRAMES, index)
            return bool(self._capture.grab())

    def get(self, name: str) -> float:
        """Return the property `CAP_PROP_name`."""
        with self._lock:
            self._check_open()
            return float(self._capture.get(getattr(self._cv2, f"CAP_PROP_{name}")))

    def close(self) -> None:
        """Release the decoder, after the call another thread may be in."""
        with self._lock:
            self._closed = True
            self._capture.release()

    def _open(self) -> Any:
        cv2 = self._cv2
        ffmpeg = cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends()
        with quiet(cv2):
            # Absolute, so that FFmpeg never takes the `a:` of `a:b.mp4` for a protocol.
            return cv2.VideoCapture(
                str(self._path.absolute()),
                cv2.CAP_FFMPEG if ffmpeg else cv2.CAP_ANY,
                [cv2.CAP_PROP_CONVERT_RGB, 0] if self._raw else [],
            )

    def _check_open(self) -> None:
        if self._closed:
            raise SourceError("source: expected an open clip, got one that has been closed")


class Decoder:
    """A position in a video that reaches any frame exactly.

    OpenCV's seeking is right for most files and silently wrong for some, so a jump counts only
    if the time stamp and the pixels are those an earlier pass in order has met there. Otherwise
    the file is decoded from its start.
    """

    def __init__(self, path: Path, delivery: Delivery, timeline: Timeline) -> None:
        self._path = path
        self._delivery = delivery
        self._timeline = timeline
        self._capture = Capture(path, raw=delivery.raw)
        self._position = -1
        self._jumped = False

    def close(self) -> None:
        """Release OpenCV's decoder."""
        self._capture.close()

    def reach(self, index: int) -> bool:
        """Decode up to frame `index`; False if the video ends before it."""
        far = index < self._position or index > self._position + _JUMP_FRAMES
        if far and index > _JUMP_FRAMES and self._jump(index):
            return True
        if index < self._position or (self._jumped and index not in self._timeline.marks):
            self._restart()
        while self._position < index:
            if not self._capture.grab():
                if self._jumped:
                    self._distrust_jumps()
                    return self.reach(index)
                self._timeline.complete = True
                return False
            self._position += 1
            if not self._jumped:
                self._timeline.note(self._position, self._capture.get("POS_MSEC"))
        return True

    def frame(self, index: int) -> Frame | None:
        """Return frame `index`, or None if the video ends before it."""
        if not self.reach(index):
            return None
        image = self._capture.retrieve()
        if image is None:
            raise SourceError(f"source: {self._path}: frame {index + 1} cannot be decoded")
        image = self._delivered(image)
        mark = zlib.crc32(np.ascontiguousarray(image[::_MARK_ROWS]).data)
        if not self._jumped:
            self._timeline.marks[index] = mark
        elif self._timeline.marks[index] != mark:
            self._distrust_jumps()
            return self.frame(index)
        return Frame(image, self._timeline.t_ns(index), index + 1)

    def _jump(self, index: int) -> bool:
        """Seek to a frame an earlier pass has read; False if OpenCV does not land on it."""
        if not self._timeline.can_jump or index not in self._timeline.marks:
            return False
        self._jumped = True
        if self._capture.seek(index):
            off_ms = self._capture.get("POS_MSEC") - self._timeline.stamp_ms(index)
            if abs(off_ms) < _SAME_STAMP_MS:
                self._position = index
                return True
        self._distrust_jumps()
        return False

    def _distrust_jumps(self) -> None:
        """Never seek in this file again; begin at its start."""
        self._timeline.can_jump = False
        self._restart()

    def _restart(self) -> None:
        """Go back to before the first frame."""
        self._capture.restart()
        self._position = -1
        self._jumped = False

    def _delivered(self, image: Image) -> Image:
        """Turn what OpenCV gave into what the clip promises."""
        if self._delivery.spread:
            return spread_video_range(image)
        return to_bgr(image) if self._delivery.color else to_grey(image)


def spread_video_range(luma: Image) -> Image:
    """Map 16 .. 235 to 0 .. 255 in place, clipped and rounded to the nearest."""
    # Exact for all 256 values, in a third of the time of a look-up table.
    gain = 255 / 219
    spread: Image = load_cv2().addWeighted(luma, gain, luma, 0, -16 * gain, dst=luma)
    return spread
