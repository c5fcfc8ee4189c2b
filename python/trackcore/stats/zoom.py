"""How the scale of the picture changes, and whether a lens or the camera's place does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.stats._core_rows import Fits, Floats
from trackcore.stats._evidence import parallax, rms_radius_px, weighted_median
from trackcore.stats._records import number, numbers
from trackcore.stats.motion import (
    FrameMotion,
    checked_center,
    frame_motion,
    known_motion,
    of_pairs,
)
from trackcore.tracks import Tracks

LEAST_CHANGE = 0.05
"""Documented: a zoom is a change of scale by more than 5 %."""
UNIFORM_BELOW = 0.01
"""Documented limit of `scale_variance` for a zoom."""
SURE_SIGMAS = 3.0
LONGEST_BRIDGE = 8
"""Frames without a common track with the next that the timeline may jump over."""


class ZoomDirection(StrEnum):
    """The documented words, with the documented sign: `ZOOM_OUT` is a picture that grows."""

    ZOOM_IN = "ZOOM_IN"
    ZOOM_OUT = "ZOOM_OUT"
    NONE = "NONE"


class FocalChange(StrEnum):
    """What a lens did, if it was a lens: a longer focal length makes things larger."""

    LONGER = "LONGER"
    SHORTER = "SHORTER"
    NONE = "NONE"


@dataclass(frozen=True, slots=True, eq=False)
class ZoomAnalysis:
    """What `zoom_analysis` found.

    The documents call a picture that grows ZOOM_OUT, the opposite of what it says on a lens;
    `zoom_direction` and `estimated_fl_ratio` keep that. `apparent_scale_ratio` and `focal_change`
    cannot be misread.

    Attributes
    ----------
    is_zoom_detected : bool
        The scale departs by more than 5 % from that of the first frame, and significantly.
    zoom_direction : ZoomDirection
        ZOOM_OUT where things end larger, ZOOM_IN where smaller (documented sign). Of a zoom that
        comes back, its largest departure decides.
    scale_timeline : (n_frames,) float64
        Scale of each frame relative to the first: starts at 1, larger means things look larger.
        NaN beyond a cut, and before the first frame that has tracks.
    estimated_fl_ratio : float
        Last over first scale.
    scale_variance : float
        Spread of the scale change between tracks, squared, relative to the change (or to 5 %, if
        that is more): 0 for a lens, which scales every depth alike; for a dolly, the variance of
        inverse depth over its squared mean, as far as no plane's motion explains it. Measurement
        noise is taken off.
    is_uniform_scale : bool or None
        `scale_variance` below 0.01: a lens, or a camera that approaches a plane. None where it
        cannot be measured.
    radial_convergence : float
        -1 converging (things get smaller) .. +1 diverging: net change of log scale over the sum
        of its absolute changes, 0 without a significant one.
    confidence : float
        0 .. 1 that the picture's scale changes (or does not) as said, from its standard error.
    apparent_scale_ratio : float
        The same as `estimated_fl_ratio`: 1.5 means that things look 1.5 times as large at the end.
    focal_change : FocalChange
        LONGER if things end larger, SHORTER if smaller; NONE if there is no zoom, or if it is not
        uniform: a dolly does not change the lens.
    scale_per_frame, scale_sigma : (n_frames - 1,) float64
        Factor per clip frame to each frame from the one before, and its standard deviation.
    frames : (n_frames,) int64
        Clip frame numbers of the timeline.
    """

    is_zoom_detected: bool
    zoom_direction: ZoomDirection
    scale_timeline: Floats
    estimated_fl_ratio: float
    scale_variance: float
    is_uniform_scale: bool | None
    radial_convergence: float
    confidence: float
    focal_change: FocalChange
    scale_per_frame: Floats
    scale_sigma: Floats
    frames: NDArray[np.int64]

    @property
    def apparent_scale_ratio(self) -> float:
        """Last over first scale: more than 1 means that things look larger at the end."""
        return self.estimated_fl_ratio

    def to_dict(self) -> dict[str, Any]:
        """Return the documented record and the added fields."""
        return {
            "is_zoom_detected": self.is_zoom_detected,
            "zoom_direction": str(self.zoom_direction),
            "scale_timeline": numbers(self.scale_timeline),
            "estimated_fl_ratio": number(self.estimated_fl_ratio),
            "scale_variance": number(self.scale_variance),
            "is_uniform_scale": self.is_uniform_scale,
            "radial_convergence": number(self.radial_convergence),
            "confidence": number(self.confidence),
            "apparent_scale_ratio": number(self.apparent_scale_ratio),
            "focal_change": str(self.focal_change),
            "scale_per_frame": numbers(self.scale_per_frame),
            "scale_sigma": numbers(self.scale_sigma),
            "frames": self.frames.tolist(),
        }


def zoom_analysis(
    tracks: Tracks,
    principal_point_px: ArrayLike | None = None,
    *,
    motion: FrameMotion | None = None,
    threads: int = 0,
) -> ZoomAnalysis:
    """Measure how the scale of the picture changes, and tell a zoom from a dolly.

    Parameters
    ----------
    tracks : Tracks
    principal_point_px : (x, y), optional
        Where the lens's axis meets the picture [px]; by default the centre of the frame.
    motion : FrameMotion, optional
        `frame_motion(tracks)`, if it is known already; instead of `principal_point_px`, since it
        has a centre of its own.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    ZoomAnalysis

    Raises
    ------
    InputError
        If `principal_point_px` is no position, or is given beside `motion`; if `motion` is of
        other tracks.

    Notes
    -----
    The scales of `frame_motion` multiplied up: each from the tracks that its two frames share, so
    neither a pan nor tracks that come and go move the timeline. Its error grows with the square
    root of the frames, and with what the lens distorts (a centre magnified from a wide setting is
    not the average of the frame: about 1 % for a consumer zoom of 3.5 x). Tracks at several depths
    scale differently when the camera moves: their spread over frames far apart is
    `scale_variance`.
    """
    center = checked_center("principal_point_px", principal_point_px, tracks.frame_size)
    if motion is None:
        motion = frame_motion(tracks, center_px=center, threads=threads)
    elif principal_point_px is not None:
        raise InputError("principal_point_px: expected none beside motion, which has a center_px")
    known = known_motion(tracks, motion, threads)
    return from_motion(tracks, known, known.wide_fits(threads))


def from_motion(tracks: Tracks, motion: FrameMotion, wide: Fits) -> ZoomAnalysis:
    """Analyse the scales of a motion that is known."""
    timeline, variance = _timeline(tracks, motion)
    known = np.flatnonzero(np.isfinite(timeline))
    ratio = float(timeline[known[-1]]) if len(known) > 1 else float("nan")
    departure, sigmas = _departure(timeline, np.sqrt(variance))
    detected = bool(abs(departure - 1) > LEAST_CHANGE and sigmas > SURE_SIGMAS)
    spread = _scale_variance(motion, wide, tracks.frame_size)
    uniform = None if np.isnan(spread) else bool(spread < UNIFORM_BELOW)
    grows = (ratio if abs(ratio - 1) > LEAST_CHANGE else departure) > 1
    lens = detected and uniform is not False
    with np.errstate(invalid="ignore", divide="ignore"):
        elapsed = motion.elapsed_frames
        per_frame = motion.scale ** (1 / elapsed)
        sigma = motion.sigma_scale / motion.scale * per_frame / elapsed
    return ZoomAnalysis(
        is_zoom_detected=detected,
        zoom_direction=_either(detected, grows, ZoomDirection.ZOOM_OUT, ZoomDirection.ZOOM_IN),
        scale_timeline=timeline,
        estimated_fl_ratio=ratio,
        scale_variance=spread,
        is_uniform_scale=uniform,
        radial_convergence=_convergence(motion),
        confidence=_confidence(timeline, np.sqrt(variance)),
        focal_change=_either(lens, grows, FocalChange.LONGER, FocalChange.SHORTER),
        scale_per_frame=per_frame,
        scale_sigma=sigma,
        frames=tracks.frame_numbers,
    )


def _either(yes: bool, grows: bool, larger: Any, smaller: Any) -> Any:  # noqa: FBT001
    return type(larger).NONE if not yes else larger if grows else smaller


def _timeline(tracks: Tracks, motion: FrameMotion) -> tuple[Floats, Floats]:
    """Return the scale of each frame and the variance of its logarithm; NaN where unknown."""
    n = tracks.n_frames
    log_scale, variance = np.full(n, np.nan), np.full(n, np.nan)
    steps = np.log(motion.scale)
    step_variance = (motion.sigma_scale / motion.scale) ** 2
    starts = np.flatnonzero(np.isfinite(steps))
    if not len(starts):
        return log_scale, variance
    log_scale[starts[0]] = variance[starts[0]] = 0.0
    at = int(starts[0])
    while at < n - 1:
        step, step_var, to = steps[at], step_variance[at], at + 1
        if np.isnan(step):
            step, step_var, to = _bridge(tracks, motion.center_px, at)
            if np.isnan(step):
                break
        log_scale[to] = log_scale[at] + step
        variance[to] = variance[at] + step_var
        at = to
    return np.exp(log_scale), variance


def _bridge(tracks: Tracks, center: tuple[float, float], at: int) -> tuple[float, float, int]:
    """Return the log scale to the nearest later frame that shares enough tracks with this one."""
    later = np.arange(at + 2, min(at + 1 + LONGEST_BRIDGE, tracks.n_frames))
    if len(later):
        pairs = np.stack([np.full_like(later, at), later], axis=1)
        jump = of_pairs(tracks, pairs, center)
        good = np.flatnonzero(np.isfinite(jump.scale))
        if len(good):
            i = int(good[0])
            sigma = jump.sigma_scale[i] / jump.scale[i]
            return float(np.log(jump.scale[i])), float(sigma**2), int(later[i])
    return float("nan"), float("nan"), at


def _departure(timeline: Floats, sigma: Floats) -> tuple[float, float]:
    """Return the scale that is furthest from 1, and how many standard deviations that is."""
    known = np.isfinite(timeline)
    if not known.any():
        return 1.0, 0.0
    away = np.abs(np.log(timeline[known]))
    i = int(np.argmax(away))
    error = sigma[known][i]
    sigmas = away[i] / error if error > 0 else (np.inf if away[i] > 0 else 0.0)
    return float(timeline[known][i]), float(sigmas)


def _scale_variance(motion: FrameMotion, wide: Fits, frame_size: tuple[int, int]) -> float:
    found = parallax(motion.fits, wide, most=True)
    # Displacement that the change of scale gives the frame's pixels, at least that of 5 %.
    change = np.expm1(np.abs(wide.homography.log_scale))
    radial2 = (rms_radius_px(frame_size) * np.maximum(change, LEAST_CHANGE)) ** 2
    variance = weighted_median(found.residual2, radial2)
    return variance if np.isnan(variance) else max(0.0, variance)


def _convergence(motion: FrameMotion) -> float:
    """Return net over total change of log scale, counting what is significant."""
    with np.errstate(invalid="ignore"):
        steps = np.log(motion.scale)
        error = motion.sigma_scale / motion.scale
    known = np.isfinite(steps + error)
    net, total_error = steps[known].sum(), np.sqrt((error[known] ** 2).sum())
    if not known.any() or abs(net) <= SURE_SIGMAS * total_error:
        return 0.0
    return float(np.clip(net / np.abs(steps[known]).sum(), -1.0, 1.0))


def _confidence(timeline: Floats, sigma: Floats) -> float:
    """Return how clearly the largest departure is on its side of the 5 % limit, 0 .. 1."""
    departure, _ = _departure(timeline, sigma)
    known = np.isfinite(sigma)
    if known.sum() < 2:
        return 0.0
    error = float(np.max(sigma[known]))
    margin = abs(abs(np.log(departure)) - np.log1p(LEAST_CHANGE))
    covered = known.sum() / len(timeline)
    return float(covered * (1 - np.exp(-margin / max(error, 1e-3))))
