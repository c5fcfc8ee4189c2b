"""What kind of shot this is, judged by how the picture moves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trackcore._compat import StrEnum
from trackcore.normalised import diagonal_px
from trackcore.stats._core_rows import Floats
from trackcore.stats._evidence import (
    Parallax,
    RotationTest,
    parallax,
    rms_radius_px,
    rotation_test,
)
from trackcore.stats._records import number
from trackcore.stats.motion import FrameMotion, known_motion
from trackcore.stats.zoom import ZoomAnalysis
from trackcore.stats.zoom import from_motion as zoom_from_motion
from trackcore.tracks import Tracks

LEAST_FRAMES, LEAST_TRACKS = 5, 8
"""A shot with fewer steps, or fewer tracks in both frames of most steps, is UNKNOWN."""
STILL_PX, STILL_DIAGONALS = 0.15, 1e-4
"""Motion per frame below the larger of the two is none: a tripod in the wind, a tracker's drift."""
PARALLAX_FROM = 0.02
"""Parallax score of a camera that moves through depths. Clips of turning cameras measure below
0.005, handheld walks 0.1 to 0.15."""
WIDER_PARALLAX_FROM, NO_ROTATION_MISFIT, NO_ROTATION_PX = 0.05, 0.1, 1.0
"""... or, where a plane explains most tracks, this score of all but a tenth of them, if that plane
clearly does not move as a turning camera would make it: it is the camera that moves, not things."""
ROLL_SHARE, ROLL_LEAST_RAD = 0.5, math.radians(2)
ZOOM_SHARE = 0.2
SHAKE_SHARE = 0.5
SHAKE_SECONDS = 0.6
"""Motion that a mean over so long does not follow is shake."""
ROTATION_MISFIT = 0.05
LONGEST_LENS = 6.0
"""Focal length over frame width (a 200 mm lens on full frame) beyond which a wall is likelier."""
CURVED_SIGMAS = 5.0


class ShotKind(StrEnum):
    """What the camera does."""

    STATIC = "STATIC"
    PAN_TILT = "PAN_TILT"
    ROLL = "ROLL"
    ZOOM = "ZOOM"
    DOLLY_PARALLAX = "DOLLY_PARALLAX"
    PLANAR = "PLANAR"
    HANDHELD_SHAKE = "HANDHELD_SHAKE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class ShotType:
    """A kind of shot, how sure, and by which numbers.

    Attributes
    ----------
    kind : ShotKind
    confidence : float
        0 .. 1: a half where a deciding number lies on its limit, near 1 where all lie far from
        theirs; less where frames could not be judged.
    evidence : dict of str to float
        The numbers that decided, NaN where one was not measured. `shift_px`, `roll_px`,
        `zoom_px`: median motion per frame of the picture's centre, and of its average pixel by
        rotation and by scale. `roll_share`, `zoom_share`: of the motion's energy.
        `roll_range_rad`, `scale_range`: extent over the clip. `shake_share`: share of the energy
        that a mean over 0.6 s does not follow. `parallax_score`, `epipolar_share`: as in
        `clip_motion`; `wider_parallax_score`: the same of all tracks but a tenth. `incoherence`:
        residual over displacement, whatever its directions. `rotation_misfit`,
        `rotation_misfit_px`, `rotation_focal_widths`: how far the homographies are from those of
        a turning camera, K R K^-1, as a share of the motion and in px, and the focal length that
        fits best, in frame widths. `curvature_sigmas`: how clearly they differ from similarities;
        below 5, a pan and a flat wall passing by look the same. `judged_share`: of the steps.
    """

    kind: ShotKind
    confidence: float
    evidence: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
        return {
            "kind": str(self.kind),
            "confidence": number(self.confidence),
            "evidence": {name: number(value) for name, value in self.evidence.items()},
        }


def classify_shot(
    tracks: Tracks,
    *,
    motion: FrameMotion | None = None,
    zoom: ZoomAnalysis | None = None,
    threads: int = 0,
) -> ShotType:
    """Say what kind of shot this is: what the camera does, as far as tracks can tell.

    Parameters
    ----------
    tracks : Tracks
        Of one shot; cut a clip with cuts first.
    motion : FrameMotion, optional
        `frame_motion(tracks)`, if it is known already.
    zoom : ZoomAnalysis, optional
        `zoom_analysis(tracks)`, likewise.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    ShotType
        The first that applies: UNKNOWN (too little to judge), DOLLY_PARALLAX (residuals that
        point to an epipole: the camera moves through depths, whatever else it does), STATIC,
        ROLL, ZOOM, HANDHELD_SHAKE (turning to and fro), then PAN_TILT or PLANAR.

    Notes
    -----
    A turning camera and a plane both move the picture by homographies. A turning camera's are
    K R K^-1: one focal length has to fit all of them. A plane that passes by parallel to the
    picture moves like a pan with an endless lens: PLANAR if even a long lens would have shown its
    curvature, else nobody can tell and the confidence says so. A dolly straight at a flat wall
    cannot be told from a zoom.
    """
    motion = known_motion(tracks, motion, threads)
    wide = motion.wide_fits(threads)
    if zoom is None:
        zoom = zoom_from_motion(tracks, motion, wide)
    good = _judged(motion)
    if good.sum() < LEAST_FRAMES - 1 or np.median(motion.n_common[good]) < LEAST_TRACKS:
        return ShotType(ShotKind.UNKNOWN, 0.0, {"judged_share": _share(good)})
    evidence = _of_motion(tracks, motion, good, zoom)
    evidence |= _of_depth(
        parallax(motion.fits, wide),
        parallax(motion.fits, wide, most=True),
        rotation_test(wide, tracks.frame_size),
        tracks.frame_size[0],
    )
    kind, confidence = _decide(evidence, diagonal_px(tracks.frame_size))
    return ShotType(kind, confidence * _reliability(evidence["judged_share"]), evidence)


def _judged(motion: FrameMotion) -> Any:
    """Return the steps whose motion is that of most tracks."""
    with np.errstate(invalid="ignore"):
        return (motion.inlier_share >= 0.5) & (motion.n_common >= LEAST_TRACKS)


def _share(flags: Any) -> float:
    return float(np.mean(flags)) if len(flags) else 0.0


def _of_motion(
    tracks: Tracks, motion: FrameMotion, good: Any, zoom: ZoomAnalysis
) -> dict[str, float]:
    radius = rms_radius_px(tracks.frame_size)
    elapsed = motion.elapsed_frames[good, None]
    parts = (
        np.column_stack(
            [motion.translation_px, motion.rotation_rad * radius, np.log(motion.scale) * radius]
        )[good]
        / elapsed
    )
    energy = _tamed(parts) ** 2
    total = max(float(energy.sum()), 1e-12)
    timeline = zoom.scale_timeline[np.isfinite(zoom.scale_timeline)]
    turned = np.cumsum(np.nan_to_num(motion.rotation_rad[good]))
    return {
        "shift_px": float(np.median(np.hypot(parts[:, 0], parts[:, 1]))),
        "roll_px": float(np.median(np.abs(parts[:, 2]))),
        "zoom_px": float(np.median(np.abs(parts[:, 3]))),
        "roll_share": float(energy[:, 2].sum() / total),
        "zoom_share": float(energy[:, 3].sum() / total),
        "roll_range_rad": float(np.ptp(np.append(turned, 0.0))),
        "scale_range": float(timeline.max() / timeline.min()) if len(timeline) else float("nan"),
        "zoom_detected": float(zoom.is_zoom_detected),
        "shake_share": _shake_share(_tamed(parts), tracks.fps),
        "judged_share": _share(good),
    }


def _of_depth(
    depth: Parallax, wider: Parallax, turning: RotationTest, width_px: int
) -> dict[str, float]:
    return {
        "parallax_score": depth.score,
        "wider_parallax_score": wider.score,
        "epipolar_share": depth.epipolar_share,
        "incoherence": depth.ratio,
        "rotation_misfit": turning.misfit,
        "rotation_misfit_px": turning.misfit_px,
        "rotation_focal_widths": turning.focal_px / width_px,
        "curvature_sigmas": turning.curvature_sigma,
    }


def _tamed(parts: Floats) -> Floats:
    """Return the motion with each step at most four times as long as the median one.

    A few steps measured wrongly shall not make up the energy of a clip.
    """
    length = np.linalg.norm(parts, axis=1)
    most = 4 * np.median(length)
    return np.asarray(parts * np.minimum(1.0, most / np.maximum(length, 1e-12))[:, None])


def _shake_share(parts: Floats, fps: float) -> float:
    """Return the share of energy that a running mean over `SHAKE_SECONDS` does not follow."""
    n = len(parts)
    width = min(max(5, 2 * round(SHAKE_SECONDS * fps / 2) + 1), n - 1 + n % 2)
    kernel = np.ones(width)
    count = np.convolve(np.ones(n), kernel, "same")
    smooth = np.column_stack([np.convolve(part, kernel, "same") / count for part in parts.T])
    return float(((parts - smooth) ** 2).sum() / max(float((parts**2).sum()), 1e-12))


def _decide(e: dict[str, float], diagonal: float) -> tuple[ShotKind, float]:
    """Return the first kind that applies, and the least margin of the tests that led to it."""
    still = max(STILL_PX, STILL_DIAGONALS * diagonal)
    motion = math.sqrt(e["shift_px"] ** 2 + e["roll_px"] ** 2 + e["zoom_px"] ** 2)
    moving = _margin(motion, still)
    if motion < still:
        return ShotKind.STATIC, moving
    deep = _margin(e["parallax_score"], PARALLAX_FROM)
    if e["parallax_score"] >= PARALLAX_FROM:
        return ShotKind.DOLLY_PARALLAX, min(moving, deep)
    wider = [
        (e["wider_parallax_score"], WIDER_PARALLAX_FROM),
        (e["rotation_misfit"], NO_ROTATION_MISFIT),
        (e["rotation_misfit_px"], NO_ROTATION_PX),
    ]
    if all(value >= limit for value, limit in wider):
        return ShotKind.DOLLY_PARALLAX, min(moving, *(_margin(*test) for test in wider))
    path = min(moving, deep)
    tests = (
        (ShotKind.ROLL, [(e["roll_share"], ROLL_SHARE), (e["roll_range_rad"], ROLL_LEAST_RAD)]),
        (ShotKind.ZOOM, [(e["zoom_share"], ZOOM_SHARE), (2 * e["zoom_detected"], 1.0)]),
        (ShotKind.HANDHELD_SHAKE, [(e["shake_share"], SHAKE_SHARE)]),
    )
    for kind, limits in tests:
        margins = [_margin(value, limit) for value, limit in limits]
        if all(value >= limit for value, limit in limits):
            return kind, min(path, *margins)
        path = min(path, max(m for m, (v, lim) in zip(margins, limits, strict=True) if v < lim))
    return _pan_or_plane(e, path)


def _pan_or_plane(e: dict[str, float], path: float) -> tuple[ShotKind, float]:
    misfit = _margin(e["rotation_misfit"], ROTATION_MISFIT)
    if e["rotation_misfit"] > ROTATION_MISFIT:
        return ShotKind.PLANAR, min(path, misfit)
    if e["rotation_focal_widths"] > LONGEST_LENS:
        # A pan with a lens of ordinary length would curve: a wall, or a very long lens.
        return ShotKind.PLANAR, min(path, 0.6)
    if e["curvature_sigmas"] < CURVED_SIGMAS:
        return ShotKind.PAN_TILT, min(path, 0.5)
    return ShotKind.PAN_TILT, min(path, misfit, _margin(e["curvature_sigmas"], CURVED_SIGMAS))


def _margin(value: float, limit: float) -> float:
    """Return 0.5 for a value on its limit or unknown, towards 1 the further it is away."""
    if math.isnan(value):
        return 0.5
    if value <= 0:
        return 1.0
    return 1.0 - 0.5 * math.exp(-abs(math.log(value / limit)))


def _reliability(judged: float) -> float:
    return min(1.0, 0.2 + judged)
