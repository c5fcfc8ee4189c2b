"""Why tracking failed, and how sure we were of a solve before it was tried."""

from __future__ import annotations

from trackcore.session.models._base import Anything, Record, Share, Whole, says
from trackcore.session.models.vocabulary import FailurePattern, Region


class Cause(Record):
    """One possible cause of failure."""

    pattern: FailurePattern | None = says("what it looks like")
    confidence: Share | None = says("how sure")
    frame: Whole | None = says("first frame where it shows (clip frame number)")
    frames: list[Whole] | None = says("all of them")
    regions: list[Region] | None = says("regions where it shows")
    evidence: Anything = says("the numbers it rests on")
    fix_adjustments: dict[str, Anything] | None = says("settings that should help")


class Diagnosis(Cause):
    """The likeliest cause, and the others, likeliest first."""

    causes: list[Cause] | None = says("every cause found, likeliest first")


class PreSolveConfidence(Record):
    """The chance of a good solve, estimated before solving."""

    confidence: Share | None = says("estimated probability of success")
    parallax_score: Share | None = says("see `optical_flow`")
    warnings: list[str] | None = says("what speaks against it")
