"""Recorded footage through the engine: the same pitches every time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import ArrayLike

from trackcore.cameras import StereoRig
from trackcore.capture.engine import EngineStep, PitchEngine, setup_of
from trackcore.capture.faults import CaptureCounts
from trackcore.capture.sources import FrameSource, SourceFrame, open_source
from trackcore.errors import InputError
from trackcore.recording import (
    SIDES,
    CapturedFrame,
    LostFrame,
    PitchSetup,
    PitchWindow,
    RecordingStatus,
)

Stamps = str | os.PathLike[str] | ArrayLike | None


class PitchSink(Protocol):
    """What takes pitches: a `SessionWriter`, or anything like it.

    It may have more: `write_frame(frame)` takes every frame, `shed(lost)` is told of those that it
    is not given because writing fell behind, and `close(status=, lost=)` ends. Everything is called
    from one thread.
    """

    def write_pitch(self, window: PitchWindow) -> Any:
        """Take a pitch; its frames can be read until this returns.

        If the result has `problems`, the pitch was not written whole.
        """


@dataclass(slots=True)
class ReplayResult:
    """What footage gave.

    Attributes
    ----------
    windows : list of PitchWindow
        The pitches; empty if they went to sinks.
    pitch_ids : list of str
    counts : CaptureCounts
    lost : list of LostFrame
        All that are not there, of both cameras.
    unread : mapping of str to int
        Frames that the footage or its table says there are, and that could not be read, by side.
    cancelled : bool
        Whether it was stopped in the middle: a pitch that was going on is then TRUNCATED.
    """

    windows: list[PitchWindow] = field(default_factory=list)
    pitch_ids: list[str] = field(default_factory=list)
    counts: CaptureCounts = field(default_factory=CaptureCounts)
    lost: list[LostFrame] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    cancelled: bool = False

    @property
    def frames(self) -> dict[str, int]:
        """Frames used, by side."""
        return self.counts.frames


def replay_pitches(
    left: Any,
    right: Any,
    rig: StereoRig,
    setup: PitchSetup | None = None,
    *,
    fps: float | None = None,
    timestamps: tuple[Stamps, Stamps] = (None, None),
    session: str = "replay",
    color: bool = False,
    sinks: Sequence[PitchSink] = (),
    on_step: Callable[[CapturedFrame, EngineStep], None] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> ReplayResult:
    """Find the pitches in footage of two cameras.

    Parameters
    ----------
    left, right
        As of `open_source`: videos, image folders, arrays.
    rig : StereoRig
    setup : PitchSetup, optional
        The ball and the zone, and how pitches are found and fitted.
    fps, timestamps, color
        As of `open_source`; a table of stamps for each side.
    session : str
        Name that begins the pitches' ids.
    sinks : sequence of PitchSink
        Take each pitch as it is complete, and each frame if they have `write_frame`. They are not
        closed.
    on_step : callable, optional
        Called with each frame and what it brought.
    progress : callable, optional
        Called with the frames done and their number, if that is known.
    cancel : callable, optional
        Return True to stop; what was found is kept.

    Returns
    -------
    ReplayResult

    Raises
    ------
    InputError, SourceError
        As of `open_source`.
    """
    sources = [
        open_source(what, side=side, fps=fps, timestamps=table, color=color)
        for what, side, table in zip((left, right), SIDES, timestamps, strict=True)
    ]
    if any(source.live for source in sources):
        raise InputError("left, right: expected footage, got a camera: CaptureHost is for those")
    engine = PitchEngine(rig, setup_of(setup, sources[0].fps), session=session)
    lengths = [getattr(source, "expected_length", None) for source in sources]
    total = None if None in lengths else sum(n for n in lengths if n is not None)
    result = ReplayResult(counts=engine.counts)
    videos = [sink.write_frame for sink in sinks if hasattr(sink, "write_frame")]
    try:
        for done, frame in enumerate(merged(sources, rig), start=1):
            if cancel is not None and cancel():
                result.cancelled = True
                break
            step = engine.push(frame)
            result.lost += step.lost
            if step.found is not None:
                for write_frame in videos:
                    write_frame(frame)
            _hand_over(result, sinks, step.windows)
            if on_step is not None:
                on_step(frame, step)
            if progress is not None:
                progress(done, total)
        if not result.cancelled:
            result.unread = {
                s: getattr(source, "unread", 0) for s, source in zip(SIDES, sources, strict=True)
            }
        ended = RecordingStatus.TRUNCATED if result.cancelled else RecordingStatus.COMPLETE
        _hand_over(result, sinks, engine.finish(ended))
    finally:
        for source in sources:
            source.close()
    return result


def _hand_over(
    result: ReplayResult, sinks: Sequence[PitchSink], windows: Sequence[PitchWindow]
) -> None:
    for window in windows:
        result.pitch_ids.append(window.pitch_id)
        for sink in sinks:
            sink.write_pitch(window)
        if not sinks:
            result.windows.append(window)


def merged(sources: Sequence[FrameSource], rig: StereoRig) -> Iterator[CapturedFrame]:
    """Yield the frames of both sources by their stamps, left first where they are equal.

    Within a source the order stays as it is. Stamps are compared on the rig's common clock.
    """
    waiting: list[SourceFrame | None] = []
    for source in sources:
        source.open()
        waiting.append(source.read())
    while any(frame is not None for frame in waiting):
        side = min(
            (i for i, frame in enumerate(waiting) if frame is not None),
            key=lambda i: (int(rig.cameras[i].common_time_ns(waiting[i].t_ns)), i),  # type: ignore
        )
        frame, waiting[side] = waiting[side], sources[side].read()
        assert frame is not None
        yield captured(SIDES[side], sources[side].camera_id, frame)


def captured(side: str, camera_id: str, frame: SourceFrame) -> CapturedFrame:
    """Return a frame with the names of its camera."""
    return CapturedFrame(
        side=side, camera_id=camera_id, frame_index=frame.frame_index,
        t_capture_monotonic_ns=frame.t_ns, image=frame.image,
    )  # fmt: skip
