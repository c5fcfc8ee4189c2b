"""Watching the tracks while they are followed, and changing settings where they are lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.options import TrackerOptions
from trackcore.settings import Settings, searched_px, settings_used, tracker_options
from trackcore.tracker import TrackState
from trackcore.types import PointStatus

EVERY_FRAMES, EVERY_FRAMES_ROBUST = 10, 5
FEW, VERY_FEW = 0.5, 0.3
"""Documented: below the first share of survivors the search is widened a little, below the second
more. Counted are tracks that were alive at the last look and have not left the frame since."""
SEARCH_FACTORS = {FEW: 1.15, VERY_FEW: 1.3}
AT_ONCE = 0.5
"""A step that fewer survive is answered in that frame: the next look would come too late."""
BAD_NCC, PATTERN_FACTOR = 0.8, 1.2
"""Tracks that match worse, at their median, get a larger pattern."""
MOST_ADAPTATIONS = 3
LEAST_TRACKS = 8


@dataclass(frozen=True, slots=True)
class Adaptation:
    """One change of settings on the way, as records have it.

    Attributes
    ----------
    iteration : int
        From 1.
    frame : int
        Clip frame number after which it holds.
    survival_rate : float
        What triggered it.
    changes : tuple of str
        In words.
    old_settings, new_settings : dict
        The documented settings as used.
    """

    iteration: int
    frame: int
    survival_rate: float
    changes: tuple[str, ...]
    old_settings: dict[str, int | float | str]
    new_settings: dict[str, int | float | str]

    def to_dict(self) -> dict[str, Any]:
        """Return the record."""
        return {
            "iteration": self.iteration,
            "frame": self.frame,
            "survival_rate": round(self.survival_rate, 4),
            "changes": list(self.changes),
            "old_settings": dict(self.old_settings),
            "new_settings": dict(self.new_settings),
        }


class Watcher:
    """Counts survivors and says when, and how, the settings should change.

    Parameters
    ----------
    settings : Settings
        Tracked with.
    options : TrackerOptions
        The same as the tracker has them.
    frame_size : (w, h)
        [px]; more levels than a frame has are no change.
    robust : bool
        Look more often.
    on : bool
        Off: only count.
    """

    def __init__(
        self,
        settings: Settings,
        options: TrackerOptions,
        frame_size: tuple[int, int],
        *,
        robust: bool = False,
        on: bool = True,
    ) -> None:
        self.settings, self.options = settings, options
        self.history: list[Adaptation] = []
        self._smallest_px = min(frame_size)
        self._every = EVERY_FRAMES_ROBUST if robust else EVERY_FRAMES
        self._on = on
        self._reference: NDArray[np.int64] = np.zeros(0, np.int64)
        self._gone = self._lost = self._frames = self._n_before = 0
        self.live: dict[str, float] = {}

    def see(self, number: int, state: TrackState) -> Adaptation | None:
        """Take the state after one frame; return a change of settings that is due."""
        tracked = state.status == PointStatus.TRACKED
        lost = ~tracked & (state.status != PointStatus.OUT_OF_FRAME)
        known = np.isin(state.ids, self._reference)
        self._lost += int((lost & known).sum())
        self._gone += int((~tracked & ~lost & known).sum())
        self._frames += 1
        judged = len(self._reference) - self._gone
        survival = 1.0 - self._lost / judged if judged else float("nan")
        ncc = float(np.median(state.ncc[tracked])) if tracked.any() else float("nan")
        self.live = {
            "alive": float(tracked.sum()), "lost": float(lost.sum()), "survival": survival,
            "ncc": ncc,
        }  # fmt: skip
        went_on = int((tracked & (state.ids < self._n_before)).sum())  # not started just now
        before = went_on + int(lost.sum())
        collapsed = before >= LEAST_TRACKS and went_on < AT_ONCE * before
        self._n_before = max(self._n_before, int(state.ids.max(initial=-1)) + 1)
        if self._frames < self._every and not collapsed and len(self._reference):
            return None
        found = None
        if self._on and judged >= LEAST_TRACKS and len(self.history) < MOST_ADAPTATIONS:
            found = self._adapted(number, survival, ncc)
        self.restart(state)
        return found

    def restart(self, state: TrackState) -> None:
        """Count from here on."""
        self._reference = state.ids[state.status == PointStatus.TRACKED]
        self._gone = self._lost = self._frames = 0

    def _adapted(self, number: int, survival: float, ncc: float) -> Adaptation | None:
        new, changes = self.settings, []
        if survival < FEW:
            new = self._wider(SEARCH_FACTORS[VERY_FEW if survival < VERY_FEW else FEW])
        elif ncc < BAD_NCC:
            pattern = self.settings.pattern_size * PATTERN_FACTOR
            new = Settings.clamped(**{**self.settings.to_dict(), "pattern_size": pattern})
        options = tracker_options(new, self.options)
        old_used, new_used = settings_used(self.options), settings_used(options)
        if old_used == new_used:
            return None
        changes = [f"{k}: {old_used[k]} -> {new_used[k]}" for k in new_used
                   if old_used[k] != new_used[k]]  # fmt: skip
        found = Adaptation(
            len(self.history) + 1, number, survival, tuple(changes), old_used, new_used
        )
        self.settings, self.options = new, options
        self.history.append(found)
        return found

    def _wider(self, factor: float) -> Settings:
        """Return settings that reach at least one level further, where frames have one more."""
        now, window, levels = self.settings, self.options.window, self.options.levels
        if self._smallest_px / 2**levels <= window:
            return now
        search = max(now.search_size * factor, searched_px(window, levels + 1))
        return replace(now, search_size=Settings.clamped(search_size=search).search_size)

    def state(self) -> dict[str, Any]:
        """Return where it stands, for `resume`."""
        return {
            "settings": self.settings.to_dict(),
            "history": [a.to_dict() for a in self.history],
            "reference": self._reference.tolist(),
            "counts": [self._gone, self._lost, self._frames, self._n_before],
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state` said."""
        self.settings = Settings.from_dict(state["settings"])
        self.options = tracker_options(self.settings, self.options)
        self.history = [
            Adaptation(**{**one, "changes": tuple(one["changes"])}) for one in state["history"]
        ]
        self._reference = np.array(state["reference"], np.int64)
        self._gone, self._lost, self._frames, self._n_before = state["counts"]
