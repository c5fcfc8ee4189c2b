"""Clips from video files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from weakref import WeakSet

import numpy as np

from trackcore.frames._decoder import Capture, Decoder, Delivery, spread_video_range
from trackcore.frames._header import read_header
from trackcore.frames._source import DEFAULT_FPS, ClipInfo, Frame, Image, Source, to_grey
from trackcore.frames._timeline import Timeline

_FAR = 2**62
_BACKWARD_BYTES = 256 * 2**20  # decoded frames kept while reading backwards
_BACKWARD_FRAMES = 64
_FPS_DISAGREES = 0.02
# Luma is taken as grey if, over the first frame, it agrees with OpenCV's own conversion to
# within its rounding [grey levels], and only one of the two ranges does.
_LUMA_MEAN_ERROR = 3.0
_LUMA_MARGIN = 0.5


class VideoSource(Source):
    """A video file.

    Frames are counted by decoding them, once and only when somebody asks: containers lie.
    Every iteration has a decoder of its own; random access shares one.
    """

    def __init__(self, path: Path, *, color: bool, fps: float | None) -> None:
        self._path = path
        self.name = str(path)
        self._header, first = read_header(path)
        self._delivery = _delivery(path, first, color=color, deep=self._header.bit_depth == 16)
        self.dtype = np.dtype(self._delivery.dtype)
        self.size = (first.shape[1], first.shape[0])
        self.fps = fps or self._header.fps or DEFAULT_FPS
        self._timeline = Timeline(self.fps, trust_stamps=fps is None)
        self._decoders: WeakSet[Decoder] = WeakSet()
        self._scout: Decoder | None = None
        self._scout_lock = threading.Lock()
        self._count_lock = threading.Lock()

    def count(self, at_most: int | None = None) -> int:
        """Return how many frames decode. Decodes what no pass has decoded yet, once."""
        with self._count_lock:
            known = self._timeline
            if not known.complete and (at_most is None or len(known) < at_most):
                decoder = self._decoder()
                try:
                    decoder.reach((_FAR if at_most is None else at_most) - 1)
                finally:
                    decoder.close()
            return len(known) if at_most is None else min(len(known), at_most)

    def expected_count(self) -> int | None:
        """Return the count if known, else what the container says, which may be wrong."""
        known = self._timeline
        return len(known) if known.complete else self._header.reported_count

    def read(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames at `indices`; backwards in blocks, so that memory stays bounded."""
        decoder = self._decoder()
        try:
            backwards = len(indices) > 1 and indices[0] > indices[1]
            for block in self._blocks(indices) if backwards else (indices,):
                frames = (decoder.frame(i) for i in (reversed(block) if backwards else block))
                for frame in reversed(list(frames)) if backwards else frames:
                    if frame is None:
                        return
                    yield frame
        finally:
            decoder.close()

    def frame(self, index: int) -> Frame | None:
        """Return one frame, by decoding forward or by a jump that has been checked."""
        with self._scout_lock:
            if self._scout is None:
                self._scout = self._decoder()
            return self._scout.frame(index)

    def info(self) -> ClipInfo:
        """Describe the file. Decodes all of it, unless that has been done."""
        n = self.count()
        known, header = self._timeline, self._header
        return ClipInfo(
            kind="video",
            source=self.name,
            codec=header.codec,
            size=self.size,
            fps=self.fps,
            reported_count=header.reported_count,
            decoded_count=n,
            duration_s=(known.t_ns(n - 1) - known.t_ns(0)) / 1e9 + 1 / self.fps,
            variable_frame_rate=not known.is_even(),
            dtype=str(self.dtype),
            bit_depth=header.bit_depth,
            rotation_deg=header.rotation_deg,
            first_number=1,
            last_number=n,
            missing_numbers=0,
            warnings=tuple(self._warnings(n)),
        )

    def close(self) -> None:
        """Release all decoders; an iteration that is under way raises at its next frame."""
        super().close()
        for decoder in list(self._decoders):
            decoder.close()

    def _warnings(self, n: int) -> Iterator[str]:
        header, known = self._header, self._timeline
        if header.reported_count is None:
            yield f"container states no frame count, {n} decode"
        elif header.reported_count != n:
            yield f"container says {header.reported_count} frames, {n} decode"
        if header.fps is None:
            yield f"container states no frame rate: {self.fps:g} used"
        stamped_fps = 1e3 / known.interval_ms() if n > 1 and not known.repaired else self.fps
        if abs(stamped_fps / self.fps - 1) > _FPS_DISAGREES:
            yield f"frame rate is {self.fps:g}, the time stamps say {stamped_fps:g}"
        if known.repaired:
            yield f"{known.repaired} frames have no usable time stamp: timed by the frame rate"
        if header.bit_depth > self.dtype.itemsize * 8:
            yield f"{header.bit_depth}-bit video: OpenCV delivers 8 bits"

    def _decoder(self) -> Decoder:
        decoder = Decoder(self._path, self._delivery, self._timeline)
        self._decoders.add(decoder)
        return decoder

    def _blocks(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        frame_bytes = self.size[0] * self.size[1] * self.dtype.itemsize
        frame_bytes *= 3 if self._delivery.color else 1
        step = min(_BACKWARD_FRAMES, max(1, _BACKWARD_BYTES // frame_bytes))
        return (indices[i : i + step] for i in range(0, len(indices), step))


def _delivery(path: Path, first: Image, *, color: bool, deep: bool) -> Delivery:
    """Choose how to take images from OpenCV, judged by the first frame `first` in BGR.

    The decoder's luma is faster than BGR turned back into grey and has not been rounded twice,
    but OpenCV hands it out unlabelled: layouts it does not know come as garbage, and the range
    (16 .. 235 or 0 .. 255) is not told. So it is compared with the BGR image.
    """
    fallback = Delivery(color=color)
    if color and not deep:
        return fallback
    capture = Capture(path, raw=True)
    try:
        luma = capture.retrieve() if capture.opened and capture.grab() else None
    finally:
        capture.close()
    if luma is None or luma.shape != first.shape[:2]:
        return fallback
    if luma.dtype == np.uint16:
        return Delivery(color=color, raw=True, dtype=np.uint16)
    if color or luma.dtype != np.uint8:
        return fallback
    grey = to_grey(first).astype(np.int16)
    full_error = float(np.abs(luma - grey).mean())
    video_error = float(np.abs(spread_video_range(luma) - grey).mean())
    if (
        min(full_error, video_error) > _LUMA_MEAN_ERROR
        or abs(full_error - video_error) < _LUMA_MARGIN
    ):
        return fallback
    return Delivery(color=False, raw=True, spread=video_error < full_error)
