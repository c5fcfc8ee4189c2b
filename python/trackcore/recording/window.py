"""What a recorder is handed: frames, what was found in them, and a pitch with its surroundings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from trackcore._compat import StrEnum
from trackcore.balls import Candidates
from trackcore.pitch import PitchFit, TrackedPitch

SIDES = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CapturedFrame:
    """A frame as a camera gave it.

    Attributes
    ----------
    side : "left" or "right"
    camera_id : str
        Serial or name of the camera.
    frame_index : int
        From 1, as the source counts: frames that were lost leave gaps.
    t_capture_monotonic_ns : int
        Stamp on the camera's own clock [ns].
    image : (h, w) or (h, w, 3) uint8
        Grey, or blue-green-red.
    """

    side: str
    camera_id: str
    frame_index: int
    t_capture_monotonic_ns: int
    image: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDetections:
    """What the detector found in one frame; the stamp is `balls.t_ns`."""

    side: str
    frame_index: int
    balls: Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class LostFrame:
    """A frame that is not there, and why."""

    side: str
    frame_index: int
    reason: str


class LazyFrames(Sequence[CapturedFrame]):
    """Frames whose pictures are read when they are asked for."""

    @abstractmethod
    def _frame(self, place: int) -> CapturedFrame:
        """Return one frame; `place` is 0 .. len - 1."""

    @overload
    def __getitem__(self, index: int) -> CapturedFrame: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CapturedFrame]: ...
    def __getitem__(self, index: int | slice) -> CapturedFrame | Sequence[CapturedFrame]:
        """Return a frame, or a list of them."""
        places = range(len(self))[index]
        return self._frame(places) if isinstance(places, int) else [*map(self._frame, places)]

    def __iter__(self) -> Iterator[CapturedFrame]:
        return map(self._frame, range(len(self)))


class RecordingStatus(StrEnum):
    """How a recording ended.

    `COMPLETE`: all of it is there. `TRUNCATED`: it was stopped in the middle. `RECOVERED`: its
    process died, and this is what the journal held.
    """

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchWindow:
    """A pitch with everything around it: what a recorder writes.

    Attributes
    ----------
    pitch_id : str
        `{session}-pitch-{index:03d}`.
    index : int
        From 1.
    pitch : TrackedPitch
        `start_ns` and `end_ns` are on the rig's common clock.
    fit : PitchFit or None
        None where there was nothing to fit with.
    frames : mapping of side to sequence of CapturedFrame
        Pre-roll, pitch and post-roll in the order of time. A sequence, so that pictures may be
        read from a ring or a file when they are asked for, and more than once.
    detections : mapping of side to tuple of FrameDetections
        Of the same frames, those without a ball included.
    lost : tuple of LostFrame
        Within the window.
    status : RecordingStatus
    """

    pitch_id: str
    index: int
    pitch: TrackedPitch
    fit: PitchFit | None
    frames: Mapping[str, Sequence[CapturedFrame]]
    detections: Mapping[str, tuple[FrameDetections, ...]]
    lost: tuple[LostFrame, ...] = ()
    status: RecordingStatus = RecordingStatus.COMPLETE
