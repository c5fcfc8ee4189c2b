"""The document of a submission: what a package of a session holds."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from trackcore.recording.models._base import Document
from trackcore.recording.models.pitch import Status
from trackcore.session.models._base import Count, Flag, Record, Words, needed, says

PackageKind: TypeAlias = Annotated[str, Words(("full", "telemetry_only"))]


class SubmittedSession(Record):
    """The session that is submitted."""

    session_id: str = needed("its name")
    started_utc: str | None = needed("when it began; null: not known")
    ended_utc: str | None = needed("when it ended; null: not known, or it did not")
    pitch_count: Count = needed("pitches in the package")
    status: Status | None = says("whether all of it is there")


class Source(Record):
    """Where it comes from; null: not said."""

    app: str = needed("the program")
    rig_id: str | None = needed("the rig")
    location: str | None = needed("the place")
    pitcher_id: str | None = needed("who threw")
    operator: str | None = needed("who recorded")


class SubmittedVideos(Record):
    """Whether there are pictures."""

    session_videos: Flag = needed("of the whole session")
    pitch_videos: Flag = needed("of pitches")
    key_frames: Flag = needed("single pictures")


class SubmittedTelemetry(Record):
    """Whether there are numbers."""

    detections: Flag = needed("what the detectors found")
    observations: Flag = needed("where both cameras saw the ball")
    calibration: Flag = needed("the cameras")
    performance_metrics: Flag = needed("in the manifest of each pitch")


class DataManifest(Record):
    """What is in the package: counted, not promised."""

    videos: SubmittedVideos = needed("pictures")
    telemetry: SubmittedTelemetry = needed("numbers")


class Privacy(Record):
    """What may be done with it."""

    player_consent: Flag = needed("whether who is seen has agreed")
    anonymized: Flag = needed("whether neither pictures nor names of people are in it")
    retention_days: Count = needed("how long it may be kept")


class PackedFile(Record):
    """A file of the package."""

    sha256: str = needed("of its content, in hexadecimal")
    size_bytes: Count = needed("of its content")


class SubmissionManifest(Document):
    """`submission_manifest.json` of a package."""

    submission_id: str = needed("`ml-submission-` and when it was made")
    submission_type: PackageKind = needed("with pictures, or numbers only")
    created_utc: str = needed("when it was made")
    session: SubmittedSession = needed("of what")
    source: Source = needed("of whom")
    data_manifest: DataManifest = needed("what is in it")
    size_bytes: Count = needed("of the package, as it lies on the disk")
    checksum_sha256: str = needed(
        "of the list of `files`: a line `sha256  name` each, as sha256sum writes it, by name"
    )
    intended_use: list[str] = needed("what for")
    privacy: Privacy = needed("what may be done with it")
    telemetry_only_reason: str | None = needed("why there are no pictures; null: there may be")
    files: dict[str, PackedFile] | None = says("all files but this one, by name")
