"""One pass over the clip: tracking, watching and measuring pixels, each frame decoded once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from trackcore.frames import Clip, Frame, prefetch
from trackcore.pipeline.checkpoint import Checkpoint
from trackcore.pipeline.events import Stage, Step, Stopwatch
from trackcore.pipeline.plan import Plan
from trackcore.pipeline.watch import Watcher
from trackcore.pixels import FrameMeter, QualityMeter
from trackcore.pyramid import MOST_LEVELS, FramePyramid
from trackcore.tracker import Tracker
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

Cancel = Callable[[], bool]


class TrackingPass:
    """Tracks a clip once with one plan.

    Parameters
    ----------
    clip : Clip
    plan : Plan
    watcher : Watcher
    clock : Stopwatch
    checkpoint : Checkpoint
        Where it stands is kept there, and taken up from there.
    attempt : int
    meter : FrameMeter or None
        Fed with the frames; None where an earlier pass has measured them.
    mask : (h, w) uint8, optional
        Where tracks may start.
    threads : int
    """

    def __init__(
        self,
        clip: Clip,
        plan: Plan,
        watcher: Watcher,
        clock: Stopwatch,
        checkpoint: Checkpoint,
        *,
        attempt: int = 1,
        meter: FrameMeter | None = None,
        mask: NDArray[np.uint8] | None = None,
        threads: int = 0,
    ) -> None:
        self._clip, self._plan, self.watcher = clip, plan, watcher
        self._clock, self._checkpoint, self._attempt = clock, checkpoint, attempt
        self._meter, self._threads = meter, threads
        self._quality = QualityMeter(plan.tracker.window, threads=threads)
        self._tracker = Tracker(
            plan.tracker, fps=clip.fps, mask=mask, weights=plan.weights, threads=threads
        )
        self.cancelled = False

    def steps(self, cancel: Cancel | None) -> Generator[Step, None, None]:
        """Track; a step after each frame."""
        total, done = self._clip.expected_length, 0
        behind = self._checkpoint.tracked(self._attempt)
        with closing(prefetch(self._clip)) as frames:
            while True:
                with self._clock.on(Stage.TRACK):
                    frame = next(frames, None)
                if frame is None:
                    break
                if cancel is not None and cancel():
                    self.cancelled = True
                    break
                done += 1
                if behind is not None and frame.number <= behind.frame:
                    self._catch_up(frame, behind.frame)
                    message = "tracked before" if frame.number == behind.frame else ""
                else:
                    message = self._push(frame)
                yield Step(
                    Stage.TRACK, self._attempt, done, total, message, dict(self.watcher.live)
                )

    @property
    def last_frame(self) -> int:
        """Clip frame number of the last frame tracked into."""
        return self._tracker.last_number or 0

    def keep(self) -> None:
        """Keep where the tracker stands, now."""
        if self._tracker.n_frames:
            self._checkpoint.track(
                self._attempt, self._tracker, self.watcher, self._quality, now=True
            )

    def tracks(self) -> Tracks:
        """Return what was tracked so far."""
        return self._tracker.tracks()

    def quality_score(self, tracks: Tracks) -> NDArray[np.float64]:
        """(n_tracks,) how well its first frame fixes each track, 0 .. 1; NaN where not seen."""
        return self._quality.result(tracks.ids).feature_quality_score

    def _push(self, frame: Frame) -> str:
        """Track into a frame; return what there is to say."""
        with self._clock.on(Stage.TRACK):
            pyramid = FramePyramid(frame.image, MOST_LEVELS, threads=self._threads)
            if frame.number in self._plan.redetect_frames:
                self._tracker.new_shot()
            n_before = self._tracker.n_tracks  # tracks are numbered as they are started
            state = self._tracker.push(pyramid, frame.t_ns, number=frame.number)
            if frame.number in self._plan.redetect_frames:
                self.watcher.restart(state)
            adapted = self.watcher.see(frame.number, state)
            if adapted is not None:
                self._tracker.configure(self.watcher.options)
        with self._clock.on(Stage.MEASURE):
            if self._meter is not None:
                self._meter.push(pyramid, number=frame.number)
            born = (state.ids >= n_before) & (state.status == PointStatus.TRACKED)
            self._quality.push(frame.image, state.ids[born], state.xy_px[born], pyramid=pyramid)
        with self._clock.on(Stage.TRACK):
            self._checkpoint.track(self._attempt, self._tracker, self.watcher, self._quality)
        return "" if adapted is None else "adapted: " + ", ".join(adapted.changes)

    def _catch_up(self, frame: Frame, until: int) -> None:
        """Look at a frame that was tracked in another process."""
        with self._clock.on(Stage.MEASURE):
            pyramid = FramePyramid(frame.image, MOST_LEVELS, threads=self._threads)
            if self._meter is not None:
                self._meter.push(pyramid, number=frame.number)
        if frame.number == until:
            with self._clock.on(Stage.TRACK):
                self._checkpoint.resume(
                    self._attempt, self._tracker, self.watcher, self._quality, frame.image
                )
