"""Joining tracks that were lost behind something with those that were started after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import threads_count
from trackcore.errors import InputError
from trackcore.frames import Clip, open_clip, prefetch
from trackcore.healing._bridge import Bridge, build_bridge
from trackcore.healing._candidates import find_candidates
from trackcore.healing._evidence import Examiner, Verdict, one_to_one
from trackcore.healing._fill import Gap
from trackcore.healing._merge import merge
from trackcore.healing._motion import Neighbours
from trackcore.healing._patches import grey
from trackcore.healing.record import AnchorTrack, Healing, HealingAttempt, HealingStats
from trackcore.normalised import normalised
from trackcore.options import HealOptions, require_options
from trackcore.stats._records import number
from trackcore.tracks import Tracks

Progress = Callable[[int, "int | None"], object]
Cancel = Callable[[], bool]
_DIGITS = 6  # of a share of the frame


def heal(
    tracks: Tracks,
    clip: str | PathLike[str] | NDArray[Any] | Sequence[NDArray[Any]] | Clip,
    options: HealOptions = HealOptions(),
    *,
    protected: ArrayLike | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    threads: int = 0,
) -> Healing:
    """Join lost tracks with later ones that follow the same point of the scene.

    Parameters
    ----------
    tracks : Tracks
    clip : path, array, sequence of arrays or Clip
        What they were tracked in.
    options : HealOptions
        How long a gap, how alike the patches.
    protected : (n_tracks,) bool, optional
        The user's tracks: neither continued nor used up. They do tell the motion.
    progress : callable, optional
        Called as `progress(frames_done, frames_total)`.
    cancel : callable, optional
        Asked before every frame; True stops: gaps judged so far are healed, the others are not.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    Healing
        New tracks, and every attempt with its reason. A gap is healed only if the patch seen
        before it is found again after it, near where the neighbours' motion puts it, in several
        frames, forwards and backwards, and nowhere else as well. The joined positions are those
        of the lost point, where the later track followed one beside it.

    Raises
    ------
    InputError
        If an argument does not fit; `SourceError`, which is one, if the clip cannot be read.

    Notes
    -----
    The neighbours' motion is a local affine one, fitted by Tukey's biweight to tracks that moved
    as the lost one did before the gap, so that an occluder's own tracks do not count. Patches are
    aligned as in `track_regions`. The clip is read once, and, up to the last gap, a second time
    to look for the point inside the gaps; only small cut-outs are kept.
    """
    if not isinstance(tracks, Tracks):
        raise InputError(f"tracks: expected Tracks, got {type(tracks).__name__}")
    require_options(options, HealOptions)
    threads_count(threads)
    flags = _flags(protected, len(tracks.ids))
    source = clip if isinstance(clip, Clip) else open_clip(clip)
    if len(tracks.ids) and source.size != tracks.frame_size:
        raise InputError(f"clip: expected frames of {tracks.frame_size} px, got {source.size}")
    neighbours = Neighbours(tracks.xy_px, tracks.frame_numbers, options.min_anchors)
    candidates = find_candidates(tracks, neighbours, options, flags)
    examiner = Examiner(tracks, candidates, options)
    reading = _Reading(tracks, source, progress, cancel)
    for index, image in reading.frames(examiner.needs, examiner.last_index):
        examiner.see(index, image)
    verdicts = one_to_one(examiner.verdicts)
    gaps = [Gap.empty(v, build_bridge(tracks, neighbours, v)) for v in verdicts if not v.reason]
    _look_inside(gaps, reading, options)
    healed, hidden = merge(tracks, neighbours, gaps, options)
    return Healing(
        tracks=healed,
        interpolated_xy_px=hidden,
        anchor_tracks=_anchors(tracks, [gap.bridge for gap in gaps]),
        healing_attempts=_attempts(tracks, verdicts, gaps),
        healing_stats=_stats(tracks, len(candidates), verdicts),
    )


class _Reading:
    """Passes over the clip: only wanted frames, in order, until the caller stops."""

    def __init__(
        self, tracks: Tracks, clip: Clip, progress: Progress | None, cancel: Cancel | None
    ) -> None:
        self._clip = clip
        self._index_of = {int(n): i for i, n in enumerate(tracks.frame_numbers)}
        self._progress = progress
        self._cancel = cancel
        self._passes = 0
        self._total = 2 * tracks.n_frames

    def frames(
        self, wanted: Callable[[int], bool], last: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (array index, grey image) of the frames that are wanted, up to index `last`."""
        half = self._total // 2
        done = half * self._passes
        self._passes += 1
        with closing(prefetch(self._clip)) as frames:
            for frame in frames if last >= 0 else ():
                if self._cancel is not None and self._cancel():
                    return
                index = self._index_of.get(frame.number, -1)
                if index >= 0:
                    done += 1
                    if wanted(index):
                        yield index, grey(frame.image)
                    if self._progress is not None:
                        self._progress(done, self._total)
                if index >= last:
                    break
        if self._progress is not None and done < half * self._passes:
            self._progress(half * self._passes, self._total)


def _look_inside(gaps: list[Gap], reading: _Reading, options: HealOptions) -> None:
    """Look for each point in the frames of its gap."""
    at: dict[int, list[Gap]] = {}
    for gap in gaps:
        for index in gap.bridge.frames.tolist():
            at.setdefault(index, []).append(gap)
    for index, image in reading.frames(at.__contains__, max(at, default=-1)):
        for gap in at[index]:
            gap.see(index, image, options)


def _flags(protected: ArrayLike | None, n: int) -> NDArray[np.bool_]:
    if protected is None:
        return np.zeros(n, bool)
    flags = np.asarray(protected)
    if flags.dtype.kind != "b" or flags.shape != (n,):
        raise InputError(
            f"protected: expected ({n},) booleans, got {flags.dtype} of shape {flags.shape}"
        )
    return flags


def _anchors(tracks: Tracks, bridges: list[Bridge]) -> list[AnchorTrack]:
    total, count = np.zeros(len(tracks.ids)), np.zeros(len(tracks.ids))
    for bridge in bridges:
        total[bridge.rows] += bridge.weights
        count[bridge.rows] += 1
    names, frames = tracks.names, tracks.frame_numbers
    first, last = tracks.first_index, tracks.last_index
    return [
        AnchorTrack(
            names[row], int(frames[first[row]]), int(frames[last[row]]),
            float(f"{total[row] / count[row]:.6g}"),
        )
        for row in np.flatnonzero(count).tolist()
    ]  # fmt: skip


def _attempts(tracks: Tracks, verdicts: list[Verdict], gaps: list[Gap]) -> list[HealingAttempt]:
    by_pair = {(g.verdict.candidate.lost, g.verdict.candidate.born): g for g in gaps}
    names, frames = tracks.names, tracks.frame_numbers

    def point(xy: NDArray[np.float64]) -> tuple[float, float]:
        x, y = np.round(normalised(xy, tracks.frame_size), _DIGITS).tolist()
        return x, y

    out = []
    for v in verdicts:
        c = v.candidate
        gap = by_pair.get((c.lost, c.born))
        last, first = (c.last, c.first) if gap is None else (gap.bridge.last, gap.bridge.first)
        end = tracks.xy_px[c.born, first]
        inside = np.zeros((0, 2))
        if gap is not None:
            inside = np.where(np.isfinite(gap.xy_px), gap.xy_px, gap.bridge.xy_px)
        out.append(
            HealingAttempt(
                lost_name=names[c.lost],
                born_name=names[c.born],
                gap_start_frame=int(frames[last]),
                gap_end_frame=int(frames[first]),
                gap_start_pos=point(tracks.xy_px[c.lost, last]),
                gap_end_pos=point(end if gap is None else end + v.offset_px),
                anchor_count=len(c.carried.used) if gap is None else len(gap.bridge.rows),
                interpolated_positions=[point(xy) for xy in inside],
                method_used=c.method,
                match_score=number(v.score),
                post_heal_error=number(v.error_px),
                offset_px=None if v.offset_px is None else number(float(np.hypot(*v.offset_px))),
                verified_frames=0 if gap is None else int(np.isfinite(gap.ncc).sum()),
                heal_success=gap is not None,
                reason=v.reason,
            )
        )
    return out


def _stats(tracks: Tracks, found: int, verdicts: list[Verdict]) -> HealingStats:
    healed = [v for v in verdicts if not v.reason]
    numbers = tracks.frame_numbers
    gaps = [numbers[v.candidate.first] - numbers[v.candidate.last] - 1 for v in healed]
    return HealingStats(
        candidates_found=found,
        heals_attempted=len(verdicts),
        heals_successful=len(healed),
        avg_gap_frames=number(float(np.mean(gaps))) if gaps else None,
        avg_match_score=number(float(np.mean([v.score for v in healed]))) if healed else None,
    )
