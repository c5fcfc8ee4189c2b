"""The behaviour record, `behavior/*.json`: what a user changed between two solves."""

from __future__ import annotations

from trackcore.session.models._base import (
    Count,
    File,
    Flag,
    Number,
    Point,
    Positive,
    Real,
    Record,
    Whole,
    needed,
    says,
)
from trackcore.session.models.vocabulary import DeletionReason, ExclusionKind, Region


class Adjustment(Record):
    """One setting the user changed."""

    before: Real | str | None = says("value before")
    after: Real | str | None = says("value after")
    delta: Real | None = says("after - before; null where it is no number")


class ReSolve(Record):
    """What solving again brought."""

    attempted: Flag | None = says("the user solved again")
    error_before: Positive | None = says("error of the solve before", unit="px")
    error_after: Positive | None = says("error of the solve after", unit="px")
    improvement: Number | None = says("before - after", unit="px")
    improved: Flag | None = says("the error went down")


class TrackAddition(Record):
    """A track the user added: what experts add is what is worth learning."""

    track_name: str | None = says("identifier of the track")
    region: Region | None = says("region of its mean position")
    initial_frame: Whole | None = says("first frame (clip frame number)")
    position: Point | None = says("first position", unit="shares of the frame")
    lifespan_achieved: Count | None = says("how long it lived", unit="frames")
    had_bundle: Flag | None = says("it has a 3-D point in the solve after")
    reprojection_error: Positive | None = says("its mean error in that solve", unit="px")


class TrackDeletion(Record):
    """A track the user deleted."""

    track_name: str | None = says("identifier of the track")
    region: Region | None = says("region of its mean position")
    lifespan: Count | None = says("how long it had lived", unit="frames")
    had_bundle: Flag | None = says("it had a 3-D point in the solve before")
    reprojection_error: Positive | None = says("its mean error in that solve", unit="px")
    inferred_reason: DeletionReason | None = says("why, as far as it can be told")


class Exclusion(TrackDeletion):
    """A track the user kept but took out of the solve: muted, or weight 0."""

    kind: ExclusionKind | None = says("how it was taken out")


class MarkerRefinement(Record):
    """A position the user moved."""

    track_name: str | None = says("identifier of the track")
    frame: Whole | None = says("clip frame number")
    old_position: Point | None = says("position before", unit="shares of the frame")
    new_position: Point | None = says("position after", unit="shares of the frame")
    displacement_px: Positive | None = says("distance between the two", unit="px")


class Behavior(File):
    """What a user changed between two solves of a clip."""

    session_id: str = needed("the session whose tracks were edited")
    timestamp: str = needed("end of the editing, ISO 8601; UTC in our files")
    clip_fingerprint: str | None = says("keyed hash that recognises the clip on this machine")
    previous_session_id: str | None = says("the session before that")
    iteration: Count | None = says("which attempt on this clip, from 1")
    contributor_id: str | None = says("random, can be reset or absent")
    editing_duration_seconds: Positive | None = says("time spent editing", unit="s")
    settings_adjustments: dict[str, Adjustment] | None = says("settings changed, by name")
    re_solve: ReSolve | None = says("what solving again brought")
    track_additions: list[TrackAddition] | None = says("tracks added")
    track_deletions: list[TrackDeletion] | None = says("tracks deleted")
    exclusions: list[Exclusion] | None = says("tracks muted or given weight 0")
    marker_refinements: list[MarkerRefinement] | None = says("positions moved")
    net_track_change: Whole | None = says("tracks added - tracks deleted")
    region_additions: dict[Region, Count] | None = says("tracks added per region")
