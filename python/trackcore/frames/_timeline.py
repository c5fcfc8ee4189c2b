"""When the frames of a video are, learnt while it is decoded."""

from __future__ import annotations

import math
import threading

import numpy as np

from trackcore.frames._source import time_ns

# Matroska and WebM round to 1 ms: a stamp this close to the constant rate means the constant rate.
_ROUNDING_S = 0.00051
_EVEN_MS = 1.5  # intervals that differ by less are rounding, not a variable frame rate
_EVEN_SHARE = 0.05


class Timeline:
    """One entry per frame found so far, from the first frame on. Safe to share by threads.

    Attributes
    ----------
    complete : bool
        True once a pass has reached the end of the file.
    repaired : int
        Frames without a usable time stamp.
    marks : dict of int to int
        Checksums of the frames that have been read, not just passed, in order.
    can_jump : bool
        False once OpenCV has been caught seeking to a wrong place in this file.
    """

    def __init__(self, fps: float, *, trust_stamps: bool) -> None:
        self.complete = False
        self.repaired = 0
        self.marks: dict[int, int] = {}
        self.can_jump = True
        self._fps = fps
        self._trust_stamps = trust_stamps
        self._stamps_ms: list[float] = []
        self._t_ns: list[int] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._t_ns)

    def note(self, index: int, stamp_ms: float) -> None:
        """Learn the container's time stamp of the next frame; known frames are left alone."""
        with self._lock:
            if index == len(self._t_ns):
                self._t_ns.append(self._time_ns(index, stamp_ms))
                self._stamps_ms.append(stamp_ms)

    def t_ns(self, index: int) -> int:
        """Return the time of a frame already met [ns]."""
        return self._t_ns[index]

    def stamp_ms(self, index: int) -> float:
        """Return the container's own stamp of a frame already met [ms]."""
        return self._stamps_ms[index]

    def interval_ms(self) -> float:
        """Return the median interval of the stamps [ms]; NaN with fewer than two frames."""
        steps = np.diff(self._stamps_ms)
        return float(np.median(steps)) if len(steps) else math.nan

    def is_even(self) -> bool:
        """Tell whether the frames found so far are evenly spaced in time."""
        steps = np.diff(self._stamps_ms)
        if self.repaired or len(steps) < 2:
            return True
        return bool(np.ptp(steps) <= max(_EVEN_MS, _EVEN_SHARE * float(np.median(steps))))

    def _time_ns(self, index: int, stamp_ms: float) -> int:
        """Turn a stamp into a time: strictly rising, and never a made-up jump."""
        even = time_ns(index, self._fps)
        if not self._trust_stamps or index == 0:
            return even
        before_ns, before_ms = self._t_ns[-1], self._stamps_ms[-1]
        if not math.isfinite(stamp_ms) or stamp_ms <= before_ms:
            self.repaired += 1
            return before_ns + time_ns(1, self._fps)
        since_first_s = (stamp_ms - self._stamps_ms[0]) / 1e3
        if abs(since_first_s - index / self._fps) <= min(_ROUNDING_S, 0.25 / self._fps):
            return max(even, before_ns + 1)
        return max(round(since_first_s * 1e9), before_ns + 1)
