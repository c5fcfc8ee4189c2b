"""trackcore: sub-pixel point tracking, numpy in, numpy out."""

from trackcore.clip_tracker import track_clip
from trackcore.detect import detect_features
from trackcore.errors import DependencyError, InputError, SourceError, TrackcoreError
from trackcore.frames import Clip, Frame, open_clip
from trackcore.options import (
    Anchor,
    FeatureOptions,
    MotionModel,
    Photometric,
    RegionOptions,
    TrackerOptions,
    TrackOptions,
)
from trackcore.overlay import contact_sheet, write_overlay
from trackcore.pyramid import FramePyramid
from trackcore.regions import track_regions
from trackcore.summary import TrackSummary, summarize
from trackcore.track import track_points
from trackcore.tracker import Tracker, TrackState
from trackcore.tracks import Tracks
from trackcore.types import Features, PointMatches, PointStatus, RegionMatches

__all__ = [
    "Anchor",
    "Clip",
    "DependencyError",
    "FeatureOptions",
    "Features",
    "Frame",
    "FramePyramid",
    "InputError",
    "MotionModel",
    "Photometric",
    "PointMatches",
    "PointStatus",
    "RegionMatches",
    "RegionOptions",
    "SourceError",
    "TrackOptions",
    "TrackState",
    "TrackSummary",
    "TrackcoreError",
    "Tracker",
    "TrackerOptions",
    "Tracks",
    "contact_sheet",
    "detect_features",
    "open_clip",
    "summarize",
    "track_clip",
    "track_points",
    "track_regions",
    "write_overlay",
]
