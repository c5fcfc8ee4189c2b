"""Threads that hand pitches and frames to whoever wants them, each at its own pace."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from trackcore.capture.assemble import SeenFrame
from trackcore.capture.faults import Problem, naming, words
from trackcore.capture.priority import FOLLOW, first_in_line
from trackcore.capture.ring import SlotRing
from trackcore.errors import RecordError
from trackcore.recording import CapturedFrame, LostFrame, PitchWindow
from trackcore.recording.window import LazyFrames

_LAST_TRIES = 3  # at the end, or when the ring is needed for other pitches


class RingFrames(LazyFrames):
    """Frames whose pictures lie in a ring: views, until `close`."""

    def __init__(self, ring: SlotRing, camera_id: str, seen: Sequence[SeenFrame]) -> None:
        self._ring, self._camera_id, self.seen = ring, camera_id, seen
        self._open = True

    def __len__(self) -> int:
        return len(self.seen)

    def close(self) -> None:
        """Refuse from now on: the slots have been given back."""
        self._open = False

    def _frame(self, place: int) -> CapturedFrame:
        if not self._open:
            raise RecordError("frames: these pictures were kept only until the sinks had the pitch")
        return ring_frame(self._ring, self._camera_id, self.seen[place])


def ring_frame(ring: SlotRing, camera_id: str, seen: SeenFrame) -> CapturedFrame:
    """Return a frame whose picture is a view of its slot."""
    return CapturedFrame(
        side=seen.side, camera_id=camera_id, frame_index=seen.frame_index,
        t_capture_monotonic_ns=seen.t_ns, image=ring.image(seen.handle),
    )  # fmt: skip


class HeldWindow:
    """A pitch whose slots are held until all have had it; then `done` is called, once.

    Parameters
    ----------
    window : PitchWindow
    takers : int
    done : callable
        Called with whether all sinks took it.
    """

    def __init__(
        self, window: PitchWindow, takers: int, done: Callable[[HeldWindow], None]
    ) -> None:
        self.window = window
        self.written = True
        self._left, self._done = takers, done
        self._lock = threading.Lock()
        if takers == 0:
            done(self)

    def had(self, *, written: bool = True) -> None:
        """Say that one of the takers is done with it."""
        with self._lock:
            self.written = self.written and written
            self._left -= 1
            last = self._left == 0
        if last:
            self._done(self)


class Hook:
    """Calls a function of the user from a thread of its own.

    Parameters
    ----------
    name : str
    call : callable
    problem : callable
        Told what it raised.
    most : int, optional
        Calls that may wait; what comes then is skipped. Default: none is ever skipped.
    """

    def __init__(
        self, name: str, call: Callable[..., Any], problem: Problem,
        most: int | None = None,
    ) -> None:  # fmt: skip
        self.skipped = 0
        self._name, self._call, self._problem, self._most = name, call, problem, most
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, arguments: Callable[[], tuple[Any, ...]], after: Callable[[], None]) -> None:
        """Call soon with what `arguments` gives, then `after`; or only that, now, if skipped."""
        if self._most is not None and self._waiting.qsize() >= self._most:
            self.skipped += 1
            after()
        else:
            self._waiting.put((arguments, after))

    def end(self) -> None:
        """Wait until everything was called."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            arguments, after = item
            with naming(self._problem, self._name):
                self._call(*arguments())
            after()


class SinkWorker:
    """Writes pitches, and frames if the sink wants them, from a thread of its own.

    A pitch that a full disk keeps out is tried again while `patient` says that there is room for
    it to wait.
    """

    def __init__(
        self, sink: Any, ring: SlotRing, camera_ids: dict[str, str], problem: Problem,
        patient: Callable[[], bool], retry_s: float,
    ) -> None:  # fmt: skip
        self.sink = sink
        self.name = f"sink {type(sink).__name__}"
        self._write_seen = getattr(sink, "write_seen", None)
        self._write_frame = getattr(sink, "write_frame", None)
        self.wants_frames = self._write_seen is not None or self._write_frame is not None
        self._ring, self._camera_ids, self._problem = ring, camera_ids, problem
        self._patient, self._retry_s = patient, retry_s
        self._waiting: queue.SimpleQueue[HeldWindow | SeenFrame | LostFrame | None]
        self._waiting = queue.SimpleQueue()
        self._gave_up = False  # the disk is full: the next pitch is tried once
        self._frames_put = self._frames_done = 0  # each counted by one thread
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    @property
    def frames_waiting(self) -> int:
        """Frames that are not yet written."""
        return self._frames_put - self._frames_done

    def put(self, item: HeldWindow | SeenFrame | LostFrame) -> None:
        """Write a pitch or a frame soon, or tell of a frame that was shed. One thread has frames.

        The slot of a frame is held, and given back when it is written.
        """
        self._frames_put += isinstance(item, SeenFrame)
        self._waiting.put(item)

    def end(self) -> None:
        """Wait until everything was written."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        if self._write_seen is not None:  # it only sends
            first_in_line(FOLLOW)
        where = f"{self.name}: frames"
        while (item := self._waiting.get()) is not None:
            if isinstance(item, HeldWindow):
                item.had(written=self._write(item.window))
            elif isinstance(item, LostFrame):
                with naming(self._problem, where):
                    self.sink.shed(item)
            else:
                with naming(self._problem, where):
                    self._write_one(item)
                    self._problem(where, None)
                self._ring.release(item.handle)
                self._frames_done += 1

    def _write_one(self, seen: SeenFrame) -> None:
        if self._write_seen is not None:
            self._write_seen(seen)
        elif self._write_frame is not None:
            self._write_frame(ring_frame(self._ring, self._camera_ids[seen.side], seen))

    def _write(self, window: PitchWindow) -> bool:
        where = f"{self.name}: {window.pitch_id}"
        full, left = True, 1 if self._gave_up else _LAST_TRIES
        while full and left > 0:
            full = False
            with naming(self._problem, where):
                try:
                    problems = getattr(self.sink.write_pitch(window), "problems", ())
                except OSError as error:
                    self._problem(where, words(error))
                    full = True
                    left -= not self._patient()
                else:
                    self._gave_up = False
                    self._problem(where, "; ".join(map(str, problems)) or None)
                    return not problems
            if full and left > 0:
                time.sleep(self._retry_s)
        self._gave_up = full
        return False
