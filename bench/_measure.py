"""Fair timing of two programs that do the same, and tables of it.

Both sides run in one process, in turns A B B A, so that whatever the machine does to one it does to
the other; CPU time (`process_time`) and wall time of every turn are kept, and the median ratio over
the rounds is what counts. Inputs rotate, so that neither side finds its data in a cache that a real
clip would not fill.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trackcore import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

Call = Callable[[int], object]
"""Does the work on input number i; callers rotate their inputs by it."""

# A turn is some calls in a row: the other side's turn has filled the caches with its own data.
LEAST_TURN_S, LEAST_CALLS = 10e-3, 3
KEPT_HEAP = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
"""With these set before the process starts, glibc keeps what OpenCV frees instead of unmapping it:
the best a caller can do for it. Without them large frames page-fault on every call."""


@dataclass(frozen=True)
class Pace:
    """How long one call takes: medians over the turns [ms]."""

    cpu_ms: float
    wall_ms: float
    spread_ms: float
    """Median absolute deviation of the CPU time."""


@dataclass(frozen=True)
class Race:
    """Two sides measured in turns; ratios are the first side's time over the second's."""

    theirs: Pace
    ours: Pace
    cpu_ratio: float
    wall_ratio: float


def race(theirs: Call, ours: Call, *, rounds: int = 15) -> Race:
    """Measure `theirs` and `ours` in turns."""
    sides = (theirs, ours)
    repeats = [_repeats(side) for side in sides]
    counters = [0, 0]
    cpu: tuple[list[float], list[float]] = ([], [])
    wall: tuple[list[float], list[float]] = ([], [])
    with _no_garbage_collection():
        for _ in range(rounds):
            for i in (0, 1, 1, 0):
                cpu_s, wall_s = _turn(sides[i], repeats[i], counters[i])
                counters[i] += repeats[i]
                cpu[i].append(cpu_s)
                wall[i].append(wall_s)
    return Race(
        _pace(cpu[0], wall[0]), _pace(cpu[1], wall[1]), _ratio(cpu[0], cpu[1]),
        _ratio(wall[0], wall[1]),
    )  # fmt: skip


def _turn(call: Call, repeats: int, first: int) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    for i in range(first, first + repeats):
        call(i)
    return (time.process_time() - cpu) / repeats, (time.perf_counter() - wall) / repeats


def _repeats(call: Call) -> int:
    for i in range(3):
        call(i)  # pages, caches, frequency
    once = min(_turn(call, 1, i)[0] for i in range(3))
    return max(LEAST_CALLS, min(1000, round(LEAST_TURN_S / max(once, 1e-7))))


def _pace(cpu_s: Sequence[float], wall_s: Sequence[float]) -> Pace:
    middle = statistics.median(cpu_s)
    spread = statistics.median(abs(s - middle) for s in cpu_s)
    return Pace(middle * 1e3, statistics.median(wall_s) * 1e3, spread * 1e3)


def _ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """Return the median over rounds; a round is two turns of each side."""
    return statistics.median(
        (theirs[i] + theirs[i + 1]) / (ours[i] + ours[i + 1]) for i in range(0, len(ours), 2)
    )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def on_one_cpu() -> Iterator[None]:
    """Keep the process on one CPU, where the system lets it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def heap_is_kept() -> bool:
    """Return whether this process was started with `KEPT_HEAP`."""
    return all(os.environ.get(name) == value for name, value in KEPT_HEAP.items())


def machine() -> str:
    """Return the lines that belong above every table: hardware, versions, load, command."""
    import cv2

    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    heap = "kept" if heap_is_kept() else "as it comes"
    lines = [
        f"CPU: {_cpu_name()}, {os.cpu_count()} CPUs; load {load}",
        f"trackcore {_core.__version__} (level {_core.cpu_level()}), OpenCV {cv2.__version__},"
        f" numpy {np.__version__}, Python {platform.python_version()}; heap {heap}",
        f"{time.strftime('%Y-%m-%d')}; command: python {' '.join(_command())}",
    ]
    return "  \n".join(lines)


def _command() -> Sequence[str]:
    module = getattr(sys.modules["__main__"].__spec__, "name", None)
    return ["-m", module, *sys.argv[1:]] if module else [Path(sys.argv[0]).name, *sys.argv[1:]]


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; numbers are right-aligned."""
    body = [[_cell(cell) for cell in row] for row in rows]
    rule = ["---" if i == 0 else "---:" for i in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [list(header), rule, *body])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)
