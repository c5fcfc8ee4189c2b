"""The settings a clip was tracked with, and how they were changed on the way."""

from __future__ import annotations

from trackcore.session.models._base import Count, Number, Real, Record, Share, Whole, says
from trackcore.session.models.vocabulary import Model


class Settings(Record):
    """The five documented settings of the tracker."""

    pattern_size: Real | None = says("side of the patch compared", unit="px")
    search_size: Real | None = says("side of the area searched", unit="px")
    correlation: Number | None = says("drop a track that matches worse")
    threshold: Number | None = says("sensitivity of the feature detection")
    motion_model: Model | None = says("how a patch may deform")


class Adaptation(Record):
    """One change of settings while a clip was being tracked."""

    iteration: Count | None = says("which adaptation pass: 1, 2, 3")
    frame: Whole | None = says("frame at which it happened (clip frame number)")
    survival_rate: Share | None = says("share of the tracks alive that triggered it")
    changes: list[str] = says("the changes in words", default=[])
    old_settings: Settings | None = says("settings before")
    new_settings: Settings | None = says("settings after")
