"""The streaming tracker: frames in, tracks out."""

import numpy as np
import pytest

import trackcore as tc
from trackcore import PointStatus, synth

SMALL = tc.TrackerOptions(target_count=40, levels=3, window=15, min_distance=8.0)


def run(clip, options=SMALL, **kwargs):
    tracker = tc.Tracker(options, **kwargs)
    for image in clip.frames():
        tracker.push(image)
    return tracker.tracks()


@pytest.fixture(scope="module")
def loop():
    return synth.loop_clip("medium", seed=4, n_frames=40, size=(240, 180))


def errors_px(clip, tracks):
    """(n_tracks, n_frames) distance of each track from the truth of the point it started on."""
    errors = np.full(tracks.xy_px.shape[:2], np.nan)
    for start in np.unique(tracks.first_index):
        mine = tracks.first_index == start
        truth = clip.track_truth(tracks.xy_px[mine, start], int(start))
        errors[mine] = np.linalg.norm(tracks.xy_px[mine] - truth, axis=-1)
    return errors


def test_a_long_hybrid_track_returns_to_where_it_began():
    clip = synth.loop_clip("medium", seed=7, n_frames=300, size=(240, 180), noise=2.0)
    tracks = run(clip, tc.TrackerOptions(target_count=60, replenish=False))
    whole = tracks.status[:, -1] == PointStatus.TRACKED
    assert whole.sum() >= 20
    error = np.linalg.norm(tracks.xy_px[whole, -1] - tracks.xy_px[whole, 0], axis=-1)
    assert np.median(error) < 0.05
    assert np.percentile(error, 95) < 0.05


@pytest.mark.parametrize("anchor", list(tc.Anchor))
@pytest.mark.parametrize("model", ["Loc", "LocRotScale", "Affine", "Perspective"])
def test_every_anchor_and_model_follows_a_textured_clip(loop, anchor, model):
    options = tc.TrackerOptions(
        target_count=30, model=model, anchor=anchor, min_ncc=0.3, replenish=False
    )
    tracks = run(loop, options)
    error = errors_px(loop, tracks)
    early = error[:, :6]
    assert np.isfinite(early).mean() > 0.8
    # a translation is off by what it cannot follow: the clip turns and grows
    assert np.nanmedian(early) < (0.5 if model == "Loc" else 0.05)


def test_positions_are_nan_and_the_status_says_why_after_a_track_is_lost():
    clip = synth.ParallaxScene(seed=3, size=(320, 180), n_frames=20)
    tracks = run(clip)
    tracked = tracks.status == PointStatus.TRACKED
    assert (np.isfinite(tracks.xy_px).all(axis=-1) == tracked).all()
    ended = np.flatnonzero((tracks.status == PointStatus.LOST).any(axis=1))
    assert len(ended) > 0
    reasons = {
        PointStatus.OUT_OF_FRAME,
        PointStatus.LOW_TEXTURE,
        PointStatus.NOT_CONVERGED,
        PointStatus.LOW_CORRELATION,
    }
    for i in ended:
        first_lost = int(np.flatnonzero(tracks.status[i] == PointStatus.LOST)[0])
        assert tracks.status[i, first_lost - 1] in reasons
        assert (tracks.status[i, first_lost:] == PointStatus.LOST).all()


def test_lost_tracks_are_replaced_under_new_names():
    clip = synth.ParallaxScene(seed=3, size=(320, 180), n_frames=20)
    tracker = tc.Tracker(SMALL)
    seen: list[set[int]] = []
    for image in clip.frames():
        state = tracker.push(image)
        alive = set(state.ids[state.status == PointStatus.TRACKED].tolist())
        ended = set(state.ids[state.status != PointStatus.TRACKED].tolist())
        assert not ended & alive
        for before in seen:
            assert not (alive - seen[-1]) & before, "a name was used again"
        seen.append(alive)
    assert len(set.union(*seen)) > len(seen[0])
    assert len(seen[-1]) >= 0.8 * SMALL.target_count


def test_without_replenishing_no_track_starts_after_the_first_frame(loop):
    tracks = run(loop, tc.TrackerOptions(target_count=20, replenish=False))
    assert (tracks.first_index == 0).all()


def test_tracks_are_spread_over_the_frame(loop):
    tracker = tc.Tracker(tc.TrackerOptions(target_count=64, cells=4, min_distance=5))
    xy = tracker.push(loop.frame(0)).xy_px
    counts, _, _ = np.histogram2d(*xy.T, bins=[4, 3], range=[[0, 240], [0, 180]])
    assert counts.min() >= 2


def test_points_of_the_user_are_followed_and_bad_ones_are_lost_at_once(loop):
    tracker = tc.Tracker(tc.TrackerOptions(target_count=0))
    tracker.push(loop.frame(0))
    ids = tracker.add_points([[120.4, 90.7], [-50.0, 10.0], [np.nan, np.nan]])
    assert ids.tolist() == [0, 1, 2]
    state = tracker.state()
    assert state.status.tolist() == [
        PointStatus.TRACKED,
        PointStatus.OUT_OF_FRAME,
        PointStatus.UNSEEN,
    ]
    assert tracker.push(loop.frame(1)).ids.tolist() == [0]


def test_new_tracks_respect_the_mask(loop):
    mask = np.zeros((180, 240), bool)
    mask[:, :100] = True
    tracks = run(loop, mask=mask)
    starts = tracks.xy_px[np.arange(len(tracks.ids)), tracks.first_index]
    assert len(starts) > 10
    assert (starts[:, 0] < 100).all()


def test_the_result_does_not_depend_on_threads_or_on_who_builds_the_pyramid(loop):
    one = run(loop, threads=1)
    four = run(loop, threads=4)
    tracker = tc.Tracker(SMALL)
    for image in loop.frames():
        tracker.push(tc.FramePyramid(image, SMALL.levels))
    for other in (four, tracker.tracks()):
        np.testing.assert_array_equal(one.xy_px, other.xy_px)
        np.testing.assert_array_equal(one.ncc, other.ncc)
        np.testing.assert_array_equal(one.status, other.status)


def test_the_caller_may_reuse_the_frame_buffer(loop):
    buffer = np.empty_like(loop.frame(0))
    tracker = tc.Tracker(SMALL)
    for image in loop.frames():
        buffer[:] = image
        tracker.push(buffer)
        buffer[:] = 0
    np.testing.assert_array_equal(tracker.tracks().xy_px, run(loop).xy_px)


def test_a_brightness_change_does_not_end_tracks(loop):
    tracker = tc.Tracker(SMALL)
    tracker.push(loop.frame(0))
    state = tracker.push((loop.frame(1) * 0.7 + 10).astype(np.uint8))
    assert (state.status == PointStatus.TRACKED).mean() > 0.9


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_deep_images_track_as_well(dtype):
    clip = synth.loop_clip("medium", seed=4, n_frames=10, size=(160, 120), dtype=dtype)
    tracks = run(clip, tc.TrackerOptions(target_count=15, levels=2, replenish=False))
    error = errors_px(clip, tracks)
    assert len(error) >= 10
    assert np.nanmedian(error) < 0.05


def test_a_frame_of_another_size_is_refused_and_changes_nothing(loop):
    tracker = tc.Tracker(SMALL)
    tracker.push(loop.frame(0))
    with pytest.raises(tc.InputError, match=r"image: expected size \(240, 180\).* got \(100, 50\)"):
        tracker.push(np.zeros((50, 100), np.uint8))
    assert tracker.n_frames == 1
    tracker.push(loop.frame(1))
    assert tracker.tracks().xy_px.shape[1] == 2


def test_time_and_number_must_increase(loop):
    tracker = tc.Tracker(SMALL)
    tracker.push(loop.frame(0), t_ns=1000, number=7)
    with pytest.raises(tc.InputError, match="t_ns: expected more than 1000, got 1000"):
        tracker.push(loop.frame(1), t_ns=1000)
    with pytest.raises(tc.InputError, match="number: expected more than 7, got 3"):
        tracker.push(loop.frame(1), t_ns=2000, number=3)
    tracker.push(loop.frame(1), t_ns=2000, number=9)
    tracks = tracker.tracks()
    assert tracks.t_ns.tolist() == [1000, 2000]
    assert tracks.frame_numbers.tolist() == [7, 9]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"options": "fast"}, "options: expected TrackerOptions, got str"),
        ({"mask": [[1]]}, "mask: expected a bool or uint8 array"),
        ({"threads": -1}, "threads: expected an integer >= 0"),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(tc.InputError, match=message):
        tc.Tracker(**kwargs)


def test_a_mask_of_another_size_is_refused(loop):
    tracker = tc.Tracker(SMALL, mask=np.ones((10, 10), bool))
    with pytest.raises(tc.InputError, match=r"mask: expected shape \(180, 240\)"):
        tracker.push(loop.frame(0))


def test_points_before_the_first_frame_are_refused():
    with pytest.raises(tc.InputError, match="expected a frame to be pushed first"):
        tc.Tracker().add_points([[1.0, 2.0]])


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (12, 12)])
def test_frames_too_small_to_track_give_no_tracks_and_no_crash(shape):
    tracker = tc.Tracker()
    for _ in range(3):
        tracker.push(np.zeros(shape, np.uint8))
    assert tracker.tracks().xy_px.shape == (0, 3, 2)


def test_plain_track_options_will_do(loop):
    tracker = tc.Tracker(tc.TrackOptions(window=15, levels=2))
    assert tracker.options.window == 15
    assert len(tracker.push(loop.frame(0)).ids) > 0
