"""Pictures of the moments that count in a pitch, for training."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore._compat import StrEnum
from trackcore._cv2 import load_cv2
from trackcore._files import write_bytes
from trackcore.errors import InputError, StoreError
from trackcore.recording.window import SIDES

FOLDER = "frames"
_COMPRESSION = 1  # fast: PNG's default takes far longer for a little less


class KeyFrame(StrEnum):
    """The documented seven moments."""

    PRE_ROLL_FIRST = "pre_roll_first"
    PRE_ROLL_LAST = "pre_roll_last"
    FIRST_DETECTION = "first_detection"
    RELEASE_POINT = "release_point"
    PLATE_CROSSING = "plate_crossing"
    LAST_DETECTION = "last_detection"
    POST_ROLL_LAST = "post_roll_last"


_NAMES = {
    KeyFrame.PRE_ROLL_FIRST: "pre_roll_00001",
    KeyFrame.PRE_ROLL_LAST: "pre_roll_last",
    KeyFrame.FIRST_DETECTION: "pitch_{n:05d}_first",
    KeyFrame.RELEASE_POINT: "pitch_{n:05d}_release",
    KeyFrame.PLATE_CROSSING: "pitch_{n:05d}_plate",
    KeyFrame.LAST_DETECTION: "pitch_{n:05d}_last",
    KeyFrame.POST_ROLL_LAST: "post_roll_last",
}
"""Names of the files without .png; n counts the frames of the recording, from 1."""

_AT_THE_END = (KeyFrame.PRE_ROLL_LAST, KeyFrame.LAST_DETECTION, KeyFrame.POST_ROLL_LAST)
"""Which frame it is is only known when the next phase has come."""


class Picture(Protocol):
    """A frame: `CapturedFrame`, or anything else with an image."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """(h, w) or (h, w, 3)."""


class FrameExtractor:
    """Writes each of the seven moments once for each camera, and every n-th frame besides.

    Parameters
    ----------
    pitch_dir : Path
        The pitch's folder; pictures go to `frames/left` and `frames/right` in it.
    enabled : bool
        If False, nothing is written.

    Notes
    -----
    What is called "last" is kept in memory, one picture of each kind and camera, until `close`.
    Calling a first moment again does nothing; calling a last one again replaces it.
    """

    def __init__(self, pitch_dir: Path, enabled: bool = True) -> None:  # noqa: FBT001, FBT002 - documented
        self._folder, self._enabled = Path(pitch_dir) / FOLDER, enabled
        self._count = dict.fromkeys(SIDES, 0)
        self._waiting: dict[tuple[str, KeyFrame], tuple[str, NDArray[np.uint8]]] = {}
        self.saved: dict[str, dict[str, str]] = {side: {} for side in SIDES}
        """By camera and kind: name of the picture's file."""
        if enabled:
            for side in SIDES:
                (self._folder / side).mkdir(parents=True, exist_ok=True)

    def next_frame(self, label: str) -> int:
        """Count a frame of the recording; names of files carry this number."""
        self._check(label)
        self._count[label] += 1
        return self._count[label]

    def save(
        self, kind: KeyFrame, label: str, frame: Picture, *, number: int | None = None
    ) -> None:
        """Save a moment. `number` of the frame; default: the last one counted."""
        self._check(label)
        if not self._enabled:
            return
        name = _NAMES[kind].format(n=self._count[label] if number is None else number)
        if kind in _AT_THE_END:
            self._waiting[label, kind] = (name, np.array(frame.image))
        elif kind not in self.saved[label]:
            self.saved[label][kind] = self._write(label, name, frame.image)

    def save_pre_roll_first(self, label: str, frame: Picture) -> None:
        """Save the first frame of the pre-roll."""
        self.save(KeyFrame.PRE_ROLL_FIRST, label, frame)

    def save_pre_roll_last(self, label: str, frame: Picture) -> None:
        """Save the last frame before the pitch: the last one this is called with."""
        self.save(KeyFrame.PRE_ROLL_LAST, label, frame)

    def save_first_detection(self, label: str, frame: Picture) -> None:
        """Save the frame in which the ball was first seen."""
        self.save(KeyFrame.FIRST_DETECTION, label, frame)

    def save_release_point(self, label: str, frame: Picture) -> None:
        """Save the frame nearest to the release."""
        self.save(KeyFrame.RELEASE_POINT, label, frame)

    def save_plate_crossing(self, label: str, frame: Picture) -> None:
        """Save the frame nearest to the crossing of the plate."""
        self.save(KeyFrame.PLATE_CROSSING, label, frame)

    def save_last_detection(self, label: str, frame: Picture) -> None:
        """Save the frame in which the ball was last seen: the last one this is called with."""
        self.save(KeyFrame.LAST_DETECTION, label, frame)

    def save_post_roll_last(self, label: str, frame: Picture) -> None:
        """Save the last frame of all: the last one this is called with."""
        self.save(KeyFrame.POST_ROLL_LAST, label, frame)

    def save_uniform(self, label: str, frame: Picture, interval: int = 5) -> None:
        """Count a frame, and save every `interval`-th."""
        n = self.next_frame(label)
        if self._enabled and n % interval == 0:
            self._write(label, f"uniform_{n:05d}", frame.image)

    def close(self) -> None:
        """Write the last moments."""
        for (label, kind), (name, image) in self._waiting.items():
            self.saved[label][kind] = self._write(label, name, image)
        self._waiting.clear()

    def key_frames(self) -> dict[str, dict[str, str | None]]:
        """Return, by camera and kind, the name of the picture; None where there is none."""
        return {s: {k.value: self.saved[s].get(k.value) for k in KeyFrame} for s in SIDES}

    def _write(self, label: str, name: str, image: NDArray[np.uint8]) -> str:
        cv2 = load_cv2()
        good, data = cv2.imencode(
            ".png", np.ascontiguousarray(image), [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION]
        )
        if not good:
            raise StoreError(f"{name}.png: the picture could not be encoded")
        write_bytes(self._folder / label / f"{name}.png", data.tobytes())
        return f"{name}.png"

    def _check(self, label: str) -> None:
        if label not in SIDES:
            raise InputError(f"label: expected 'left' or 'right', got {label!r}")
