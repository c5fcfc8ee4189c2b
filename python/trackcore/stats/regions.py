"""How tracks did in each of the nine regions of the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.frame_regions import REGIONS, region_index
from trackcore.stats._core_rows import sums
from trackcore.stats.track_stats import SUCCESS_FRAMES, lifespan
from trackcore.tracks import Tracks

LEAST_TRACKS = 3
"""Tracks without which a region is neither a dead zone nor a sweet spot, as documented."""
DEAD_BELOW, SWEET_ABOVE = 0.3, 0.7
"""Documented success rates of dead zones and sweet spots."""
BEST_FROM = 0.5
"""A region is among the best with this success rate, as documented."""
CONFIDENCE_START, CONFIDENCE_KEPT, CONFIDENCE_TRACKS = 0.5, 0.7, 2
"""Documented running mean: it starts at 0.5 and keeps 0.7 of itself at each update, for which a
region needs two tracks."""


@dataclass(frozen=True, slots=True)
class RegionStats:
    """How many tracks each region had, how many succeeded, and what follows from it.

    A track belongs to the region of its mean position. Arrays are in the order of `REGIONS`.

    Attributes
    ----------
    total_tracks, successful_tracks : (9,) int64
    region_confidence : dict of str to float
        0 .. 1 per region: 0.7 of what it was before (0.5 if nothing is known) and 0.3 of the
        success rate; regions with fewer than two tracks keep what they had.
    """

    total_tracks: NDArray[np.int64]
    successful_tracks: NDArray[np.int64]
    region_confidence: dict[str, float]

    @property
    def success_rate(self) -> NDArray[np.float64]:
        """(9,) share of the tracks that succeeded; NaN for a region without tracks."""
        total = np.where(self.total_tracks > 0, self.total_tracks, np.nan)
        return np.asarray(self.successful_tracks / total)

    @property
    def region_stats(self) -> dict[str, dict[str, int]]:
        """The documented table: totals of the regions that had tracks."""
        return {
            region: {"total_tracks": total, "successful_tracks": good}
            for region, total, good in zip(
                REGIONS, self.total_tracks.tolist(), self.successful_tracks.tolist(), strict=True
            )
            if total
        }

    @property
    def dead_zones(self) -> list[str]:
        """Regions with at least 3 tracks of which fewer than 0.3 succeeded."""
        return self._named((self.total_tracks >= LEAST_TRACKS) & (self.success_rate < DEAD_BELOW))

    @property
    def sweet_spots(self) -> list[str]:
        """Regions with at least 3 tracks of which more than 0.7 succeeded."""
        return self._named((self.total_tracks >= LEAST_TRACKS) & (self.success_rate > SWEET_ABOVE))

    @property
    def best_regions(self) -> list[str]:
        """Regions where at least half of the tracks succeeded, best first, then by name order."""
        rate = np.nan_to_num(self.success_rate)
        order = np.argsort(-rate, kind="stable")
        return [REGIONS[i] for i in order.tolist() if rate[i] >= BEST_FROM]

    @property
    def dominant_region(self) -> int | None:
        """Index 0 .. 8 of the region with most successful tracks; None without any success."""
        return int(np.argmax(self.successful_tracks)) if self.successful_tracks.any() else None

    def to_dict(self) -> dict[str, Any]:
        """Return the documented fields of a session."""
        return {
            "region_stats": self.region_stats,
            "dead_zones": self.dead_zones,
            "sweet_spots": self.sweet_spots,
            "best_regions": self.best_regions,
            "region_confidence": dict(self.region_confidence),
            "dominant_region": self.dominant_region,
        }

    def _named(self, which: NDArray[np.bool_]) -> list[str]:
        return [REGIONS[i] for i in np.flatnonzero(which).tolist()]


def region_stats(
    tracks: Tracks,
    *,
    success: ArrayLike | None = None,
    before: Mapping[str, float] | None = None,
    threads: int = 0,
) -> RegionStats:
    """Count tracks and successes in the nine regions of the frame.

    Parameters
    ----------
    tracks : Tracks
        Tracks without a position count nowhere.
    success : (n_tracks,) bool, optional
        Which tracks were good, such as those with a bundle; by default those that lived at least
        5 frames.
    before : dict of str to float, optional
        `region_confidence` of earlier tracking, which is updated.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    RegionStats

    Raises
    ------
    InputError
        If `success` is no flag per track, or `before` names no region or is not 0 .. 1.
    """
    found = sums(tracks, threads)
    region = region_index(found.mean_px, tracks.frame_size)
    if success is None:
        good = lifespan(tracks, found) >= SUCCESS_FRAMES
    else:
        good = np.asarray(success)
        if good.dtype.kind != "b" or good.shape != (len(tracks),):
            raise InputError(
                f"success: expected ({len(tracks)},) booleans, one per track, got {good.dtype}"
                f" of shape {good.shape}"
            )
    return count_regions(region, good, before)


def count_regions(
    region: NDArray[np.int64],
    success: NDArray[np.bool_],
    before: Mapping[str, float] | None = None,
) -> RegionStats:
    """Count by region index; `NO_REGION` counts nowhere."""
    somewhere = region >= 0
    total = np.bincount(region[somewhere], minlength=len(REGIONS))
    good = np.bincount(region[somewhere & success], minlength=len(REGIONS))
    confidence = dict.fromkeys(REGIONS, CONFIDENCE_START)
    for name, value in (before or {}).items():
        if name not in confidence or not 0 <= value <= 1:
            raise InputError(
                f"before: expected shares 0 .. 1 by name of region, got {name!r}: {value!r}"
            )
        confidence[name] = float(value)
    for i in np.flatnonzero(total >= CONFIDENCE_TRACKS).tolist():
        rate = good[i] / total[i]
        old = confidence[REGIONS[i]]
        confidence[REGIONS[i]] = float(CONFIDENCE_KEPT * old + (1 - CONFIDENCE_KEPT) * rate)
    return RegionStats(total, good, confidence)
