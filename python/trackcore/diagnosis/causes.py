"""The documented causes of failure, each judged by what really shows it.

A rule returns a cause with its evidence, or nothing. Pixels decide where they were seen; tracks
alone must do where they were not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.diagnosis.fixes import FailurePattern
from trackcore.frame_regions import EDGE_REGIONS, REGIONS
from trackcore.pixels import FrameSeries, PixelFeatures
from trackcore.stats import TrackStats, failed_tracks
from trackcore.tracks import Tracks

FEW_TRACKS, FEW_BUNDLES = 20, 8
"""Documented: fewer tracks mean low contrast, fewer bundles too few features."""
FAST = 0.05  # diagonals per frame, documented
SHORT_FRAMES, JITTER_PX = 10, 0.5
BLUR_SHARE, FAST_SHARE, CUT_SHARE, EDGE_GAP = 0.3, 0.4, 0.6, 0.3
"""Documented shares from which a pattern holds."""
BLURRED, LEAST_BLUR_PX = 1.6, 1.2
"""A frame is blurred beside the clip's sharp ones by this factor, and by so many pixels."""
FAINT_FEATURES = 40  # of the frame, at the threshold of `contrast_estimate`
LEAST_IN_REGIONS, LEAST_AT_CUT = 5, 5
_CENTERS = ("top-center", "mid-left", "center", "mid-right", "bottom-center")


@dataclass(frozen=True, slots=True)
class Cause:
    """One possible cause.

    Attributes
    ----------
    pattern : FailurePattern
    confidence : float
        0 .. 1.
    evidence : dict
        The numbers it rests on.
    frames : tuple of int
        Clip frame numbers where it shows; empty if everywhere.
    regions : tuple of str
        Regions of the frame where it shows; empty if everywhere.
    """

    pattern: FailurePattern
    confidence: float
    evidence: dict[str, Any] = field(default_factory=dict)
    frames: tuple[int, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What the rules look at."""

    tracks: Tracks
    stats: TrackStats
    pixels: PixelFeatures | None
    bundle_count: int | None

    @property
    def series(self) -> FrameSeries | None:
        """What the pixels showed frame by frame."""
        return None if self.pixels is None else self.pixels.series

    @property
    def had(self) -> NDArray[np.bool_]:
        """(n_tracks,) True where there is a position at all."""
        had: NDArray[np.bool_] = self.stats.n_samples > 0
        return had


def causes(case: Case) -> list[Cause]:
    """Return every cause that applies, likeliest first."""
    found = [cause for rule in _RULES if (cause := rule(case)) is not None]
    return sorted(found, key=lambda cause: -cause.confidence)


def _motion_blur(case: Case) -> Cause | None:
    """Look for losses in frames blurrier than others; else for tracks that die young and restless.

    The second sign is the documented one. Shake without blur shows it as well, and is helped by
    the same change; pixels that show no blurred frame make it less sure.
    """
    count = int(case.had.sum())
    if not count:
        return None
    failed = failed_tracks(case.tracks)
    seen = None if case.series is None else _lost_in_blur(case.tracks, case.series, failed)
    if seen is not None and seen[0] / count > BLUR_SHARE:
        share, evidence, frames = seen[0] / count, seen[1], seen[2]
        return Cause(
            FailurePattern.MOTION_BLUR, min(0.9, share + 0.3),
            {"lost_in_blur_share": share, **evidence}, frames,
        )  # fmt: skip
    restless = failed & (case.stats.jitter_px > JITTER_PX) & (case.stats.lifespan < SHORT_FRAMES)
    share = float(restless.sum() / count)
    if share <= BLUR_SHARE:
        return None
    sure = min(0.9, share + 0.3) if case.series is None else min(0.7, share + 0.1)
    return Cause(FailurePattern.MOTION_BLUR, sure, {"restless_share": share})


def _lost_in_blur(
    tracks: Tracks, series: FrameSeries, failed: NDArray[np.bool_]
) -> tuple[int, dict[str, Any], tuple[int, ...]]:
    """Return how many tracks failed in or right after a blurred frame, how blurred, and where."""
    blurred = _blurred_frames(series)
    after = np.minimum(tracks.last_index[failed] + 1, tracks.n_frames - 1)
    near = np.isin(tracks.frame_numbers[after], np.concatenate([blurred, blurred + 1]))
    worst = series.blur_px[np.isfinite(series.blur_px)].max(initial=0.0)
    evidence = {"blur_px": float(worst), "sharp_px": _sharp_px(series)}
    return int(near.sum()), evidence, tuple(blurred.tolist())


def _rapid_motion(case: Case) -> Cause | None:
    speed = case.stats.path_velocity[case.had]
    known = speed[np.isfinite(speed)]
    share = float((known > FAST).mean()) if len(known) else 0.0
    if share <= FAST_SHARE:
        return None
    evidence = {"fast_share": share, "median_velocity": float(np.median(known))}
    return Cause(FailurePattern.RAPID_MOTION, min(0.85, share + 0.2), evidence)


def _low_contrast(case: Case) -> Cause | None:
    """Few tracks, and pixels, where seen, that offer few features."""
    count = int(case.had.sum())
    if count >= FEW_TRACKS:
        return None
    evidence: dict[str, Any] = {"tracks": count}
    faint: tuple[str, ...] = ()
    if case.pixels is not None:
        features = case.pixels.contrast_estimate
        if features is not None and features >= FAINT_FEATURES:
            return None  # there was enough to see: few tracks have another cause
        evidence["contrast_estimate"] = features
        faint = tuple(r for r, found in case.pixels.texture_class.items() if found == "LOW")
    return Cause(FailurePattern.LOW_CONTRAST, 0.7, evidence, regions=faint)


def _edge_distortion(case: Case) -> Cause | None:
    """Tracks in the corners of the frame are lost, those in its middle are not."""
    failed = failed_tracks(case.tracks)[case.had]
    region = case.stats.region_index[case.had]
    corners, middle = (
        np.isin(region, [REGIONS.index(name) for name in names])
        for names in (EDGE_REGIONS, _CENTERS)
    )
    if min(corners.sum(), middle.sum()) < LEAST_IN_REGIONS:
        return None
    rates = float((~failed[middle]).mean()), float((~failed[corners]).mean())
    if rates[0] - rates[1] <= EDGE_GAP:
        return None
    bad = tuple(n for n in EDGE_REGIONS if _lost_share(failed, region, n) > 1 - rates[0])
    evidence = {"center_success": rates[0], "corner_success": rates[1]}
    return Cause(FailurePattern.EDGE_DISTORTION, 0.75, evidence, regions=bad)


def _scene_cut(case: Case) -> Cause | None:
    """Look for a cut in the pixels; without them, for most tracks being lost at once."""
    if case.series is not None:
        inside = np.isin(case.series.cuts, case.tracks.frame_numbers[1:])
        cuts = tuple(case.series.cuts[inside].tolist())
        if cuts:
            return Cause(FailurePattern.SCENE_CUT, 0.95, {"cuts": len(cuts)}, cuts)
        return None
    tracks, failed = case.tracks, failed_tracks(case.tracks)
    lost = np.bincount(tracks.last_index[failed] + 1, minlength=tracks.n_frames)[: tracks.n_frames]
    before = np.concatenate([[0], tracks.seen.sum(axis=0)[:-1]])
    at_once = (before >= LEAST_AT_CUT) & (lost > CUT_SHARE * before)
    cuts = tuple(tracks.frame_numbers[at_once].tolist())
    if not cuts:
        return None
    worst = int(np.argmax(np.where(at_once, lost, 0)))
    evidence = {
        "lost_at_once_share": float(lost[worst] / before[worst]),
        "tracks": int(lost[worst]),
    }
    return Cause(FailurePattern.SCENE_CUT, 0.9, evidence, cuts)


def _insufficient(case: Case) -> Cause | None:
    if case.bundle_count is not None:
        name, count = "bundles", case.bundle_count
    else:
        name, count = "successful_tracks", int((case.stats.success & case.had).sum())
    if count >= FEW_BUNDLES:
        return None
    return Cause(FailurePattern.INSUFFICIENT_FEATURES, 0.8, {name: count})


_RULES: tuple[Callable[[Case], Cause | None], ...] = (
    _scene_cut, _motion_blur, _rapid_motion, _insufficient, _edge_distortion, _low_contrast,
)  # fmt: skip


def _sharp_px(series: FrameSeries) -> float:
    known = series.blur_px[np.isfinite(series.blur_px)]
    return float(np.quantile(known, 0.25)) if len(known) else float("nan")


def _blurred_frames(series: FrameSeries) -> NDArray[np.int64]:
    sharp = _sharp_px(series)
    with np.errstate(invalid="ignore"):
        blurred = (series.blur_px > BLURRED * sharp) & (series.blur_px > LEAST_BLUR_PX)
    return series.frame_numbers[blurred]


def _lost_share(failed: NDArray[np.bool_], region: NDArray[np.int64], name: str) -> float:
    here = failed[region == REGIONS.index(name)]
    return float(here.mean()) if len(here) else 0.0
