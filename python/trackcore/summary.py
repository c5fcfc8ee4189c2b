"""A clip's tracks in a handful of numbers, for people and for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

if TYPE_CHECKING:
    from rich.table import Table

SURVIVAL_FRAMES = (25, 50, 100)

# How a reason reads in a sentence; also the legend of the overlay.
REASONS = {
    PointStatus.TRACKED: "alive at the end",
    PointStatus.OUT_OF_FRAME: "left the frame",
    PointStatus.LOW_TEXTURE: "low texture",
    PointStatus.NOT_CONVERGED: "not converged",
    PointStatus.LOW_CORRELATION: "low correlation",
    PointStatus.FAILED_FB: "failed back-check",
    PointStatus.LOST: "lost",
    PointStatus.UNSEEN: "unseen",
}
_NOT_A_LOSS = (PointStatus.TRACKED, PointStatus.UNSEEN)


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """What `summarize` found. None where there is nothing to measure, never a made-up number.

    Attributes
    ----------
    n_tracks : int
        Tracks with at least one position.
    n_frames : int
        Frames looked at.
    alive_per_frame : float or None
        Mean number of tracks with a position in a frame.
    survival : dict of int to (float or None)
        For 25, 50 and 100 frames: of the tracks born early enough that the clip could show them
        for so long, the share 0 .. 1 that lived so long. None where there is no such track.
    median_life_frames : float or None
        Frames from a track's first to its last position, both counted.
    median_motion_px : float or None
        Length of a track's step between neighbouring frames [px per clip frame].
    seconds : float or None
        Time the tracking took [s], if known.
    ms_per_frame : float or None
        The same per frame [ms].
    ended_by : dict of PointStatus to int
        How many tracks ended for each reason; TRACKED: alive at the end of the clip.
    """

    n_tracks: int
    n_frames: int
    alive_per_frame: float | None
    survival: dict[int, float | None]
    median_life_frames: float | None
    median_motion_px: float | None
    seconds: float | None
    ms_per_frame: float | None
    ended_by: dict[PointStatus, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON knows it: string keys, None for "not measurable"."""
        return {
            "tracks": self.n_tracks,
            "frames": self.n_frames,
            "alive_per_frame": _rounded(self.alive_per_frame, 3),
            "survival": {str(n): _rounded(share, 4) for n, share in self.survival.items()},
            "median_life_frames": self.median_life_frames,
            "median_motion_px_per_frame": _rounded(self.median_motion_px, 4),
            "seconds": _rounded(self.seconds, 4),
            "ms_per_frame": _rounded(self.ms_per_frame, 4),
            "ended_by": {status.name: count for status, count in self.ended_by.items()},
        }

    def table(self, title: str | None = None) -> Table:
        """Return a `rich` table of the numbers that could be measured."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(title) if title else None, show_header=False, title_justify="left")
        table.add_column(style="dim")
        table.add_column(justify="right")
        for name, value in self._rows():
            table.add_row(name, value)
        return table

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("tracks", f"{self.n_tracks}"),
            ("frames", f"{self.n_frames}"),
            ("alive per frame", _shown(self.alive_per_frame, "{:.1f}")),
            *(
                (f"survive {n} frames", _shown(share, "{:.1%}"))
                for n, share in self.survival.items()
            ),
            ("median life", _shown(self.median_life_frames, "{:.0f} frames")),
            ("median motion", _shown(self.median_motion_px, "{:.2f} px/frame")),
            ("time", _shown(self.ms_per_frame, "{:.2f} ms/frame")),
        ]
        return rows + [(REASONS[status], str(n)) for status, n in self.ended_by.items() if n]


def summarize(tracks: Tracks, seconds: float | None = None) -> TrackSummary:
    """Measure how many tracks there are, how long they live, how they move and why they end.

    Parameters
    ----------
    tracks : Tracks
        What to measure.
    seconds : float, optional
        Time the tracking took [s].

    Returns
    -------
    TrackSummary
        Numbers, and None where the tracks do not determine one.

    Raises
    ------
    InputError
        If `seconds` is negative or not finite.
    """
    if seconds is not None and not 0 <= seconds < np.inf:
        raise InputError(f"seconds: expected a time of at least 0 s, got {seconds!r}")
    life = tracks.lifespan_frames[tracks.lifespan_frames > 0]
    n_frames = tracks.n_frames
    ended = ending(tracks)
    return TrackSummary(
        n_tracks=len(life),
        n_frames=n_frames,
        alive_per_frame=float(tracks.seen.sum() / n_frames) if n_frames else None,
        survival={n: _survival(tracks, n) for n in SURVIVAL_FRAMES},
        median_life_frames=float(np.median(life)) if len(life) else None,
        median_motion_px=_median_motion(tracks),
        seconds=seconds,
        ms_per_frame=seconds * 1e3 / n_frames if seconds is not None and n_frames else None,
        ended_by={
            status: int(np.count_nonzero(ended[tracks.first_index >= 0] == status))
            for status in PointStatus
        },
    )


def ending(tracks: Tracks) -> NDArray[np.uint8]:
    """Return (n_tracks,) why each track ended, at whichever end it was lost.

    A track followed backwards ends before its first position, any other after its last.
    """
    backwards = lost_backwards(tracks) & np.isin(tracks.end_status, _NOT_A_LOSS)
    return np.where(backwards, tracks.start_status, tracks.end_status).astype(np.uint8)


def lost_backwards(tracks: Tracks) -> NDArray[np.bool_]:
    """Return (n_tracks,) True where a track was followed backwards in time until it was lost."""
    return ~np.isin(tracks.start_status, _NOT_A_LOSS)


def _survival(tracks: Tracks, n_frames: int) -> float | None:
    """Share of the tracks that could live `n_frames` that did."""
    # Room for a track in the clip, in the direction it was followed.
    room = np.where(
        lost_backwards(tracks), tracks.last_index + 1, tracks.n_frames - tracks.first_index
    )
    could = (tracks.first_index >= 0) & (room >= n_frames)
    if not could.any():
        return None
    return float((tracks.lifespan_frames[could] >= n_frames).mean())


def _median_motion(tracks: Tracks) -> float | None:
    steps_px = np.linalg.norm(np.diff(tracks.xy_px, axis=1), axis=-1)
    steps_px = steps_px / np.diff(tracks.frame_numbers)
    moved = steps_px[np.isfinite(steps_px)]
    return float(np.median(moved)) if len(moved) else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
