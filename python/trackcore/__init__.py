"""trackcore: sub-pixel point tracking, numpy in, numpy out."""

from trackcore.detect import detect_features
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
from trackcore.pyramid import FramePyramid
from trackcore.track import track_points
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
    "TrackcoreError",
    "TrackerOptions",
    "detect_features",
    "track_points",
]
