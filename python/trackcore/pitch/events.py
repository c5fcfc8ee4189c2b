"""When a pitch begins and ends: a pure function of time and of whether a ball is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trackcore._compat import StrEnum
from trackcore.errors import InputError
from trackcore.options import require_options
from trackcore.pitch.options import PitchEventOptions

_MS = 1_000_000


class PitchPhase(StrEnum):
    """Where a pitch is.

    `INACTIVE`: no ball. `RAMP_UP`: a ball, not yet for long enough. `ACTIVE`: a pitch. `ENDING`:
    the ball is out of sight, and may come back. `FINALIZED` is an event: the phase after it is
    INACTIVE.
    """

    INACTIVE = "INACTIVE"
    RAMP_UP = "RAMP_UP"
    ACTIVE = "ACTIVE"
    ENDING = "ENDING"
    FINALIZED = "FINALIZED"


class PitchEventKind(StrEnum):
    """What happened.

    `RAMP_UP`: a ball appeared. `ACTIVE`: it is a pitch. `ENDING`: the ball is gone. `RESUMED`: it
    is back. `FINALIZED`: the pitch is over. `REJECTED`: what began was none. `CLOCK_JUMP`: the
    stamps leapt; what was going on has been ended or rejected.
    """

    RAMP_UP = "RAMP_UP"
    ACTIVE = "ACTIVE"
    ENDING = "ENDING"
    RESUMED = "RESUMED"
    FINALIZED = "FINALIZED"
    REJECTED = "REJECTED"
    CLOCK_JUMP = "CLOCK_JUMP"


@dataclass(frozen=True, slots=True)
class PitchEvent:
    """One event.

    Attributes
    ----------
    kind : PitchEventKind
    t_ns : int
        Stamp of the sample that told [ns].
    index : int
        Number of the pitch, from 1. Rejected beginnings use none up.
    start_ns, end_ns : int
        First and last sample with a ball so far [ns].
    observations : tuple
        With ACTIVE, FINALIZED and REJECTED: everything handed in since the ball appeared, the first
        included, in the order it came.
    """

    kind: PitchEventKind
    t_ns: int
    index: int
    start_ns: int
    end_ns: int
    observations: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class PitchState:
    """All that the machine remembers. Times are of stamps [ns].

    Attributes
    ----------
    phase : PitchPhase
    index : int
        Number of this pitch, or of the next one.
    start_ns, end_ns : int
        First and last sample with a ball.
    active : int
        Samples with a ball.
    now_ns : int or None
        The latest sample; None before the first.
    observations : tuple
        What was handed in.
    """

    phase: PitchPhase = PitchPhase.INACTIVE
    index: int = 1
    start_ns: int = 0
    end_ns: int = 0
    active: int = 0
    now_ns: int | None = None
    observations: tuple[Any, ...] = ()


def advance(
    state: PitchState,
    t_ns: int,
    options: PitchEventOptions,
    *,
    active: bool,
    observations: Sequence[Any] = (),
) -> tuple[PitchState, tuple[PitchEvent, ...]]:
    """Return the next state and what happened: the same arguments, the same answer.

    Parameters
    ----------
    state : PitchState
        Begin with `PitchState()`.
    t_ns : int
        Stamp of this sample [ns]. A stamp a little earlier than the last one counts at its own
        time; one that leaps by `clock_jump_ms`, either way, begins anew.
    options : PitchEventOptions
    active : bool
        Whether a ball is seen.
    observations : sequence
        What to keep with the pitch if it is one.
    """
    events: list[PitchEvent] = []
    if state.now_ns is not None and abs(t_ns - state.now_ns) >= options.clock_jump_ms * _MS:
        state = _close(replace(state, now_ns=t_ns), events, leapt=True)
    now = t_ns if state.now_ns is None else max(t_ns, state.now_ns)
    state = replace(state, now_ns=now)
    if state.phase is not PitchPhase.INACTIVE:
        state = _wait(state, options, events, t_ns if active else now)
    if active:
        state = _ball(state, t_ns, options, events, tuple(observations))
    return state, tuple(events)


def _wait(
    state: PitchState, options: PitchEventOptions, events: list[PitchEvent], t_ns: int
) -> PitchState:
    """Let time pass without a ball."""
    gap = t_ns - state.end_ns
    too_long = t_ns - state.start_ns > options.max_duration_ms * _MS
    if gap > options.end_gap_ms * _MS or too_long:
        return _close(state, events)
    if state.phase is PitchPhase.ACTIVE and gap > options.ending_ms * _MS:
        state = replace(state, phase=PitchPhase.ENDING)
        events.append(_event(PitchEventKind.ENDING, state))
    return state


def _ball(
    state: PitchState, t_ns: int, options: PitchEventOptions, events: list[PitchEvent],
    observations: tuple[Any, ...],
) -> PitchState:  # fmt: skip
    """Take in a sample with a ball."""
    if state.phase is PitchPhase.INACTIVE:
        state = replace(
            state, phase=PitchPhase.RAMP_UP, start_ns=t_ns, end_ns=t_ns, active=1,
            observations=observations,
        )  # fmt: skip
        events.append(_event(PitchEventKind.RAMP_UP, state))
    else:
        state = replace(
            state, start_ns=min(state.start_ns, t_ns), end_ns=max(state.end_ns, t_ns),
            active=state.active + 1, observations=state.observations + observations,
        )  # fmt: skip
    if state.phase is PitchPhase.RAMP_UP and _is_pitch(state, options):
        state = replace(state, phase=PitchPhase.ACTIVE)
        events.append(_event(PitchEventKind.ACTIVE, state, state.observations))
    elif state.phase is PitchPhase.ENDING:
        state = replace(state, phase=PitchPhase.ACTIVE)
        events.append(_event(PitchEventKind.RESUMED, state))
    return state


def _is_pitch(state: PitchState, options: PitchEventOptions) -> bool:
    lasted = state.end_ns - state.start_ns >= options.min_active_ms * _MS
    return lasted and state.active >= options.min_observations


def _close(state: PitchState, events: list[PitchEvent], *, leapt: bool = False) -> PitchState:
    """End what is going on: a pitch, or nothing worth the name."""
    index = state.index
    if state.phase in (PitchPhase.ACTIVE, PitchPhase.ENDING):
        events.append(_event(PitchEventKind.FINALIZED, state, state.observations))
        index += 1
    elif state.phase is PitchPhase.RAMP_UP:
        events.append(_event(PitchEventKind.REJECTED, state, state.observations))
    if leapt:
        events.append(_event(PitchEventKind.CLOCK_JUMP, state))
    return PitchState(index=index, now_ns=state.now_ns)


def _event(
    kind: PitchEventKind, state: PitchState, observations: tuple[Any, ...] = ()
) -> PitchEvent:
    assert state.now_ns is not None
    return PitchEvent(kind, state.now_ns, state.index, state.start_ns, state.end_ns, observations)


@dataclass(slots=True)
class PitchStateMachine:
    """`advance`, with its state kept.

    Parameters
    ----------
    options : PitchEventOptions, optional
    state : PitchState, optional
        To go on from, for replays.

    Examples
    --------
    A ball that is missed now and then, at 120 frames a second:

    >>> import trackcore as tc
    >>> machine = tc.PitchStateMachine()
    >>> told = []
    >>> for i in range(100):
    ...     seen = 10 <= i < 60 and i % 4 != 0
    ...     told += machine.update(i * 8_333_333, active=seen, observations=[i] if seen else ())
    >>> [event.kind.value for event in told]
    ['RAMP_UP', 'ACTIVE', 'ENDING', 'FINALIZED']
    >>> told[-1].observations[0], told[-1].observations[-1]
    (10, 59)
    """

    options: PitchEventOptions = field(default_factory=PitchEventOptions)
    state: PitchState = field(default_factory=PitchState)

    def __post_init__(self) -> None:
        """Check the options."""
        require_options(self.options, PitchEventOptions)

    @property
    def phase(self) -> PitchPhase:
        """Where the pitch is."""
        return self.state.phase

    def update(
        self, t_ns: int, *, active: bool, observations: Iterable[Any] = ()
    ) -> tuple[PitchEvent, ...]:
        """Take in a sample and return what happened: see `advance`.

        Raises
        ------
        InputError
            If the stamp is not an integer.
        """
        if isinstance(t_ns, bool) or not isinstance(t_ns, (int, np.integer)):
            raise InputError(f"t_ns: expected an integer [ns], got {t_ns!r}")
        self.state, events = advance(
            self.state, int(t_ns), self.options, active=bool(active),
            observations=tuple(observations),
        )  # fmt: skip
        return events

    def finish(self) -> tuple[PitchEvent, ...]:
        """End what is going on: no more samples come."""
        events: list[PitchEvent] = []
        self.state = _close(self.state, events)
        return tuple(events)
