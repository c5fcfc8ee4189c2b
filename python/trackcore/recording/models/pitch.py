"""The documents of one pitch."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from trackcore.recording.models._base import Document, Feet3, Placed
from trackcore.session.models._base import (
    Anything,
    Count,
    Flag,
    Number,
    Point,
    Positive,
    Record,
    Share,
    Whole,
    Words,
    needed,
    says,
)

Phase: TypeAlias = Annotated[str, Words(("pre_roll", "pitch", "post_roll"))]
Side: TypeAlias = Annotated[str, Words(("left", "right"))]
Status: TypeAlias = Annotated[str, Words(("complete", "truncated", "recovered"))]
Matrix: TypeAlias = list[list[Number]]


class Detection(Record):
    """A ball that a detector found in a picture."""

    frame_index: Count = needed("number of the frame, as its camera counts, from 1")
    timestamp_ns: Whole = needed("stamp of the frame on its camera's clock", unit="ns")
    u_px: Number = needed(
        "centre at mid-exposure, to the right; pixel centres are whole", unit="px"
    )
    v_px: Number = needed("and down", unit="px")
    radius_px: Positive = needed("radius of the disc, or half the width of the streak", unit="px")
    confidence: Share = needed("share of the blob that the fitted disc or streak explains")
    phase: Phase | None = says("before, during or after the pitch")
    in_pitch: Flag | None = says("whether it is the ball of the pitch")
    covariance_px2: Matrix | None = says("of (u, v)", unit="px2")
    streak_px: Point | None = says("way during the exposure", unit="px")
    contrast: Number | None = says("grey level of the ball less the background's")
    area_px: Positive | None = says("foreground pixels", unit="px2")
    circularity: Number | None = says("1 for a disc")
    elongation: Number | None = says("length over width, 1 for a disc")
    score: Number | None = says("contrast over noise, times the root of the area")
    refined: Flag | None = says("whether the position is that of the fitted disc or streak")


class Detections(Document):
    """`detections/{left,right}_detections.json`."""

    pitch_id: str = needed("the pitch")
    camera: Side = needed("left or right")
    detection_count: Count = needed("how many there are")
    detections: list[Detection] = needed("in the order of time")


class Observation(Record):
    """A ball seen by both cameras."""

    timestamp_ns: Whole = needed("stamp of the left frame", unit="ns")
    left_px: Point = needed("(u, v) in the left picture", unit="px")
    right_px: Point = needed("(u, v) in the right picture", unit="px")
    X_ft: Number = needed("where it was at the left frame's time", unit="ft")
    Y_ft: Number = needed("the same, up", unit="ft")
    Z_ft: Number = needed("the same, from the plate to the rubber", unit="ft")
    quality: Share = needed("e^(-d^2 / 2), d how far the rays are apart in standard deviations")
    confidence: Share = needed("the lower one of the two detections'")
    right_timestamp_ns: Whole | None = says("stamp of the right frame, on its own clock", unit="ns")
    velocity_ftps: Feet3 | None = says("velocity of the track then", unit="ft/s")
    covariance_ft2: Matrix | None = says("of (X, Y, Z)", unit="ft2")
    epipolar_px: Number | None = says("how far the rays are from meeting (Sampson)", unit="px")


class Observations(Document, Placed):
    """`observations/stereo_observations.json`."""

    pitch_id: str = needed("the pitch")
    observation_count: Count = needed("how many there are")
    observations: list[Observation] = needed("in the order they came")


class SeenBall(Record):
    """Where a camera saw the ball of the pitch."""

    timestamp_ns: Whole = needed("stamp of the frame, on its camera's clock", unit="ns")
    u_px: Number = needed("to the right", unit="px")
    v_px: Number = needed("down", unit="px")
    covariance_px2: Matrix | None = says("of (u, v)", unit="px2")


class SeenBalls(Document):
    """`sightings.json`: what the pitch was fitted to. Always written."""

    pitch_id: str = needed("the pitch")
    index: Count = needed("number of the pitch, from 1")
    track_ids: list[Count] | None = says("tracks that it is made of")
    left: list[SeenBall] = needed("of the left camera")
    right: list[SeenBall] = needed("of the right camera")


class DetectionQuality(Record):
    """How much was found."""

    left_camera_detections: Count = needed("in the left camera's frames of the window")
    right_camera_detections: Count = needed("in the right camera's")
    stereo_observations: Count = needed("where both saw the ball")
    detection_rate_hz: Positive | None = needed("stereo observations in a second", unit="1/s")
    frames_with_no_detection: Count = needed("of both cameras, between start and end")


class TimingAccuracy(Record):
    """When it was."""

    pre_roll_frames_captured: Count = needed("of both cameras")
    duration_ns: Count = needed("from the first sighting to the last", unit="ns")
    start_ns: Whole = needed("first sighting, on the rig's common clock", unit="ns")
    end_ns: Whole = needed("last sighting", unit="ns")
    post_roll_frames_captured: Count | None = says("of both cameras")
    frame_period_ms: dict[str, Positive | None] | None = says("median, by camera", unit="ms")
    frame_jitter_ms: dict[str, Positive | None] | None = says(
        "95 % of the periods are no further from the median, by camera", unit="ms"
    )


class PerformanceMetrics(Record):
    """The documented nine, and a few more."""

    detection_quality: DetectionQuality = needed("how much was found")
    timing_accuracy: TimingAccuracy = needed("when it was")


class Trajectory(Record):
    """Where the pitch crossed the plate."""

    plate_crossing_xyz_ft: Feet3 = needed("null: it did not, or not that we know", unit="ft")
    plate_crossing_t_ns: Whole | None = says("on the rig's common clock", unit="ns")
    model: str | None = says("of the flight")
    expected_error_ft: Positive | None = says("root of the summed variances there", unit="ft")
    confidence: Share | None = says("e^(-expected error / 1 ft)")


class Lost(Record):
    """A frame that is not there."""

    side: Side = needed("whose")
    frame_index: Count = needed("as the camera counts")
    reason: str = needed("why")


class CalledPitch(Record):
    """When a pitch was and what was called: what its manifest and its line in the summary share."""

    pitch_id: str = needed("the pitch")
    t_start_ns: Whole = needed("first sighting, on the rig's common clock", unit="ns")
    t_end_ns: Whole = needed("last sighting", unit="ns")
    is_strike: Flag | None = says("null: not known")
    zone_row: Whole | None = says("1 .. 3 from the bottom; null outside the zone")
    zone_col: Whole | None = says("1 .. 3 from the catcher's left")
    run_in: Number | None = says("break by spin from 40 ft, to the catcher's right", unit="in")
    rise_in: Number | None = says("and up", unit="in")


class PitchManifest(Document, Placed, CalledPitch):
    """`manifest.json` of a pitch."""

    rig_id: str | None = says("the rig")
    created_utc: str | None = says("when it was written")
    measured_speed_mph: Number | None = says("at the release plane", unit="mph")
    rotation_rpm: Number | None = says("null: not measured", unit="rpm")
    trajectory: Trajectory | None = says("where it crossed the plate")
    left_video: str | None = says("name of the file; null: not written")
    right_video: str | None = says("name of the file; null: not written")
    left_timestamps: str | None = says("name of the file")
    right_timestamps: str | None = says("name of the file")
    config_path: str | None = says("name of the configuration's file")
    performance_metrics: PerformanceMetrics | None = says("how well it was seen")
    status: Status | None = says("whether all of it is there")
    speed_source: str | None = says("`track`: measured by the cameras; or `radar`, `manual`")
    lost_frames: list[Lost] | None = says("frames within the window that are not there, and why")
    key_frames: dict[str, dict[str, str | None]] | None = says(
        "by camera and kind: name of the picture; null: there was no such moment"
    )
    frames: dict[str, Count] | None = says("by camera: frames of the window")
    video_frames: dict[str, Count] | None = says("by camera: frames in the pitch's video")
    pixfmt: dict[str, str] | None = says("by camera: `GRAY8` or `BGR24`")
    fit: dict[str, Anything] | None = says("everything the fit says")
    problems: list[str] | None = says("what could not be written, and why")
