"""Everything that is measured on the tracks of a clip, in its order: for reports and for sessions.

Each stage below knows only tracks or pixels; here they meet. What a camera solve adds comes after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.diagnosis import Diagnosis, diagnose
from trackcore.filters import FilterReport, find_bad_tracks
from trackcore.pixels import MotionProbe, PixelFeatures
from trackcore.stats import (
    ClipMotion,
    FrameMotion,
    ShotType,
    TrackStats,
    ZoomAnalysis,
    classify_shot,
    clip_motion,
    frame_motion,
    track_stats,
    zoom_analysis,
)
from trackcore.tracks import Tracks


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot of a clip: clip frame numbers, both included, and what kind it is."""

    first_frame: int
    last_frame: int
    kind: ShotType

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
        return {
            "first_frame": self.first_frame,
            "last_frame": self.last_frame,
            **self.kind.to_dict(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class ClipAnalysis:
    """What `analyze` found.

    Attributes
    ----------
    tracks : Tracks
        What was measured.
    stats : TrackStats
    motion : ClipMotion
    zoom : ZoomAnalysis
        Of the longest shot.
    shots : tuple of Shot
        One, or as many as cuts make.
    suspects : FilterReport
        Tracks that would harm a solve, and why; nothing has been changed.
    diagnosis : Diagnosis
    probe : MotionProbe or None
    pixels : PixelFeatures or None
        None where only tracks were given.
    """

    tracks: Tracks
    stats: TrackStats
    motion: ClipMotion
    zoom: ZoomAnalysis
    shots: tuple[Shot, ...]
    suspects: FilterReport
    diagnosis: Diagnosis
    probe: MotionProbe | None
    pixels: PixelFeatures | None

    @property
    def shot(self) -> ShotType:
        """Kind of the longest shot."""
        return max(self.shots, key=lambda shot: shot.last_frame - shot.first_frame).kind

    @property
    def cuts(self) -> list[int]:
        """Clip frame numbers of the first frames of new shots, as the pixels show them."""
        return [shot.first_frame for shot in self.shots[1:]]

    def to_dict(self) -> dict[str, Any]:
        """Return what is worth reading, as plain JSON types: no single track, no series."""
        return {
            "motion_probe_results": self.probe and self.probe.to_dict(),
            "shots": [shot.to_dict() for shot in self.shots],
            "motion": self.motion.to_dict(),
            "zoom_analysis": self.zoom.to_dict(),
            "visual_features": self.pixels and self.pixels.to_dict(),
            "jitter_px": _median(self.stats.jitter_px),
            "suspects": {str(reason): n for reason, n in self.suspects.counts.items()},
            "diagnosis": self.diagnosis.to_dict(),
        }

    def session_fields(self) -> dict[str, Any]:
        """Return the fields of a session record (`SessionRecorder.record`) that this fills."""
        fields: dict[str, Any] = {
            "optical_flow": self.motion,
            "zoom_analysis": self.zoom,
            "shot_type": self.shot,
            "diagnosis": self.diagnosis,
            "motion_probe_results": self.probe,
            "visual_features": self._visual_features(),
            **self.stats.to_dict(),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _visual_features(self) -> dict[str, Any] | None:
        """Return what pixels showed, and the motion that the documents repeat there."""
        if self.pixels is None:
            return None
        motion = self.motion.to_dict()
        repeated = ("motion_class", "flow_direction_histogram", "flow_magnitude_histogram")
        return {**self.pixels.to_dict(), **{name: motion[name] for name in repeated}}


def analyze(
    tracks: Tracks,
    *,
    probe: MotionProbe | None = None,
    pixels: PixelFeatures | None = None,
    settings: Mapping[str, Any] | None = None,
    feature_quality_score: ArrayLike | None = None,
    protected: ArrayLike | None = None,
    threads: int = 0,
) -> ClipAnalysis:
    """Measure all that tracks, and pixels where they were seen, tell about a clip.

    Parameters
    ----------
    tracks : Tracks
    probe : MotionProbe, optional
        `motion_probe(clip)`.
    pixels : PixelFeatures, optional
        `pixel_features(clip)`: cuts, blur and contrast then come from the pixels.
    settings : mapping, optional
        The documented settings the clip was tracked with, which a diagnosis would change.
    feature_quality_score : (n_tracks,) float, optional
        `track_quality(tracks, clip).feature_quality_score`.
    protected : (n_tracks,) bool, optional
        The user's own tracks, which no filter may flag.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    ClipAnalysis

    Raises
    ------
    InputError
        If an argument does not fit the tracks.
    """
    stats = track_stats(tracks, feature_quality_score=feature_quality_score, threads=threads)
    parts = _shots(tracks, [] if pixels is None else pixels.series.cuts.tolist())
    fits = [frame_motion(part, threads=threads) for part in parts]
    zooms = [
        zoom_analysis(part, motion=fit, threads=threads)
        for part, fit in zip(parts, fits, strict=True)
    ]
    whole = fits[0] if len(parts) == 1 else None  # the fits are most of the work
    motion = clip_motion(tracks, motion=whole, threads=threads)
    longest = max(range(len(parts)), key=lambda i: parts[i].n_frames)
    return ClipAnalysis(
        tracks=tracks,
        stats=stats,
        motion=motion,
        zoom=zooms[longest],
        shots=tuple(
            _classified(part, fit, zoom, threads)
            for part, fit, zoom in zip(parts, fits, zooms, strict=True)
        ),
        suspects=find_bad_tracks(tracks, protected=protected),
        diagnosis=diagnose(tracks, settings=settings, pixels=pixels, motion=motion),
        probe=probe,
        pixels=pixels,
    )


def _shots(tracks: Tracks, cuts: list[int]) -> list[Tracks]:
    """Return the tracks of each shot; of the whole clip where nothing cuts it."""
    at = np.searchsorted(tracks.frame_numbers, cuts).tolist()
    ends = sorted({0, *at, tracks.n_frames})
    if len(ends) <= 2:
        return [tracks]
    return [tracks.between(i, j) for i, j in pairwise(ends)]


def _classified(tracks: Tracks, motion: FrameMotion, zoom: ZoomAnalysis, threads: int) -> Shot:
    numbers = tracks.frame_numbers.tolist() or [tracks.first_frame]
    kind = classify_shot(tracks, motion=motion, zoom=zoom, threads=threads)
    return Shot(numbers[0], numbers[-1], kind)


def _median(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 4) if len(known) else None
