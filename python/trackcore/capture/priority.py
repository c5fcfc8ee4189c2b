"""Which threads run first."""

from __future__ import annotations

import contextlib
import os
import threading

CAPTURE, FOLLOW = 2, 1


def first_in_line(place: int) -> None:
    """Run the calling thread before those of other programs, where the system lets it.

    Of our own threads, one of a higher place runs first. All that often hold the interpreter's lock
    need a place: whoever holds it and is not running keeps the capture threads waiting.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_FIFO, os.sched_param(place))
