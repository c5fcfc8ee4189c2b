"""What is recorded of a session, by the documented keys."""

from __future__ import annotations

from dataclasses import dataclass

from trackcore.options import Options, knob
from trackcore.recording.video import VideoCodec


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOptions(Options):
    """The section `recording` of the documented configuration: its names and its units."""

    pre_roll_ms: float = knob(
        500.0, unit="ms", lo=0.0, hi=60_000.0, doc="pictures kept from before a pitch"
    )
    post_roll_ms: float = knob(
        500.0, unit="ms", lo=0.0, hi=60_000.0, doc="pictures kept from after a pitch"
    )
    session_min_active_frames: int = knob(
        5, lo=1, hi=10_000, doc="frames with a ball that make a pitch"
    )
    session_end_gap_frames: int = knob(10, lo=1, hi=10_000, doc="frames without a ball that end it")
    save_detections: bool = knob(False, doc="write what the detectors found")
    save_observations: bool = knob(False, doc="write where both cameras saw the ball")
    save_training_frames: bool = knob(False, doc="write pictures of the moments that count")
    frame_save_interval: int = knob(
        5, lo=1, hi=10_000, doc="and every n-th picture of the pitch besides"
    )
    video_codec: VideoCodec = knob(
        VideoCodec.MJPG, doc="of a pitch's videos; FFV1 loses nothing and is slower and larger"
    )
