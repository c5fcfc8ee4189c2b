"""Frames of two cameras in, pitches out: one thread, no clock of its own, the same every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.balls import BallDetector
from trackcore.cameras import Camera, StereoRig
from trackcore.capture.assemble import SeenFrame, WindowAssembler, WindowPlan
from trackcore.capture.faults import CaptureCounts
from trackcore.capture.order import FrameOrder
from trackcore.errors import InputError
from trackcore.pitch import BallTrack, PitchEvent, PitchFit, TrackedPitch
from trackcore.recording import (
    SIDES,
    CapturedFrame,
    FrameDetections,
    LostFrame,
    PitchSetup,
    PitchWindow,
    RecordingStatus,
)


@dataclass(frozen=True, slots=True)
class EngineStep:
    """What a frame brought.

    Attributes
    ----------
    found : FrameDetections or None
        None if the frame was not used: double, or late.
    events : tuple of PitchEvent
    tracks : tuple of BallTrack
        The believed tracks that the frame saw.
    lost : tuple of LostFrame
        Frames now known as lost.
    windows : tuple of PitchWindow
        Pitches whose post-roll is complete.
    """

    found: FrameDetections | None
    events: tuple[PitchEvent, ...] = ()
    tracks: tuple[BallTrack, ...] = ()
    lost: tuple[LostFrame, ...] = ()
    windows: tuple[PitchWindow, ...] = ()


class PitchEngine:
    """Finds pitches in the frames of two cameras.

    Parameters
    ----------
    rig : StereoRig
    setup : PitchSetup, optional
        The ball and the zone, and how pitches are found and fitted.
    session : str
        Name that begins the pitches' ids.

    Notes
    -----
    Push frames of both cameras in about the order of their times: a disorder between the cameras
    of some frames does no harm; within a camera, a frame that comes after a later one is not used.
    The same frames in the same order give the same windows.

    Examples
    --------
    >>> import numpy as np
    >>> import trackcore as tc
    >>> from trackcore.recording import CapturedFrame
    >>> engine = tc.PitchEngine(tc.lane_rig(), session="tuesday")
    >>> step = engine.push(CapturedFrame(
    ...     side="left", camera_id="a", frame_index=1, t_capture_monotonic_ns=0,
    ...     image=np.zeros((1080, 1920), np.uint8)))
    >>> len(step.found.balls), engine.finish()
    (0, ())
    """

    def __init__(
        self,
        rig: StereoRig,
        setup: PitchSetup | None = None,
        *,
        session: str = "session",
    ) -> None:
        self.rig, self.setup = rig, setup_of(setup)
        self.session = session
        self.counts = CaptureCounts()
        self.detectors = detectors(self.setup)
        self.assembler = WindowAssembler(rig, self.setup)
        jump_ms = self.assembler.tracker.machine.options.clock_jump_ms
        self._order = FrameOrder(round(jump_ms * 1e6), self.counts)

    def push(self, frame: CapturedFrame) -> EngineStep:
        """Take in a frame.

        Raises
        ------
        InputError
            If it is no `CapturedFrame` of a known side, or its picture is none, or not as large as
            those of the rig's camera.
        """
        check_frame(frame)
        check_size(self.rig, frame.side, frame.image)
        number = frame.frame_index
        stamp, lost = self._order.take(frame.side, number, frame.t_capture_monotonic_ns)
        for missing in lost:
            self.assembler.lose(missing)
        if stamp is None:
            return EngineStep(None, lost=tuple(lost))
        if stamp != frame.t_capture_monotonic_ns:
            frame = replace(frame, t_capture_monotonic_ns=stamp)
        balls = self.detectors[frame.side].process(frame.image, stamp)
        common = int(camera_of(self.rig, frame.side).common_time_ns(stamp))
        seen = SeenFrame(frame.side, number, stamp, common, balls, frame)
        step, plans = self.assembler.push(seen)
        found = FrameDetections(side=frame.side, frame_index=number, balls=balls)
        windows = tuple(self._window(plan) for plan in plans)
        return EngineStep(found, step.events, step.tracks, tuple(lost), windows)

    def lose(self, lost: LostFrame) -> None:
        """Take note of a frame that does not come, and why; before the next one of its camera."""
        self._order.lose(lost)
        self.assembler.lose(lost)

    def finish(self, status: RecordingStatus = RecordingStatus.COMPLETE) -> tuple[PitchWindow, ...]:
        """End what is going on and return the last windows: no more frames come."""
        _, plans = self.assembler.finish()
        return tuple(self._window(plan, status) for plan in plans)

    def _window(
        self, plan: WindowPlan, status: RecordingStatus = RecordingStatus.COMPLETE
    ) -> PitchWindow:
        self.counts.pitches += 1
        frames = {side: tuple(f.handle for f in plan.seen[side]) for side in SIDES}
        flight = fitted(self.rig, plan.pitch, self.setup)
        return window_of(plan, self.session, frames, flight, status)


def setup_of(setup: PitchSetup | None, fps: float | None = None) -> PitchSetup:
    """Return a setup that says when pitches begin and end, by the rate if it is known [1/s].

    Raises
    ------
    InputError
        If it is none.
    """
    chosen = PitchSetup() if setup is None else setup
    if not isinstance(chosen, PitchSetup):
        raise InputError(f"setup: expected a PitchSetup, got {type(chosen).__name__}")
    return chosen.at_rate(fps)


def detectors(setup: PitchSetup) -> dict[str, BallDetector]:
    """Return a detector for each side."""
    lanes = setup.lanes_px
    return {side: BallDetector(setup.detection, lane_px=lanes.get(side)) for side in SIDES}


def camera_of(rig: StereoRig, side: str) -> Camera:
    """Return the camera of a side."""
    return rig.left if side == "left" else rig.right


def fitted(rig: StereoRig, pitch: TrackedPitch, setup: PitchSetup) -> PitchFit | None:
    """Return the fit of a pitch; None where there is nothing to fit."""
    if not len(pitch.left) or not len(pitch.right):
        return None
    return setup.fitted(rig, pitch.left, pitch.right)


def window_of(
    plan: WindowPlan,
    session: str,
    frames: Mapping[str, object],
    flight: PitchFit | None,
    status: RecordingStatus,
) -> PitchWindow:
    """Return a window with its pixels."""
    detections = {
        side: tuple(
            FrameDetections(side=side, frame_index=f.frame_index, balls=f.balls)
            for f in plan.seen[side]
        )
        for side in SIDES
    }
    return PitchWindow(
        pitch_id=f"{session}-pitch-{plan.pitch.index:03d}", index=plan.pitch.index,
        pitch=plan.pitch, fit=flight, frames=frames, detections=detections,  # type: ignore[arg-type]
        lost=plan.lost, status=status,
    )  # fmt: skip


def check_size(rig: StereoRig, side: str, image: NDArray[Any]) -> None:
    """Refuse pictures of another size than those a camera was calibrated with.

    Raises
    ------
    InputError
    """
    w, h = camera_of(rig, side).size
    shape = np.shape(image)
    if shape[:2] != (h, w):
        got = f"{shape[1]} x {shape[0]}" if len(shape) >= 2 else f"shape {shape}"
        raise InputError(f"{side}: expected pictures of {w} x {h} px, as the rig's, got {got}")


def check_frame(frame: object) -> None:
    """Check what was handed in as a frame."""
    if not isinstance(frame, CapturedFrame):
        raise InputError(f"frame: expected a CapturedFrame, got {type(frame).__name__}")
    if frame.side not in SIDES:
        raise InputError(f"frame.side: expected 'left' or 'right', got {frame.side!r}")
    for name in ("frame_index", "t_capture_monotonic_ns"):
        value = getattr(frame, name)
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise InputError(f"frame.{name}: expected an integer, got {value!r}")
