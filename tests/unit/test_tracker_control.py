"""Changing a tracker on its way: options, where tracks start, new shots, going on elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trackcore as tc
from tests.unit.pixel_scenes import panning
from trackcore import synth
from trackcore.types import PointStatus as S

NEAR = tc.TrackerOptions(target_count=40, levels=2, window=15, replenish=False)


@pytest.fixture(scope="module")
def jump() -> np.ndarray:
    """Six still frames, then six that stand 26 px further."""
    return np.concatenate([panning((0, 0), 6), panning((26, 0), 2)[1:].repeat(6, axis=0)])


def run(frames: np.ndarray, options: tc.TrackerOptions, at: int, change: object) -> tc.Tracks:
    tracker = tc.Tracker(options)
    for i, frame in enumerate(frames):
        if i == at:
            change(tracker)  # type: ignore[operator]
        tracker.push(frame)
    return tracker.tracks()


def test_a_wider_reach_holds_for_tracks_that_are_alive(jump: np.ndarray) -> None:
    without = run(jump, NEAR, 6, lambda _: None)
    wider = run(jump, NEAR, 6, lambda tracker: tracker.configure(replace(NEAR, levels=5)))
    assert without.seen[:, 6].mean() < 0.2
    assert wider.seen[:, 6].mean() > 0.7
    kept = wider.seen[:, 6]
    moved = wider.xy_px[kept, 6] - wider.xy_px[kept, 5]
    assert np.median(np.abs(moved - [26, 0])) < 0.1


def test_a_lower_limit_holds_for_tracks_that_are_alive() -> None:
    rng = np.random.default_rng(0)
    frames = panning((0.5, 0), 8).astype(np.float64)
    frames[4:] += rng.normal(0, 10, frames[4:].shape)  # matches badly from here on
    noisy = np.clip(frames, 0, 255).astype(np.uint8)
    strict = replace(NEAR, min_ncc=0.9)
    kept = [
        run(noisy, strict, 4, change).seen[:, 5].sum()
        for change in (lambda _: None, lambda t: t.configure(replace(strict, min_ncc=0.3)))
    ]
    assert kept[0] < kept[1] / 2


def test_tracks_are_shared_out_by_weight() -> None:
    image = synth.render(synth.white_noise(1), (600, 400))
    weights = np.ones((1, 2))
    weights[0, 1] = 3.0
    options = tc.TrackerOptions(target_count=240, cells=6, min_distance=6)
    tracker = tc.Tracker(options, weights=weights)
    xy = tracker.push(image).xy_px
    left = (xy[:, 0] < 300).sum()
    assert len(xy) >= 210
    assert left / len(xy) == pytest.approx(0.25, abs=0.06)
    even = tc.Tracker(options).push(image).xy_px
    assert (even[:, 0] < 300).sum() / len(even) == pytest.approx(0.5, abs=0.06)


def test_where_the_weight_is_nothing_no_track_starts() -> None:
    image = synth.render(synth.white_noise(1), (600, 400))
    tracker = tc.Tracker(
        tc.TrackerOptions(target_count=200, cells=6, min_distance=8), weights=[[0, 1], [1, 1]]
    )
    xy = tracker.push(image).xy_px
    assert not ((xy[:, 0] < 295) & (xy[:, 1] < 195)).any()
    assert len(xy) > 150


def test_what_poor_regions_leave_goes_to_the_others() -> None:
    image = synth.render(synth.white_noise(1), (600, 400))
    image[:, 300:] = 128
    tracker = tc.Tracker(
        tc.TrackerOptions(target_count=100, cells=6, min_distance=8), weights=[[1, 9]]
    )
    assert len(tracker.push(image).ids) > 85  # but for those at the very border


@pytest.mark.parametrize("bad", [[[0, 0]], [[-1, 1]], [[float("nan")]], [1.0], [[]]])
def test_weights_that_are_none_are_refused(bad: object) -> None:
    with pytest.raises(tc.InputError, match="weights"):
        tc.Tracker(weights=bad)  # type: ignore[arg-type]


def test_a_new_shot_ends_every_track_and_starts_others() -> None:
    frames = panning((1, 0), 8)
    tracks = run(frames, NEAR, 4, lambda tracker: tracker.new_shot())
    old, new = tracks.first_index == 0, tracks.first_index == 4
    assert old.sum() > 20
    assert new.sum() > 20
    assert (old | new).all()
    alive = tracks.seen[:, 3] & old
    assert (tracks.status[alive, 4] == S.LOST).all()
    assert (tracks.last_index[old] <= 3).all()


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    return np.stack(list(synth.ParallaxScene(3, size=(320, 180), n_frames=24).frames()))


def test_a_tracker_goes_on_from_a_snapshot_as_if_nothing_had_been(clip: np.ndarray) -> None:
    options = tc.TrackerOptions(target_count=60, window=15)
    whole = tc.Tracker(options, weights=[[1, 2], [2, 1]])
    for i, frame in enumerate(clip):
        whole.push(frame, number=10 + i, t_ns=i * 7)
        if i == 11:
            state = whole.snapshot()
    second = tc.Tracker(options, weights=[[1, 2], [2, 1]])
    second.restore(state, clip[11])
    for i in range(12, 24):
        second.push(clip[i], number=10 + i, t_ns=i * 7)
    assert second.tracks().equals(whole.tracks())
    assert second.snapshot() == whole.snapshot()
    assert len(whole.tracks()) > 70, "tracks were lost and replaced on the way"


@pytest.mark.parametrize("cut", [0, 5, 300, -1])
def test_what_is_no_snapshot_is_refused_and_changes_nothing(clip: np.ndarray, cut: int) -> None:
    tracker = tc.Tracker(NEAR)
    tracker.push(clip[0])
    state = tracker.snapshot()
    other = tc.Tracker(NEAR)
    other.push(clip[3])
    before = other.tracks()
    with pytest.raises(tc.InputError, match="snapshot"):
        other.restore(state[:cut], clip[0])
    assert other.tracks().equals(before)


def test_a_snapshot_with_a_changed_byte_is_refused(clip: np.ndarray) -> None:
    tracker = tc.Tracker(NEAR)
    tracker.push(clip[0])
    state = bytearray(tracker.snapshot())
    state[-200] ^= 1
    with pytest.raises(tc.InputError, match="snapshot"):
        tracker.restore(bytes(state), clip[0])


def test_control_does_not_depend_on_the_number_of_threads(clip: np.ndarray) -> None:
    def tracked(threads: int) -> tc.Tracks:
        tracker = tc.Tracker(NEAR, weights=[[1, 5], [2, 1]], threads=threads)
        for i, frame in enumerate(clip):
            if i == 8:
                tracker.configure(replace(NEAR, levels=4, replenish=True))
            if i == 15:
                tracker.new_shot()
            tracker.push(frame)
        return tracker.tracks()

    assert tracked(1).equals(tracked(3))
