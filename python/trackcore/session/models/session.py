"""The session record: `sessions/*.json`."""

from __future__ import annotations

from typing import Annotated

from trackcore.session.models._base import (
    Count,
    File,
    Flag,
    Point,
    Positive,
    Real,
    Share,
    Shares,
    Whole,
    Within,
    needed,
    says,
)
from trackcore.session.models.camera import CameraIntrinsics
from trackcore.session.models.diagnosis import Diagnosis, PreSolveConfidence
from trackcore.session.models.healing import AnchorTrack, HealingAttempt, HealingStats
from trackcore.session.models.motion import (
    FrameSample,
    MotionProbe,
    OpticalFlow,
    ShotType,
    ZoomAnalysis,
)
from trackcore.session.models.settings import Adaptation, Settings
from trackcore.session.models.track import RegionStats, TrackFailure, TrackRecord
from trackcore.session.models.visual import FootageFeatures, VisualFeatures
from trackcore.session.models.vocabulary import FailureType, FootageType, MotionClass, Region

Size = Annotated[Whole, Within(1)]


class Session(File):
    """One run of tracking, and solving, on one clip."""

    timestamp: str = needed("start, ISO 8601 without zone: UTC in our files, local in AutoSolve's")
    session_id: str | None = says("name of the file without `.json`; ours")
    clip_name: str | None = says("a generic name; never the clip's own")
    iteration: Count | None = says("which attempt on this clip, from 1")
    previous_session_id: str | None = says("the attempt before")
    duration_seconds: Positive | None = says("time the session took", unit="s")
    interrupted: Flag | None = says("the process died: recovered from its journal; ours")

    resolution: tuple[Size, Size] = needed("width and height", unit="px")
    fps: Annotated[Real, Within(0)] = needed("frames per second; 0 if unknown", unit="1/s")
    frame_count: Count | None = says("frames of the clip")
    clip_duration_seconds: Positive | None = says("length of the clip", unit="s")
    codec: str | None = says("codec of the clip, e.g. h264")
    footage_type: FootageType | None = says("what the user said it is")

    settings: Settings | None = says("settings tracked with")
    success: Flag = needed("the session reached its aim")
    solve_error: Positive | None = says("mean reprojection error; null without a solve", unit="px")
    total_tracks: Count | None = says("tracks made")
    successful_tracks: Count | None = says("tracks that lived at least 5 frames")
    bundle_count: Count | None = says("tracks with a 3-D point")
    camera_intrinsics: CameraIntrinsics | None = says("lens and sensor")

    clip_fingerprint: str | None = says("keyed hash that recognises the clip on this machine")
    motion_class: MotionClass | None = says("LOW, MEDIUM or HIGH")
    global_motion_vector: Point | None = says(
        "mean motion of all tracks, y up", unit="diagonals/frame"
    )
    motion_consistency: Share | None = says("1: all tracks move alike")
    failure_type: FailureType | None = says("why it failed; NONE if it did not")
    frame_of_failure: Whole | None = says("where tracks first dropped critically (frame number)")
    flow_direction_histogram: Shares | None = says("8 directions from -180 deg, y up; sum 1")
    flow_magnitude_histogram: Shares | None = says("5 classes of speed; sum 1")

    tracks: list[TrackRecord] = says("every track", default=[])
    track_failures: list[TrackFailure] | None = says("where and why tracks were lost")
    region_stats: dict[Region, RegionStats] | None = says("tracks per region")
    dead_zones: list[Region] | None = says("regions where tracks fail")
    sweet_spots: list[Region] | None = says("regions where tracks succeed")
    best_regions: list[Region] | None = says("regions where half of the tracks succeed, best first")
    region_confidence: dict[Region, Share] | None = says("chance of success per region")
    motion_probe_results: MotionProbe | None = says("what 20 frames told beforehand")
    optical_flow: OpticalFlow | None = says("motion in continuous numbers")
    zoom_analysis: ZoomAnalysis | None = says("zoom or dolly")
    shot_type: ShotType | None = says("kind of shot")
    visual_features: VisualFeatures | None = says("what the pixels offer")
    footage_features: FootageFeatures | None = says("features by which footage is compared")
    frame_samples: list[FrameSample] | None = says("the state every few frames")
    adaptation_history: list[Adaptation] | None = says("changes of settings on the way")
    pre_solve_confidence: PreSolveConfidence | None = says("chance of success before the solve")
    diagnosis: Diagnosis | None = says("why it failed, with evidence")
    anchor_tracks: list[AnchorTrack] | None = says("tracks that healing rested on")
    healing_attempts: list[HealingAttempt] | None = says("gaps tried")
    healing_stats: HealingStats | None = says("gaps in numbers")
