"""trackcore: sub-pixel point tracking, numpy in, numpy out."""

from trackcore.errors import InputError, SourceError, TrackcoreError
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
from trackcore.summary import TrackSummary, summarize
from trackcore.track import track_points
from trackcore.tracks import Tracks
from trackcore.types import Features, PointMatches, PointStatus, RegionMatches

__all__ = [
    "Anchor",
    "FeatureOptions",
    "Features",
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
    "TrackSummary",
    "TrackcoreError",
    "TrackerOptions",
    "Tracks",
    "contact_sheet",
    "summarize",
    "track_points",
    "write_overlay",
]
