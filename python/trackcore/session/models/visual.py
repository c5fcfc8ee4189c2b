"""What the pixels offer, in numbers that hold no picture."""

from __future__ import annotations

from typing import Annotated

from trackcore.session.models._base import (
    Count,
    Number,
    Numbers,
    Positive,
    Record,
    Share,
    Shares,
    Whole,
    Within,
    says,
)
from trackcore.session.models.vocabulary import MotionClass, Region, TextureClass


class ContrastStats(Record):
    """Contrast and fortune of the tracks in one region."""

    estimated_contrast: Positive | None = says("local rms contrast")
    track_count: Count | None = says("tracks in the region")
    success_rate: Share | None = says("share of them that succeeded")


class VisualFeatures(Record):
    """Features of the picture for later learning."""

    clip_fingerprint: str | None = says("keyed hash that recognises the clip on this machine")
    motion_class: MotionClass | None = says("LOW, MEDIUM or HIGH")
    motion_magnitude: Positive | None = says("mean speed", unit="diagonals/frame")
    motion_variance: Positive | None = says("spread of the speed", unit="diagonals/frame")
    edge_density: dict[Region, Share | None] | None = says("share of pixels on an edge, per region")
    edge_density_mean: Share | None = says("its mean")
    contrast_stats: dict[Region, ContrastStats] | None = says("contrast per region")
    feature_density: dict[Region, Positive | None] | None = says("trackable features per region")
    density_timeline: dict[str, dict[Region, Positive | None]] | None = says(
        "`feature_density` at 25 %, 50 % and 75 % of the clip"
    )
    texture_class: dict[Region, TextureClass | None] | None = says(
        "LOW, MEDIUM or HIGH, per region"
    )
    blur_px: Positive | None = says("median blur", unit="px")
    noise_sigma: Positive | None = says("median noise", unit="shares of white")
    exposure: Positive | None = says("median brightness", unit="shares of white")
    cuts: list[Whole] | None = says("first frames after a hard cut (clip frame numbers)")
    flow_direction_histogram: Shares | None = says("see the session's field of that name")
    flow_magnitude_histogram: Shares | None = says("see the session's field of that name")
    temporal_motion_profile: Numbers | None = says(
        "speed at evenly spaced frames", unit="diagonals/frame"
    )


class FootageFeatures(Record):
    """The five features by which footage is compared."""

    resolution_class: Annotated[Whole, Within(0, 2)] | None = says("0 SD, 1 HD, 2 4K, by width")
    fps_class: Annotated[Whole, Within(0, 2)] | None = says("0 < 28, 1 < 50, 2 from 50 fps")
    motion_intensity: Share | None = says(
        "mean speed in the first 30 frames", unit="diagonals/frame"
    )
    contrast_estimate: Annotated[Number, Within(0, 200)] | None = says(
        "features found at threshold 0.5, at most 200"
    )
    dominant_region: Annotated[Whole, Within(0, 8)] | None = says(
        "region with most successful tracks: 0 top-left, row by row to 8 bottom-right"
    )
