"""What to try next, if anything could help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trackcore.diagnosis.fixes import CENTER_WEIGHT, REDETECT_FRAMES, FailurePattern, adjustments
from trackcore.pipeline.attempt import GOOD, Attempt
from trackcore.pipeline.plan import Plan
from trackcore.settings import SETTING_NAMES, Settings
from trackcore.settings_policy import TIERS, tier_for
from trackcore.solver import Grade
from trackcore.solver.confidence import tracks_suffice
from trackcore.stats import ShotKind, region_stats

ENOUGH_SUCCESS = 0.7
"""From this success rate on, tracking is not what a solve lacks: the documented limit of the
strictest tier."""

ENOUGH_FEATURES = 0.8
"""A detector that found this share of what it was asked for needs no lower threshold."""
_MORE_FEATURES = (FailurePattern.INSUFFICIENT_FEATURES, FailurePattern.LOW_CONTRAST)


def next_plan(attempts: Sequence[Attempt]) -> tuple[Plan | None, str]:
    """Return what to try after these attempts, and why; or None, and why nothing is tried.

    The diagnosis of the last attempt comes first: each cause it found, likeliest first, with its
    documented fix; but fixes that find more features come last where enough were found. Then,
    where too few tracks succeeded, the documented tier for that share, but for its pattern: only
    blur, which is diagnosed, gains by a larger one. A plan that would track as an earlier one did
    is no retry and is passed over. Nor is anything tried where it could not help: the camera stands
    still, or all that a poor grade comes from is how the camera moved.
    """
    last = attempts[-1]
    if last.solve is not None and last.solve.grade in GOOD:
        return None, f"grade {last.solve.grade.value}"
    if last.solve is not None and last.solve.grade is not Grade.F and tracks_suffice(last.solve):
        return None, "the tracks agree with the camera: what it lacks, no other settings can add"
    shot = None if last.solve is None else last.solve.shot
    if shot is not None and shot.kind is ShotKind.STATIC and last.success_rate >= ENOUGH_SUCCESS:
        return None, "the camera does not move, and no other settings can change that"
    for plan in _candidates(last):
        if not any(plan.same_as(a.plan) for a in attempts):
            return plan, plan.why[0]
    if last.success_rate >= ENOUGH_SUCCESS:
        return None, "the tracks are sound: other settings would not help"
    return None, "no other settings are left to try"


def redetecting(plan: Plan, cuts: Sequence[int]) -> Plan:
    """Return the plan with new shots beginning at these clip frame numbers."""
    frames = tuple(sorted({*plan.redetect_frames, *cuts}))
    where = ", ".join(map(str, cuts))
    return plan.changed(
        plan.settings, f"{FailurePattern.SCENE_CUT.value}: redetect at frame {where}",
        redetect_frames=frames,
    )  # fmt: skip


def _candidates(last: Attempt) -> Iterator[Plan]:
    regions = _confidence(last)
    start = Settings.from_dict({k: v for k, v in last.settings.items() if k in SETTING_NAMES})
    causes = () if last.diagnosis is None else last.diagnosis.causes
    for cause in sorted(causes, key=lambda c: c.pattern in _MORE_FEATURES and not _starved(last)):
        fix = adjustments(cause.pattern, start, cause.frames)
        yield _fixed(last.plan, start, cause.pattern, fix, regions)
    if last.success_rate < ENOUGH_SUCCESS:
        tier = tier_for(last.success_rate)
        values = {**TIERS[tier], "pattern_size": start.pattern_size}
        yield last.plan.changed(
            Settings.clamped(**values),
            f"{last.success_rate:.0%} success: {tier.value} preset", region_confidence=regions,
        )  # fmt: skip


def _starved(last: Attempt) -> bool:
    """Whether the detector found fewer features than it was asked for."""
    alive = last.raw_tracks.seen.sum(axis=0)
    return bool(alive.mean() < ENOUGH_FEATURES * last.plan.tracker.target_count)


def _fixed(
    plan: Plan, start: Settings, pattern: FailurePattern, fix: dict[str, Any],
    regions: dict[str, float],
) -> Plan:  # fmt: skip
    settings = Settings.from_dict({**start.to_dict(), **{
        name: value for name, value in fix.items() if name in SETTING_NAMES
    }})  # fmt: skip
    changes = ", ".join(f"{name} {value}" for name, value in fix.items() if value != [])
    return plan.changed(
        settings, f"{pattern.value}: {changes}",
        region_confidence=regions,
        center_weight=float(fix.get(CENTER_WEIGHT, plan.center_weight)),
        redetect_frames=tuple(fix.get(REDETECT_FRAMES, plan.redetect_frames)),
    )  # fmt: skip


def _confidence(last: Attempt) -> dict[str, float]:
    """Return the regions' confidence after an attempt: what it was, and what became of tracks."""
    if not len(last.tracks):
        return dict(last.plan.region_confidence)
    good = None if last.solve is None or not last.solve.bundled.any() else last.solve.bundled
    found = region_stats(last.tracks, success=good, before=last.plan.region_confidence)
    return found.region_confidence
