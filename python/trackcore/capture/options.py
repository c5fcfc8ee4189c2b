"""What a capture may use."""

from __future__ import annotations

from dataclasses import dataclass

from trackcore.options import Options, knob


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOptions(Options):
    """How a `CaptureHost` keeps up with its cameras."""

    ring_mb: float = knob(
        0.0, unit="MB", lo=0.0, hi=1e6,
        doc="room for frames; 0: as the roll times and ring_pitch_s need, at most 4096 MB",
    )  # fmt: skip
    ring_pitch_s: float = knob(
        3.0, unit="s", lo=0.1, hi=600.0,
        doc="frames kept beyond pre-roll and post-roll: a pitch, and what waits to be written",
    )  # fmt: skip
    video_share: float = knob(
        0.25, lo=0.0, hi=1.0,
        doc="of the ring that session video may hold before it is shed; 0: no session video",
    )  # fmt: skip
    reconnect_s: float = knob(
        0.1, unit="s", lo=0.001, hi=600.0, doc="first wait before a lost camera is tried again"
    )
    reconnect_most_s: float = knob(
        5.0, unit="s", lo=0.001, hi=3600.0, doc="and the longest: each wait is twice the last"
    )
    flush_ms: float = knob(
        20.0, unit="ms", lo=1.0, hi=1000.0, doc="telemetry is on the disk after this long"
    )
    retry_s: float = knob(
        0.5,
        unit="s",
        lo=0.01,
        hi=600.0,
        doc="wait before a pitch that found no room is tried again",
    )
    crash_safe: bool = knob(
        True, doc="keep the ring in a mapped file, which outlives a killed process"
    )
