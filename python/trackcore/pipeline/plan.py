"""What one attempt tracks with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.frame_regions import EDGE_REGIONS, REGIONS
from trackcore.options import TrackerOptions
from trackcore.settings import Settings, settings_used, tracker_options
from trackcore.settings_policy import Choice

UNKNOWN_CONFIDENCE = 0.5
LEAST_CONFIDENCE = 0.1
"""No region is given up: what failed before may be the only parallax there is."""
FULL_HD_PX = 1920


@dataclass(frozen=True, slots=True)
class Plan:
    """What one attempt tracks with, and why.

    Attributes
    ----------
    settings : Settings
        As the documents have them.
    tracker : TrackerOptions
        What they mean for the tracker.
    region_confidence : dict of str to float
        By which new tracks are shared out among the regions.
    center_weight : float
        How much more the regions count that are no corner.
    redetect_frames : tuple of int
        Clip frame numbers at which a new shot begins: all tracks end, others start.
    why : tuple of str
    """

    settings: Settings
    tracker: TrackerOptions
    region_confidence: dict[str, float] = field(default_factory=dict)
    center_weight: float = 1.0
    redetect_frames: tuple[int, ...] = ()
    why: tuple[str, ...] = ()

    @staticmethod
    def of(choice: Choice, frame_size: tuple[int, int], target_count: int = 0) -> Plan:
        """Return the plan of a first attempt."""
        apart = TrackerOptions().min_distance * max(1.0, frame_size[0] / FULL_HD_PX)
        count = target_count or choice.target_count
        base = TrackerOptions(target_count=count, min_distance=apart)
        return Plan(
            choice.settings, tracker_options(choice.settings, base),
            dict(choice.region_confidence), why=choice.why,
        )  # fmt: skip

    def changed(self, settings: Settings, why: str, **others: Any) -> Plan:
        """Return the plan with other settings."""
        return replace(
            self, settings=settings, tracker=tracker_options(settings, self.tracker),
            why=(why,), **others,
        )  # fmt: skip

    @property
    def used(self) -> dict[str, int | float | str]:
        """The documented settings as they are really used."""
        return settings_used(self.tracker)

    @property
    def weights(self) -> NDArray[np.float32] | None:
        """(3, 3) shares of new tracks, as `Tracker` takes them; None: all alike."""
        share = np.array(
            [self.region_confidence.get(name, UNKNOWN_CONFIDENCE) for name in REGIONS], np.float32
        )
        share = np.maximum(share, LEAST_CONFIDENCE)
        share[[name not in EDGE_REGIONS for name in REGIONS]] *= self.center_weight
        return None if np.ptp(share) == 0 else share.reshape(3, 3)

    def same_as(self, other: Plan) -> bool:
        """Whether another plan would track alike, whatever its reasons.

        That the regions' confidence has moved a little is no other way of tracking.
        """
        mine = (self.tracker, self.center_weight, self.redetect_frames)
        return mine == (other.tracker, other.center_weight, other.redetect_frames)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain JSON types."""
        return {
            "settings": self.settings.to_dict(),
            "settings_used": self.used,
            "target_count": self.tracker.target_count,
            "region_confidence": dict(self.region_confidence),
            "center_weight": self.center_weight,
            "redetect_frames": list(self.redetect_frames),
            "why": list(self.why),
        }
