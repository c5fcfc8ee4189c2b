"""Two cameras, live: nothing that is slow may cost a frame of a pitch."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from trackcore.cameras import StereoRig
from trackcore.cameras.io import rig_to_dict
from trackcore.capture.assemble import WindowAssembler, WindowPlan
from trackcore.capture.engine import camera_of, check_size, detectors, fitted, setup_of, window_of
from trackcore.capture.faults import CaptureCounts, naming
from trackcore.capture.intake import Intake
from trackcore.capture.options import CaptureOptions
from trackcore.capture.outlets import Outlets
from trackcore.capture.priority import FOLLOW, first_in_line
from trackcore.capture.recorder_process import RecorderProcess
from trackcore.capture.ring import SlotRing
from trackcore.capture.sources import FrameSource, SourceFrame, open_source
from trackcore.capture.status import CameraState, HostReport, HostStatus, Times
from trackcore.capture.stereo import StereoLoop
from trackcore.capture.telemetry import TelemetryJournal
from trackcore.capture.workers import HeldWindow, RingFrames
from trackcore.errors import InputError, SourceError, StoreError
from trackcore.options import require_options
from trackcore.recording import (
    SIDES,
    CapturedFrame,
    FrameDetections,
    PitchSetup,
    RecordingStatus,
)

_MB = 1_000_000
_MOST_RING = 4096 * _MB
_FEWEST_SLOTS = 16
_UNKNOWN_FPS = 120.0
_LONGEST_APART_NS = 1_000_000_000
_SWITCH_S = 5e-4
"""The interpreter's threads change this often: longer than a frame is copied, which should not be
interrupted; not so long that a capture thread waits for its turn as long as by default."""


class CaptureHost:
    """Records the pitches of two cameras.

    Parameters
    ----------
    sources : (left, right)
        As of `open_source`: cameras, or footage, which is played at the pace of its stamps.
    rig : StereoRig
    sinks : sequence of PitchSink
        Take each pitch, each frame if they want, and are closed at the end. Each has a thread of
        its own.
    recorder : callable, optional
        Makes one more sink, in a process of its own with low priority: for what encodes. It must be
        picklable: `functools.partial(SessionWriter, output_dir, session, rig)`.
    folder : path, optional
        Of the session. Default: the recorder's. With it a killed process loses at most the last
        100 ms: see `recover_session`.
    session : str
    setup : PitchSetup, optional
        The ball and the zone, and how pitches are found and fitted.
    options : CaptureOptions, optional
    on_frame : callable, optional
        Called with (frame: CapturedFrame, found: FrameDetections). Skipped while it is busy.
    on_pair : callable, optional
        Called with (left, right: FrameDetections) of about the same time. Skipped while it is busy.
    on_pitch : callable, optional
        Called with each PitchWindow; its frames can be read until it returns. Never skipped.

    Notes
    -----
    A capture thread stamps, copies into a ring and hands over: no locks of others, no disk, no
    encoding. Two threads search frames, one follows balls; pitches are fitted and written by
    threads of low priority while their frames are held in the ring. What falls behind costs frames
    of the session video first; if the ring is full of pitches that cannot be written, frames are
    lost, and said to be. Hooks run on threads of their own.

    Examples
    --------
    >>> import trackcore as tc
    >>> host = tc.CaptureHost((0, 1), tc.lane_rig())  # nothing is opened before `start`
    >>> host.status().phase.value
    'INACTIVE'
    """

    def __init__(
        self,
        sources: tuple[Any, Any],
        rig: StereoRig,
        sinks: Sequence[Any] = (),
        *,
        recorder: Callable[[], Any] | None = None,
        folder: str | os.PathLike[str] | None = None,
        session: str = "session",
        setup: PitchSetup | None = None,
        options: CaptureOptions | None = None,
        on_frame: Callable[[CapturedFrame, FrameDetections], Any] | None = None,
        on_pair: Callable[[FrameDetections, FrameDetections], Any] | None = None,
        on_pitch: Callable[[Any], Any] | None = None,
    ) -> None:
        if len(sources) != len(SIDES):
            raise InputError(f"sources: expected (left, right), got {len(sources)} of them")
        self.sources: dict[str, FrameSource] = {
            side: open_source(what, side=side) for side, what in zip(SIDES, sources, strict=True)
        }
        self.rig, self.session = rig, session
        self.folder = None if folder is None else Path(folder)
        self.options = CaptureOptions() if options is None else options
        require_options(self.options, CaptureOptions)
        self.counts = CaptureCounts()
        self.setup = setup_of(setup, self.sources["left"].fps)
        self._detectors = detectors(self.setup)
        self.assembler = WindowAssembler(
            rig, self.setup,
            hold=lambda f: self._ring.hold(f.handle),
            release=lambda f: self._ring.release(f.handle),
        )  # fmt: skip
        self._sinks = list(sinks)
        self._recorder = recorder
        self._hooks = {"on_frame": on_frame, "on_pair": on_pair, "on_pitch": on_pitch}
        self._problems: dict[str, str] = {}
        self._pitch_ids: list[str] = []
        self._unwritten: list[str] = []
        self._report: HostReport | None = None
        self._intakes: dict[str, Intake] = {}
        self._journal: TelemetryJournal | None = None
        self._plans: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __enter__(self) -> CaptureHost:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(RecordingStatus.TRUNCATED if kind is not None else None)

    def start(self) -> None:
        """Open the cameras and begin.

        Raises
        ------
        SourceError
            If a camera cannot be opened or gives no frame.
        InputError
            If a camera's pictures are not as large as the rig's.
        StoreError
            If the folder cannot be written to, or another process records into it.
        """
        if self._intakes:
            raise InputError("start: expected a host that has not been started")
        with ExitStack() as undo:
            self._prepare(undo)
            undo.pop_all()
        self._outlets = Outlets(
            self._sinks, self._hooks, self._ring, self.options, self._problem,
            {side: source.camera_id for side, source in self.sources.items()}, self._tell,
        )  # fmt: skip
        self._loop = StereoLoop(
            self.rig, self._ring, self._intakes, self._detectors, self.assembler, self.counts,
            tell=self._tell, on_seen=self._outlets.show,
            on_plan=lambda plan, status: self._plans.put((plan, status)), problem=self._problem,
        )  # fmt: skip
        self._fitter = threading.Thread(target=self._fit_plans, name="fit", daemon=True)
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(_SWITCH_S, self._switch_s))
        threads = [*self._loop.threads, self._fitter]
        for thread in threads + [intake.thread for intake in self._intakes.values()]:
            thread.start()

    def _prepare(self, undo: ExitStack) -> None:
        """Make everything that can fail; `undo` takes it back."""
        for source in self.sources.values():
            undo.callback(source.close)
        first = self._first_frames()
        if self._recorder is not None:
            recorder = RecorderProcess(self._recorder)
            undo.callback(recorder.end)
            self._sinks.append(recorder)
            self.folder = recorder.folder if self.folder is None else self.folder
        self._ring = self._make_ring(first)
        undo.callback(self._ring.close)
        if self._recorder is not None:
            if self._ring.path is None:
                raise StoreError("recorder: no room for frames, in shared memory or in the folder")
            ids = {side: source.camera_id for side, source in self.sources.items()}
            recorder.attach(self._ring.path, ids)
        if self.folder is not None:
            flush_s = self.options.flush_ms * 1e-3
            self._journal = TelemetryJournal(self.folder, self._head(), flush_s)
        common = {
            side: int(camera_of(self.rig, side).common_time_ns(frame.t_ns))
            for side, frame in first.items()
        }
        later = {side: t - min(common.values()) for side, t in common.items()}
        begin_ns = time.monotonic_ns()
        self._intakes = {
            side: Intake(
                side, source, first[side], self._ring, self.options, self._camera,
                begin_ns=begin_ns + (later[side] if later[side] < _LONGEST_APART_NS else 0),
            )
            for side, source in self.sources.items()
        }  # fmt: skip

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until both cameras have ended; return whether they have."""
        for intake in self._intakes.values():
            intake.thread.join(timeout_s)
        return not any(intake.thread.is_alive() for intake in self._intakes.values())

    def stop(self, status: RecordingStatus | None = None) -> HostReport:
        """End, write what is to be written, and report.

        Parameters
        ----------
        status : RecordingStatus, optional
            How the session is said to have ended. Default: COMPLETE. A pitch that is going on is
            TRUNCATED unless the cameras had ended by themselves.
        """
        if self._report is not None:
            return self._report
        if not self._intakes:
            raise InputError("stop: expected a host that has been started")
        ended = all(i.state is CameraState.ENDED for i in self._intakes.values())
        self._loop.ending = RecordingStatus.COMPLETE if ended else RecordingStatus.TRUNCATED
        for intake in self._intakes.values():
            intake.stop()
        for intake in self._intakes.values():
            intake.thread.join()
        for thread in self._loop.threads:
            thread.join()
        self._plans.put(None)
        self._fitter.join()
        final = RecordingStatus.COMPLETE if status is None else status
        self._outlets.end(final, self._loop.lost)
        sys.setswitchinterval(self._switch_s)
        for source in self.sources.values():
            source.close()
        keep = bool(self._unwritten)
        if self._journal is not None:
            self._journal.end(final.value, keep=keep)
        self._report = HostReport(
            status=final, final=self.status(), lost=list(self._loop.lost),
            outages=[o for intake in self._intakes.values() for o in intake.outages],
            recoverable=keep and self._journal is not None,
        )  # fmt: skip
        self._ring.close(keep=self._report.recoverable)
        return self._report

    def status(self) -> HostStatus:
        """Return how it is going; cheap."""
        running = bool(self._intakes)
        nothing = Times().percentiles_ms()
        problems = [f"{where}: {words}" for where, words in sorted(self._problems.items())]
        if self._journal is not None and self._journal.problem is not None:
            problems.append(f"telemetry: {self._journal.problem}")
        callbacks = [intake.callback.percentiles_ms() for intake in self._intakes.values()]
        return HostStatus(
            cameras={
                side: self._intakes[side].state if running else CameraState.WAITING
                for side in SIDES
            },
            phase=self.assembler.tracker.phase, counts=self.counts,
            pitch_ids=tuple(self._pitch_ids), unwritten=tuple(self._unwritten),
            ring_slots=self._ring.slots if running else 0,
            ring_free=self._ring.free if running else 0,
            crash_safe=running and self._journal is not None and self._ring.crash_safe,
            shed=self._outlets.shed if running else 0,
            hooks_skipped=self._outlets.skipped if running else 0,
            callback_ms={k: max((c[k] for c in callbacks), default=v) for k, v in nothing.items()},
            latency_ms=self._loop.latency.percentiles_ms() if running else nothing,
            problems=tuple(problems),
        )  # fmt: skip

    def latest(self, side: str) -> tuple[CapturedFrame, FrameDetections] | None:
        """Return a copy of the last frame of a camera and what was found in it: for live views."""
        return self._outlets.latest(side) if self._intakes else None

    def _first_frames(self) -> dict[str, SourceFrame]:
        def first(source: FrameSource) -> SourceFrame | None:
            source.open()
            return source.read()

        with ThreadPoolExecutor(len(SIDES)) as pool:
            frames = dict(zip(SIDES, pool.map(first, self.sources.values()), strict=True))
        for side, frame in frames.items():
            if frame is None:
                raise SourceError(f"{side}: the source has no frames")
            check_size(self.rig, side, frame.image)
        return {side: frame for side, frame in frames.items() if frame is not None}

    def _make_ring(self, first: dict[str, SourceFrame]) -> SlotRing:
        slot_bytes = max(frame.image.nbytes for frame in first.values())
        size = self.options.ring_mb * _MB
        if size == 0:
            roll_s = self.setup.recording.pre_roll_ms + self.setup.recording.post_roll_ms
            seconds = roll_s * 1e-3 + self.options.ring_pitch_s
            rates = [source.fps or _UNKNOWN_FPS for source in self.sources.values()]
            size = min(seconds * sum(rates) * slot_bytes, _MOST_RING)
        slots = max(int(size // slot_bytes), _FEWEST_SLOTS)
        safe = self.folder is not None and self.options.crash_safe
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        return SlotRing(slots, slot_bytes, self.folder if safe else None)

    def _head(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "rig": rig_to_dict(self.rig),
            "setup": self.setup.to_dict(),
            "camera_ids": {side: source.camera_id for side, source in self.sources.items()},
            "ring": None if self._ring.path is None else str(self._ring.path.resolve()),
        }

    def _tell(self, *row: Any) -> None:
        if self._journal is not None:
            self._journal.add(*row)

    def _problem(self, where: str, words: str | None) -> None:
        """Note what goes wrong at a place, or that it no longer does."""
        if words is None:
            self._problems.pop(where, None)
        else:
            self._problems[where] = words

    def _camera(self, side: str, state: CameraState, words: str) -> None:
        self._problem(f"camera {side}", words or None)
        self._tell("camera", side, state.value, words)

    def _fit_plans(self) -> None:
        first_in_line(FOLLOW)
        while (item := self._plans.get()) is not None:
            plan, status = item
            with naming(self._problem, "fit"):
                self._hand_over(plan, status)

    def _hand_over(self, plan: WindowPlan, status: RecordingStatus) -> None:
        frames = {
            side: RingFrames(self._ring, self.sources[side].camera_id, plan.seen[side])
            for side in SIDES
        }
        flight = fitted(self.rig, plan.pitch, self.setup)
        window = window_of(plan, self.session, frames, flight, status)
        self.counts.pitches += 1
        self._pitch_ids.append(window.pitch_id)
        self._tell("pitch", window.pitch_id, plan.pitch.start_ns, plan.pitch.end_ns)

        def had(held: HeldWindow) -> None:
            if held.written:
                self._tell("written", window.pitch_id)
            else:
                self._unwritten.append(window.pitch_id)
            for side in SIDES:
                frames[side].close()
            for seen in plan.frames:
                self._ring.release(seen.handle)

        self._outlets.hand_over(window, had)
