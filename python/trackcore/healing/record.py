"""What `heal` returns: the healed tracks, and a record of every gap that was tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.tracks import Tracks

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnchorTrack:
    """A track that told how the surface moved during some gap.

    Attributes
    ----------
    name : str
    start_frame, end_frame : int
        Its first and last frame (clip frame numbers).
    quality : float
        0 .. 1: how well it agreed with the motion fitted, mean over the fits it was in.
    """

    name: str
    start_frame: int
    end_frame: int
    quality: float

    def to_dict(self) -> dict[str, Any]:
        """Return the documented record."""
        return {
            "name": self.name, "start_frame": self.start_frame, "end_frame": self.end_frame,
            "quality": self.quality,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class HealingAttempt:
    """One gap that was looked at. Positions are shares of the frame, y up.

    Attributes
    ----------
    lost_name, born_name : str
        The track before the gap and the one after it, as they were named before healing.
    gap_start_frame, gap_end_frame : int
        Last frame before and first frame after the gap (clip frame numbers).
    gap_start_pos, gap_end_pos : (x, y)
        Positions in them; after a heal, the latter is the lost point's, not the later track's.
    anchor_count : int
        Neighbours that told the motion.
    interpolated_positions : list of (x, y)
        The point in every frame of the gap; empty if it was not healed.
    method_used : str
        `anchor_weighted`, or `constant_velocity` where too few neighbours span the gap.
    match_score : float or None
        0 .. 1, the likeness of the patches less what they disagree; None if not found.
    post_heal_error : float or None
        Rms disagreement of independent matches across the gap, forwards and back [px].
    offset_px : float or None
        How far beside the lost point the later track was [px].
    verified_frames : int
        Frames of the gap in which the pixels confirm the position.
    heal_success : bool
    reason : str
        Why it was refused; empty if healed.
    """

    lost_name: str
    born_name: str
    gap_start_frame: int
    gap_end_frame: int
    gap_start_pos: tuple[float, float]
    gap_end_pos: tuple[float, float]
    anchor_count: int
    interpolated_positions: list[tuple[float, float]]
    method_used: str
    match_score: float | None
    post_heal_error: float | None
    offset_px: float | None
    verified_frames: int
    heal_success: bool
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Return the documented record with our additions."""
        out = {name: getattr(self, name) for name in self.__slots__}
        out["gap_start_pos"], out["gap_end_pos"] = list(self.gap_start_pos), list(self.gap_end_pos)
        out["interpolated_positions"] = [list(xy) for xy in self.interpolated_positions]
        return out


@dataclass(frozen=True, slots=True)
class HealingStats:
    """All gaps in numbers.

    Attributes
    ----------
    candidates_found : int
        Pairs of tracks whose time and place fit.
    heals_attempted : int
        Those whose pixels were compared; fewer only if the caller stopped.
    heals_successful : int
    avg_gap_frames : float or None
        Mean number of frames in the healed gaps; None if none was healed.
    avg_match_score : float or None
        Mean score of the healed gaps; None if none was healed.
    """

    candidates_found: int
    heals_attempted: int
    heals_successful: int
    avg_gap_frames: float | None
    avg_match_score: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the documented record."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Healing:
    """What `heal` did.

    Attributes
    ----------
    tracks : Tracks
        Joined tracks under the earlier one's id; the later one's row is gone. In a gap only
        positions that the pixels confirm, unless `HealOptions.fill` asks for all.
    interpolated_xy_px : (n_tracks, n_frames, 2) float64
        Where the hidden point must have been, by its neighbours' motion [px]; NaN elsewhere.
    interpolated : (n_tracks, n_frames) bool
        Which samples are interpolated, whether or not `tracks` holds them.
    anchor_tracks : list of AnchorTrack
    healing_attempts : list of HealingAttempt
        In the order in which tracks were lost.
    healing_stats : HealingStats
    """

    tracks: Tracks
    interpolated_xy_px: Floats
    anchor_tracks: list[AnchorTrack]
    healing_attempts: list[HealingAttempt]
    healing_stats: HealingStats

    @property
    def interpolated(self) -> NDArray[np.bool_]:
        """(n_tracks, n_frames) True where a position is interpolated."""
        return np.isfinite(self.interpolated_xy_px[..., 0])

    def to_dict(self) -> dict[str, Any]:
        """Return the documented record: anchors, attempts and statistics."""
        return {
            "anchor_tracks": [a.to_dict() for a in self.anchor_tracks],
            "healing_attempts": [a.to_dict() for a in self.healing_attempts],
            "healing_stats": self.healing_stats.to_dict(),
        }
