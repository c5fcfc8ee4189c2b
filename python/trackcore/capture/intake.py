"""The thread of a camera: stamps, copies into the ring, hands over; waits for nobody."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trackcore.capture.faults import LossReason, words
from trackcore.capture.options import CaptureOptions
from trackcore.capture.priority import CAPTURE, first_in_line
from trackcore.capture.ring import SlotRing
from trackcore.capture.sources import FrameSource, SourceFrame
from trackcore.capture.status import CameraState, Outage, Times
from trackcore.recording import LostFrame

_LEAP_NS = 1_000_000_000


class Taken(NamedTuple):
    """A frame in the ring, and when it came on the host's clock [ns]."""

    slot: int
    frame_index: int
    t_ns: int
    came_ns: int


class Intake:
    """Reads a camera into the ring from a thread of its own.

    Parameters
    ----------
    side : str
    source : FrameSource
        Open; `first` is its first frame.
    first : SourceFrame
    ring : SlotRing
    options : CaptureOptions
    told : callable
        Called with a change of the camera's state and the words for it, from this thread, which is
        then not taking frames.
    begin_ns : int
        When footage begins on the host's monotonic clock [ns]: both sides by one clock.
    """

    def __init__(
        self, side: str, source: FrameSource, first: SourceFrame, ring: SlotRing,
        options: CaptureOptions, told: Callable[[str, CameraState, str], None], begin_ns: int = 0,
    ) -> None:  # fmt: skip
        self.side, self.source = side, source
        self.state = CameraState.WAITING
        self.callback = Times()
        self.handed = 0
        self.outages: list[Outage] = []
        self.out: queue.SimpleQueue[Taken | LostFrame | None] = queue.SimpleQueue()
        self._ring, self._options, self._told = ring, options, told
        self._first: SourceFrame | None = first
        self._stopping = threading.Event()
        self._paced_from, self._last_ns = (begin_ns, first.t_ns), first.t_ns
        self.thread = threading.Thread(target=self._run, name=f"capture {side}", daemon=True)

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()

    def _run(self) -> None:
        first_in_line(CAPTURE)
        self._become(CameraState.RUNNING, "")
        try:
            while not self._stopping.is_set():
                frame = self._next()
                if frame is None:
                    break
                if not self.source.live:
                    self._keep_pace(frame.t_ns)
                self.take(frame)
        finally:
            stopped = self._stopping.is_set()
            self._become(CameraState.STOPPED if stopped else CameraState.ENDED, "")
            self.out.put(None)

    def take(self, frame: SourceFrame) -> None:
        """Put a frame into the ring and say so."""
        came_ns = time.monotonic_ns()
        number, t_ns, image = frame
        reason = LossReason.RING_FULL
        slot = None
        if image.nbytes > self._ring.slot_bytes or image.dtype != np.uint8:
            reason = LossReason.SIZE_CHANGED
        else:
            slot = self._ring.put(self.side, number, t_ns, image)
        self.handed += 1
        if slot is None:
            self.out.put(LostFrame(side=self.side, frame_index=number, reason=reason.value))
        else:
            self.out.put(Taken(slot, number, t_ns, came_ns))
        self.callback.add(time.monotonic_ns() - came_ns)

    def _next(self) -> SourceFrame | None:
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        try:
            return self.source.read()
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, it is gone
            return self._reconnected(words(error))

    def _reconnected(self, reason: str) -> SourceFrame | None:
        """Try again until the camera gives a frame, or the thread is to end."""
        gone_ns = time.monotonic_ns()
        self._become(CameraState.DISCONNECTED, reason)
        self.outages.append(Outage(self.side, gone_ns, None, reason))
        wait_s = self._options.reconnect_s
        while not self._stopping.wait(wait_s):
            wait_s = min(2 * wait_s, self._options.reconnect_most_s)
            try:
                self.source.close()
                self.source.open()
                frame = self.source.read()
            except Exception as error:  # noqa: BLE001 - it is still gone
                self._told(self.side, self.state, words(error))
                continue
            back_ns = time.monotonic_ns()
            self.outages[-1] = Outage(self.side, gone_ns, back_ns, reason)
            self._become(CameraState.RUNNING, "")
            return frame
        return None

    def _become(self, state: CameraState, why: str) -> None:
        self.state = state
        self._told(self.side, state, why)

    def _keep_pace(self, t_ns: int) -> None:
        """Wait until a recorded frame is due by its stamp."""
        now = time.monotonic_ns()
        if abs(t_ns - self._last_ns) > _LEAP_NS:  # a gap, or its clock leapt: go on from here
            self._paced_from = (now, t_ns)
        self._last_ns = t_ns
        began, first = self._paced_from
        wait_ns = began + t_ns - first - now
        if wait_ns > 0:
            time.sleep(wait_ns * 1e-9)
