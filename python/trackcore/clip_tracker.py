"""Tracking a whole clip: decoding on its own thread, forwards, and backwards from a keyframe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.frames import Clip, Frame, load_mask, open_clip, prefetch
from trackcore.options import TrackerOptions, TrackOptions
from trackcore.tracker import Tracker, as_tracker_options
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

Progress = Callable[[int, "int | None"], object]
Cancel = Callable[[], bool]
OnFrame = Callable[[Frame], object]


def track_clip(
    source: str | PathLike[str] | NDArray[Any] | Sequence[NDArray[Any]] | Clip,
    options: TrackOptions | None = None,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    on_frame: OnFrame | None = None,
    mask: str | PathLike[str] | NDArray[Any] | None = None,
    frames: tuple[int | None, int | None] | str | None = None,
    step: int = 1,
    backwards_from: int | None = None,
    xy_px: ArrayLike | None = None,
    threads: int = 0,
) -> Tracks:
    """Track a clip from its first frame to its last.

    Parameters
    ----------
    source : path, array, sequence of arrays or Clip
        Video file, image folder or pattern, frames in memory, or what `open_clip` returned.
    options : TrackerOptions, optional
        Patch, motion model, anchor and how many tracks to keep.
    progress : callable, optional
        Called as `progress(frames_done, frames_total)` after every frame; the total is None while
        it is not known.
    cancel : callable, optional
        Asked before every frame; True stops, and what was tracked so far is returned.
    on_frame : callable, optional
        Called as `on_frame(frame)` with every `Frame` once it is tracked, so that what else looks
        at the pixels need not decode them again (`FrameMeter.push`). With `backwards_from` each
        frame comes once: the keyframe and what follows, then what precedes it, backwards.
    mask : path or (h, w) array, optional
        Where tracks may start: white, or non-zero.
    frames : (first, last) or "A:B", optional
        Clip frame numbers, both included; an open end is None or left out.
    step : int
        Take every step-th frame.
    backwards_from : int, optional
        Clip frame number of a keyframe: tracks start there and run to both ends of the clip.
    xy_px : (n, 2) float, optional
        Start exactly these points, in the first frame or the keyframe [px], instead of detecting
        corners; lost ones are then not replaced. Ids are 0 .. n - 1.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    Tracks
        Ids are stable: a track that was lost never returns under its name.

    Raises
    ------
    InputError
        If an argument does not fit; `SourceError`, which is one, if the clip cannot be read.
    """
    settings = as_tracker_options(options)
    if not isinstance(source, Clip):
        clip = open_clip(source, frames=frames, step=step)
    elif frames is None and step == 1:
        clip = source
    else:
        raise InputError("frames, step: expected neither beside a Clip (give them to open_clip)")
    area = None if mask is None else load_mask(mask, clip.size).astype(np.uint8)
    job = _Job(clip, settings, area, xy_px, threads, _Callbacks(progress, cancel, on_frame))
    if backwards_from is None:
        return job.run(clip, job.new_tracker())
    return job.run_both_ways(backwards_from)


@dataclass(frozen=True, slots=True)
class _Callbacks:
    """What the caller wants to be told or asked."""

    progress: Progress | None
    cancel: Cancel | None
    on_frame: OnFrame | None


class _Job:
    """One call of `track_clip`: its settings and how far it has come."""

    def __init__(
        self,
        clip: Clip,
        options: TrackerOptions,
        mask: NDArray[np.uint8] | None,
        xy_px: ArrayLike | None,
        threads: int,
        callbacks: _Callbacks,
    ) -> None:
        self._clip = clip
        self._options = options if xy_px is None else replace(options, target_count=0)
        self._mask = mask
        self._xy_px = xy_px
        self._threads = threads
        self._call = callbacks
        self._done = 0
        self._total = clip.expected_length

    def new_tracker(self) -> Tracker:
        return Tracker(self._options, fps=self._clip.fps, mask=self._mask, threads=self._threads)

    def push(self, tracker: Tracker, frame: Frame, *, timed: bool = True) -> bool:
        """Track into one frame; False when the user asked to stop before it."""
        if self._call.cancel is not None and self._call.cancel():
            return False
        if timed:
            tracker.push(frame.image, frame.t_ns, number=frame.number)
        else:
            tracker.push(frame.image)
        if tracker.n_frames == 1 and self._xy_px is not None:
            tracker.add_points(self._xy_px)
        self._done += 1
        if self._call.on_frame is not None and (timed or tracker.n_frames > 1):
            self._call.on_frame(frame)  # the keyframe was there on the way forwards
        if self._call.progress is not None:
            self._call.progress(self._done, self._total)
        return True

    def run(self, clip: Clip, tracker: Tracker) -> Tracks:
        """Track `clip` forwards."""
        with closing(prefetch(clip)) as frames:
            for frame in frames:
                if not self.push(tracker, frame):
                    break
        return tracker.tracks()

    def run_both_ways(self, keyframe: int) -> Tracks:
        """Track from a keyframe to the end and to the start, as one set of tracks."""
        numbers = self._clip.numbers
        places = np.flatnonzero(numbers == keyframe)
        if len(places) != 1:
            raise InputError(
                f"backwards_from: expected a frame of the clip, {numbers[0]} .. {numbers[-1]},"
                f" got {keyframe!r}"
            )
        key = int(places[0])
        self._total = len(numbers) + 1  # the keyframe is tracked in both directions
        onwards = self.run(self._clip[key:], self.new_tracker())
        back = self.new_tracker()
        frames_back: list[Frame] = []
        with closing(prefetch(self._clip[key::-1])) as frames:
            for frame in frames:
                if not self.push(back, frame, timed=False):
                    break
                frames_back.append(replace(frame, image=frame.image[:0]))
        return _joined(onwards, back.tracks(), frames_back) if frames_back else onwards


def _joined(onwards: Tracks, back: Tracks, frames_back: list[Frame]) -> Tracks:
    """Join two runs that begin in the same frame with the same tracks, one of them backwards."""
    shared = int((onwards.first_index == 0).sum()) if len(onwards.ids) else 0
    n_new = len(back.ids) - shared  # started while going backwards
    n, before = len(onwards.ids) + n_new, len(frames_back) - 1

    def stacked(ahead: NDArray[Any], behind: NDArray[Any], unseen: Any) -> NDArray[Any]:
        reverse = behind[:, :0:-1]  # the keyframe itself is in both
        out = np.full((n, before + ahead.shape[1], *ahead.shape[2:]), unseen, ahead.dtype)
        out[: len(ahead), before:] = ahead
        out[:shared, :before] = reverse[:shared]
        out[len(ahead) :, :before] = reverse[shared:]
        return out

    earlier = frames_back[:0:-1]
    return Tracks(
        ids=np.arange(n, dtype=np.int64),
        xy_px=stacked(onwards.xy_px, back.xy_px, np.nan),
        status=stacked(onwards.status, back.status, PointStatus.UNSEEN),
        ncc=stacked(onwards.ncc, back.ncc, np.nan),
        t_ns=np.concatenate([np.array([f.t_ns for f in earlier], np.int64), onwards.t_ns]),
        frame_size=onwards.frame_size,
        fps=onwards.fps,
        first_frame=earlier[0].number if earlier else onwards.first_frame,
        frame_numbers=np.concatenate(
            [np.array([f.number for f in earlier], np.int64), onwards.frame_numbers]
        ),
    )
