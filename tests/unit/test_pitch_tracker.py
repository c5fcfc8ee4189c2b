"""From candidates of two cameras to balls in space, and to pitches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import trackcore as tc
from tests.unit.pitch_scenes import RIG, frames, pitch
from trackcore import synth


def followed(seen: synth.StereoPitch, **how: object) -> list[tc.BallTrack]:
    tracker = tc.StereoTracker(RIG)
    tracks: dict[int, tc.BallTrack] = {}
    for side, balls in frames(seen, **how):
        for track in tracker.push(side, balls):
            tracks[track.id] = track
    return list(tracks.values())


def right_share(track: tc.BallTrack, seen: synth.StereoPitch) -> float:
    """Return the share of a track's sightings that are the ball's."""
    truth = {
        (side, int(t)): uv
        for side, ts, uvs in (
            (0, seen.left_t_ns, seen.left_px),
            (1, seen.right_t_ns, seen.right_px),
        )
        for t, uv in zip(ts, uvs, strict=True)
    }  # fmt: skip
    return float(np.mean([np.array_equal(truth[s.side, s.t_ns], s.uv_px) for s in track.sightings]))


@pytest.mark.parametrize("offset_ms", [0.0, 4.0, 8.0])
def test_a_ball_alone_is_one_track_from_its_first_sighting_to_its_last(offset_ms):
    flight, seen, _ = pitch(1, clock_offset_s=offset_ms * 1e-3)
    (track,) = followed(seen)
    assert len(track.sightings) == len(seen.left_t_ns) + len(seen.right_t_ns)
    assert track.filter.x[9] * 1e3 == pytest.approx(offset_ms, abs=0.1)
    assert len(track.observations) >= len(seen.left_t_ns) - 2
    t = np.array([(o.t_ns - seen.release_ns) * 1e-9 for o in track.observations])
    X, V = flight.at(t)
    off = np.array([o.X_world for o in track.observations]) - X
    assert np.abs(off[:, :2]).max() < 0.02
    assert np.abs(off[:, 2]).max() < 0.4  # depth, at 20 m with the first guess of the clock
    assert np.abs(off[-10:, 2]).max() < 0.02
    assert np.abs(track.observations[-1].V_world - V[-1]).max() < 0.3
    assert np.mean([o.quality for o in track.observations]) > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_clutter_and_misses_leave_one_track_of_the_ball(seed):
    _, seen, _ = pitch(seed, clock_offset_s=0.003)
    tracks = followed(seen, clutter=2.0, miss=0.15, seed=seed)
    assert len(tracks) == 1
    assert right_share(tracks[0], seen) > 0.97
    assert len(tracks[0].sightings) > 0.75 * (len(seen.left_t_ns) + len(seen.right_t_ns))


def test_clutter_alone_is_nothing():
    _, seen, _ = pitch(0)
    assert followed(seen, clutter=3.0, miss=1.0) == []


def test_what_one_camera_sees_is_nothing():
    _, seen, _ = pitch(0)
    ghost = replace(seen, right_t_ns=seen.right_t_ns[:0], right_px=seen.right_px[:0])
    assert followed(ghost) == []


def test_what_does_not_move_is_no_ball():
    _, seen, _ = pitch(0)
    still = RIG.project([[0.3, 1.0, -8.0]])[0]
    parked = replace(
        seen,
        left_px=np.broadcast_to(still[0], seen.left_px.shape),
        right_px=np.broadcast_to(still[1], seen.right_px.shape),
    )
    assert followed(parked) == []


def test_a_gap_is_bridged_and_a_longer_one_ends_the_track():
    _, seen, _ = pitch(0)
    assert len(followed(seen, gap_ms=(150, 230))) == 1
    assert len(followed(seen, gap_ms=(150, 265))) == 2


def test_a_jump_is_not_followed():
    _, seen, _ = pitch(0)
    xy = seen.left_px.copy()
    xy[30] += [60, 40]
    (track,) = followed(replace(seen, left_px=xy))
    assert not any(np.array_equal(s.uv_px, xy[30]) for s in track.sightings)
    assert len(track.sightings) == len(xy) + len(seen.right_t_ns) - 1


def test_two_balls_are_two_tracks_and_share_nothing():
    _, a, _ = pitch(1)
    _, b, _ = pitch(2)
    queue = []
    for side, ts, us, other, others in (
        ("left", a.left_t_ns, a.left_px, b.left_t_ns, b.left_px),
        ("right", a.right_t_ns, a.right_px, b.right_t_ns, b.right_px),
    ):
        n = min(len(ts), len(other))
        queue += [(t, side, np.stack(p)) for t, *p in zip(ts[:n], us[:n], others[:n], strict=True)]
    # the second ball is seen at the first one's frames, a little off its own time: still a flight
    tracker, tracks = tc.StereoTracker(RIG), {}
    for t, side, xy in sorted(queue, key=lambda f: f[0]):
        for track in tracker.push(side, tc.FrameBalls(int(t), xy[:, 0], xy[:, 1])):
            tracks[track.id] = track
    assert len(tracks) == 2
    keys = [{(s.side, s.t_ns, s.number) for s in t.sightings} for t in tracks.values()]
    assert keys[0] & keys[1] == set()


def test_the_same_frames_give_the_same_tracks():
    _, seen, _ = pitch(4)
    first, second = (followed(seen, clutter=1.0, miss=0.1) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.filter.x, b.filter.x)
        assert [o.X_world.tolist() for o in a.observations] == [
            o.X_world.tolist() for o in b.observations
        ]


def test_a_pitch_is_told_and_fitted():
    flight, seen, _ = pitch(3, clock_offset_s=0.005)
    tracker = tc.PitchTracker(RIG)
    steps = [tracker.push(side, balls) for side, balls in frames(seen, clutter=0.5, miss=0.05)]
    last_ns = int(max(seen.left_t_ns.max(), seen.right_t_ns.max()))
    for i in range(1, 40):
        steps.append(tracker.push("left", tc.FrameBalls(last_ns + i * 8_333_333, [], [])))
    kinds = [event.kind.value for step in steps for event in step.events]
    assert kinds == ["RAMP_UP", "ACTIVE", "ENDING", "FINALIZED"]
    (done,) = [step.pitch for step in steps if step.pitch is not None]
    assert done.start_ns <= seen.left_t_ns[:3].max()
    assert len(done.observations) > 0.8 * len(done.left)
    fit = tc.fit_pitch(RIG, done.left, done.right)
    assert fit.status is tc.PitchStatus.OK
    assert np.abs(fit.plate.X_world - flight.crossing(0.0)[1]).max() < 0.003
    assert fit.clock_offset_s == pytest.approx(0.005, abs=1e-4)


def test_a_detectors_covariances_reach_the_fit():
    _, seen, _ = pitch(3)
    tracker = tc.PitchTracker(RIG)
    C = np.array([[[0.02, 0.001], [0.001, 0.03]]])
    for side, balls in frames(seen):
        tracker.push(side, replace(balls, covariance=C, confidence=np.array([0.7])))
    done = tracker.finish().pitch
    assert np.array_equal(done.left.covariance[0], C[0])
    assert done.observations[0].confidence == 0.7


def test_what_a_detector_rejected_is_no_candidate_and_a_bad_covariance_is_replaced():
    _, seen, _ = pitch(3)
    tracker = tc.StereoTracker(RIG)

    @dataclass
    class Found:
        t_ns: int
        u: np.ndarray
        v: np.ndarray
        rule: np.ndarray
        covariance: np.ndarray

    bad = np.full((1, 2, 2), np.nan)
    for side, balls in frames(seen):
        refused = Found(balls.t_ns, balls.u, balls.v, np.array([3], np.uint8), bad)
        assert tracker.push(side, refused) == []
    tracker, updated = tc.StereoTracker(RIG), []
    for side, balls in frames(seen):
        updated += tracker.push(side, Found(balls.t_ns, balls.u, balls.v, np.array([0]), bad))
    assert len({track.id for track in updated}) == 1


@pytest.mark.parametrize("leap_s", [-100, 100])
def test_a_clock_that_leaps_ends_tracks_and_begins_others(leap_s):
    _, seen, _ = pitch(3)
    tracker = tc.PitchTracker(RIG)
    steps = [tracker.push(side, balls) for side, balls in frames(seen)]
    leap = leap_s * 1_000_000_000
    again = replace(seen, left_t_ns=seen.left_t_ns + leap, right_t_ns=seen.right_t_ns + leap)
    steps += [tracker.push(side, balls) for side, balls in frames(again)]
    steps.append(tracker.finish())
    kinds = [event.kind.value for step in steps for event in step.events]
    assert kinds.count("FINALIZED") == 2
    assert kinds.count("CLOCK_JUMP") == 1
    whole = len(seen.left_t_ns)
    assert [len(step.pitch.left) for step in steps if step.pitch] == [whole, whole]


def test_wrong_arguments_are_refused():
    with pytest.raises(tc.InputError, match="rig: expected a StereoRig"):
        tc.StereoTracker(None)
    tracker = tc.StereoTracker(RIG)
    with pytest.raises(tc.InputError, match="side: expected"):
        tracker.push("middle", tc.FrameBalls(0, [], []))
    with pytest.raises(tc.InputError, match=r"balls\.t_ns"):
        tracker.push("left", tc.FrameBalls(0.5, [], []))
    with pytest.raises(tc.InputError, match=r"balls\.v: expected shape"):
        tracker.push("left", tc.FrameBalls(0, [1.0], [1.0, 2.0]))
    with pytest.raises(tc.InputError, match=r"balls\.covariance"):
        tracker.push("left", tc.FrameBalls(0, [1.0], [1.0], np.eye(2)))
