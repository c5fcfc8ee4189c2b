"""Frames of two cameras in the order of their times, though one may come late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from trackcore.recording import SIDES

_PATIENCE_NS = 50_000_000
_APART_NS = 1_000_000_000
_BEHIND = 1.5


class SideBySide:
    """Hands out the frame that is earliest, once the other camera has nothing earlier to come.

    A camera that keeps up is never waited for: its last frame is less than one and a half of its
    periods old. One that has fallen behind is waited for while frames of it are sure to come, and
    50 ms from when the frame came. Cameras more than a second apart have different clocks.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[tuple[int, int, Any]]] = {side: deque() for side in SIDES}
        self._last_ns: dict[str, int | None] = dict.fromkeys(SIDES)
        self._period_ns = dict.fromkeys(SIDES, 0)
        self._ended: set[str] = set()

    def put(self, side: str, t_ns: int, came_ns: int, item: Any) -> None:
        """Add a frame: its time on the common clock, and when it came on the host's."""
        self._waiting[side].append((t_ns, came_ns, item))

    def end(self, side: str) -> None:
        """No more of this side come."""
        self._ended.add(side)

    def take(self, now_ns: int, coming: Callable[[str], bool]) -> tuple[Any | None, float | None]:
        """Return a frame, or None and how long to wait for others [s]; None: until one comes.

        `coming` says whether a side has frames that are being searched, or is footage.
        """
        sides = [side for side in SIDES if self._waiting[side]]
        if not sides:
            return None, None
        side = min(sides, key=lambda s: self._waiting[s][0][0])
        t_ns, came_ns, item = self._waiting[side][0]
        wait_ns = came_ns + _PATIENCE_NS - now_ns
        if len(sides) < len(SIDES) and self._is_behind(side, t_ns):
            if coming(SIDES[1 - SIDES.index(side)]):
                return None, None
            if wait_ns > 0:
                return None, wait_ns * 1e-9
        self._waiting[side].popleft()
        last = self._last_ns[side]
        if last is not None and t_ns > last:
            self._period_ns[side] = t_ns - last
        self._last_ns[side] = t_ns
        return item, None

    def _is_behind(self, side: str, t_ns: int) -> bool:
        """Return whether the other camera should have more before this time."""
        other = SIDES[1 - SIDES.index(side)]
        last = self._last_ns[other]
        if other in self._ended:
            return False
        if last is None:
            return True
        return _BEHIND * self._period_ns[other] < t_ns - last < _APART_NS
