"""Numbers and stamps as they should be: what is missing, double or late, and clocks that leap."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from trackcore.capture.faults import CaptureCounts, LossReason
from trackcore.recording import SIDES, LostFrame

_KNOWN = 256  # numbers remembered, to tell what is double from what is late
_LONGEST_GAP = 10_000  # numbers; beyond it they have begun anew


@dataclass(slots=True)
class _Camera:
    number: int | None = None
    t_ns: int | None = None
    period_ns: int = 0
    correction_ns: int = 0
    known: OrderedDict[int, None] = field(default_factory=OrderedDict)


class FrameOrder:
    """Looks at the number and the stamp of each frame, in the order they come.

    Parameters
    ----------
    clock_jump_ns : int
        A leap of this much is none of time.
    counts : CaptureCounts
        Counts here.

    Notes
    -----
    A leap of a camera's stamps that neither its numbers nor the other camera's stamps explain is
    its clock's: from there on its stamps are moved so that they go on.
    """

    def __init__(self, clock_jump_ns: int, counts: CaptureCounts) -> None:
        self.counts = counts
        self._leap = clock_jump_ns
        self._cameras = {side: _Camera() for side in SIDES}
        self._told: set[tuple[str, int]] = set()

    def lose(self, lost: LostFrame) -> None:
        """Take note of a frame that is known not to come."""
        self.counts.lost[lost.side] += 1
        self._told.add((lost.side, lost.frame_index))

    def correction_ns(self, side: str) -> int:
        """Return by what a camera's stamps are moved because its clock has leapt [ns]."""
        return self._cameras[side].correction_ns

    def take(self, side: str, number: int, t_ns: int) -> tuple[int | None, list[LostFrame]]:
        """Return the stamp to use, None for a frame not to use, and what is newly known as lost."""
        camera = self._cameras[side]
        if number in camera.known:
            self.counts.duplicates[side] += 1
            return None, []
        if camera.number is not None and number < camera.number:
            self.counts.out_of_order[side] += 1
            if (side, number) in self._told:  # it was taken for missing
                return None, []
            self.counts.lost[side] += 1
            return None, [_lost(side, number, LossReason.OUT_OF_ORDER)]
        gap = [] if camera.number is None else self._gap(side, camera.number, number)
        stamp = self._stamp(side, number, t_ns)
        if stamp is None:
            self.counts.out_of_order[side] += 1
            self.counts.lost[side] += 1
            gap.append(_lost(side, number, LossReason.OUT_OF_ORDER))
        else:
            self.counts.frames[side] += 1
            camera.t_ns = stamp
        camera.number = number
        camera.known[number] = None
        while len(camera.known) > _KNOWN:
            camera.known.popitem(last=False)
        return stamp, gap

    def _gap(self, side: str, last: int, number: int) -> list[LostFrame]:
        if number - last > _LONGEST_GAP:
            return []
        lost = [
            _lost(side, i, LossReason.MISSING) for i in range(last + 1, number)
            if (side, i) not in self._told
        ]  # fmt: skip
        self.counts.lost[side] += len(lost)
        self._told = {told for told in self._told if told[0] != side or told[1] > number - _KNOWN}
        self._told.update((side, frame.frame_index) for frame in lost[-_KNOWN:])
        return lost

    def _stamp(self, side: str, number: int, t_ns: int) -> int | None:
        """Return the stamp, moved if its clock has leapt; None if it is not after the last."""
        camera = self._cameras[side]
        stamp = t_ns + camera.correction_ns
        last = camera.t_ns
        if last is None or camera.number is None:
            return stamp
        step = stamp - last
        if abs(step) < self._leap:
            if step <= 0:
                return None
            camera.period_ns = step // max(number - camera.number, 1)
            return stamp
        expected = last + camera.period_ns * max(number - camera.number, 1)
        if abs(stamp - expected) < self._leap:
            return stamp
        other = self._cameras[SIDES[1 - SIDES.index(side)]].t_ns
        alone = other is not None and abs(stamp - other) >= self._leap > abs(last - other)
        if not alone:
            return stamp
        self.counts.clock_jumps[side] += 1
        camera.correction_ns += expected - stamp
        return expected


def _lost(side: str, number: int, reason: LossReason) -> LostFrame:
    return LostFrame(side=side, frame_index=number, reason=reason.value)
