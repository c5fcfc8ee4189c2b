"""One track: where it was, how long, how well, and why it ended."""

from __future__ import annotations

from trackcore.session.models._base import (
    Anything,
    Count,
    Flag,
    Number,
    Point,
    Positive,
    Positives,
    Record,
    Share,
    Shares,
    Whole,
    needed,
    says,
)
from trackcore.session.models.vocabulary import Region


class TrackRecord(Record):
    """Telemetry of one track. Positions are shares of the frame, origin bottom-left, y up."""

    name: str | None = says("identifier of the track; ours, or a hash")
    lifespan: Count | None = says("first to last frame, both counted", unit="frames")
    start_frame: Whole | None = says("first frame of the track (clip frame number)")
    end_frame: Whole | None = says("last frame of the track (clip frame number)")
    region: Region = needed("region of the mean position")
    initial_position: Point | None = says("position at the first frame", unit="shares of the frame")
    avg_velocity: Positive | None = says("net displacement per frame", unit="diagonals/frame")
    path_velocity: Positive | None = says("length of path per frame", unit="diagonals/frame")
    acceleration: Number | None = says("mean change of speed", unit="diagonals/frame^2")
    jitter_score: Share | None = says("deviation of speed over mean speed; 0 smooth, 1 erratic")
    jitter_px: Positive | None = says("rms residual against a smooth motion", unit="px")
    feature_quality_score: Share | None = says("how well the pixels determine the position")
    sigma_px: Positive | None = says("standard deviation of a position", unit="px")
    success: Flag | None = says("the track lived at least 5 frames")
    contributed_to_solve: Flag | None = says("the track has a 3-D point in the solve")
    reprojection_error: Positive | None = says("mean error after the solve", unit="px")
    n_samples: Count | None = says("frames in which it has a position")
    trajectory: list[Point | None] | None = says(
        "positions every `trajectory_sample_rate` frames, null where it had none",
        unit="shares of the frame",
    )
    trajectory_sample_rate: Count | None = says("frames between samples", unit="frames")
    trajectory_velocities: Positives | None = says(
        "speed between neighbouring samples", unit="diagonals/frame"
    )
    trajectory_confidence: Shares | None = says("confidence of each sample")
    avg_confidence: Share | None = says("mean of `trajectory_confidence`")
    is_anchor_candidate: Flag | None = says(
        "long and smooth enough to anchor the healing of others"
    )
    anchor_quality: Share | None = says("how good an anchor it is")
    start_signature: Anything = says("motion and look at the start, for healing")
    end_signature: Anything = says("motion and look at the end, for healing")


class TrackFailure(Record):
    """Where and why one track was lost."""

    track_name: str | None = says("identifier of the track")
    frame: Whole | None = says("first frame without it (clip frame number)")
    position: Point | None = says("last position", unit="shares of the frame")
    region: Region | None = says("region of the last position")
    reason: str | None = says("why, e.g. DRIFT, LOW_CORRELATION, OUT_OF_FRAME")


class RegionStats(Record):
    """How tracks fared in one region of the frame."""

    total_tracks: Count | None = says("tracks whose mean position is in the region")
    successful_tracks: Count | None = says("of these, the successful ones")
    avg_lifespan: Positive | None = says("mean lifespan", unit="frames")
