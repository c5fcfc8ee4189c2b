"""What the pixels say about a clip: motion, texture, blur, exposure, noise, cuts."""

from trackcore.pixels._features import ContrastStats, PixelFeatures, pixel_features
from trackcore.pixels._meter import FrameMeter, FrameSeries
from trackcore.pixels._probe import MotionProbe, ProbeStatus, motion_probe
from trackcore.pixels._quality import QualityMeter, TrackQuality, track_quality

__all__ = [
    "ContrastStats",
    "FrameMeter",
    "FrameSeries",
    "MotionProbe",
    "PixelFeatures",
    "ProbeStatus",
    "QualityMeter",
    "TrackQuality",
    "motion_probe",
    "pixel_features",
    "track_quality",
]
