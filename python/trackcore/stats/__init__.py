"""What tracks say about a clip: every track, the motion of the picture, zooms, kinds of shots.

`track_stats` for each track, `frame_motion` from frame to frame, `clip_motion` and `zoom_analysis`
for the clip, `region_stats` for the nine regions, `classify_shot` for what the camera does. Fields
with a documented name carry the documented meaning in the units of records; what was missing or
misleads in the documents stands beside it.
"""

from trackcore.stats._losses import failed_tracks
from trackcore.stats.clip import ClipMotion, FrameSample, clip_motion
from trackcore.stats.motion import FrameMotion, frame_motion
from trackcore.stats.regions import RegionStats, region_stats
from trackcore.stats.shot import ShotKind, ShotType, classify_shot
from trackcore.stats.track_stats import TrackStats, track_stats
from trackcore.stats.zoom import FocalChange, ZoomAnalysis, ZoomDirection, zoom_analysis

__all__ = [
    "ClipMotion",
    "FocalChange",
    "FrameMotion",
    "FrameSample",
    "RegionStats",
    "ShotKind",
    "ShotType",
    "TrackStats",
    "ZoomAnalysis",
    "ZoomDirection",
    "classify_shot",
    "clip_motion",
    "failed_tracks",
    "frame_motion",
    "region_stats",
    "track_stats",
    "zoom_analysis",
]
