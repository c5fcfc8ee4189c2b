"""What helps against each failure pattern: one table, applied within the documented ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackcore._compat import StrEnum
from trackcore.options import MotionModel
from trackcore.settings import SETTING_NAMES, Settings

if TYPE_CHECKING:
    from trackcore.diagnosis.diagnose import Diagnosis


class FailurePattern(StrEnum):
    """The documented patterns of failure."""

    MOTION_BLUR = "MOTION_BLUR"
    RAPID_MOTION = "RAPID_MOTION"
    LOW_CONTRAST = "LOW_CONTRAST"
    EDGE_DISTORTION = "EDGE_DISTORTION"
    SCENE_CUT = "SCENE_CUT"
    INSUFFICIENT_FEATURES = "INSUFFICIENT_FEATURES"
    NONE = "NONE"


CENTER_WEIGHT, REDETECT_FRAMES = "center_weight", "redetect_frames"
"""Adjustments that are no settings: how much more features near the centre count, and the clip
frame numbers at which features have to be detected anew."""

_MULTIPLY: dict[FailurePattern, dict[str, float]] = {
    FailurePattern.MOTION_BLUR: {"pattern_size": 1.5, "search_size": 1.8},
    FailurePattern.RAPID_MOTION: {"search_size": 2.0},
    FailurePattern.LOW_CONTRAST: {"threshold": 0.6},
    FailurePattern.INSUFFICIENT_FEATURES: {"threshold": 0.5},
}
_ADD: dict[FailurePattern, dict[str, float]] = {
    FailurePattern.MOTION_BLUR: {"correlation": -0.2},
    FailurePattern.RAPID_MOTION: {"correlation": -0.15},
    FailurePattern.LOW_CONTRAST: {"correlation": -0.1},
    FailurePattern.INSUFFICIENT_FEATURES: {"correlation": -0.15},
}
_DEFORMING = (FailurePattern.MOTION_BLUR, FailurePattern.RAPID_MOTION)
_CENTER_WEIGHT = 2.0


def adjustments(
    pattern: FailurePattern, settings: Settings, cuts: tuple[int, ...] = ()
) -> dict[str, Any]:
    """Return what to change: new values of settings that differ, and what is no setting."""
    values: dict[str, Any] = settings.to_dict()
    for name, factor in _MULTIPLY.get(pattern, {}).items():
        values[name] *= factor
    for name, change in _ADD.get(pattern, {}).items():
        values[name] = round(values[name] + change, 6)
    if pattern in _DEFORMING:
        values["motion_model"] = MotionModel.AFFINE.value
    new, old = Settings.clamped(**values).to_dict(), settings.to_dict()
    found: dict[str, Any] = {name: new[name] for name in SETTING_NAMES if new[name] != old[name]}
    if pattern is FailurePattern.EDGE_DISTORTION:
        found[CENTER_WEIGHT] = _CENTER_WEIGHT
    if pattern is FailurePattern.SCENE_CUT:
        found[REDETECT_FRAMES] = list(cuts)
    return found


def apply_fix(settings: Mapping[str, Any] | Settings, diagnosis: Diagnosis) -> dict[str, Any]:
    """Return settings changed as a diagnosis asks for, within the documented ranges.

    Parameters
    ----------
    settings : mapping or Settings
        The documented settings: `pattern_size`, `search_size`, `correlation`, `threshold`,
        `motion_model`; other keys are kept.
    diagnosis : Diagnosis

    Returns
    -------
    dict
        The settings, and beside them the adjustments that are none: `center_weight`,
        `redetect_frames`. A setting at its limit stays there.
    """
    known = as_settings(settings)
    others = {} if isinstance(settings, Settings) else dict(settings)
    cuts = tuple(diagnosis.fix_adjustments.get(REDETECT_FRAMES, ()))
    return {**others, **known.to_dict(), **adjustments(diagnosis.pattern, known, cuts)}


def as_settings(settings: Mapping[str, Any] | Settings | None) -> Settings:
    """Return the nearest documented settings; unknown keys do not count, defaults fill gaps."""
    if isinstance(settings, Settings):
        return settings
    given = settings or {}
    return Settings.clamped(**{k: v for k, v in given.items() if k in SETTING_NAMES and v})
