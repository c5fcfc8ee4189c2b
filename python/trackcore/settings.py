"""The tracking settings of the documents: names, ranges and defaults, written once.

Records, predictors and the diagnosis speak of a shot's settings in these words. What the ranges
mean and which document they come from: seed 001, "Settings Parameters"; where a preset lies
outside, it is clamped last, and an even size is rounded up to the next odd one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from trackcore.errors import InputError
from trackcore.options import MotionModel, Options, TrackerOptions, knob


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Options):
    """How a shot was, or is to be, tracked, under the documented names.

    Raises
    ------
    InputError
        If a value is outside its documented range, or a size is even. `Settings.clamped` makes
        valid settings of such values.

    Examples
    --------
    >>> Settings().to_dict()["motion_model"]
    'LocRot'
    >>> Settings.clamped(pattern_size=24, threshold=0.02).to_dict()["pattern_size"]
    25
    """

    pattern_size: int = knob(15, unit="px", lo=5, hi=31, doc="side of the pattern; odd")
    search_size: int = knob(71, unit="px", lo=25, hi=151, doc="side of the area searched; odd")
    correlation: float = knob(0.7, lo=0.5, hi=0.95, doc="a match below this is a loss")
    threshold: float = knob(0.3, lo=0.1, hi=0.5, doc="weakest feature detected; lower finds more")
    motion_model: MotionModel = knob(MotionModel.LOCROT, doc="how the pattern may deform")

    def __post_init__(self) -> None:
        """Check ranges and parity."""
        Options.__post_init__(self)
        for name in ODD_SIZES:
            size = getattr(self, name)
            if size % 2 == 0:
                raise InputError(f"Settings.{name} = {size} px: expected an odd size")

    @classmethod
    def clamped(cls, **values: object) -> Settings:
        """Return the nearest valid settings: ranges enforced, even sizes rounded up.

        Values that are not given get their default. Sizes may be fractions, as a multiplied
        setting is.

        Raises
        ------
        InputError
            If a name is unknown or a value is not a finite number or a known motion model.
        """
        known = {k.name: k for k in cls.knobs()}
        valid: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise InputError(f"Settings: expected {', '.join(known)}, got {name!r}")
            k = known[name]
            if k.lo is None or k.hi is None:
                valid[name] = value
                continue
            number = min(max(_number(name, value), k.lo), k.hi)
            # hi is odd, so rounding up stays inside
            valid[name] = math.ceil(number) | 1 if name in ODD_SIZES else number
        return cls(**valid)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Settings:
        """Return settings from a record's object, clamped; missing keys get their default.

        Raises
        ------
        InputError
            As `clamped`: unknown keys are not dropped in silence.
        """
        if not isinstance(values, Mapping) or not all(isinstance(k, str) for k in values):
            raise InputError(f"values: expected a mapping of setting names, got {values!r}")
        return cls.clamped(**values)

    def to_dict(self) -> dict[str, int | float | str]:
        """Return the record's object: plain numbers and the motion model's word."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain["motion_model"] = self.motion_model.value
        return plain


ODD_SIZES = ("pattern_size", "search_size")
"""Settings that are sides of a patch with a centre pixel."""

SETTING_NAMES = tuple(k.name for k in Settings.knobs())
"""The documented keys, in the documents' order."""


_THRESHOLD_SCALE = 3.0


def settings_used(options: TrackerOptions) -> dict[str, int | float | str]:
    """Return what the tracker's options are in the documented words, whatever their range.

    The inverse of `tracker_options`. The tracker searches no area: `search_size` is the area that
    a pattern would be searched for in to be followed as far (`REACH_PX`). `threshold` is three
    times the contrast that a weak corner needs, as a share of the strongest one's: its score, an
    eigenvalue, goes with the contrast's square.
    """
    return {
        "pattern_size": options.window,
        "search_size": searched_px(options.window, options.levels),
        "correlation": options.min_ncc,
        "threshold": round(_THRESHOLD_SCALE * math.sqrt(options.quality), 6),
        "motion_model": options.model.value,
    }


def tracker_options(settings: Settings, base: TrackerOptions = TrackerOptions()) -> TrackerOptions:
    """Return the tracker's options that documented settings mean.

    Parameters
    ----------
    settings : Settings
    base : TrackerOptions
        What the documents do not speak of: how many tracks, how far apart, anchor, brightness.

    Returns
    -------
    TrackerOptions
        The window is the pattern; as many levels as it takes to reach as far as the search area
        does; `quality` is the square of a third of the threshold, so that the documented default
        is the tracker's. `settings_used` says what it comes to: the reach may be larger than the
        one asked for, and asking for that gives the same options.

    >>> tracker_options(Settings()).levels, tracker_options(Settings(search_size=101)).levels
    (4, 5)
    >>> tracker_options(Settings()).quality
    0.01
    """
    levels = LEAST_LEVELS
    while searched_px(settings.pattern_size, levels) < settings.search_size:
        levels += 1
    return replace(
        base,
        window=settings.pattern_size,
        levels=levels,
        min_ncc=settings.correlation,
        quality=round((settings.threshold / _THRESHOLD_SCALE) ** 2, 9),
        model=settings.motion_model,
    )


LEAST_LEVELS = 2
REACH_PX = 3.5
"""How far a point may move per frame and pixel of the coarsest level for nine in ten still to be
found, whatever the window: measured on real pictures, 3 to 5 levels, windows of 15 to 31 px."""


def searched_px(window: int, levels: int) -> int:
    """Return the side of the area in which a pattern would move as far as can be followed [px]."""
    return int(window + 2 * REACH_PX * 2 ** (levels - 1))


def _number(name: str, value: object) -> float:
    is_number = isinstance(value, (int, float, np.integer, np.floating))
    if isinstance(value, bool) or not is_number or not math.isfinite(value):  # type: ignore[arg-type]
        raise InputError(f"Settings.{name}: expected a finite number, got {value!r}")
    return float(value)  # type: ignore[arg-type]
