"""What the filters found, and what may be done about it: mute, take back, delete."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

if TYPE_CHECKING:
    from rich.table import Table


class FilterReason(StrEnum):
    """Why a track is bad."""

    SHORT = "SHORT"
    SPIKE = "SPIKE"
    DUPLICATE = "DUPLICATE"
    LOW_CORRELATION = "LOW_CORRELATION"
    NOT_RIGID = "NOT_RIGID"
    MOVING_OBJECT = "MOVING_OBJECT"


WORDS = {
    FilterReason.SHORT: ("too short", "frames"),
    FilterReason.SPIKE: ("leaps out of the local motion", "px"),
    FilterReason.DUPLICATE: ("follows what a better track follows", "px apart"),
    FilterReason.LOW_CORRELATION: ("matches badly", "median ncc"),
    FilterReason.NOT_RIGID: ("moves unlike the rigid scene", "px rms"),
    FilterReason.MOVING_OBJECT: ("moves with others, unlike the rigid scene", "px rms"),
}
"""How each reason reads, and the unit of its evidence."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one filter measured on every track.

    Attributes
    ----------
    flagged : (n_tracks,) bool
    value : (n_tracks,) float64
        The measurement, in the reason's unit (`WORDS`); NaN where it could not be made.
    limit : (n_tracks,) float64
        What `value` was held against.
    frame : (n_tracks,) int64
        Clip frame number where it is worst; meaningful where `value` is not NaN.
    """

    flagged: NDArray[np.bool_]
    value: NDArray[np.float64]
    limit: NDArray[np.float64]
    frame: NDArray[np.int64]

    @property
    def severity(self) -> NDArray[np.float64]:
        """(n_tracks,) how far a value is from its limit, as a factor; 1 at the limit."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(self.value) / np.abs(self.limit)
            factor = np.maximum(ratio, 1 / ratio)
        return np.where(np.isnan(factor), 1.0, factor)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why one track is bad.

    Attributes
    ----------
    track : int
        Index of the track.
    track_name : str
    reason : FilterReason
    value, limit : float
        What was measured and what it was held against, in `unit`.
    unit : str
    frame : int
        Clip frame number where it is worst.
    other : str or None
        Of a duplicate: the better track.
    """

    track: int
    track_name: str
    reason: FilterReason
    value: float
    limit: float
    unit: str
    frame: int
    other: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON knows it."""
        return {
            "track_name": self.track_name,
            "reason": self.reason.value,
            "value": round(self.value, 4) if np.isfinite(self.value) else None,
            "limit": round(self.limit, 4) if np.isfinite(self.limit) else None,
            "unit": self.unit,
            "frame": self.frame,
            "other": self.other,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FilterReport:
    """Which tracks are bad and why. Nothing has been changed: `mute` does, `delete` after it.

    Attributes
    ----------
    ids : (n_tracks,) int64
        Of the tracks that were looked at.
    evidence : dict of FilterReason to Evidence
        One entry per filter that ran.
    spikes : (n_tracks, n_frames) bool
        Samples that leap out of the local motion.
    duplicate_of : (n_tracks,) int64
        Index of the better track; -1 where a track is no duplicate.
    protected : (n_tracks,) bool
        The user's tracks: no filter flags them.
    spared : (n_tracks,) bool
        Bad tracks that `mute` leaves alone, because too few would remain.
    """

    ids: NDArray[np.int64]
    evidence: dict[FilterReason, Evidence]
    spikes: NDArray[np.bool_]
    duplicate_of: NDArray[np.int64]
    protected: NDArray[np.bool_]
    spared: NDArray[np.bool_]
    whole_track_spikes: NDArray[np.bool_] = field(repr=False)
    names: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of tracks that were looked at."""
        return len(self.ids)

    def __repr__(self) -> str:
        """Say in one line what was found."""
        counts = ", ".join(f"{n} {reason}" for reason, n in self.counts.items() if n) or "none bad"
        return f"<FilterReport: {len(self)} tracks, {counts}>"

    @property
    def reasons(self) -> list[frozenset[FilterReason]]:
        """Why each track is bad; empty for a good one."""
        return [
            frozenset(reason for reason, e in self.evidence.items() if e.flagged[i])
            for i in range(len(self))
        ]

    @property
    def bad(self) -> NDArray[np.bool_]:
        """(n_tracks,) True where there is a reason, spared or not."""
        flags = [e.flagged for e in self.evidence.values()]
        return np.any(flags, axis=0) if flags else np.zeros(len(self), bool)

    @property
    def counts(self) -> dict[FilterReason, int]:
        """How many tracks each reason holds for; a track may have several."""
        return {reason: int(e.flagged.sum()) for reason, e in self.evidence.items()}

    @property
    def findings(self) -> list[Finding]:
        """Every reason of every bad track, by track."""
        return [
            Finding(
                track=i, track_name=self.names[i], reason=reason, value=float(e.value[i]),
                limit=float(e.limit[i]), unit=WORDS[reason][1], frame=int(e.frame[i]),
                other=self.names[self.duplicate_of[i]]
                if reason == FilterReason.DUPLICATE and self.duplicate_of[i] >= 0 else None,
            )
            for i in np.flatnonzero(self.bad).tolist()
            for reason, e in self.evidence.items()
            if e.flagged[i]
        ]  # fmt: skip

    def mute(self, tracks: Tracks) -> MutedTracks:
        """Mute what is bad, and only hide it: `MutedTracks.unmute` brings it back.

        A track whose one fault is a few spikes keeps its other samples; every other bad track is
        muted whole, unless it was spared.

        Raises
        ------
        InputError
            If `tracks` are not those that were looked at.
        """
        if not np.array_equal(tracks.ids, self.ids) or tracks.n_frames != self.spikes.shape[1]:
            raise InputError(
                f"tracks: expected the {len(self)} tracks over {self.spikes.shape[1]} frames that "
                f"this report is about, got {tracks!r}"
            )
        others = [e.flagged for r, e in self.evidence.items() if r != FilterReason.SPIKE]
        whole = np.any([*others, self.whole_track_spikes], axis=0) & ~self.spared
        muted = whole[:, None] | (self.spikes & ~self.protected[:, None] & ~self.spared[:, None])
        return MutedTracks(tracks, muted & tracks.seen)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON knows it."""
        return {
            "tracks": len(self),
            "bad": int(self.bad.sum()),
            "spared": int(self.spared.sum()),
            "protected": int(self.protected.sum()),
            "counts": {reason.value: n for reason, n in self.counts.items()},
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def table(self, title: str | None = None) -> Table:
        """Return a `rich` table: per reason, how many tracks and the worst of them."""
        from rich.table import Table

        table = Table(title=title, title_justify="left")
        for column in ("reason", "tracks", "worst", "frame"):
            table.add_column(column, justify="left" if column == "reason" else "right")
        for reason, e in self.evidence.items():
            flagged = np.flatnonzero(e.flagged)
            row = [WORDS[reason][0], str(len(flagged)), "-", "-"]
            if len(flagged):
                worst = flagged[np.argmax(e.severity[flagged])]
                row[2] = f"{self.names[worst]}: {e.value[worst]:.2f} {WORDS[reason][1]}"
                row[3] = str(e.frame[worst])
            table.add_row(*row)
        return table


@dataclass(frozen=True, slots=True, eq=False)
class MutedTracks:
    """Tracks of which some samples are hidden. Nothing is lost until `delete`.

    Attributes
    ----------
    tracks : Tracks
        All of them, as they were.
    muted : (n_tracks, n_frames) bool
        Samples that are hidden.
    """

    tracks: Tracks
    muted: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Check the mask against the tracks."""
        muted = np.asarray(self.muted)
        if muted.dtype.kind != "b" or muted.shape != self.tracks.status.shape:
            raise InputError(
                f"muted: expected {self.tracks.status.shape} booleans, "
                f"got {muted.dtype} of shape {muted.shape}"
            )
        muted = muted & self.tracks.seen
        muted.flags.writeable = False
        object.__setattr__(self, "muted", muted)

    @property
    def muted_tracks(self) -> NDArray[np.bool_]:
        """(n_tracks,) True where nothing of a track is left to see."""
        return np.asarray(self.muted.any(axis=1) & ~(self.tracks.seen & ~self.muted).any(axis=1))

    @property
    def visible(self) -> Tracks:
        """The same tracks in the same order, muted samples unseen."""
        hidden = self.muted
        return replace(
            self.tracks,
            xy_px=np.where(hidden[..., None], np.nan, self.tracks.xy_px),
            status=np.where(hidden, PointStatus.UNSEEN, self.tracks.status).astype(np.uint8),
            ncc=np.where(hidden, np.nan, self.tracks.ncc).astype(np.float32),
        )

    def unmute(self, which: ArrayLike | None = None) -> MutedTracks:
        """Show tracks again: those for which `which` (n_tracks,) is True, or all.

        Raises
        ------
        InputError
            If `which` is not one boolean per track.
        """
        if which is None:
            return MutedTracks(self.tracks, np.zeros_like(self.muted))
        shown = track_flags("which", which, len(self.tracks))
        return MutedTracks(self.tracks, self.muted & ~shown[:, None])

    def delete(self) -> Tracks:
        """Return tracks without what is muted; tracks muted whole are gone. No way back."""
        return self.visible.select(~self.muted_tracks)


def track_flags(name: str, value: ArrayLike | None, n_tracks: int) -> NDArray[np.bool_]:
    """Return one boolean per track; None is False for all."""
    if value is None:
        return np.zeros(n_tracks, bool)
    flags = np.asarray(value)
    if flags.size == 0 and n_tracks == 0:
        return np.zeros(0, bool)
    if flags.dtype.kind != "b" or flags.shape != (n_tracks,):
        raise InputError(
            f"{name}: expected ({n_tracks},) booleans, got {flags.dtype} of shape {flags.shape}"
        )
    return flags
