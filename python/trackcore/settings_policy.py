"""Which settings a clip is tracked with: one seam, and what is done while nothing is learned.

Whoever tracks asks a `SettingsPolicy` and does not know where its answer comes from. `ColdStart`
knows the documented heuristics, in one table; what the measurements of decision 13 contradict is
marked. Documented ranges are enforced last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from trackcore._compat import StrEnum
from trackcore.footage import MotionClass, TextureClass, fps_class, resolution_class
from trackcore.normalised import diagonal_px
from trackcore.options import MotionModel
from trackcore.pixels import MotionProbe
from trackcore.settings import Settings
from trackcore.stats.regions import CONFIDENCE_KEPT, CONFIDENCE_START


class Quality(StrEnum):
    """How much is done for a good answer: how many tracks, how large a pattern."""

    FAST = "fast"
    BALANCED = "balanced"
    QUALITY = "quality"


class FootageType(StrEnum):
    """What the user says the clip is."""

    AUTO = "auto"
    INDOOR = "indoor"
    OUTDOOR = "outdoor"
    HANDHELD = "handheld"
    GIMBAL = "gimbal"
    DRONE = "drone"
    ACTION = "action"
    VFX = "vfx"


class Tier(StrEnum):
    """The documented presets, from the most tolerant to the strictest."""

    ULTRA_AGGRESSIVE = "ultra_aggressive"
    AGGRESSIVE = "aggressive"
    MODERATE = "moderate"
    BALANCED = "balanced"
    SELECTIVE = "selective"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What is known of a clip before it is tracked.

    Attributes
    ----------
    frame_size : (w, h)
        [px]
    fps : float
    n_frames : int or None
        None where the length is not known.
    probe : MotionProbe or None
        `motion_probe(clip)`; None where nobody looked.
    fingerprint : str or None
        By which the clip is recognised, if anything is.
    """

    frame_size: tuple[int, int]
    fps: float
    n_frames: int | None = None
    probe: MotionProbe | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user wants."""

    quality: Quality = Quality.BALANCED
    robust: bool = False
    tripod: bool = False
    footage_type: FootageType = FootageType.AUTO


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings, and where they come from.

    Attributes
    ----------
    settings : Settings
    target_count : int
        Tracks to keep alive.
    why : tuple of str
        One reason for each step of the way.
    region_confidence : dict of str to float
        Chance of success by region, 0 .. 1, where something is known; the others are 0.5. As
        documented, what one look or attempt showed counts for 0.3 of it.
    """

    settings: Settings
    target_count: int
    why: tuple[str, ...] = ()
    region_confidence: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
        return {
            "settings": self.settings.to_dict(),
            "target_count": self.target_count,
            "why": list(self.why),
            "region_confidence": dict(self.region_confidence),
        }


class SettingsPolicy(Protocol):
    """Chooses settings for a clip."""

    def choose(self, clip: ClipFacts, wishes: Wishes) -> Choice:
        """Return the settings to begin with, and why."""
        ...


LOC, LOCROT, AFFINE = MotionModel.LOC, MotionModel.LOCROT, MotionModel.AFFINE

TIERS: dict[Tier, dict[str, Any]] = {
    Tier.ULTRA_AGGRESSIVE: {
        "pattern_size": 31, "search_size": 151, "correlation": 0.45, "threshold": 0.08,
        "motion_model": AFFINE,
    },
    Tier.AGGRESSIVE: {
        "pattern_size": 27, "search_size": 130, "correlation": 0.50, "threshold": 0.12,
        "motion_model": AFFINE,
    },
    Tier.MODERATE: {
        "pattern_size": 21, "search_size": 100, "correlation": 0.60, "threshold": 0.20,
        "motion_model": AFFINE,
    },
    Tier.BALANCED: {
        "pattern_size": 15, "search_size": 71, "correlation": 0.70, "threshold": 0.30,
        "motion_model": AFFINE,
    },
    Tier.SELECTIVE: {
        "pattern_size": 13, "search_size": 61, "correlation": 0.75, "threshold": 0.40,
        "motion_model": AFFINE,
    },
}  # fmt: skip
"""As documented, but for the model, which is LocRot in the last two: Affine holds twice as exactly
and as long."""

TIER_BELOW: tuple[tuple[float, Tier], ...] = (
    (0.15, Tier.ULTRA_AGGRESSIVE), (0.3, Tier.AGGRESSIVE), (0.5, Tier.MODERATE),
    (0.7, Tier.BALANCED),
)  # fmt: skip
"""The success rate below which a tier is due, as documented; SELECTIVE from there on."""

BY_MOTION: dict[MotionClass, dict[str, Any]] = {
    MotionClass.HIGH: {"search_size": 141, "correlation": 0.55, "threshold": 0.20},
    MotionClass.MEDIUM: {"search_size": 101, "correlation": 0.65, "threshold": 0.25},
    MotionClass.LOW: {"search_size": 71, "correlation": 0.70, "threshold": 0.30},
}
"""The documents also enlarge the pattern, to 19 and 25 px: a larger window is lost more often in
fast footage, not less."""

STILL_PX, STILL_PATTERN = 0.5, 1.8
"""Where the picture moves by less per frame, nothing turns, grows or is uncovered: a pattern so
many times larger is not lost more often, and its noise is smaller."""

PATTERN_BY_WIDTH = {0: 1.0, 1: 1.2, 2: 1.5}  # of SD, HD and 4K
SEARCH_BY_FPS = {0: 1.3, 1: 1.0, 2: 0.8}  # of 24, 30 and 60 fps
FAINT_THRESHOLD, FAINT_CORRELATION = 0.6, -0.1  # LOW texture
REACH_MARGIN = 2.0  # over the mean speed that the probe saw

FOOTAGE: dict[FootageType, tuple[float, float, float, float]] = {
    FootageType.DRONE: (1.6, 1.8, -0.25, 0.27),
    FootageType.INDOOR: (1.4, 1.5, -0.20, 0.27),
    FootageType.OUTDOOR: (1.2, 1.3, -0.10, 0.80),
    FootageType.HANDHELD: (1.3, 1.6, -0.15, 0.60),
    FootageType.GIMBAL: (1.0, 0.9, 0.05, 1.0),
    FootageType.ACTION: (1.5, 2.0, -0.25, 0.40),
    FootageType.VFX: (1.1, 1.1, 0.0, 0.90),
}
"""Factors of pattern and search, what is added to the correlation, factor of the threshold."""

QUALITIES: dict[Quality, tuple[int, float, float]] = {
    Quality.FAST: (120, 0.85, 0.9),
    Quality.BALANCED: (200, 1.0, 1.0),
    Quality.QUALITY: (300, 1.25, 1.15),
}
"""Tracks, factors of pattern and search. The documents ask for 60, 100 and 140 tracks, which cost a
tracker of another speed."""

ROBUST = (1.4, 1.4, -0.15, -0.12)  # factors of the sizes; added to correlation and threshold
TRIPOD_CORRELATION, MOST_TRIPOD_CORRELATION = 0.08, 0.80


def tier_for(success_rate: float) -> Tier:
    """Return the documented preset for a share of tracks that succeeded.

    >>> tier_for(0.29).value, tier_for(0.3).value, tier_for(0.71).value
    ('aggressive', 'moderate', 'selective')
    """
    for below, tier in TIER_BELOW:
        if success_rate < below:
            return tier
    return Tier.SELECTIVE


class Fixed:
    """Always the same settings: a user's own, or an experiment's.

    Parameters
    ----------
    settings : Settings
    target_count : int, optional
        As the quality says unless given.
    """

    def __init__(self, settings: Settings, target_count: int | None = None) -> None:
        self._settings, self._target_count = settings, target_count

    def choose(self, clip: ClipFacts, wishes: Wishes) -> Choice:  # noqa: ARG002
        """Return them."""
        count = self._target_count or QUALITIES[wishes.quality][0]
        return Choice(self._settings, count, ("settings given by the caller",))


class ColdStart:
    """The documented heuristics: what the clip is, what the probe saw, what the user wants.

    Examples
    --------
    >>> facts = ClipFacts(frame_size=(1920, 1080), fps=30.0, n_frames=240)
    >>> ColdStart().choose(facts, Wishes()).settings.pattern_size
    19
    """

    def choose(self, clip: ClipFacts, wishes: Wishes) -> Choice:
        """Return settings for a clip of which nothing has been learned."""
        draft = _Draft(dict(TIERS[Tier.BALANCED]), ["balanced preset"])
        probe = clip.probe
        if probe is not None and probe.motion_class is not None:
            draft.motion(probe, clip)
        else:
            draft.unprobed(clip)
        width = resolution_class(clip.frame_size)
        if width:
            factor = PATTERN_BY_WIDTH[width]
            draft.scale(f"{('SD', 'HD', '4K')[width]} frames", factor, factor if width == 2 else 1)
        if probe is not None and probe.texture_class is TextureClass.LOW:
            draft.scale("little texture", 1, 1, FAINT_CORRELATION, FAINT_THRESHOLD)
        if wishes.footage_type in FOOTAGE:
            draft.scale(f"{wishes.footage_type.value} footage", *FOOTAGE[wishes.footage_type])
        count, pattern, search = QUALITIES[wishes.quality]
        if wishes.quality is not Quality.BALANCED:
            draft.scale(f"{wishes.quality.value} quality", pattern, search)
        if wishes.robust:
            draft.robust()
        if wishes.tripod:
            draft.tripod()
        success = {} if probe is None else probe.region_success
        known = {
            region: round(CONFIDENCE_KEPT * CONFIDENCE_START + (1 - CONFIDENCE_KEPT) * share, 6)
            for region, share in success.items()
            if share is not None
        }
        return Choice(draft.settings(), count, tuple(draft.why), known)


@dataclass(slots=True)
class _Draft:
    """Settings on their way, not yet within their ranges."""

    values: dict[str, Any]
    why: list[str]

    def motion(self, probe: MotionProbe, clip: ClipFacts) -> None:
        assert probe.motion_class is not None
        self.values |= BY_MOTION[probe.motion_class]
        speed_px = (probe.motion_magnitude or 0.0) * diagonal_px(clip.frame_size)
        self.why.append(f"{probe.motion_class.value} motion: {speed_px:.0f} px per frame")
        if speed_px < STILL_PX:
            self.scale("the camera stands: a larger pattern, for less noise", STILL_PATTERN, 1)
        needed = self.values["pattern_size"] + 2 * REACH_MARGIN * speed_px
        if needed > self.values["search_size"]:
            self.values["search_size"] = needed
            self.why.append(f"search widened to follow twice that ({needed:.0f} px)")

    def unprobed(self, clip: ClipFacts) -> None:
        """Judge by frame rate and length, as documented, where nobody looked at the motion."""
        long = clip.n_frames or 300
        duration = 1.3 if long < 100 else 1.0 if long < 300 else 0.9
        factor = min(max(30.0 / clip.fps * duration, 0.5), 2.0)
        search = SEARCH_BY_FPS[fps_class(float(clip.fps))] * factor
        self.scale("motion guessed from frame rate and length", 1, search)
        if factor > 1.2:
            self.values["correlation"] = max(self.values["correlation"] - 0.05, 0.45)

    def scale(
        self, why: str, pattern: float, search: float, correlation: float = 0.0,
        threshold: float = 1.0,
    ) -> None:  # fmt: skip
        self.values["pattern_size"] *= pattern
        self.values["search_size"] *= search
        self.values["correlation"] += correlation
        self.values["threshold"] *= threshold
        self.why.append(why)

    def robust(self) -> None:
        pattern, search, correlation, threshold = ROBUST
        self.scale("robust mode", pattern, search, correlation)
        self.values["threshold"] += threshold
        self.values["motion_model"] = AFFINE

    def tripod(self) -> None:
        raised = self.values["correlation"] + TRIPOD_CORRELATION
        self.values["correlation"] = min(raised, MOST_TRIPOD_CORRELATION)
        self.why.append("tripod: a stricter match")

    def settings(self) -> Settings:
        rounded = {k: round(v, 6) if isinstance(v, float) else v for k, v in self.values.items()}
        return Settings.clamped(**rounded)
