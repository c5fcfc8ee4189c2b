"""How the picture moves: motion statistics, zoom, the probe, samples along the clip."""

from __future__ import annotations

from trackcore.session.models._base import (
    Anything,
    Count,
    Flag,
    Number,
    Numbers,
    Point,
    Positive,
    Positives,
    Record,
    Share,
    Whole,
    needed,
    says,
)
from trackcore.session.models.vocabulary import (
    FocalChange,
    MotionClass,
    Region,
    ShotKind,
    TextureClass,
    ZoomDirection,
)


class OpticalFlow(Record):
    """Motion of the clip in continuous numbers."""

    velocity_mean: Positive | None = says("mean speed of the tracks", unit="diagonals/frame")
    velocity_std: Positive | None = says("its standard deviation", unit="diagonals/frame")
    velocity_max: Positive | None = says("its maximum", unit="diagonals/frame")
    parallax_score: Share | None = says("0 uniform, 1 strong variation of depth")
    dominant_direction: Point | None = says("unit vector of the picture's motion, y up")
    direction_entropy: Share | None = says("0 all in one direction, 1 random")
    velocity_acceleration: Number | None = says(
        "change of speed over the clip", unit="diagonals/frame^2"
    )
    track_dropout_rate: Share | None = says("share of the tracks that fail early")
    path_velocity_mean: Positive | None = says(
        "mean length of path per frame", unit="diagonals/frame"
    )


class ZoomAnalysis(Record):
    """Zoom or dolly, from the change of scale. Documented signs: scale up is ZOOM_OUT."""

    is_zoom_detected: Flag | None = says("more than 5 % change of scale")
    zoom_direction: ZoomDirection | None = says("documented sign: scale up is ZOOM_OUT")
    scale_timeline: Numbers | None = says("scale at each sample, 1 at the first")
    estimated_fl_ratio: Positive | None = says("final over initial scale (>1 is ZOOM_OUT)")
    scale_variance: Positive | None = says("low: zoom (uniform), high: dolly (parallax)")
    is_uniform_scale: Flag | None = says("true: like a zoom, false: like a dolly")
    radial_convergence: Number | None = says("-1 converging .. +1 diverging")
    confidence: Share | None = says("confidence of the detection")
    apparent_scale_ratio: Positive | None = says("size of things in the last frame over the first")
    focal_change: FocalChange | None = says("what the lens did: LONGER is a zoom in")
    scale_per_frame: Numbers | None = says("scale at each of `frames`, 1 at the first")
    scale_sigma: Positives | None = says("its standard deviation")
    frames: list[Whole] | None = says("clip frame numbers")


class ShotType(Record):
    """What kind of shot it is."""

    kind: ShotKind | None = says("STATIC, PAN_TILT, ZOOM, ...; UNKNOWN if too little is known")
    confidence: Share | None = says("confidence of the classification")
    evidence: dict[str, Anything] | None = says("the numbers it rests on")


class MotionProbe(Record):
    """What 20 frames tell before anything is tracked."""

    success: Flag | None = says("the probe could measure")
    motion_class: MotionClass | None = says("LOW < 0.01 <= MEDIUM <= 0.03 < HIGH diagonals/frame")
    texture_class: TextureClass | None = says("how much there is to track; GOOD is read as HIGH")
    best_regions: list[Region] | None = says("regions where over half of the points survived")
    status: str | None = says("OK, or why there is no answer")
    motion_magnitude: Positive | None = says("speed", unit="diagonals/frame")
    motion_variance: Positive | None = says("spread of the speed")
    region_success: dict[Region, Share | None] | None = says("share of the points that survived")
    textured_share: Share | None = says("share of the picture that can be tracked")
    n_points: Count | None = says("points followed")
    first_frame: Whole | None = says("where it began (clip frame number)")
    n_frames: Count | None = says("frames looked at")
    cuts: list[Whole] | None = says("first frames after a hard cut (clip frame numbers)")
    seed: Whole | None = says("which points were chosen")


class FrameSample(Record):
    """The state of the tracker at one frame."""

    frame: Whole = needed("clip frame number")
    active_tracks: Count | None = says("tracks alive")
    tracks_lost: Count | None = says("tracks lost since the previous sample")
    avg_velocity: Positive | None = says("mean speed of the tracks alive", unit="diagonals/frame")
