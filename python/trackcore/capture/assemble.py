"""Candidates of two cameras in, pitches with their surroundings out; pixels stay where they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trackcore.balls import Candidates
from trackcore.cameras import StereoRig
from trackcore.pitch import (
    PitchEventKind,
    PitchPhase,
    PitchStep,
    PitchTracker,
    TrackedPitch,
)
from trackcore.recording import SIDES, LostFrame, PitchSetup

_MS = 1_000_000
_BELIEF_NS = 300 * _MS  # a ball may have been seen for so long before it is believed
_PATIENCE_NS = 250 * _MS  # a camera this far behind is not waited for
_MOST_LOST = 4096


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame that was searched. `handle` is whatever leads to its pixels."""

    side: str
    frame_index: int
    t_ns: int
    common_ns: int
    balls: Candidates
    handle: Any = None


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """A pitch and the frames around it, without their pixels."""

    pitch: TrackedPitch
    seen: dict[str, tuple[SeenFrame, ...]]
    lost: tuple[LostFrame, ...]

    @property
    def frames(self) -> list[SeenFrame]:
        """All of both cameras."""
        return [frame for side in SIDES for frame in self.seen[side]]


@dataclass(slots=True)
class _Open:
    pitch: TrackedPitch
    from_ns: int
    to_ns: int


def _nothing(_: SeenFrame) -> None: ...


class WindowAssembler:
    """Tracks, waits for the post-roll and says which frames a pitch needs.

    Parameters
    ----------
    rig : StereoRig
    setup : PitchSetup, optional
        Of it, how balls are followed, when pitches begin and end, pre-roll and post-roll.
    hold, release : callable, optional
        Called with a frame when a window takes it, and when it is too old to be in any: then the
        window's frames are held once for it, and whoever writes it lets go of them.

    Notes
    -----
    Pre-roll and post-roll are counted in time on the common clock. A frame is kept for the pre-roll
    and as long as a ball may have been seen before it was believed. A window is complete when both
    cameras have passed its end, or one has by 250 ms. Where the stamps leap, what is open is ended
    with the frames that are there. The same frames in the same order give the same windows.
    """

    def __init__(
        self,
        rig: StereoRig,
        setup: PitchSetup | None = None,
        *,
        hold: Callable[[SeenFrame], None] = _nothing,
        release: Callable[[SeenFrame], None] = _nothing,
    ) -> None:
        chosen = PitchSetup() if setup is None else setup
        self.tracker = PitchTracker(rig, tracking=chosen.tracking, timing=chosen.timing)
        self._pre_ns = round(chosen.recording.pre_roll_ms * _MS)
        self._post_ns = round(chosen.recording.post_roll_ms * _MS)
        self._kept: dict[str, deque[SeenFrame]] = {side: deque() for side in SIDES}
        self._now: dict[str, int | None] = dict.fromkeys(SIDES)
        self._open: list[_Open] = []
        self._lost: deque[LostFrame] = deque(maxlen=_MOST_LOST)
        self._hold, self._release = hold, release

    @property
    def busy(self) -> bool:
        """Whether a pitch is going on or waits for its post-roll."""
        return bool(self._open) or self.tracker.phase is not PitchPhase.INACTIVE

    def lose(self, lost: LostFrame) -> None:
        """Take note of a frame that is not there."""
        self._lost.append(lost)

    def push(self, seen: SeenFrame) -> tuple[PitchStep, list[WindowPlan]]:
        """Take in a frame of candidates."""
        step = self.tracker.push(seen.side, seen.balls)
        done: list[WindowPlan] = []
        if any(event.kind is PitchEventKind.CLOCK_JUMP for event in step.events):
            self._ended(step.pitch)
            done = self._complete(everything=True)
            self._forget(None)
            self._now = dict.fromkeys(SIDES)
        else:
            self._ended(step.pitch)
        self._kept[seen.side].append(seen)
        self._now[seen.side] = seen.common_ns
        done += self._complete()
        self._forget(self._oldest_needed())
        return step, done

    def finish(self) -> tuple[PitchStep, list[WindowPlan]]:
        """End what is going on: no more frames come."""
        step = self.tracker.finish()
        self._ended(step.pitch)
        done = self._complete(everything=True)
        self._forget(None)
        return step, done

    def _ended(self, pitch: TrackedPitch | None) -> None:
        if pitch is not None:
            lo, hi = pitch.start_ns - self._pre_ns, pitch.end_ns + self._post_ns
            self._open.append(_Open(pitch, lo, hi))

    def _complete(self, *, everything: bool = False) -> list[WindowPlan]:
        times = [t for t in self._now.values() if t is not None]
        done: list[_Open] = []
        waiting: list[_Open] = []
        for window in self._open:
            passed = [t is not None and t > window.to_ns for t in self._now.values()]
            late = bool(times) and max(times) > window.to_ns + _PATIENCE_NS
            (done if everything or all(passed) or late else waiting).append(window)
        self._open = waiting
        return [self._plan(ended) for ended in done]

    def _plan(self, window: _Open) -> WindowPlan:
        seen = {
            side: tuple(
                f for f in self._kept[side] if window.from_ns <= f.common_ns <= window.to_ns
            )
            for side in SIDES
        }
        lost = []
        for frame in self._lost:
            numbers = [f.frame_index for f in seen[frame.side]]
            if numbers and numbers[0] <= frame.frame_index <= numbers[-1]:
                lost.append(frame)
        plan = WindowPlan(window.pitch, seen, tuple(lost))
        for taken in plan.frames:
            self._hold(taken)
        return plan

    def _oldest_needed(self) -> int:
        """Return the time from which on frames may still be wanted."""
        now = max(t for t in self._now.values() if t is not None)
        needed = [now - _BELIEF_NS - self._pre_ns, *(w.from_ns for w in self._open)]
        if self.tracker.phase is not PitchPhase.INACTIVE:
            needed.append(self.tracker.machine.state.start_ns - self._pre_ns)
        return min(needed)

    def _forget(self, until_ns: int | None) -> None:
        for kept in self._kept.values():
            while kept and (until_ns is None or kept[0].common_ns < until_ns):
                self._release(kept.popleft())
