"""The pictures of a recording, by the table of its frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from trackcore.errors import SourceError
from trackcore.frames import Clip, open_clip
from trackcore.recording.timestamps import Stamp
from trackcore.recording.window import CapturedFrame, LazyFrames

GREY, COLOR = "GRAY8", "BGR24"
"""The documented names of how pixels are stored."""


class RecordedFrames(LazyFrames):
    """Frames of a video, with index and stamp of the table beside it.

    Parameters
    ----------
    side : str
    video : Path or None
    stamps : sequence of Stamp
    color : bool
        Whether pictures are blue-green-red; otherwise they are grey.

    Notes
    -----
    `len` is the number of rows; a row whose picture the video does not have raises `SourceError`.
    In order is fast, at random is a seek.
    """

    def __init__(
        self, side: str, video: Path | None, stamps: Sequence[Stamp], *, color: bool = False
    ) -> None:
        self._side, self._video, self._stamps, self._color = side, video, stamps, color
        self._clip: Clip | None = None

    def __len__(self) -> int:
        return len(self._stamps)

    def __iter__(self) -> Iterator[CapturedFrame]:
        """Yield all frames, decoding once."""
        if not self._stamps:
            return
        count = 0
        for place, frame in enumerate(self._opened()):
            if place == len(self):
                return
            yield self._made(place, frame.image)
            count += 1
        if count < len(self):
            raise SourceError(f"{self._name}: {count} of {len(self)} frames could be read")

    def _opened(self) -> Clip:
        if self._video is None:
            raise SourceError(f"{self._name}: there is no such file")
        if self._clip is None:
            self._clip = open_clip(self._video, color=self._color)
        return self._clip

    def _frame(self, place: int) -> CapturedFrame:
        return self._made(place, self._opened()[place].image)

    def _made(self, place: int, image: object) -> CapturedFrame:
        row = self._stamps[place]
        return CapturedFrame(
            side=self._side, camera_id=row.camera_id, frame_index=row.frame_index,
            t_capture_monotonic_ns=row.t_capture_monotonic_ns, image=np.asarray(image, np.uint8),
        )  # fmt: skip

    @property
    def _name(self) -> str:
        return f"{self._side}.avi" if self._video is None else self._video.name
