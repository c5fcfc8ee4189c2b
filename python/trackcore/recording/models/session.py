"""The documents of a session."""

from __future__ import annotations

from trackcore.recording.models._base import Document, Placed
from trackcore.recording.models.pitch import CalledPitch, Lost, Status
from trackcore.session.models._base import (
    Anything,
    Count,
    Number,
    Positive,
    Record,
    Share,
    Whole,
    needed,
    says,
)


class PitchSummary(CalledPitch):
    """A pitch in a line: 18 columns of `session_summary.csv`, in this order."""

    speed_mph: Number | None = says("at the release plane", unit="mph")
    rotation_rpm: Number | None = says("null: not measured", unit="rpm")
    sample_count: Count = needed("where both cameras saw the ball")
    trajectory_plate_x_ft: Number | None = says("where it crossed the plate, across", unit="ft")
    trajectory_plate_y_ft: Number | None = says("and how high", unit="ft")
    trajectory_plate_z_ft: Number | None = says("the plane that was crossed", unit="ft")
    trajectory_plate_t_ns: Whole | None = says("on the rig's common clock", unit="ns")
    trajectory_model: str | None = says("of the flight")
    trajectory_expected_error_ft: Positive | None = says("at the plate", unit="ft")
    trajectory_confidence: Share | None = says("e^(-expected error / 1 ft)")


class SessionSummary(Document, Placed):
    """`session_summary.json`."""

    session_id: str = needed("the session")
    pitch_count: Count = needed("how many there are")
    strikes: Count = needed("those that touched the zone")
    balls: Count = needed("those that did not")
    heatmap: list[list[Count]] = needed("3 x 3 crossings by cell; row 0 is the top")
    pitches: list[PitchSummary] = needed("in the order of time")
    unknown: Count | None = says("pitches of which neither is known")


class ClockMap(Record):
    """One moment by two clocks."""

    monotonic_ns: Whole = needed("the cameras' clock", unit="ns")
    utc_ns: Whole = needed("since 1970", unit="ns")


class SessionManifest(Document, Placed):
    """`manifest.json` of a session."""

    rig_id: str | None = says("the rig")
    created_utc: str = needed("when it was written")
    pitch_id: str | None = says("the last pitch")
    session: str = needed("its name")
    mode: str | None = says("`live` or `replay`")
    measured_speed_mph: Number | None = says("of the last pitch", unit="mph")
    config_path: str | None = says("name of the configuration's file")
    calibration_profile_id: str | None = says("the calibration")
    session_summary: str | None = says("name of the file")
    session_summary_csv: str | None = says("name of the file")
    session_left_video: str | None = says("name of the file; null: not written")
    session_right_video: str | None = says("name of the file; null: not written")
    session_left_timestamps: str | None = says("name of the file")
    session_right_timestamps: str | None = says("name of the file")
    status: Status | None = says("whether all of it is there")
    started_utc: str | None = says("when it began")
    ended_utc: str | None = says("when it ended; null: it did not")
    pitches: list[str] | None = says("names of the pitches' folders")
    frames: dict[str, Count] | None = says("by camera: frames that came")
    shed_frames: dict[str, Count] | None = says(
        "by camera: frames left out of the session's video, so that nothing else had to be"
    )
    video_frames: dict[str, Count] | None = says("by camera: frames in the session's video")
    lost_frames: list[Lost] | None = says("frames that never came, or that no pitch has")
    recording: dict[str, Anything] | None = says("the documented section `recording`, as it was")
    setup: dict[str, Anything] | None = says(
        "how pitches were found and fitted: detection, tracking, timing, fit, and the ball in"
        " metres and kilograms; the zone and the lanes are in `calibration`"
    )
    clock: ClockMap | None = says("the cameras' clock and the world's")
    problems: list[str] | None = says("what could not be written, and why")
