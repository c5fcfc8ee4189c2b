"""Every tunable number: its default, unit, range and reason, written once.

Command-line flags, host properties and search spaces are derived from the fields' metadata
(`knobs`), so a default is never typed twice. Options are values: change one with
`dataclasses.replace`.
"""

from __future__ import annotations

from dataclasses import dataclass

from trackcore._compat import StrEnum
from trackcore._knobs import Knob as Knob
from trackcore._knobs import Options as Options
from trackcore._knobs import knob as knob
from trackcore._knobs import require_options as require_options


class MotionModel(StrEnum):
    """How a patch may deform between two frames, in the words Blender's users know."""

    LOC = "Loc"
    LOCROT = "LocRot"
    LOCSCALE = "LocScale"
    LOCROTSCALE = "LocRotScale"
    AFFINE = "Affine"
    PERSPECTIVE = "Perspective"


class Photometric(StrEnum):
    """Brightness change allowed between two patches: none, an offset, or gain and offset."""

    NONE = "none"
    BIAS = "bias"
    GAIN_BIAS = "gain_bias"


class Anchor(StrEnum):
    """What a patch is compared with."""

    PREVIOUS = "previous"
    KEYFRAME = "keyframe"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackOptions(Options):
    """How points are followed from one frame to the next (`track_points`, `Tracker`)."""

    window: int = knob(21, unit="px", lo=5, hi=63, doc="side of the patch compared")
    levels: int = knob(4, lo=1, hi=8, doc="pyramid levels; each halves the image")
    max_iterations: int = knob(30, lo=1, hi=100, doc="most refinement steps per level")
    epsilon: float = knob(
        0.01, unit="px", lo=1e-4, hi=1.0, doc="a level is done when a step is shorter than this"
    )
    photometric: Photometric = knob(
        Photometric.NONE, doc="brightness change allowed between the two patches"
    )
    precise: bool = knob(
        False, doc="finish with an 8-tap interpolation: more accurate on fine texture, slower"
    )
    forward_backward: bool = knob(
        False, doc="track back as well, report fb_px and drop points that do not return"
    )
    min_ncc: float = knob(0.5, lo=-1.0, hi=1.0, doc="drop a point that matches worse")
    max_fb_px: float = knob(
        1.0, unit="px", lo=0.0, hi=100.0, doc="with forward_backward: largest distance from start"
    )
    max_sigma_px: float = knob(
        0.5, unit="px", lo=0.001, hi=100.0,
        doc="drop a point whose position the texture determines no better than this",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions(Options):
    """How a pattern is searched for and aligned (`track_regions`), as Blender's users know it."""

    pattern: int = knob(21, unit="px", lo=5, hi=63, doc="side of the pattern")
    search: int = knob(71, unit="px", lo=7, hi=255, doc="side of the area searched for the pattern")
    model: MotionModel = knob(MotionModel.LOC, doc="how the pattern may deform")
    min_correlation: float = knob(0.75, lo=-1.0, hi=1.0, doc="drop a pattern that matches worse")
    normalize: bool = knob(True, doc="ignore changes of brightness and contrast when aligning")
    brute: bool = knob(
        True, doc="search every whole-pixel position first; off: start from the guess"
    )
    max_iterations: int = knob(50, lo=1, hi=200, doc="most refinement steps")
    epsilon: float = knob(
        0.005, unit="px", lo=1e-4, hi=1.0, doc="done when no corner moves further than this"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureOptions(Options):
    """Which places are worth tracking (`detect_features`)."""

    max_features: int = knob(1000, lo=0, hi=1_000_000, doc="most features returned; 0: no limit")
    quality: float = knob(
        0.01, lo=0.0, hi=1.0, doc="weakest corner kept, as a share of the strongest one's score"
    )
    min_distance: float = knob(
        7.0, unit="px", lo=0.0, hi=1000.0, doc="least distance of two features"
    )
    block: int = knob(3, unit="px", lo=3, hi=15, doc="side of the area a corner is judged on")
    cells: int = knob(
        0, lo=0, hi=256, doc="balance over this many cells across the frame; 0: strongest first"
    )
    min_score: float = knob(
        0.0, unit="(grey/px)^2", lo=0.0, hi=1e12,
        doc="weakest score kept, however weak the strongest one is",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerOptions(TrackOptions):
    """How a whole clip is tracked (`Tracker`, `track_clip`): `TrackOptions` and the policy."""

    model: MotionModel = knob(MotionModel.AFFINE, doc="how a patch may deform against its keyframe")
    anchor: Anchor = knob(
        Anchor.HYBRID,
        doc="compare with the previous frame, the keyframe, or predict from the first"
        " and correct against the second",
    )
    photometric: Photometric = knob(
        Photometric.GAIN_BIAS, doc="brightness change allowed between two patches of a track"
    )
    min_ncc: float = knob(0.75, lo=-1.0, hi=1.0, doc="drop a track that matches worse")
    target_count: int = knob(200, lo=0, hi=100_000, doc="tracks kept alive; lost ones are replaced")
    cells: int = knob(8, lo=1, hi=64, doc="columns of the grid over which tracks are balanced")
    quality: float = knob(
        0.01, lo=0.0, hi=1.0, doc="weakest corner started, as a share of the strongest one's score"
    )
    min_distance: float = knob(
        12.0, unit="px", lo=1.0, hi=1000.0, doc="least distance of a new track from the others"
    )
    replenish: bool = knob(True, doc="start new tracks where old ones were lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions(Options):
    """Which tracks are bad (`find_bad_tracks`, `merge_duplicates`)."""

    min_lifespan: int = knob(8, unit="frames", lo=1, hi=100_000, doc="a shorter track is bad")
    min_ncc: float = knob(
        0.8, lo=-1.0, hi=1.0, doc="a track whose median match is worse is bad; unknown is not"
    )
    max_spike_px: float = knob(
        1.5, unit="px", lo=0.0, hi=1000.0, doc="leap out of the local motion that is always allowed"
    )
    spike_sigma: float = knob(
        6.0, lo=1.0, hi=1000.0, doc="a spike is also this many times the track's usual unrest"
    )
    max_spike_share: float = knob(
        0.2, lo=0.0, hi=1.0,
        doc="with more spikes, or one that is no single leap, the whole track is bad",
    )  # fmt: skip
    duplicate_px: float = knob(
        2.0, unit="px", lo=0.0, hi=1000.0, doc="tracks nearer than this follow the same thing"
    )
    duplicate_share: float = knob(
        0.8, lo=0.0, hi=1.0, doc="share of their common frames in which duplicates are that near"
    )
    duplicate_frames: int = knob(
        5, unit="frames", lo=1, hi=100_000, doc="least frames in which duplicates are that near"
    )
    rigid_px: float = knob(
        1.0, unit="px", lo=0.0, hi=1000.0,
        doc="rms distance from the rigid motion of the scene that is always allowed",
    )  # fmt: skip
    rigid_sigma: float = knob(
        4.0, lo=1.0, hi=1000.0, doc="a track is also this many times less rigid than is usual"
    )
    rigid_share: float = knob(
        0.25, lo=0.0, hi=1.0, doc="share of the judged spans in which a bad track is not rigid"
    )
    tripod: bool = knob(
        False, doc="the camera only turns: what leaves the background's homography moves"
    )
    keep_at_least: int = knob(
        8, lo=0, hi=100_000, doc="the least bad are spared until so many tracks remain"
    )
    seed: int = knob(0, lo=0, hi=2**31 - 1, doc="of the random samples; same seed, same answer")


class Fill(StrEnum):
    """Which samples of a bridged gap become positions of the track."""

    VERIFIED = "verified"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealOptions(Options):
    """Which lost tracks are joined with later ones (`heal`)."""

    max_gap: int = knob(50, unit="frames", lo=0, hi=10_000, doc="longest gap bridged")
    max_gap_alone: int = knob(
        12, unit="frames", lo=0, hi=10_000,
        doc="longest gap bridged where too few neighbours were seen on both sides",
    )  # fmt: skip
    min_anchors: int = knob(
        3, lo=3, hi=1000, doc="least neighbours that tell how the surface moved during the gap"
    )
    max_search_px: float = knob(
        24.0, unit="px", lo=1.0, hi=100.0,
        doc="a gap is left alone where the point may be further than this from its prediction",
    )  # fmt: skip
    max_offset_px: float = knob(
        3.0, unit="px", lo=0.0, hi=20.0,
        doc="furthest that the later track may follow a point beside the lost one; corrected;"
        " less where a track has fewer than 12 frames",
    )  # fmt: skip
    pattern: int = knob(21, unit="px", lo=7, hi=63, doc="side of the patch compared; odd or even")
    min_ncc: float = knob(0.85, lo=0.0, hi=1.0, doc="a worse match is none")
    max_ambiguity: float = knob(
        0.7, lo=0.0, hi=1.0,
        doc="refuse if (1 - ncc) exceeds this share of the second-best place's",
    )  # fmt: skip
    max_disagreement_px: float = knob(
        0.5, unit="px", lo=0.0, hi=10.0, doc="refuse if matches of several frames scatter more"
    )
    fill: Fill = knob(
        Fill.VERIFIED,
        doc="positions in the gap: those that pixels confirm, or all, interpolated where hidden",
    )


class SolveWith(StrEnum):
    """Which cameras a solve may find."""

    AUTO = "auto"
    FREE = "free"
    TRIPOD = "tripod"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveOptions(Options):
    """How a camera is solved (`solve`)."""

    kind: SolveWith = knob(
        SolveWith.AUTO, doc="a camera that moves, one that only turns, or what the tracks say"
    )
    held_out_share: float = knob(
        0.2, lo=0.05, hi=0.5, doc="share of the tracks kept aside to judge the camera by"
    )
    max_error_px: float = knob(
        2.0, unit="px", lo=0.1, hi=50.0,
        doc="an observation further from its prediction does not count; at 1280 x 720",
    )  # fmt: skip
    seed: int = knob(0, lo=0, hi=2**31 - 1, doc="of the random samples; same seed, same answer")


class Polarity(StrEnum):
    """Which blobs count: brighter than what is around them, darker, or both."""

    ANY = "any"
    BRIGHT = "bright"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class BallOptions(Options):
    """What is a ball in a fixed camera's frames (`BallDetector`)."""

    threshold_sigma: float = knob(
        4.0, lo=2.0, hi=50.0, doc="foreground differs by this times the noise measured there"
    )
    min_contrast: float = knob(
        6.0, unit="grey", lo=1.0, hi=254.0, doc="and by at least this, however clean the picture"
    )
    background_rate: float = knob(
        0.02, unit="1/frame", lo=0.0005, hi=0.2, doc="share of the background a frame replaces"
    )
    polarity: Polarity = knob(Polarity.ANY, doc="balls brighter or darker than the background")
    min_radius_px: float = knob(1.5, unit="px", lo=0.8, hi=100.0, doc="smallest ball")
    max_radius_px: float = knob(60.0, unit="px", lo=1.0, hi=200.0, doc="largest ball")
    max_streak_px: float = knob(
        200.0, unit="px", lo=0.0, hi=400.0, doc="longest way of a ball during an exposure"
    )
    min_snr: float = knob(
        12.0, lo=0.0, hi=1e6, doc="least contrast over noise, times the root of the area"
    )
    min_motion_px: float = knob(
        0.25, unit="px", lo=0.0, hi=10.0, doc="a blob that has moved less is no ball; 0: any blob"
    )
    min_circularity: float = knob(
        0.1, lo=0.0, hi=1.0, doc="least compactness; a disc has 1, a streak of 8 radii 0.5"
    )
    min_confidence: float = knob(
        0.6, lo=0.0, hi=1.0, doc="least share of the blob that a disc or streak explains"
    )
    merge_gap: int = knob(
        2, unit="px", lo=0, hi=16, doc="fragments no further apart than this are one blob"
    )
    lane_margin: int = knob(
        20, unit="px", lo=0, hi=500,
        doc="so much around the lane or the window is searched, for balls that lie half in it",
    )  # fmt: skip
    max_candidates: int = knob(64, lo=1, hi=4096, doc="most balls in a frame; the strongest stay")
    max_runs: int = knob(
        12_000, lo=100, hi=1_000_000,
        doc="work cap: a frame with more runs of foreground pixels is overloaded",
    )  # fmt: skip
    max_fit_pixels: int = knob(
        300_000, lo=0, hi=100_000_000,
        doc="work cap: pixels that fits may visit; what is left keeps its coarse position",
    )  # fmt: skip
    refine: bool = knob(True, doc="fit a disc or a streak; off: weighted centroids")
    keep_rejected: bool = knob(False, doc="also return blobs that are no balls, with the reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobOptions(Options):
    """Which spots of a still are blobs (`detect_blobs`)."""

    polarity: Polarity = knob(Polarity.ANY, doc="brighter than what is around them, or darker")
    min_radius_px: float = knob(2.0, unit="px", lo=1.0, hi=200.0, doc="smallest blob")
    max_radius_px: float = knob(20.0, unit="px", lo=1.0, hi=200.0, doc="largest blob")
    min_contrast: float = knob(
        8.0, unit="grey", lo=0.0, hi=65535.0, doc="least difference from the surroundings"
    )
    min_snr: float = knob(
        12.0, lo=0.0, hi=1e6, doc="least contrast over noise, times the root of the area"
    )
    max_elongation: float = knob(
        2.0, lo=1.0, hi=10.0, doc="a longer spot is a line, not a blob: ratio of its curvatures"
    )
    min_confidence: float = knob(
        0.5,
        lo=0.0,
        hi=1.0,
        doc="least share of the window that a disc explains; rings explain less",
    )
    rings: bool = knob(False, doc="also keep hollow blobs, whatever a disc explains of them")
    max_blobs: int = knob(0, lo=0, hi=1_000_000, doc="most blobs, the strongest stay; 0: no limit")
    refine: bool = knob(True, doc="fit a disc; off: the maximum of the filter's response")
