"""Videos that say what was really written, which OpenCV does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._compat import StrEnum
from trackcore._cv2 import load_cv2, quiet
from trackcore.errors import InputError

NOMINAL_FPS = 60.0
"""Of a video whose frames do not tell [1/s]."""
_QUALITY = 95


class VideoCodec(StrEnum):
    """How videos are compressed. Docs: `docs/decisions/0021-recording.md`.

    `MJPG`: pictures like JPEG, the documented one, opens everywhere. `FFV1`: without loss, so that
    a replay sees the same grey levels; half again the time and twice the size.
    """

    MJPG = "MJPG"
    FFV1 = "FFV1"


class VideoFile:
    """One video that grows frame by frame and appears under its name when it is closed.

    Parameters
    ----------
    path : Path
        Of the .avi file.
    fps : float
        Nominal rate that players go by [1/s]; the stamps are in the table beside.
    codec : VideoCodec
    """

    def __init__(self, path: Path, *, fps: float, codec: VideoCodec = VideoCodec.MJPG) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise InputError(f"fps: expected a number above 0, got {fps!r}")
        self.path, self.codec, self.count = path, codec, 0
        self.written = 0
        """Frames in the file, once it is closed."""
        self._fps = fps
        self._beside = _beside(path)
        self._writer: Any = None
        self._shape: tuple[int, ...] = ()

    def write(self, image: NDArray[np.uint8]) -> bool:
        """Append a picture; False where it cannot be (no encoder, another size than the first)."""
        if self.count == 0 and self._writer is None:
            self._shape = image.shape
            self._writer = self._opened(image)
        writer = self._writer
        if writer is None or not writer.isOpened() or image.shape != self._shape:
            return False
        if self.codec is VideoCodec.MJPG and image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        writer.write(np.ascontiguousarray(image))
        self.count += 1
        return True

    def _opened(self, image: NDArray[np.uint8]) -> Any:
        """Return a writer for pictures like this one.

        OpenCV's own MJPG takes the quality, and colour only; through FFmpeg the quality is ignored,
        and what is left of a small ball cannot be detected again.
        """
        cv2 = load_cv2()
        own = self.codec is VideoCodec.MJPG
        h, w = image.shape[:2]
        with quiet(cv2):
            writer = cv2.VideoWriter(
                str(self._beside), cv2.CAP_OPENCV_MJPEG if own else cv2.CAP_FFMPEG,
                cv2.VideoWriter.fourcc(*self.codec.value), self._fps, (w, h),
                isColor=own or image.ndim == 3,
            )  # fmt: skip
            if own:
                writer.set(cv2.VIDEOWRITER_PROP_QUALITY, _QUALITY)
        return writer

    def close(self) -> str:
        """Finish the file and return what is wrong with it; empty if nothing is."""
        if self._writer is None:
            return ""
        self._writer.release()
        self._writer = None
        there = self.written = frames_in(self._beside)
        if there == 0:
            self._beside.unlink(missing_ok=True)
            return f"{self.path.name}: nothing could be written (no room, or no encoder)"
        self._beside.replace(self.path)
        if there != self.count:
            return f"{self.path.name}: {there} of {self.count} frames could be written (no room?)"
        return ""


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}.part{path.suffix}")


def salvage(path: Path) -> int | None:
    """Give a video whose process died its name; return how many of its frames can be read.

    None if there is none. It has no index, and so its frames are counted by decoding.
    """
    part = _beside(path)
    if not part.is_file():
        return None
    count = decoded_frames(part)
    if count == 0:
        part.unlink(missing_ok=True)
    else:
        part.replace(path)
    return count


def decoded_frames(path: Path) -> int:
    """Return how many frames of a video can be decoded; 0 where it cannot be opened."""
    cv2 = load_cv2()
    count = 0
    if path.is_file():
        with quiet(cv2):
            video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
            while video.grab():
                count += 1
            video.release()
    return count


def frames_in(path: Path) -> int:
    """Return how many frames a video holds, by its index; 0 where it cannot be opened."""
    cv2 = load_cv2()
    if not path.is_file():
        return 0
    with quiet(cv2):
        video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        video.release()
    return max(count, 0)


def nominal_fps(t_ns: Sequence[int]) -> float:
    """Return the rate of stamps [ns] by their median distance [1/s]."""
    periods = np.diff(np.asarray(t_ns, np.int64))
    period = float(np.median(periods)) if len(periods) else 0.0
    return 1e9 / period if period > 0 else NOMINAL_FPS
