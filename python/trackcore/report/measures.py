"""What the report shows, measured on a solve and its tracks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError
from trackcore.frame_regions import REGIONS, region_index
from trackcore.solver import Solve, TrackRole
from trackcore.tracks import Tracks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Measures:
    """A solve beside the tracks that it was made of.

    Raises
    ------
    InputError
        If the two do not speak of the same tracks and frames.
    """

    solve: Solve
    tracks: Tracks

    def __post_init__(self) -> None:
        """Check that both are of the same clip."""
        solve, tracks = self.solve, self.tracks
        if not np.array_equal(solve.ids, tracks.ids):
            raise InputError(
                f"tracks: expected the {len(solve.ids)} tracks that were solved, in their order, "
                f"got {len(tracks)} others"
            )
        if not np.array_equal(solve.frame_numbers, tracks.frame_numbers):
            raise InputError(
                f"tracks: expected the {solve.n_frames} frames that were solved, "
                f"got {tracks.n_frames} others"
            )

    @cached_property
    def projected_px(self) -> Floats:
        """(n_tracks, n_frames, 2) where the solved cameras see the points; NaN without one."""
        found = np.full(self.tracks.xy_px.shape, np.nan)
        for i in np.flatnonzero(self.solve.solved):
            found[:, i] = self.solve.project(int(i))
        return found

    @cached_property
    def error_px(self) -> Floats:
        """(n_tracks, n_frames) distance of each position from its point's projection."""
        return np.asarray(np.linalg.norm(self.tracks.xy_px - self.projected_px, axis=-1))

    @cached_property
    def held_out(self) -> Flags:
        """(n_tracks,) True for tracks that the cameras were solved without."""
        return np.isin(self.solve.ids, self.solve.held_out_ids)

    @property
    def used(self) -> Flags:
        """(n_tracks,) True for tracks that became bundles."""
        return np.asarray((self.solve.role == TrackRole.BUNDLE) & self.solve.bundled)

    @cached_property
    def region(self) -> NDArray[np.int64]:
        """(n_tracks,) index into `REGIONS` of each track's mean position."""
        seen = self.tracks.seen
        n = seen.sum(axis=1)
        total = np.where(seen[..., None], self.tracks.xy_px, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            mean = np.where(n[:, None] > 0, total / np.maximum(n, 1)[:, None], np.nan)
        return region_index(mean, self.tracks.frame_size)

    def frame_series(self) -> dict[str, Any]:
        """Return what is drawn over time, one value per frame."""
        seen, solve = self.tracks.seen, self.solve
        return {
            "frames": solve.frame_numbers.tolist(),
            "rms": rounded(solve.frame_error_px, 4),
            "error": rounded(median_of_columns(self.error_px[self.used & ~self.held_out]), 4),
            "held": rounded(median_of_columns(self.error_px[self.held_out]), 4),
            "tracks": seen.sum(axis=0).tolist(),
            "bundles": seen[self.used].sum(axis=0).tolist(),
            "focal": rounded(solve.focal_px_per_frame, 2),
            "solved": solve.solved.astype(int).tolist(),
        }

    def track_rows(self) -> dict[str, Any]:
        """Return the columns of the table of tracks."""
        tracks, solve = self.tracks, self.solve
        numbers = np.append(tracks.frame_numbers, -1)  # index -1 of a track never seen
        ncc = median_of_columns(tracks.ncc.T.astype(np.float64))
        return {
            "id": tracks.ids.tolist(),
            "role": solve.role.tolist(),
            "held": self.held_out.astype(int).tolist(),
            "first": numbers[tracks.first_index].tolist(),
            "last": numbers[tracks.last_index].tolist(),
            "seen": tracks.seen.sum(axis=1).tolist(),
            "error": rounded(solve.track_error_px, 3),
            "ncc": rounded(ncc, 3),
            "region": self.region.tolist(),
        }

    def regions(self) -> list[dict[str, Any]]:
        """Return one row per region of the frame."""
        rows = []
        for i, name in enumerate(REGIONS):
            here = self.region == i
            bundles = here & self.used
            errors = self.solve.track_error_px[bundles]
            total = int(here.sum())
            rows.append({
                "name": name,
                "tracks": total,
                "bundles": int(bundles.sum()),
                "share": round(float(bundles.sum() / total), 4) if total else None,
                "error": _median(errors),
                "life": _median(self.tracks.lifespan_frames[here].astype(float)),
            })  # fmt: skip
        return rows

    def counted_roles(self) -> dict[TrackRole, int]:
        """Return how many tracks there are of each role."""
        return {role: int((self.solve.role == role).sum()) for role in TrackRole}


def median_of_columns(values: Floats) -> Floats:
    """Return the median of what is known in each column; NaN where nothing is."""
    found = np.full(values.shape[1], np.nan)
    known = np.isfinite(values).any(axis=0)
    if known.any():
        found[known] = np.nanmedian(values[:, known], axis=0)
    return found


def rounded(values: Floats, digits: int) -> list[float | None]:
    """Return plain numbers, None for what is not known."""
    return [round(v, digits) if np.isfinite(v) else None for v in values.tolist()]


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 4) if len(known) else None
