"""Where frames and pitches go: hooks, sinks and the live view, none of which may hold up others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trackcore.capture.assemble import SeenFrame
from trackcore.capture.faults import LossReason, Problem, naming
from trackcore.capture.options import CaptureOptions
from trackcore.capture.ring import SlotRing
from trackcore.capture.workers import HeldWindow, Hook, SinkWorker, ring_frame
from trackcore.recording import (
    SIDES,
    CapturedFrame,
    FrameDetections,
    LostFrame,
    PitchWindow,
    RecordingStatus,
)

_HOOK_BACKLOG = 8
_PAIR_NS = 8_000_000  # the documented pairing tolerance
_PATIENT_SHARE = 0.25


class Outlets:
    """Hooks and sinks of a host.

    Parameters
    ----------
    sinks : sequence of PitchSink
    hooks : mapping of "on_frame", "on_pair", "on_pitch" to callable or None
    ring : SlotRing
    options : CaptureOptions
    problem : callable
        Called with a place and what goes wrong there, None if nothing does any more.
    camera_ids : mapping of side to str
    tell : callable
        Writes a row of the telemetry journal.
    """

    def __init__(
        self, sinks: Sequence[Any], hooks: dict[str, Callable[..., Any] | None], ring: SlotRing,
        options: CaptureOptions, problem: Problem,
        camera_ids: dict[str, str], tell: Callable[..., None],
    ) -> None:  # fmt: skip
        self.shed = 0
        self._ring, self._camera_ids, self._tell, self._problem = ring, camera_ids, tell, problem
        self._ending = False
        self._workers = [
            SinkWorker(sink, ring, camera_ids, problem, self._patient, options.retry_s)
            for sink in sinks
        ]
        self._most_video = math.ceil(options.video_share * ring.slots)
        self._made = {
            name: Hook(
                name, call, problem,
                None if name == "on_pitch" else _HOOK_BACKLOG,
            )
            for name, call in hooks.items() if call is not None
        }  # fmt: skip
        self._latest: dict[str, SeenFrame] = {}
        self._unpaired: dict[str, SeenFrame | None] = dict.fromkeys(SIDES)

    @property
    def skipped(self) -> int:
        """Frames and pairs that hooks were not shown."""
        return sum(hook.skipped for hook in self._made.values())

    def show(self, seen: SeenFrame) -> None:
        """Show a frame to hooks, and put it into session videos."""
        last = self._latest.get(seen.side)
        self._ring.hold(seen.handle)
        self._latest[seen.side] = seen
        if last is not None:
            self._ring.release(last.handle)
        for worker in self._workers:
            if worker.wants_frames and self._most_video:
                self._film(worker, seen)
        if "on_frame" in self._made:
            self._ring.hold(seen.handle)
            self._made["on_frame"].put(
                lambda: (self._frame(seen), _found(seen)), lambda: self._ring.release(seen.handle)
            )
        if "on_pair" in self._made:
            self._pair(seen)

    def hand_over(self, window: PitchWindow, had: Callable[[HeldWindow], None]) -> None:
        """Give a pitch to every sink and to the hook; `had` is called when all are done."""
        hook = self._made.get("on_pitch")
        held = HeldWindow(window, len(self._workers) + (hook is not None), had)
        for worker in self._workers:
            worker.put(held)
        if hook is not None:
            hook.put(lambda: (window,), held.had)

    def latest(self, side: str) -> tuple[CapturedFrame, FrameDetections] | None:
        """Return a copy of the last frame and what was found in it."""
        while (seen := self._latest.get(side)) is not None:
            if not self._ring.hold_if_held(seen.handle):
                continue
            try:
                if self._latest.get(side) is seen:  # and not another frame in its slot
                    frame = self._frame(seen)
                    return replace(frame, image=frame.image.copy()), _found(seen)
            finally:
                self._ring.release(seen.handle)
        return None

    def end(self, status: RecordingStatus, lost: list[LostFrame]) -> None:
        """Wait for hooks and sinks to have everything, and close the sinks."""
        self._ending = True
        for hook in self._made.values():
            hook.end()
        for worker in self._workers:
            worker.end()
            with naming(self._problem, f"{worker.name}: close"):
                if hasattr(worker.sink, "close"):
                    worker.sink.close(status=status, lost=tuple(lost))

    def _patient(self) -> bool:
        """Whether there is room for a pitch to wait until it can be written."""
        return not self._ending and self._ring.free > _PATIENT_SHARE * self._ring.slots

    def _film(self, worker: SinkWorker, seen: SeenFrame) -> None:
        if worker.frames_waiting < self._most_video and self._patient():
            self._ring.hold(seen.handle)
            worker.put(seen)
            return
        self.shed += 1
        lost = LostFrame(
            side=seen.side, frame_index=seen.frame_index, reason=LossReason.VIDEO_SHED.value
        )
        self._tell("shed", lost.side, lost.frame_index, lost.reason)
        if hasattr(worker.sink, "shed"):
            worker.put(lost)

    def _pair(self, seen: SeenFrame) -> None:
        other = self._unpaired[SIDES[1 - SIDES.index(seen.side)]]
        if other is None or abs(other.common_ns - seen.common_ns) > _PAIR_NS:
            self._unpaired[seen.side] = seen
            return
        self._unpaired = dict.fromkeys(SIDES)
        pair = {seen.side: _found(seen), other.side: _found(other)}
        self._made["on_pair"].put(lambda: (pair["left"], pair["right"]), lambda: None)

    def _frame(self, seen: SeenFrame) -> CapturedFrame:
        return ring_frame(self._ring, self._camera_ids[seen.side], seen)


def _found(seen: SeenFrame) -> FrameDetections:
    return FrameDetections(side=seen.side, frame_index=seen.frame_index, balls=seen.balls)
