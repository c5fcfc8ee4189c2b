"""The state machine of pitches: time and "a ball is seen" in, events out."""

from __future__ import annotations

import numpy as np
import pytest

import trackcore as tc
from trackcore.pitch import PitchState, advance

MS = 1_000_000


def run(active, period_ms: float, options: tc.PitchEventOptions | None = None):
    """Return all events of samples one period apart; observations are the samples' numbers."""
    machine = tc.PitchStateMachine(options or tc.PitchEventOptions())
    events = []
    for i, seen in enumerate(active):
        events += machine.update(
            round(i * period_ms * MS), active=bool(seen), observations=[i] if seen else ()
        )
    return events + list(machine.finish())


def kinds(events):
    return [event.kind.value for event in events]


def test_a_pitch_goes_through_all_phases_and_keeps_its_first_observation():
    events = run([0] * 20 + [1] * 50 + [0] * 30, 1000 / 120)
    assert kinds(events) == ["RAMP_UP", "ACTIVE", "ENDING", "FINALIZED"]
    last = events[-1]
    assert last.observations == tuple(range(20, 70))
    assert last.index == 1
    assert abs(last.start_ns - 20 * 1000 / 120 * MS) < 2
    assert abs(last.end_ns - 69 * 1000 / 120 * MS) < 2


@pytest.mark.parametrize("fps", [30, 60, 120, 240])
@pytest.mark.parametrize("phase", range(4))
def test_every_fourth_frame_missed_is_one_pitch(fps, phase):
    n = int(0.4 * fps)  # 90 mph over 53 ft
    seen = [(i + phase) % 4 != 0 for i in range(n)]
    events = run([0] * 10 + seen + [0] * fps, 1000 / fps)
    assert kinds(events).count("FINALIZED") == 1
    assert "REJECTED" not in kinds(events)
    assert len(events[-1].observations) == sum(seen)


@pytest.mark.parametrize("mph", [60, 80, 100])
@pytest.mark.parametrize("fps", [60, 120, 240])
def test_twelve_feet_of_flight_are_enough(mph, fps):
    n = int(12 * 0.3048 / (mph * 0.44704) * fps)
    events = run([0] * 5 + [1] * n + [0] * fps, 1000 / fps)
    assert kinds(events).count("FINALIZED") == 1


def test_a_blip_is_rejected_and_uses_no_number():
    events = run([0] * 5 + [1] * 2 + [0] * 40 + [1] * 40 + [0] * 40, 1000 / 120)
    assert kinds(events) == ["RAMP_UP", "REJECTED", "RAMP_UP", "ACTIVE", "ENDING", "FINALIZED"]
    assert events[-1].index == 1


def test_a_ball_that_comes_back_resumes():
    events = run([1] * 20 + [0] * 8 + [1] * 20 + [0] * 40, 1000 / 120)
    assert kinds(events) == ["RAMP_UP", "ACTIVE", "ENDING", "RESUMED", "ENDING", "FINALIZED"]
    assert len(events[-1].observations) == 40


def test_two_pitches_are_two():
    events = run(([1] * 40 + [0] * 40) * 2, 1000 / 120)
    assert [e.index for e in events if e.kind == "FINALIZED"] == [1, 2]


def test_time_counts_and_not_samples():
    # both cameras report: twice the samples, the same events at the same times
    once = run([0] * 10 + [1] * 50 + [0] * 30, 1000 / 120)
    twice = run([0] * 20 + [1] * 100 + [0] * 60, 500 / 120)
    assert kinds(once) == kinds(twice)
    for a, b in zip(once, twice, strict=True):
        assert abs(a.t_ns - b.t_ns) < 10 * MS


def test_frames_that_stop_coming_end_a_pitch_when_one_comes():
    machine = tc.PitchStateMachine()
    for i in range(30):
        machine.update(i * 8 * MS, active=True)
    told = machine.update(30 * 8 * MS + 500 * MS, active=True)
    assert kinds(told) == ["FINALIZED", "RAMP_UP"]


def test_a_pitch_without_an_end_is_ended():
    options = tc.PitchEventOptions(max_duration_ms=300)
    events = run([1] * 100, 1000 / 120, options)
    ended = [e for e in events if e.kind == "FINALIZED"]
    assert len(ended) >= 2
    assert all(e.end_ns - e.start_ns <= 310 * MS for e in ended)


@pytest.mark.parametrize("leap_ms", [-5000, 5000])
def test_a_clock_that_leaps_is_told_and_ends_what_was_going_on(leap_ms):
    machine = tc.PitchStateMachine()
    for i in range(30):
        machine.update(10**10 + i * 8 * MS, active=True)
    told = machine.update(10**10 + 240 * MS + leap_ms * MS, active=True)
    assert kinds(told) == ["FINALIZED", "CLOCK_JUMP", "RAMP_UP"]


def test_a_sample_out_of_order_counts_at_its_own_time():
    machine = tc.PitchStateMachine()
    machine.update(1000 * MS, active=False)
    machine.update(960 * MS, active=True, observations=["first"])  # believed later than seen
    told = []
    for t in (968, 976, 984, 992, 1000, 1008):
        told += machine.update(t * MS, active=True, observations=[t])
    assert kinds(told) == ["ACTIVE"]
    last = machine.finish()[-1]
    assert last.start_ns == 960 * MS
    assert last.observations[0] == "first"


def test_the_machine_is_a_pure_function():
    rng = np.random.default_rng(0)
    samples = [(int(t * MS), bool(a)) for t, a in zip(
        np.cumsum(rng.uniform(0, 30, 400)), rng.random(400) < 0.6, strict=True)]  # fmt: skip

    def replay():
        state, events = PitchState(), []
        for t_ns, active in samples:
            before = state
            state, told = advance(state, t_ns, tc.PitchEventOptions(), active=active)
            assert before == before.__class__(**{f: getattr(before, f) for f in before.__slots__})
            events += told
        return events

    assert replay() == replay()
    # and does not care when the clock began
    machine = tc.PitchStateMachine()
    later = [e for t, a in samples for e in machine.update(t + 10**15, active=a)]
    assert [(e.kind, e.t_ns - 10**15) for e in later] == [(e.kind, e.t_ns) for e in replay()]


def test_documented_keys_are_frames():
    options = tc.PitchEventOptions.from_documented(fps=60)
    assert options.min_active_ms == pytest.approx(4 * 1000 / 60)
    assert options.end_gap_ms == pytest.approx(10 * 1000 / 60)
    for bad in ({"session_min_active_frames": 0}, {"session_end_gap_frames": 1.5}, {"fps": 0}):
        with pytest.raises(tc.InputError, match=next(iter(bad))):
            tc.PitchEventOptions.from_documented(**({"fps": 60} | bad))


def test_stamps_are_integers():
    with pytest.raises(tc.InputError, match="t_ns: expected an integer"):
        tc.PitchStateMachine().update(1.5, active=True)
