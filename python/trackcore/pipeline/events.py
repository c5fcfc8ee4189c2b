"""What a running pipeline tells, and how long its stages take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trackcore._compat import StrEnum


class Stage(StrEnum):
    """The stages, in their order."""

    PROBE = "probe"
    SETTINGS = "settings"
    TRACK = "track"
    MEASURE = "measure"
    HEAL = "heal"
    FILTER = "filter"
    SOLVE = "solve"
    JUDGE = "judge"
    RETRY = "retry"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Step:
    """One sign of progress.

    Attributes
    ----------
    stage : Stage
    attempt : int
        From 1.
    done, total : int, int or None
        Of this stage, in frames or in steps; None where the total is not known.
    message : str
        For a person; empty where there is nothing to say but the numbers.
    live : dict of str to float
        Such as `alive` tracks, `lost` ones, `survival`, `ncc`.
    """

    stage: Stage
    attempt: int
    done: int = 0
    total: int | None = None
    message: str = ""
    live: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage took over all attempts: wall clock, and CPU of all threads [s]."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    """Adds up the time of each stage. While the consumer of the steps works, it stands still.

    CPU time is the process's: what other threads do meanwhile, decoding ahead among them, counts.
    """

    def __init__(self) -> None:
        self._wall: dict[Stage, float] = {}
        self._cpu: dict[Stage, float] = {}

    @contextmanager
    def on(self, stage: Stage) -> Iterator[None]:
        """Count what happens inside towards a stage."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._wall[stage] = self._wall.get(stage, 0.0) + time.perf_counter() - wall
            self._cpu[stage] = self._cpu.get(stage, 0.0) + time.process_time() - cpu

    @property
    def seconds(self) -> dict[Stage, StageTime]:
        """What was counted so far."""
        return {s: StageTime(self._wall[s], self._cpu[s]) for s in Stage if s in self._wall}
