"""What a user may ask of the whole pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from trackcore._compat import StrEnum
from trackcore.options import Options, knob
from trackcore.settings_policy import FootageType, Quality, Wishes


class HealWhen(StrEnum):
    """When gaps of lost tracks are bridged, which reads the clip twice more."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartTrackerOptions(Options):
    """How a clip is tracked and solved from end to end (`SmartTracker`)."""

    quality: Quality = knob(
        Quality.BALANCED, doc="fewer tracks and a smaller pattern, or more and a larger one"
    )
    robust: bool = knob(False, doc="for difficult clips: larger areas, tolerant, watched closely")
    tripod: bool = knob(False, doc="the camera only turns")
    footage_type: FootageType = knob(FootageType.AUTO, doc="what the clip is; shapes the settings")
    max_retries: int = knob(2, lo=0, hi=10, doc="most further attempts with other settings")
    target_count: int = knob(
        0, lo=0, hi=100_000, doc="tracks kept alive; 0: as many as the quality asks for"
    )
    adapt: bool = knob(True, doc="change settings on the way where tracks are lost")
    heal: HealWhen = knob(
        HealWhen.AUTO, doc="join lost tracks with later ones; auto: where quality is asked for"
    )
    seed: int = knob(0, lo=0, hi=2**31 - 1, doc="of random choices; same seed, same answer")
    threads: int = knob(0, lo=0, hi=1024, doc="worker threads; 0: all; changes no result")

    @property
    def wishes(self) -> Wishes:
        """What of it a settings policy hears."""
        return Wishes(
            quality=self.quality, robust=self.robust, tripod=self.tripod,
            footage_type=self.footage_type,
        )  # fmt: skip
