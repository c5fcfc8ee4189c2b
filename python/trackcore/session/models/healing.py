"""Gaps in tracks that were bridged, and how well."""

from __future__ import annotations

from trackcore.session.models._base import (
    Count,
    Flag,
    Point,
    Positive,
    Record,
    Share,
    Whole,
    says,
)


class AnchorTrack(Record):
    """A long, steady track that gaps of others are measured against."""

    name: str | None = says("identifier of the track")
    start_frame: Whole | None = says("its first frame (clip frame number)")
    end_frame: Whole | None = says("its last frame (clip frame number)")
    quality: Share | None = says("how good an anchor it is")


class HealingAttempt(Record):
    """One gap that was tried. Positions are shares of the frame, y up."""

    gap_start_frame: Whole | None = says("last frame before the gap (clip frame number)")
    gap_end_frame: Whole | None = says("first frame after the gap (clip frame number)")
    gap_start_pos: Point | None = says("position before the gap", unit="shares of the frame")
    gap_end_pos: Point | None = says("position after the gap", unit="shares of the frame")
    anchor_count: Count | None = says("anchors used")
    interpolated_positions: list[Point] | None = says(
        "one position per frame of the gap", unit="shares of the frame"
    )
    method_used: str | None = says("how positions were found, e.g. anchor_weighted")
    match_score: Share | None = says("how well the two ends fit")
    post_heal_error: Positive | None = says("error of the healed positions", unit="px")
    heal_success: Flag | None = says("the pixels agreed and the gap was closed")


class HealingStats(Record):
    """All gaps in numbers."""

    candidates_found: Count | None = says("pairs of tracks that might be one")
    heals_attempted: Count | None = says("gaps tried")
    heals_successful: Count | None = says("gaps closed")
    avg_gap_frames: Positive | None = says("mean length of a gap", unit="frames")
    avg_match_score: Share | None = says("mean of `match_score`")
