"""`SmartTracker`: probe, settings, track, adapt, heal, filter, solve, judge, retry, record."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import CancelledError
from trackcore.frames import Clip, load_mask, open_clip
from trackcore.options import SolveOptions, require_options
from trackcore.pipeline import judging, own
from trackcore.pipeline.attempt import GOOD, Attempt, PipelineResult
from trackcore.pipeline.checkpoint import Checkpoint, run_key
from trackcore.pipeline.events import Stage, Step, Stopwatch
from trackcore.pipeline.options import SmartTrackerOptions
from trackcore.pipeline.plan import Plan
from trackcore.pipeline.recording import Recording
from trackcore.pipeline.retry import next_plan, redetecting
from trackcore.pipeline.tracking import TrackingPass
from trackcore.pipeline.watch import Adaptation, Watcher
from trackcore.pixels import FrameMeter, MotionProbe, PixelFeatures, motion_probe
from trackcore.settings_policy import ClipFacts, ColdStart, SettingsPolicy
from trackcore.solver import CameraPrior, Solve, solve
from trackcore.stats import ShotType
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.session.store import SessionStore

Cancel = Callable[[], bool]
Source = str | PathLike[str] | NDArray[Any] | Sequence[NDArray[Any]] | Clip
Steps = Generator[Step, None, PipelineResult]
_SAMPLE_EVERY = 10  # frames, as documented


class SmartTracker:
    """Tracks a clip and solves its camera, with settings that it finds and corrects itself.

    Parameters
    ----------
    options : SmartTrackerOptions, optional
    camera_prior : CameraPrior, optional
        What is known of the camera.
    shot_type : ShotType, optional
        What kind of shot it is, if the user says so.
    solve_options : SolveOptions, optional
        How the camera is solved; the seed is that of `options`, which may also ask for a tripod.
    protected : Tracks, optional
        The user's own tracks of the clip: added to those of every attempt, after them, and never
        filtered out, healed, held out or taken for outliers.
    policy : SettingsPolicy, optional
        Where settings come from; `ColdStart` unless given.
    solver : callable, optional
        In place of `trackcore.solve`, with the same arguments.
    mask : path or (h, w) array, optional
        Where tracks may start: white, or non-zero.
    session : bool
        Whether sessions are recorded: one for each attempt, linked.
    store : SessionStore or path, optional
        Where; the data directory unless given.
    checkpoint : path, optional
        A folder of its own for this run, from which a killed or cancelled run is taken up: run
        the same clip with the same options and the same folder. It is emptied when a run is done.

    Examples
    --------
    >>> from trackcore import SmartTracker, SmartTrackerOptions, synth
    >>> scene = synth.ParallaxScene(size=(320, 180), n_frames=12)
    >>> found = SmartTracker(SmartTrackerOptions(max_retries=0), session=False).run(
    ...     list(scene.frames())
    ... )
    >>> found.solve.grade in "ABCDF"
    True
    """

    def __init__(
        self,
        options: SmartTrackerOptions | None = None,
        *,
        camera_prior: CameraPrior | None = None,
        shot_type: ShotType | None = None,
        solve_options: SolveOptions | None = None,
        protected: Tracks | None = None,
        policy: SettingsPolicy | None = None,
        solver: Callable[..., Solve] | None = None,
        mask: str | PathLike[str] | NDArray[Any] | None = None,
        session: bool = True,
        store: SessionStore | str | PathLike[str] | None = None,
        checkpoint: str | PathLike[str] | None = None,
    ) -> None:
        self.options = SmartTrackerOptions() if options is None else options
        require_options(self.options, SmartTrackerOptions)
        self.camera_prior, self.shot_type = camera_prior or CameraPrior(), shot_type
        self.solve_options = SolveOptions() if solve_options is None else solve_options
        require_options(self.solve_options, SolveOptions)
        self.protected = protected
        self.policy: SettingsPolicy = ColdStart() if policy is None else policy
        self.solver = solve if solver is None else solver
        self.mask, self.session, self.store = mask, session, store
        self.checkpoint = None if checkpoint is None else Path(checkpoint)

    def run(
        self,
        clip: Source,
        *,
        progress: Callable[[Step], object] | None = None,
        cancel: Cancel | None = None,
    ) -> PipelineResult:
        """Run to the end.

        Parameters
        ----------
        clip : path, array, sequence of arrays or Clip
            What `open_clip` takes or returned.
        progress : callable, optional
            Called with every `Step`.
        cancel : callable, optional
            Asked before every frame and every stage, and between the steps of a solve; True ends
            the run: what was done is in the result, and on the disk where there is a checkpoint.

        Returns
        -------
        PipelineResult

        Raises
        ------
        InputError
            If an argument does not fit; `SourceError`, which is one, if the clip cannot be read.
        """
        steps = self.steps(clip, cancel=cancel)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                result: PipelineResult = end.value
                return result
            if progress is not None:
                progress(step)

    def steps(self, clip: Source, *, cancel: Cancel | None = None) -> Steps:
        """Run step by step: a generator whose return value is the `PipelineResult`.

        Not asking for the next step is a pause. Closing the generator ends the run at once: its
        session is marked as interrupted, and a checkpoint keeps what was tracked.
        """
        opened = clip if isinstance(clip, Clip) else open_clip(clip)
        return _Run(self, opened, cancel).steps()


@dataclass(frozen=True, slots=True, eq=False)
class _Tracked:
    """What a pass over the clip left behind."""

    tracks: Tracks
    settings: dict[str, int | float | str]
    history: tuple[Adaptation, ...]
    quality: NDArray[np.float64]


class _Run:
    """One run over one clip."""

    def __init__(self, tracker: SmartTracker, clip: Clip, cancel: Cancel | None) -> None:
        self._it, self._clip, self._cancel = tracker, clip, cancel
        self._options = tracker.options
        self._clock = Stopwatch()
        self._recording = Recording(tracker.store, on=tracker.session)
        self._attempts: list[Attempt] = []
        self._notes: list[str] = []
        self._pixels: PixelFeatures | None = None
        self._probe: MotionProbe | None = None
        mask = tracker.mask
        self._mask = None if mask is None else load_mask(mask, clip.size).astype(np.uint8)
        self._own = own.checked(tracker.protected, clip)
        kept = tracker.checkpoint
        key = {} if kept is None else run_key(tracker, clip, self._mask)
        self._checkpoint = Checkpoint(kept, key)
        self._stopped = False

    def steps(self) -> Steps:
        """Yield every step; return the result."""
        try:
            plan: Plan | None = yield from self._begin()
            while plan is not None and not self._stopped:
                plan = yield from self._attempt(plan)
        finally:
            self._recording.interrupt()
        if not self._stopped:
            self._checkpoint.clear()
        if self._recording.problem is not None:
            self._notes.append(self._recording.problem)
        return PipelineResult(
            attempts=tuple(self._attempts), stage_seconds=self._clock.seconds,
            notes=tuple(self._notes), cancelled=self._stopped,
        )  # fmt: skip

    def _begin(self) -> Generator[Step, None, Plan]:
        """Look at the clip and choose settings."""
        with self._clock.on(Stage.PROBE):
            self._probe = motion_probe(
                self._clip, seed=self._options.seed, threads=self._options.threads
            )
        seen = self._probe.motion_class
        yield Step(
            Stage.PROBE, 1, 1, 1,
            f"probe: {seen.value} motion" if seen else f"probe: {self._probe.status.value}",
        )  # fmt: skip
        with self._clock.on(Stage.SETTINGS):
            facts = ClipFacts(
                frame_size=self._clip.size, fps=self._clip.fps,
                n_frames=self._clip.expected_length, probe=self._probe,
                fingerprint=self._recording.fingerprint(self._clip),
            )  # fmt: skip
            self._fingerprint = facts.fingerprint
            choice = self._it.policy.choose(facts, self._options.wishes)
            plan = Plan.of(choice, self._clip.size, self._options.target_count)
        yield Step(Stage.SETTINGS, 1, 1, 1, "settings: " + "; ".join(plan.why))
        return plan

    def _attempt(self, plan: Plan) -> Generator[Step, None, Plan | None]:
        """Make one attempt; return the plan of the next one, if there is to be one."""
        number = len(self._attempts) + 1
        self._recording.start(
            self._clip, number, plan, self._probe, self._fingerprint, self._options.footage_type
        )
        tracked = yield from self._track(number, plan)
        raw, mine = own.joined(tracked.tracks, self._own)
        attempt = Attempt(
            number=number, plan=plan, settings=tracked.settings,
            adaptation_history=tracked.history, raw_tracks=raw, tracks=raw, protected_ids=mine,
        )  # fmt: skip
        following: Plan | None = None
        if raw.n_frames and not self._stop():
            attempt, following = yield from self._judged(attempt, tracked)
        with self._clock.on(Stage.RECORD):
            session = self._recording.end(attempt, cancelled=self._stopped)
        self._attempts.append(replace(attempt, session_id=session))
        yield Step(Stage.RECORD, number, 1, 1, f"session {session}" if session else "")
        if self._stopped:
            return None
        return following or (yield from self._next())

    def _track(self, number: int, plan: Plan) -> Generator[Step, None, _Tracked]:
        options = self._options
        watcher = Watcher(
            plan.settings, plan.tracker, self._clip.size, robust=options.robust, on=options.adapt
        )
        meter = (
            None if self._pixels is not None else FrameMeter(self._clip, threads=options.threads)
        )
        before = self._checkpoint.finished(number)
        if before is not None:
            tracks, notes = before
            yield Step(Stage.TRACK, number, tracks.n_frames, tracks.n_frames, "tracked before")
            if meter is not None:
                yield from self._measure_again(number, meter)
            self._see_pixels(meter, tracks)
            return _Tracked(
                tracks, notes["settings"], judging.adaptations(notes["history"]),
                np.array(notes["quality"], np.float64),
            )  # fmt: skip
        run = TrackingPass(
            self._clip, plan, watcher, self._clock, self._checkpoint, attempt=number, meter=meter,
            mask=self._mask, threads=options.threads,
        )  # fmt: skip
        told = 0
        for step in run.steps(self._cancel):
            for adaptation in watcher.history[told:]:
                self._recording.adapted(adaptation)
            told = len(watcher.history)
            if step.done % _SAMPLE_EVERY == 1:
                self._recording.sample(run.last_frame, step.live)
            yield step
        tracks, quality = run.tracks(), run.quality_score(run.tracks())
        settings = judging.used(watcher)
        if run.cancelled:
            self._stopped = True
            run.keep()
        elif tracks.n_frames:
            self._checkpoint.finish(number, tracks, {
                "settings": settings, "history": [a.to_dict() for a in watcher.history],
                "quality": quality.tolist(),
            })  # fmt: skip
            self._see_pixels(meter, tracks)
        return _Tracked(tracks, settings, tuple(watcher.history), quality)

    def _measure_again(self, number: int, meter: FrameMeter) -> Generator[Step, None, None]:
        """Feed the meter with a clip that was tracked in another process."""
        total = self._clip.expected_length
        for done, frame in enumerate(self._clip, 1):
            with self._clock.on(Stage.MEASURE):
                meter.push(frame)
            yield Step(Stage.MEASURE, number, done, total)

    def _see_pixels(self, meter: FrameMeter | None, tracks: Tracks) -> None:
        if meter is not None:
            with self._clock.on(Stage.MEASURE):
                self._pixels = judging.pixels(self._clip, meter, tracks, self._options.threads)

    def _judged(
        self, attempt: Attempt, tracked: _Tracked
    ) -> Generator[Step, None, tuple[Attempt, Plan | None]]:
        """Measure, heal, filter, solve and diagnose; a plan only where a cut calls for one."""
        number, options, pixels = attempt.number, self._options, self._pixels
        with self._clock.on(Stage.MEASURE):
            attempt = judging.measured(attempt, self._probe, pixels, tracked.quality, options)
        cuts = judging.untreated_cuts(attempt)
        if cuts and number <= options.max_retries:
            plan = redetecting(attempt.plan, cuts)
            yield Step(Stage.RETRY, number, 1, 1, plan.why[0])
            return attempt, plan
        if attempt.shot_frames is not None:
            note = judging.cut_words(attempt)
            self._notes += [] if note in self._notes else [note]
        yield Step(Stage.MEASURE, number, 1, 1, judging.shot_words(attempt))
        for stage, work in (
            (Stage.HEAL, lambda a: judging.healed(a, self._clip, options, self._cancel)),
            (Stage.FILTER, lambda a: judging.filtered(a, options, self._it.shot_type)),
            (Stage.SOLVE, self._solved),
            (Stage.JUDGE, lambda a: judging.diagnosed(a, pixels)),
        ):
            if self._stop():
                return attempt, None
            with self._clock.on(stage):
                attempt = work(attempt)
            if self._stopped:
                return attempt, None
            yield Step(stage, number, 1, 1, judging.words(stage, attempt))
        return attempt, None

    def _solved(self, attempt: Attempt) -> Attempt:
        shot = self._it.shot_type
        if shot is None and attempt.analysis is not None:
            shot = attempt.analysis.shot
        try:
            found = self._it.solver(
                attempt.tracks, self._it.camera_prior, shot,
                options=judging.solve_options(self._options, self._it.solve_options),
                protected=attempt.protected, cancel=self._cancel, threads=self._options.threads,
            )  # fmt: skip
        except CancelledError:
            self._stopped = True
            return attempt
        return replace(attempt, solve=found)

    def _next(self) -> Generator[Step, None, Plan | None]:
        last = self._attempts[-1]
        if len(self._attempts) > self._options.max_retries or not last.raw_tracks:
            return None
        if last.solve is not None and last.solve.grade in GOOD:
            return None  # nothing to explain
        with self._clock.on(Stage.RETRY):
            plan, why = next_plan(self._attempts)
        number = len(self._attempts)
        yield Step(Stage.RETRY, number, 1, 1, f"retry: {why}" if plan else f"no retry: {why}")
        if plan is None:
            self._notes.append(f"no retry after attempt {number}: {why}")
        return plan

    def _stop(self) -> bool:
        if self._cancel is not None and self._cancel():
            self._stopped = True
        return self._stopped
