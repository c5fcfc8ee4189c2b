"""How the picture of a whole clip moves: the documented numbers, from real per-frame flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.footage import MotionClass, motion_class
from trackcore.normalised import diagonal_px, normalised_velocity
from trackcore.stats import _losses
from trackcore.stats._core_rows import STILL_PX, Floats, Sums, sums
from trackcore.stats._evidence import parallax
from trackcore.stats._records import number, numbers
from trackcore.stats.motion import FrameMotion, known_motion
from trackcore.stats.regions import RegionStats, count_regions
from trackcore.stats.track_stats import TrackStats, from_sums
from trackcore.tracks import Tracks

SAMPLE_EVERY = 10
"""Clip frames between frame samples."""
INTENSITY_FRAMES = 30
PROFILE_ENTRIES = 10
SURE_SIGMAS = 3.0


@dataclass(frozen=True, slots=True)
class FrameSample:
    """The tracks of one frame.

    Attributes
    ----------
    frame : int
        Clip frame number.
    active_tracks : int
    tracks_lost : int
        Tracks that ended since the previous sample, for whatever reason.
    avg_velocity : float
        Mean speed on the way here from the frame before [diagonals/frame]; NaN if nothing came.
    """

    frame: int
    active_tracks: int
    tracks_lost: int
    avg_velocity: float

    def to_dict(self) -> dict[str, Any]:
        """Return the documented record."""
        return {
            "frame": self.frame,
            "active_tracks": self.active_tracks,
            "tracks_lost": self.tracks_lost,
            "avg_velocity": number(self.avg_velocity),
        }


@dataclass(frozen=True, slots=True, eq=False)
class ClipMotion:
    """What `clip_motion` found.

    Velocities are diagonals of the frame per clip frame, y up. "Flow" is what tracks do between
    two neighbouring frames. NaN (None in records) where nothing was seen that could tell.

    Attributes
    ----------
    global_motion_vector : (2,) float64
        Mean flow.
    motion_consistency : float
        0 .. 1: length of the summed flow over the summed length of flow, frame by frame. 1 if
        all tracks move alike at any time, 0 if half go left and half go right.
    velocity_mean, velocity_std, velocity_max : float
        Over the tracks, of their net velocity (`TrackStats.avg_velocity`).
    path_velocity_mean : float
        The same of the path: what a shaking shot does, whose net velocity is 0.
    parallax_score : float
        0 uniform .. 1 strong: what is left of the displacements between frames far apart when the
        motion of a plane or a turning camera is taken away, relative to them, with noise taken
        off; and only as far as it points to or from one epipole, as parallax does and things that
        move on their own do not. Layers of less than a third of the tracks count as such things.
    dominant_direction : (2,) float64 or None
        Unit vector of the mean flow; None when nothing moves steadily in one direction: a mean
        flow below 0.1 px/frame or within 3 standard errors of none.
    direction_entropy : float
        0 all flow in one direction .. 1 as much in any: circular variance of the directions of
        all flow of at least 0.1 px/frame, which needs no bins and knows no left edge.
    velocity_acceleration : float
        Slope of speed over time within tracks, all tracks together [diagonals/frame^2].
    track_dropout_rate : float
        Share of tracks lost inside the frame before they lived 0.3 of the frames that were left
        to them. Tracks born late, that leave the frame or reach the end are no drop-outs.
    flow_direction_histogram : (8,) float64
        Shares of the flow of at least 0.1 px/frame by direction: 45 degrees each from -180 degrees
        (left) counter-clockwise, so right is entry 4. Sums to 1; zeros when nothing moves.
    flow_magnitude_histogram : (5,) float64
        Shares of all flow by speed, separated at 0.003, 0.01, 0.025 and 0.05. Sums to 1; zeros
        without flow.
    temporal_motion_profile : (k,) float64
        Mean speed in at most 10 equal parts of the clip.
    frame_samples : list of FrameSample
        Of the first frame and of each whose clip number is a multiple of 10.
    motion_class : MotionClass
        `LOW`, `MEDIUM` (from 0.01 to 0.03) or `HIGH` by `motion_magnitude`; LOW without flow.
    motion_magnitude : float
        Mean speed of all flow.
    motion_variance : float
        Variance over time of the mean speed of a frame.
    motion_intensity : float
        Mean speed of the flow in the first 30 frames, at most 1.
    frame_of_failure : int or None
        Clip frame number where the number of tracks first dropped critically: half of them ended
        at once, or 0.3 of the most there were are left.
    regions : RegionStats
        Of the tracks' mean positions; success is a life of 5 frames.
    frame_velocity : (n_frames,) float64
        Mean speed on the way to each frame.
    active_tracks : (n_frames,) int64
    """

    global_motion_vector: Floats
    motion_consistency: float
    velocity_mean: float
    velocity_std: float
    velocity_max: float
    path_velocity_mean: float
    parallax_score: float
    dominant_direction: Floats | None
    direction_entropy: float
    velocity_acceleration: float
    track_dropout_rate: float
    flow_direction_histogram: Floats
    flow_magnitude_histogram: Floats
    temporal_motion_profile: Floats
    frame_samples: list[FrameSample]
    motion_class: MotionClass
    motion_magnitude: float
    motion_variance: float
    motion_intensity: float
    frame_of_failure: int | None
    regions: RegionStats
    frame_velocity: Floats
    active_tracks: NDArray[np.int64]

    @property
    def dominant_region(self) -> int | None:
        """Index 0 .. 8 into `REGIONS` of the region with most successful tracks."""
        return self.regions.dominant_region

    def to_dict(self) -> dict[str, Any]:
        """Return the documented fields, grouped as in a session record."""
        direction = self.dominant_direction
        return {
            "motion_class": self.motion_class.value,
            "global_motion_vector": numbers(self.global_motion_vector),
            "motion_consistency": number(self.motion_consistency),
            "frame_of_failure": self.frame_of_failure,
            "flow_direction_histogram": numbers(self.flow_direction_histogram),
            "flow_magnitude_histogram": numbers(self.flow_magnitude_histogram),
            "optical_flow": {
                "velocity_mean": number(self.velocity_mean),
                "velocity_std": number(self.velocity_std),
                "velocity_max": number(self.velocity_max),
                "parallax_score": number(self.parallax_score),
                "dominant_direction": None if direction is None else numbers(direction),
                "direction_entropy": number(self.direction_entropy),
                "velocity_acceleration": number(self.velocity_acceleration),
                "track_dropout_rate": number(self.track_dropout_rate),
                "path_velocity_mean": number(self.path_velocity_mean),
            },
            "motion_magnitude": number(self.motion_magnitude),
            "motion_variance": number(self.motion_variance),
            "temporal_motion_profile": numbers(self.temporal_motion_profile),
            "frame_samples": [sample.to_dict() for sample in self.frame_samples],
            "motion_intensity": number(self.motion_intensity),
            **self.regions.to_dict(),
        }


def clip_motion(
    tracks: Tracks, *, motion: FrameMotion | None = None, threads: int = 0
) -> ClipMotion:
    """Measure how the picture moves over a whole clip.

    Parameters
    ----------
    tracks : Tracks
    motion : FrameMotion, optional
        `frame_motion(tracks)`, if it is known already.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    ClipMotion

    Raises
    ------
    InputError
        If `motion` is of other tracks.

    Notes
    -----
    Everything but `velocity_*` comes from displacements between neighbouring frames, so tracks
    that live long count no more per frame than short ones, and a gap is no step. Releases the GIL.
    """
    found = sums(tracks, threads)
    nothing = np.full(len(tracks), np.nan)
    stats = from_sums(tracks, found, nothing, None, nothing)
    return _from_parts(tracks, found, stats, known_motion(tracks, motion, threads), threads)


def _from_parts(
    tracks: Tracks, found: Sums, stats: TrackStats, motion: FrameMotion, threads: int
) -> ClipMotion:
    """Put the documented numbers together from what is known of tracks and frames."""
    diagonal = diagonal_px(tracks.frame_size)
    steps, speed = int(found.frame_steps.sum()), found.frame_speed_px
    with np.errstate(invalid="ignore", divide="ignore"):
        frame_velocity = speed / found.frame_steps / diagonal
        magnitude = float(speed.sum() / np.float64(steps)) / diagonal
        mean_px = found.frame_step_px.sum(axis=0) / np.float64(steps)
        summed = np.hypot(*found.frame_step_px.T).sum()
        consistency = float(np.minimum(summed / speed.sum(), 1.0))
        resultant = np.hypot(*found.frame_direction.sum(axis=0)) / found.frame_moving.sum()
        slope = np.nansum(found.slope_weight * found.speed_slope) / found.slope_weight.sum()
    net = stats.avg_velocity[np.isfinite(stats.avg_velocity)]
    path = stats.path_velocity[np.isfinite(stats.path_velocity)]
    early = tracks.frame_numbers < tracks.first_frame + INTENSITY_FRAMES
    depth = parallax(motion.fits, motion.wide_fits(threads))
    return ClipMotion(
        global_motion_vector=normalised_velocity(mean_px, tracks.frame_size),
        motion_consistency=consistency,
        velocity_mean=float(net.mean()) if len(net) else np.nan,
        velocity_std=float(net.std()) if len(net) else np.nan,
        velocity_max=float(net.max()) if len(net) else np.nan,
        path_velocity_mean=float(path.mean()) if len(path) else np.nan,
        parallax_score=depth.score,
        dominant_direction=_dominant(mean_px, found, tracks.frame_size),
        direction_entropy=float(np.clip(1 - resultant, 0.0, 1.0)),
        velocity_acceleration=float(slope) / diagonal,
        track_dropout_rate=_losses.dropout_rate(tracks, found),
        flow_direction_histogram=_shares(found.direction_counts),
        flow_magnitude_histogram=_shares(found.magnitude_counts),
        temporal_motion_profile=_profile(found, diagonal),
        frame_samples=_samples(tracks, found, frame_velocity),
        motion_class=motion_class(round(magnitude, 9)),  # 0.01 computed is 0.01
        motion_magnitude=magnitude,
        motion_variance=_variance(frame_velocity),
        motion_intensity=_intensity(found, early, diagonal),
        frame_of_failure=_losses.frame_of_failure(tracks, found),
        regions=count_regions(stats.region_index, stats.success),
        frame_velocity=frame_velocity,
        active_tracks=found.frame_active,
    )


def _dominant(mean_px: Floats, found: Sums, frame_size: tuple[int, int]) -> Floats | None:
    """Return the unit vector of the mean flow, if there is a significant one."""
    length = float(np.hypot(*mean_px))
    if not length >= STILL_PX:
        return None
    some = found.frame_steps > 0
    per_frame = found.frame_step_px[some] / found.frame_steps[some, None]
    if len(per_frame) > 2:
        scatter = np.hypot(*(per_frame - per_frame.mean(axis=0)).T)
        if length <= SURE_SIGMAS * np.sqrt((scatter**2).mean() / len(per_frame)):
            return None
    direction = normalised_velocity(mean_px, frame_size)
    return np.asarray(direction / np.hypot(*direction))


def _shares(counts: NDArray[np.int64]) -> Floats:
    return counts / max(int(counts.sum()), 1)


def _profile(found: Sums, diagonal: float) -> Floats:
    """Return the mean speed in equal parts of the clip."""
    steps, speed = found.frame_steps[1:], found.frame_speed_px[1:]
    k = min(PROFILE_ENTRIES, len(steps))
    if not k:
        return np.empty(0)
    edges = np.linspace(0, len(steps), k + 1).astype(np.int64)[:-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.add.reduceat(speed, edges) / np.add.reduceat(steps, edges) / diagonal


def _variance(frame_velocity: Floats) -> float:
    known = frame_velocity[np.isfinite(frame_velocity)]
    return float(known.var()) if len(known) else float("nan")


def _intensity(found: Sums, early: NDArray[np.bool_], diagonal: float) -> float:
    steps = found.frame_steps[early].sum()
    if not steps:
        return float("nan")
    return float(min(1.0, found.frame_speed_px[early].sum() / steps / diagonal))


def _samples(tracks: Tracks, found: Sums, velocity: Floats) -> list[FrameSample]:
    numbers_ = tracks.frame_numbers
    wanted = np.flatnonzero((numbers_ % SAMPLE_EVERY == 0) | (np.arange(len(numbers_)) == 0))
    ended = np.bincount(found.last[found.n_samples > 0], minlength=len(numbers_))
    lost_before = np.concatenate([[0], np.cumsum(ended)])  # ended in frames before this one
    previous = 0
    samples = []
    for i in wanted.tolist():
        samples.append(
            FrameSample(
                int(numbers_[i]), int(found.frame_active[i]),
                int(lost_before[i] - lost_before[previous]), float(velocity[i]),
            )
        )  # fmt: skip
        previous = i
    return samples
