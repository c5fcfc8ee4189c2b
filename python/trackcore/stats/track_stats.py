"""What each track did: the documented telemetry of a track, and honest numbers beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.frame_regions import NO_REGION, REGIONS, region_index
from trackcore.normalised import diagonal_px, normalised
from trackcore.stats._core_rows import Sums, sums
from trackcore.stats._records import number, numbers, points
from trackcore.tracks import Tracks

TRAJECTORY_SAMPLE_RATE = 5
"""Clip frames between the samples of a trajectory, as documented."""

SUCCESS_FRAMES = 5
"""A track that lives so long counts as a success, as documented."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TrackStats:
    """What `track_stats` found: one entry per track, in the order of the tracks.

    Positions are shares of the frame with y up, velocities diagonals of the frame per clip frame.
    NaN (None in records) where a track does not determine a number, as one position determines
    no velocity.

    Attributes
    ----------
    name : list of str
        `Tracks.names`.
    lifespan : (n,) int64
        Clip frames from the first to the last position, both counted; 0 for a track without any.
    n_samples : (n,) int64
        Frames that have a position; less than `lifespan` where there are gaps.
    initial_position : (n, 2) float64
    start_frame, end_frame : (n,) int64
        Clip frame numbers; 0 for a track without a position, see `n_samples`.
    region_index : (n,) int64
        Index into `REGIONS` of the mean position, `NO_REGION` without any; `region` has the names.
    avg_velocity : (n,) float64
        Net displacement over elapsed frames: 0 for a track that came back to its start.
    path_velocity : (n,) float64
        Length of the way over elapsed frames; the way across a gap is taken as straight.
    jitter_score : (n,) float64
        0 .. 1, documented as 0 smooth, 1 erratic: standard deviation of the speed over its mean,
        at most 1. NaN with fewer than two steps, 0 for a track that never moves. Read it with
        care: a perfectly followed point of a locked-off shot has only noise for speed and scores
        0.52, whatever the noise, and a camera that accelerates scores high. `jitter_px` has
        neither fault.
    jitter_px : (n,) float64
        Rms residual to a local smooth motion, per axis [px]: white noise of standard deviation s
        gives s, at rest and in any motion that a parabola describes over four frames. NaN without
        four neighbouring samples. The camera's own shake is in it.
    acceleration : (n,) float64
        Slope of the line fitted to speed over time [diagonals/frame^2].
    success : (n,) bool
        Lifespan of at least 5 frames.
    avg_confidence : (n,) float64
        Mean correlation with the pattern followed (`Tracks.ncc`); NaN where it was not measured.
    feature_quality_score : (n,) float64
        As given; NaN if not: it is measured from pixels.
    contributed_to_solve : (n,) bool, or None
        `has_bundle` as given; None where there was no solve.
    reprojection_error : (n,) float64
        As given [px]; NaN if not.
    tracks : Tracks
        What was measured; trajectories are read from it when asked for.
    """

    name: list[str]
    lifespan: Ints
    n_samples: Ints
    initial_position: Floats
    start_frame: Ints
    end_frame: Ints
    region_index: Ints
    avg_velocity: Floats
    path_velocity: Floats
    jitter_score: Floats
    jitter_px: Floats
    acceleration: Floats
    success: NDArray[np.bool_]
    avg_confidence: Floats
    feature_quality_score: Floats
    contributed_to_solve: NDArray[np.bool_] | None
    reprojection_error: Floats
    tracks: Tracks = field(repr=False)
    trajectory_sample_rate: int = TRAJECTORY_SAMPLE_RATE

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.name)

    @property
    def region(self) -> list[str | None]:
        """Name of the region of each track's mean position; None for a track without any."""
        return [None if i == NO_REGION else REGIONS[i] for i in self.region_index.tolist()]

    @property
    def trajectory(self) -> list[Floats]:
        """Per track, its position (k, 2) in its first frame and every fifth clip frame after it.

        NaN where the track has a gap, so that entry i always is i * `trajectory_sample_rate`
        frames after `start_frame`.
        """
        return [self._sampled(track)[0] for track in range(len(self))]

    @property
    def trajectory_velocities(self) -> list[Floats]:
        """Per track, the displacement between neighbours of `trajectory` over elapsed frames."""
        return [self._velocities(track) for track in range(len(self))]

    @property
    def trajectory_confidence(self) -> list[Floats]:
        """Per track, the correlation `Tracks.ncc` at each entry of `trajectory`; NaN if unknown."""
        return [self._sampled(track)[1] for track in range(len(self))]

    def to_dict(self) -> dict[str, Any]:
        """Return {"tracks": [...]}: one documented record per track that has a position."""
        return {"tracks": [self._record(i) for i in np.flatnonzero(self.n_samples).tolist()]}

    def _sampled(self, track: int) -> tuple[Floats, Floats]:
        """Return positions and correlations of one track at its sampling frames."""
        numbers_ = self.tracks.frame_numbers
        if not self.n_samples[track]:
            return np.empty((0, 2)), np.empty(0)
        start, end = int(self.start_frame[track]), int(self.end_frame[track])
        wanted = np.arange(start, end + 1, self.trajectory_sample_rate)
        index = np.minimum(np.searchsorted(numbers_, wanted), len(numbers_) - 1)
        there = numbers_[index] == wanted
        xy = normalised(self.tracks.xy_px[track, index], self.tracks.frame_size)
        ncc = self.tracks.ncc[track, index].astype(np.float64)
        return np.where(there[:, None], xy, np.nan), np.where(there, ncc, np.nan)

    def _velocities(self, track: int) -> Floats:
        w, h = self.tracks.frame_size
        steps_px = np.diff(self._sampled(track)[0], axis=0) * (w, h)
        per_frame = np.hypot(*steps_px.T) / self.trajectory_sample_rate
        return np.asarray(per_frame / diagonal_px((w, h)))

    def _record(self, i: int) -> dict[str, Any]:
        trajectory, confidence = self._sampled(i)
        solved = self.contributed_to_solve
        return {
            "name": self.name[i],
            "lifespan": int(self.lifespan[i]),
            "initial_position": points(self.initial_position[i : i + 1])[0],
            "feature_quality_score": number(self.feature_quality_score[i]),
            "start_frame": int(self.start_frame[i]),
            "end_frame": int(self.end_frame[i]),
            "region": REGIONS[self.region_index[i]],
            "avg_velocity": number(self.avg_velocity[i]),
            "jitter_score": number(self.jitter_score[i]),
            "success": bool(self.success[i]),
            "contributed_to_solve": None if solved is None else bool(solved[i]),
            "reprojection_error": number(self.reprojection_error[i]),
            "trajectory": points(trajectory),
            "trajectory_sample_rate": self.trajectory_sample_rate,
            "trajectory_velocities": numbers(self._velocities(i)),
            "trajectory_confidence": numbers(confidence),
            "avg_confidence": number(self.avg_confidence[i]),
            "n_samples": int(self.n_samples[i]),
            "path_velocity": number(self.path_velocity[i]),
            "jitter_px": number(self.jitter_px[i]),
            "acceleration": number(self.acceleration[i]),
        }


def track_stats(
    tracks: Tracks,
    *,
    feature_quality_score: ArrayLike | None = None,
    has_bundle: ArrayLike | None = None,
    reprojection_error_px: ArrayLike | None = None,
    threads: int = 0,
) -> TrackStats:
    """Measure what each track did.

    Parameters
    ----------
    tracks : Tracks
        What to measure. Gaps are respected: a step across one is divided by the clip frames it
        took.
    feature_quality_score : (n_tracks,) float, optional
        Quality of each pattern, measured from pixels elsewhere; NaN where unknown.
    has_bundle : (n_tracks,) bool, optional
        Whether a solve gave the track a point in space. Not given: there was no solve.
    reprojection_error_px : (n_tracks,) float, optional
        Of the solve [px]; NaN where unknown.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    TrackStats
        One entry per track.

    Raises
    ------
    InputError
        If an argument has the wrong shape or dtype.

    Notes
    -----
    One pass over the positions. `jitter_px` is the third difference of four neighbouring samples
    over sqrt(20): the residual to the parabola through them (its variance for white noise of
    variance 1 is 1 + 9 + 9 + 1 = 20). Releases the GIL.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> x = np.arange(10.0)
    >>> track = np.stack([3 * x, 4 * x], axis=-1)[None]
    >>> stats = tc.track_stats(tc.Tracks.from_positions(track, frame_size=(300, 400)))
    >>> stats.lifespan.tolist(), stats.avg_velocity.tolist(), stats.jitter_score.tolist()
    ([10], [0.01], [0.0])
    """
    n = len(tracks)
    quality = _per_track("feature_quality_score", feature_quality_score, n)
    error = _per_track("reprojection_error_px", reprojection_error_px, n)
    bundle = None if has_bundle is None else _flags("has_bundle", has_bundle, n)
    return from_sums(tracks, sums(tracks, threads), quality, bundle, error)


def from_sums(
    tracks: Tracks,
    found: Sums,
    quality: Floats,
    bundle: NDArray[np.bool_] | None,
    error_px: Floats,
) -> TrackStats:
    """Turn sums over the tracks into the documented numbers."""
    diagonal = diagonal_px(tracks.frame_size)
    start, end = _span(tracks, found)
    frames = lifespan(tracks, found)
    first_px, last_px = _ends(tracks, found)
    with np.errstate(invalid="ignore", divide="ignore"):
        elapsed = np.where(end > start, end - start, np.nan)
        spread = np.minimum(found.speed_std / found.speed_mean, 1.0)
        spread = np.where(found.speed_mean == 0, 0.0, spread)
        net = np.hypot(*(last_px - first_px).T) / elapsed / diagonal
    one_step = found.slope_weight == 0
    return TrackStats(
        name=tracks.names,
        lifespan=frames,
        n_samples=found.n_samples,
        initial_position=normalised(first_px, tracks.frame_size),
        start_frame=start,
        end_frame=end,
        region_index=region_index(found.mean_px, tracks.frame_size),
        avg_velocity=net,
        path_velocity=found.path_px / elapsed / diagonal,
        jitter_score=np.where(one_step, np.nan, spread),
        jitter_px=found.jitter_px,
        acceleration=found.speed_slope / diagonal,
        success=frames >= SUCCESS_FRAMES,
        avg_confidence=found.ncc_mean,
        feature_quality_score=quality,
        contributed_to_solve=bundle,
        reprojection_error=error_px,
        tracks=tracks,
    )


def lifespan(tracks: Tracks, found: Sums) -> Ints:
    """Return (n_tracks,) clip frames from first to last position, both counted; 0 without any."""
    start, end = _span(tracks, found)
    return np.where(found.n_samples > 0, end - start + 1, 0)


def _span(tracks: Tracks, found: Sums) -> tuple[Ints, Ints]:
    """Return the clip frame numbers of first and last positions; 0 for a track without any."""
    some = found.n_samples > 0
    start, end = np.zeros(len(tracks), np.int64), np.zeros(len(tracks), np.int64)
    start[some] = tracks.frame_numbers[found.first[some]]
    end[some] = tracks.frame_numbers[found.last[some]]
    return start, end


def _ends(tracks: Tracks, found: Sums) -> tuple[Floats, Floats]:
    """Return first and last position of each track [px]; NaN for a track without any."""
    if not tracks.n_frames:
        return np.full((len(tracks), 2), np.nan), np.full((len(tracks), 2), np.nan)
    each = np.arange(len(tracks))
    return tracks.xy_px[each, found.first], tracks.xy_px[each, found.last]


def _per_track(name: str, value: ArrayLike | None, n: int) -> Floats:
    if value is None:
        return np.full(n, np.nan)
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.shape != (n,):
        raise InputError(
            f"{name}: expected ({n},) numbers, one per track, got {array.dtype} of shape"
            f" {array.shape}"
        )
    return array.astype(np.float64)


def _flags(name: str, value: ArrayLike, n: int) -> NDArray[np.bool_]:
    array = np.asarray(value)
    if array.dtype.kind != "b" or array.shape != (n,):
        raise InputError(
            f"{name}: expected ({n},) booleans, one per track, got {array.dtype} of shape"
            f" {array.shape}"
        )
    return array
