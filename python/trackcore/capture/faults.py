"""What can go wrong while frames come in, by name, and how often it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trackcore._compat import StrEnum
from trackcore.recording import SIDES


class LossReason(StrEnum):
    """Why a frame is not there.

    `MISSING`: the source's numbers leave it out. `OUT_OF_ORDER`: it came after a later one.
    `DUPLICATE`: its number had come before. `RING_FULL`: there was no room for it. `UNREADABLE`:
    its pixels were gone when they were wanted. `SIZE_CHANGED`: it is not as large as the first.
    `VIDEO_SHED`: it is in no session video, because writing fell behind; nothing else lacks it.
    """

    MISSING = "missing"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE = "duplicate"
    RING_FULL = "ring_full"
    UNREADABLE = "unreadable"
    SIZE_CHANGED = "size_changed"
    VIDEO_SHED = "video_shed"


@dataclass(slots=True)
class CaptureCounts:
    """What came and what did not; mappings are by side.

    Attributes
    ----------
    frames : mapping of str to int
        Frames that were used.
    lost : mapping of str to int
        Frames that are not there, for whatever reason but being double.
    duplicates, out_of_order : mapping of str to int
        Frames whose number had come before, and that came after a later one: not used.
    clock_jumps : mapping of str to int
        Leaps of a camera's stamps that neither its numbers nor the other camera explain. The stamps
        that follow are moved so that they go on from where they were.
    pitches : int
    """

    frames: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    lost: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    duplicates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    out_of_order: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    clock_jumps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    pitches: int = 0


Problem = Callable[[str, str | None], None]
"""Told a place and what goes wrong there; None if nothing does any more."""


@contextmanager
def naming(problem: Problem, where: str) -> Iterator[None]:
    """Tell what the block raises, and go on: nobody's fault may end a capture."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - it is told, and the next frame may do better
        problem(where, words(error))


def words(error: BaseException) -> str:
    """Return an error in words."""
    return f"{type(error).__name__}: {error}"
