"""What twenty frames tell about a clip before anything is tracked in earnest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._check import threads_count
from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.footage import MotionClass, TextureClass, motion_class, texture_class
from trackcore.frame_regions import REGIONS, region_index
from trackcore.frames import Clip, Frame, open_clip
from trackcore.normalised import diagonal_px
from trackcore.options import TrackOptions
from trackcore.pixels import _blocks
from trackcore.pixels._alike import register, structure
from trackcore.pixels._cuts import changes
from trackcore.pixels._texture import WorkingFrame, textured_share, trackable, working_frame
from trackcore.pyramid import FramePyramid
from trackcore.track import track_points
from trackcore.types import PointStatus

Floats = NDArray[np.float64]

N_FRAMES = 20
"""Frames a probe looks at, as documented."""

_START_SHARE, _LATEST_START = 0.25, 48  # of the clip, as documented; frames, as decoding costs
_THRESHOLD = 0.4  # of the documented feature density
_PER_REGION = 12
_FEW = 0.5  # of the points there were: then new ones are found
_GOOD_REGION = 0.5
_OPTIONS = TrackOptions(window=21, levels=5, forward_backward=True, min_ncc=0.7)


class ProbeStatus(StrEnum):
    """Whether a probe has an answer, and why not."""

    OK = "OK"
    TOO_SHORT = "TOO_SHORT"
    NO_TEXTURE = "NO_TEXTURE"
    ALL_LOST = "ALL_LOST"


@dataclass(frozen=True, slots=True)
class MotionProbe:
    """What `motion_probe` measured. None where there was nothing to measure.

    Attributes
    ----------
    motion_class : MotionClass or None
        LOW below 0.01 diagonals of the frame per frame, HIGH above 0.03.
    texture_class : TextureClass or None
        By the share of the frame that has something to track: HIGH from 0.8, LOW below 0.4.
    best_regions : tuple of str
        Regions where more than half of the points survived.
    motion_magnitude : float or None
        Mean over the points of their mean speed [diagonals per frame].
    motion_variance : float or None
        Standard deviation of the points' mean speeds [diagonals per frame].
    region_success : dict of str to (float or None)
        By region: the share of points that live through 20 frames, from how many are lost per
        step (those that leave the frame are not). None where there were none to follow.
    textured_share : float or None
        Share of the frame's 12 x 12 cells with a corner to track.
    n_points : int
        Points followed.
    first_frame : int
        Clip frame number of the first frame in which points were followed.
    n_frames : int
        How many frames they were followed through: one shot of the window.
    cuts : tuple of int
        Clip frame numbers at which a new shot begins within the window.
    seed : int
        With which points were chosen.
    status : ProbeStatus
        OK, or why there is no speed: TOO_SHORT (one frame), NO_TEXTURE (nothing to follow),
        ALL_LOST (no point could be followed into a second frame).
    """

    motion_class: MotionClass | None
    texture_class: TextureClass | None
    best_regions: tuple[str, ...]
    motion_magnitude: float | None
    motion_variance: float | None
    region_success: dict[str, float | None]
    textured_share: float | None
    n_points: int
    first_frame: int
    n_frames: int
    cuts: tuple[int, ...]
    seed: int
    status: ProbeStatus

    def to_dict(self) -> dict[str, Any]:
        """Return the record `motion_probe_results`: the documented keys, then ours."""
        return {
            "success": self.status == ProbeStatus.OK,
            "motion_class": self.motion_class and self.motion_class.value,
            "texture_class": self.texture_class and self.texture_class.value,
            "best_regions": list(self.best_regions),
            "motion_magnitude": self.motion_magnitude,
            "motion_variance": self.motion_variance,
            "region_success": dict(self.region_success),
            "textured_share": self.textured_share,
            "n_points": self.n_points,
            "first_frame": self.first_frame,
            "n_frames": self.n_frames,
            "cuts": list(self.cuts),
            "seed": self.seed,
            "status": self.status.value,
        }


def motion_probe(
    source: str | PathLike[str] | NDArray[Any] | Sequence[NDArray[Any]] | Clip,
    *,
    seed: int = 0,
    threads: int = 0,
) -> MotionProbe:
    """Measure how fast a clip moves and how much of it can be tracked, on 20 of its frames.

    Parameters
    ----------
    source : path, array, sequence of arrays or Clip
        What `open_clip` takes or returned.
    seed : int
        Which points are followed, of those that could be. The same seed, the same answer.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    MotionProbe
        Never a guess: without points to follow, None and a status.

    Raises
    ------
    InputError
        If an argument does not fit; `SourceError`, which is one, if the clip cannot be read.

    Notes
    -----
    The window begins at 25 % of the clip where its length is known, but no later than at the 49th
    frame, as frames of a video cost decoding; it is shorter in a shorter clip. If shots change
    within it, the longest of them counts (`FrameMeter` says how cuts are found). Up to 12 corners
    in each of the nine regions are followed at a working size of at most 1024 px, from frame to
    frame, forwards and back; where half are gone, new ones are taken.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed: expected an integer >= 0, got {seed!r}")
    workers = threads_count(threads)
    clip = source if isinstance(source, Clip) else open_clip(source)
    window = [_Looked.at(frame, workers) for frame in _window(clip)]
    numbers = [looked.number for looked in window]
    _, cuts = changes(np.stack([looked.picture for looked in window]))
    bounds = [0, *cuts.tolist(), len(window)]
    begin, end = max(pairwise(bounds), key=lambda shot: shot[1] - shot[0])
    run = _Run(window[begin:end], np.random.default_rng(int(seed)), workers)
    run.follow()
    return run.probe(tuple(numbers[k] for k in cuts), int(seed))


def _window(clip: Clip) -> list[Frame]:
    n = clip.expected_length or 0
    start = max(0, min(int(n * _START_SHARE), _LATEST_START, n - N_FRAMES))
    # a container may claim more frames than it has; `list(clip)` would decode it twice, to count
    return list(iter(clip[start : start + N_FRAMES]))


@dataclass(frozen=True, slots=True)
class _Looked:
    """A frame of the window, at its working size."""

    number: int
    frame: WorkingFrame
    picture: Floats  # block means, shares of white

    @staticmethod
    def at(frame: Frame, threads: int) -> _Looked:
        size = (frame.image.shape[1], frame.image.shape[0])
        levels = max(_OPTIONS.levels, 1 + _blocks.texture_level(size))
        pyramid = FramePyramid(frame.image, levels, copy=False, threads=threads)
        working = working_frame(pyramid, _OPTIONS.levels, threads)
        stats = _blocks.block_stats(
            working.image, 0, _blocks.MOMENTS, blocks=_blocks.blocks_of(size), threads=threads
        )
        white = _blocks.white_level(pyramid.dtype)
        return _Looked(frame.number, working, np.nan_to_num(stats.mean / white))


def _none_by_region() -> NDArray[np.int64]:
    return np.zeros(len(REGIONS), np.int64)


@dataclass(slots=True)
class _Run:
    """Points followed through one shot; positions in pixels of the working size."""

    shot: list[_Looked]
    rng: np.random.Generator
    threads: int
    xy_px: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    region: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    status: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    path: Floats = field(default_factory=lambda: np.zeros(0))  # diagonals
    time: Floats = field(default_factory=lambda: np.zeros(0))  # clip frames
    corners: list[Floats] = field(default_factory=list)
    followed: NDArray[np.int64] = field(default_factory=_none_by_region)  # point steps
    lost: NDArray[np.int64] = field(default_factory=_none_by_region)

    def follow(self) -> None:
        self._add(0)
        for i in range(1, len(self.shot)):
            self._step(i)
            if i < len(self.shot) - 1 and self._alive.sum() < _FEW * len(self.corners[0]):
                self._add(i)

    @property
    def _alive(self) -> NDArray[np.bool_]:
        return np.asarray(self.status == PointStatus.TRACKED)

    def _add(self, i: int) -> None:
        """Start points in frame i, a few per region, away from those that are there."""
        frame = self.shot[i].frame
        found, _ = trackable(frame, _THRESHOLD, threads=self.threads)
        if i == 0:
            self.corners.append(found)
        there = self.xy_px[self._alive]
        if len(there) and len(found):
            gap = np.linalg.norm(found[:, None] - there[None], axis=-1).min(axis=1)
            found = found[gap >= _OPTIONS.window]
        region = region_index(found, frame.image.size)
        held = np.bincount(self.region[self._alive], minlength=len(REGIONS))
        chosen = [
            self.rng.permutation(np.flatnonzero(region == r))[: max(0, _PER_REGION - held[r])]
            for r in range(len(REGIONS))
        ]
        rows = np.sort(np.concatenate(chosen))
        self.xy_px = np.concatenate([self.xy_px, found[rows]])
        self.region = np.concatenate([self.region, region[rows]])
        fresh = np.zeros(len(rows))
        self.status = np.concatenate([self.status, fresh.astype(np.uint8)])
        self.path, self.time = np.append(self.path, fresh), np.append(self.time, fresh)

    def _step(self, i: int) -> None:
        rows = np.flatnonzero(self._alive)
        before, now = self.shot[i - 1], self.shot[i]
        start, jump = self.xy_px[rows], self._jump(before, now)
        xy, status = self._tracked(before, now, start, start + jump)
        if jump.any():  # what does not move with the rest
            again = np.flatnonzero(status != PointStatus.TRACKED)
            xy[again], status[again] = self._tracked(before, now, start[again], None)
        ok = status == PointStatus.TRACKED
        length = np.linalg.norm(xy[ok] - start[ok], axis=1) / diagonal_px(now.frame.image.size)
        self.path[rows[ok]] += length
        self.time[rows[ok]] += now.number - before.number
        self.xy_px[rows], self.status[rows] = xy, status
        gone = ~ok & (status != PointStatus.OUT_OF_FRAME)
        self.followed += np.bincount(self.region[rows[ok | gone]], minlength=len(REGIONS))
        self.lost += np.bincount(self.region[rows[gone]], minlength=len(REGIONS))

    def _tracked(
        self, before: _Looked, now: _Looked, xy_px: Floats, guess_px: Floats | None
    ) -> tuple[Floats, NDArray[np.uint8]]:
        match = track_points(
            before.frame.image, now.frame.image, xy_px, options=_OPTIONS, guess_px=guess_px,
            threads=self.threads,
        )  # fmt: skip
        return match.xy_px, match.status

    def _jump(self, before: _Looked, now: _Looked) -> Floats:
        """Return by how much the whole picture seems to have jumped [px], to within a block."""
        a, b = (structure(looked.picture[None]) for looked in (before, now))
        _, shift = register(a, b)
        rows, columns = now.picture.shape
        return np.asarray(shift[0] * np.array(now.frame.image.size) / (columns, rows))

    def probe(self, cuts: tuple[int, ...], seed: int) -> MotionProbe:
        moved = self.time > 0
        speed = self.path[moved] / self.time[moved]
        success = self._success()
        magnitude = float(speed.mean()) if len(speed) else None
        share = float(textured_share(self.corners[0], self.shot[0].frame.image.size).mean())
        return MotionProbe(
            motion_class=None if magnitude is None else motion_class(magnitude),
            texture_class=texture_class(share),
            best_regions=tuple(r for r, s in success.items() if s is not None and s > _GOOD_REGION),
            motion_magnitude=magnitude,
            motion_variance=float(speed.std()) if len(speed) else None,
            region_success=success,
            textured_share=share,
            n_points=len(self.status),
            first_frame=self.shot[0].number,
            n_frames=len(self.shot),
            cuts=cuts,
            seed=seed,
            status=self._verdict(len(speed)),
        )

    def _success(self) -> dict[str, float | None]:
        return {
            name: float((1.0 - lost / n) ** (N_FRAMES - 1)) if n else None
            for name, lost, n in zip(REGIONS, self.lost, self.followed, strict=True)
        }

    def _verdict(self, n_moved: int) -> ProbeStatus:
        if n_moved:
            return ProbeStatus.OK
        if not len(self.status):
            return ProbeStatus.NO_TEXTURE
        return ProbeStatus.ALL_LOST if len(self.shot) > 1 else ProbeStatus.TOO_SHORT
