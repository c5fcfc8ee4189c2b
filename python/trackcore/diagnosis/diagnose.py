"""The diagnosis of a clip: all causes that apply, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trackcore._compat import StrEnum
from trackcore.diagnosis.causes import Case, Cause, causes
from trackcore.diagnosis.fixes import FailurePattern, adjustments, apply_fix, as_settings
from trackcore.errors import InputError
from trackcore.pixels import PixelFeatures
from trackcore.settings import Settings
from trackcore.stats import ClipMotion, clip_motion, track_stats
from trackcore.tracks import Tracks

DRIFT_PX, DRIFT_SHARE = 1.5, 0.3
"""Tracks whose keyframe and previous frame disagree by so much drift; from this share of them on
the clip does."""


class FailureType(StrEnum):
    """The documented words of session records."""

    NONE = "NONE"
    BLUR = "BLUR"
    CONTRAST = "CONTRAST"
    CUT = "CUT"
    DRIFT = "DRIFT"
    INSUFFICIENT = "INSUFFICIENT"


_TYPES = {
    FailurePattern.NONE: FailureType.NONE,
    FailurePattern.MOTION_BLUR: FailureType.BLUR,
    FailurePattern.RAPID_MOTION: FailureType.BLUR,
    FailurePattern.LOW_CONTRAST: FailureType.CONTRAST,
    FailurePattern.SCENE_CUT: FailureType.CUT,
    FailurePattern.EDGE_DISTORTION: FailureType.DRIFT,
    FailurePattern.INSUFFICIENT_FEATURES: FailureType.INSUFFICIENT,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `diagnose` found.

    Attributes
    ----------
    pattern : FailurePattern
        Of the likeliest cause; NONE for a healthy clip.
    confidence : float
        How sure, 0 .. 1; for NONE, that nothing is wrong as far as can be seen.
    fix_adjustments : dict
        New values of the documented settings that should change, and `center_weight`,
        `redetect_frames` where these help.
    causes : tuple of Cause
        All that apply, likeliest first.
    failure_type : FailureType
        The same in the words of session records.
    frame_of_failure : int or None
        Clip frame number where the cause, or the critical drop of the track count, shows first.
    settings : Settings
        What the adjustments start from.
    """

    pattern: FailurePattern
    confidence: float
    fix_adjustments: dict[str, Any]
    causes: tuple[Cause, ...]
    failure_type: FailureType
    frame_of_failure: int | None
    settings: Settings

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return self.failure_type is FailureType.NONE

    def to_dict(self) -> dict[str, Any]:
        """Return the record: plain JSON types."""
        return {
            "pattern": self.pattern.value,
            "confidence": round(self.confidence, 4),
            "fix_adjustments": dict(self.fix_adjustments),
            "failure_type": self.failure_type.value,
            "frame_of_failure": self.frame_of_failure,
            "causes": [self._cause(cause) for cause in self.causes],
        }

    def _cause(self, cause: Cause) -> dict[str, Any]:
        return {
            "pattern": cause.pattern.value,
            "confidence": round(cause.confidence, 4),
            "frame": cause.frames[0] if cause.frames else None,
            "frames": list(cause.frames),
            "regions": list(cause.regions),
            "evidence": {k: round(v, 6) for k, v in cause.evidence.items() if _is_number(v)},
            "fix_adjustments": adjustments(cause.pattern, self.settings, cause.frames),
        }


DiagnosisResult = Diagnosis
"""The documented name."""


def diagnose(
    tracks: Tracks,
    *,
    settings: Mapping[str, Any] | Settings | None = None,
    pixels: PixelFeatures | None = None,
    motion: ClipMotion | None = None,
    bundle_count: int | None = None,
    anchor_disagreement_px: ArrayLike | None = None,
) -> Diagnosis:
    """Say why a clip did not track well, if it did not, and what to change.

    Parameters
    ----------
    tracks : Tracks
    settings : mapping or Settings, optional
        The documented settings tracked with, which the adjustments start from.
    pixels : PixelFeatures, optional
        With them, blur, cuts and contrast are seen instead of inferred.
    motion : ClipMotion, optional
        `clip_motion(tracks)`, if it is known already.
    bundle_count : int, optional
        Tracks with a 3-D point, after a solve.
    anchor_disagreement_px : (n_tracks,) float, optional
        By how much each track's keyframe and previous frame disagree [px].

    Returns
    -------
    Diagnosis
        NONE for a healthy clip: tracks that leave the frame or reach the end are no failure, nor
        is the noise of a locked-off shot.

    Raises
    ------
    InputError
        If an argument does not fit.
    """
    if not isinstance(tracks, Tracks):
        raise InputError(f"tracks: expected Tracks, got {type(tracks).__name__}")
    if pixels is not None and not isinstance(pixels, PixelFeatures):
        raise InputError(f"pixels: expected PixelFeatures, got {type(pixels).__name__}")
    if motion is None:
        motion = clip_motion(tracks)
    found = causes(Case(tracks, track_stats(tracks), pixels, bundle_count))
    start = as_settings(settings)
    top = found[0] if found else Cause(FailurePattern.NONE, _soundness(tracks))
    kind, drifts = _TYPES[top.pattern], _drifts(tracks, anchor_disagreement_px)
    if kind is FailureType.NONE and drifts:
        kind = FailureType.DRIFT
    frame = top.frames[0] if top.frames else motion.frame_of_failure
    return Diagnosis(
        pattern=top.pattern,
        confidence=top.confidence,
        fix_adjustments=adjustments(top.pattern, start, top.frames),
        causes=tuple(found),
        failure_type=kind,
        frame_of_failure=None if kind is FailureType.NONE else frame,
        settings=start,
    )


class FailureDiagnostics:
    """The documented name of `diagnose` and `apply_fix`."""

    @staticmethod
    def diagnose(tracks: Tracks, **evidence: Any) -> Diagnosis:
        """Return `diagnose(tracks, ...)`."""
        return diagnose(tracks, **evidence)

    @staticmethod
    def apply_fix(settings: Mapping[str, Any] | Settings, diagnosis: Diagnosis) -> dict[str, Any]:
        """Return `apply_fix(settings, diagnosis)`."""
        return apply_fix(settings, diagnosis)


def _soundness(tracks: Tracks) -> float:
    """Return the share of tracks that lived five frames or as long as the clip, at most 0.95."""
    life = tracks.lifespan_frames[tracks.first_index >= 0]
    if not len(life):
        return 0.0
    return float(min(0.95, (life >= min(5, tracks.n_frames)).mean()))


def _drifts(tracks: Tracks, disagreement_px: ArrayLike | None) -> bool:
    if disagreement_px is None:
        return False
    values = np.asarray(disagreement_px, np.float64)
    if values.shape != (len(tracks),):
        raise InputError(
            f"anchor_disagreement_px: expected shape ({len(tracks)},), got {values.shape}"
        )
    known = values[np.isfinite(values)]
    return bool(len(known)) and float((known > DRIFT_PX).mean()) > DRIFT_SHARE


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
