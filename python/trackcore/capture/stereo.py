"""The middle of a capture: searches frames in the ring, follows balls, and plans windows."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trackcore.balls import BallDetector, Candidates
from trackcore.cameras import StereoRig
from trackcore.capture.assemble import SeenFrame, WindowAssembler, WindowPlan
from trackcore.capture.engine import camera_of
from trackcore.capture.faults import CaptureCounts, LossReason, Problem, naming
from trackcore.capture.intake import Intake, Taken
from trackcore.capture.merge import SideBySide
from trackcore.capture.order import FrameOrder
from trackcore.capture.priority import FOLLOW, first_in_line
from trackcore.capture.ring import SlotRing
from trackcore.capture.status import CameraState, Times
from trackcore.recording import SIDES, LostFrame, RecordingStatus

Found = tuple[str, Taken | LostFrame | None, Candidates | None]
Tell = Callable[..., None]


class StereoLoop:
    """Two threads that search and one that follows.

    Parameters
    ----------
    rig : StereoRig
    ring : SlotRing
    intakes : mapping of side to Intake
    detectors : mapping of side to BallDetector
    assembler : WindowAssembler
        Holds and releases slots of `ring`.
    counts : CaptureCounts
    tell : callable
        Writes a row of the telemetry journal.
    on_seen : callable
        Called with each frame that was used; it is held until this returns.
    on_plan : callable
        Called with each window, whose slots are held, and its status.
    problem : callable
        Called with what went wrong and in which words.
    """

    def __init__(
        self, rig: StereoRig, ring: SlotRing, intakes: dict[str, Intake],
        detectors: dict[str, BallDetector], assembler: WindowAssembler, counts: CaptureCounts,
        *, tell: Tell, on_seen: Callable[[SeenFrame], None],
        on_plan: Callable[[WindowPlan, RecordingStatus], None],
        problem: Problem,
    ) -> None:  # fmt: skip
        self.latency = Times()
        self.lost: list[LostFrame] = []
        self.ending = RecordingStatus.COMPLETE
        self._searched = dict.fromkeys(SIDES, 0)
        self._rig, self._ring, self._intakes = rig, ring, intakes
        self._detectors, self._assembler, self._counts = detectors, assembler, counts
        jump_ms = assembler.tracker.machine.options.clock_jump_ms
        self._order = FrameOrder(round(jump_ms * 1e6), counts)
        self._tell, self._on_seen, self._on_plan, self._problem = tell, on_seen, on_plan, problem
        self._found: queue.SimpleQueue[Found] = queue.SimpleQueue()
        targets: list[tuple[str, Callable[..., None], tuple[Any, ...]]] = [
            ("detect left", self._search, ("left",)), ("detect right", self._search, ("right",)),
            ("stereo", self._follow, ()),
        ]  # fmt: skip
        self.threads = [
            threading.Thread(target=run, args=how, name=name, daemon=True)
            for name, run, how in targets
        ]

    def _search(self, side: str) -> None:
        first_in_line(FOLLOW)
        detector, taken = self._detectors[side], self._intakes[side].out
        last = -1
        while (item := taken.get()) is not None:
            balls = None
            if isinstance(item, Taken) and item.frame_index > last:  # others will not be used
                last = item.frame_index
                with naming(self._problem, f"detect {side}"):
                    balls = detector.process(self._ring.image(item.slot), item.t_ns)
            self._found.put((side, item, balls))
        self._found.put((side, None, None))

    def _follow(self) -> None:
        first_in_line(FOLLOW)
        going, order = len(SIDES), SideBySide()
        while True:
            ready, wait_s = order.take(time.monotonic_ns(), self._is_coming)
            if ready is not None:
                with naming(self._problem, "stereo"):
                    self._take(*ready)
                continue
            if not going:
                break
            try:
                side, item, balls = self._found.get(timeout=wait_s)
            except queue.Empty:
                continue
            self._searched[side] += item is not None
            if item is None:
                going -= 1
                order.end(side)
            elif isinstance(item, LostFrame):
                self._order.lose(item)
                self._lose(item)
            else:
                t_ns = item.t_ns + self._order.correction_ns(side)
                common = int(camera_of(self._rig, side).common_time_ns(t_ns))
                order.put(side, common, item.came_ns, (side, item, balls))
        with naming(self._problem, "stereo"):
            for plan in self._assembler.finish()[1]:
                self._on_plan(plan, self.ending)

    def _is_coming(self, side: str) -> bool:
        intake = self._intakes[side]
        played = not intake.source.live and intake.state is CameraState.RUNNING
        return played or intake.handed > self._searched[side]

    def _lose(self, lost: LostFrame) -> None:
        self.lost.append(lost)
        self._tell("lost", lost.side, lost.frame_index, lost.reason)
        self._assembler.lose(lost)

    def _take(self, side: str, taken: Taken, balls: Candidates | None) -> None:
        jumps = self._counts.clock_jumps[side]
        stamp, lost = self._order.take(side, taken.frame_index, taken.t_ns)
        for missing in lost:
            self._lose(missing)
        if self._counts.clock_jumps[side] != jumps:
            self._tell("jump", side, taken.frame_index, taken.t_ns)
        if stamp is None or balls is None:
            if stamp is not None:
                self._lose(LostFrame(
                    side=side, frame_index=taken.frame_index, reason=LossReason.UNREADABLE.value
                ))  # fmt: skip
            elif not lost:
                self._tell("unused", side, taken.frame_index, taken.t_ns)
            self._ring.release(taken.slot)
            return
        if stamp != taken.t_ns:
            balls = replace(balls, t_ns=stamp)
        self._tell("frame", side, taken.frame_index, stamp, balls)
        common = int(camera_of(self._rig, side).common_time_ns(stamp))
        seen = SeenFrame(side, taken.frame_index, stamp, common, balls, taken.slot)
        self._ring.hold(taken.slot)
        try:
            _, plans = self._assembler.push(seen)
            self.latency.add(time.monotonic_ns() - taken.came_ns)
            for plan in plans:
                self._on_plan(plan, RecordingStatus.COMPLETE)
            self._on_seen(seen)
        finally:
            self._ring.release(taken.slot)
