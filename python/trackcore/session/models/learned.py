"""`model.json`: what was learned, as far as export and import need to know it."""

from __future__ import annotations

from typing import Any

from trackcore.session.models._base import (
    Anything,
    Count,
    Number,
    Positive,
    Record,
    Share,
    Whole,
    says,
)
from trackcore.session.models.settings import Settings
from trackcore.session.models.track import RegionStats
from trackcore.session.models.vocabulary import Outcome, Region

MODEL_VERSION = 1


class GlobalStats(Record):
    """All sessions learned from."""

    total_sessions: Count | None = says("sessions seen")
    successful_sessions: Count | None = says("of these, the successful ones")


class Experience(Record):
    """One session as the learning remembers it."""

    settings: Settings | None = says("settings tracked with")
    outcome: Outcome | None = says("SUCCESS, PARTIAL or FAILURE")
    reward: Number | None = says("how good it was")
    solve_error: Positive | None = says("mean reprojection error", unit="px")
    failure_type: str | None = says("why it failed")


class FootageClass(Record):
    """What was learned about one class of footage."""

    sample_count: Count | None = says("sessions seen")
    success_count: Count | None = says("of these, the successful ones")
    avg_success_rate: Share | None = says("mean share of successful tracks")
    experiences: list[Experience] | None = says("the latest sessions")
    best_settings: Settings | None = says("settings of the lowest error")


class BehaviorPattern(Record):
    """What users tend to change, and whether it helps."""

    count: Count | None = says("times seen")
    confidence: Share | None = says("share of the times it helped")
    avg_delta: Number | None = says("mean change of the setting")


class LearnedModel(Record):
    """`model.json`."""

    version: Whole = says("version of this file", default=MODEL_VERSION)
    global_stats: GlobalStats | None = says("all sessions")
    footage_classes: dict[str, FootageClass] | None = says("by class, e.g. HD_30fps")
    region_models: dict[Region, RegionStats] | None = says("by region of the frame")
    behavior_patterns: dict[str, BehaviorPattern] | None = says("by class and change")
    failure_patterns: Anything = says("settings that failed, by class and pattern")
    clip_specific: Anything = says("best settings by clip fingerprint")
    footage_type_adjustments: Anything = says("by type of footage")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, and the version, as plain JSON types."""
        return {"version": self.version, **Record.to_dict(self)}
