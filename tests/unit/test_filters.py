"""Finding bad tracks, merging duplicates, smoothing; leaving alone what is good or the user's."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from trackcore import synth
from trackcore.filters import FilterReason as R
from trackcore.filters import find_bad_tracks, merge_duplicates, smooth_tracks

SIZE = (640, 360)
N_FRAMES = 60
RIGID = (R.NOT_RIGID, R.MOVING_OBJECT)


def tracks_of(xy_px: np.ndarray) -> tc.Tracks:
    return tc.Tracks.from_positions(xy_px, frame_size=SIZE)


@cache
def _room(seed: int, noise: float) -> np.ndarray:
    """What a perfect tracker would see of points of a room with depth, plus noise."""
    scene = synth.ParallaxScene(seed, n_frames=N_FRAMES)
    rng = np.random.default_rng([seed, 7])
    grid = np.stack(np.meshgrid(np.linspace(30, 610, 15), np.linspace(30, 330, 10)), axis=-1)
    xy = scene.track_truth(grid.reshape(-1, 2) + rng.uniform(-8, 8, (150, 2)), 0)
    xy += rng.normal(0, noise, xy.shape)
    return xy[np.isfinite(xy[..., 0]).sum(axis=1) >= 15]


def room(seed: int, *, noise: float = 0.1) -> np.ndarray:
    return _room(seed, noise).copy()


def turning(seed: int, *, noise: float = 0.1) -> np.ndarray:
    """A camera on a tripod, panning and nodding with a wide lens."""
    rng = np.random.default_rng(seed)
    K = np.array([[500.0, 0, 319.5], [0, 500, 179.5], [0, 0, 1]])
    rays = np.c_[rng.uniform(-0.6, 0.6, (150, 1)), rng.uniform(-0.3, 0.3, (150, 1)), np.ones(150)]
    views = []
    for i in range(N_FRAMES):
        a, b = 0.003 * (i - N_FRAMES / 2), 0.02 * np.sin(i / 7)
        pan = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        at = rays @ (K @ nod @ pan).T
        views.append(at[:, :2] / at[:, 2:])
    xy = np.stack(views, axis=1) + rng.normal(0, noise, (150, N_FRAMES, 2))
    xy[~((xy > 0) & (xy < SIZE)).all(axis=-1)] = np.nan
    return xy


def static(seed: int, *, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform([10, 10], [630, 350], (80, 1, 2)) + rng.normal(0, noise, (80, N_FRAMES, 2))


def share_not_rigid(xy: np.ndarray) -> float:
    report = find_bad_tracks(tracks_of(xy), reasons=RIGID)
    return float(report.bad.mean())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_parallax_is_no_fault(seed: int, noise: float) -> None:
    assert share_not_rigid(room(seed, noise=noise)) <= 0.01


@pytest.mark.parametrize("seed", range(3))
def test_a_turning_camera_and_a_static_one_are_no_fault(seed: int) -> None:
    assert share_not_rigid(turning(seed)) <= 0.03
    assert share_not_rigid(static(seed)) <= 0.01


def bent(xy: np.ndarray, bend: float) -> np.ndarray:
    """Positions as a lens shows them that moves a point at the side of the frame by so much."""
    centre = np.array(SIZE) / 2
    about = (xy - centre) / centre[0]
    seen = about * (1 + bend * (about**2).sum(axis=-1, keepdims=True)) * centre[0] + centre
    seen[~((seen >= 0) & (seen <= np.array(SIZE) - 1)).all(axis=-1)] = np.nan
    return seen


@pytest.mark.parametrize("bend", [-0.15, -0.05, 0.05, 0.15])
def test_a_wide_lens_is_no_fault(bend: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (room(0).shape))
    assert share_not_rigid(bent(room(0, noise=0.0), bend) + noise) <= 0.01


def test_a_wide_lens_hides_no_object_that_moves_by_itself() -> None:
    xy = room(0)
    rng = np.random.default_rng(0)
    moves = rng.random(len(xy)) < 0.25
    t = np.arange(N_FRAMES)
    way = np.stack([t + 5 * np.sin(t / 9), 0.4 * t], axis=-1)
    start = rng.uniform([100, 100], [300, 200], (moves.sum(), 1, 2))
    xy[moves] = start + way + rng.normal(0, 0.1, (moves.sum(), N_FRAMES, 2))
    report = find_bad_tracks(tracks_of(bent(xy, -0.15)), reasons=RIGID)
    assert report.bad[moves].mean() >= 0.95
    assert report.bad[~moves].mean() <= 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_hand_held_camera_is_no_fault(seed: int) -> None:
    rng = np.random.default_rng(seed)
    about = room(seed, noise=0.3) - np.array(SIZE) / 2
    turn, shift = rng.normal(0, 0.01, N_FRAMES), rng.normal(0, 6.0, (N_FRAMES, 2))
    shaken = about + turn[:, None] * about[..., ::-1] * [-1, 1] + np.array(SIZE) / 2 + shift
    assert share_not_rigid(shaken) <= 0.01


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_tracks_that_slide_evenly_are_found_where_sliding_shows(share: float) -> None:
    # A slide along the epipolar line, or on a track that lives briefly, does not show.
    xy = room(0)
    rng = np.random.default_rng(3)
    slides = rng.random(len(xy)) < share
    way = rng.normal(0, 1, (slides.sum(), 1, 2))
    way /= np.linalg.norm(way, axis=-1, keepdims=True)
    xy[slides] += 0.25 * way * np.arange(N_FRAMES)[:, None]
    report = find_bad_tracks(tracks_of(xy), reasons=RIGID)
    assert report.bad[slides].mean() >= 0.5
    assert report.bad[~slides].mean() <= 0.01


@pytest.mark.parametrize("share", [0.1, 0.25, 0.4])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_object_that_moves_by_itself_is_found(seed: int, share: float) -> None:
    xy = room(seed)
    rng = np.random.default_rng(seed)
    moves = np.zeros(len(xy), bool)
    moves[rng.choice(len(xy), int(share * len(xy)), replace=False)] = True
    t = np.arange(N_FRAMES)
    way = np.stack([t + 5 * np.sin(t / 9), 0.4 * t], axis=-1)
    start = rng.uniform([100, 100], [300, 200], (moves.sum(), 1, 2))
    xy[moves] = start + way + rng.normal(0, 0.1, (moves.sum(), N_FRAMES, 2))
    report = find_bad_tracks(tracks_of(xy), reasons=RIGID)
    assert report.evidence[R.MOVING_OBJECT].flagged[moves].mean() >= 0.95
    assert report.bad[~moves].mean() <= 0.02


def test_tracks_that_wander_are_found() -> None:
    xy = room(0)
    wanders = np.arange(len(xy)) % 12 == 0
    rng = np.random.default_rng(5)
    steps = rng.normal(0, 1.0, (wanders.sum(), N_FRAMES, 2))
    xy[wanders] += np.cumsum(steps, axis=1)
    report = find_bad_tracks(tracks_of(xy), reasons=RIGID)
    assert report.bad[wanders].mean() >= 0.7
    assert report.bad[~wanders].mean() <= 0.01


def bad_of_each_kind() -> tuple[np.ndarray, np.ndarray, dict[R, int]]:
    """Return positions and matches with one short, leaping, double and ill-matching track."""
    xy = room(1)
    ncc = np.where(np.isfinite(xy[..., 0]), 0.97, np.nan)
    whole = np.flatnonzero(np.isfinite(xy[..., 0]).all(axis=1))
    short, leaps, double, weak = whole[:4].tolist()
    xy[short, 4:] = np.nan
    ncc[short, 4:] = np.nan
    xy[leaps, 30] += [12.0, -9.0]
    xy[double] = xy[whole[5]] + [0.4, -0.3]
    xy[double, 50:] = np.nan
    ncc[double, 50:] = np.nan
    ncc[weak] = 0.5
    return xy, ncc, {R.SHORT: short, R.SPIKE: leaps, R.DUPLICATE: double, R.LOW_CORRELATION: weak}


def with_ncc(xy: np.ndarray, ncc: np.ndarray) -> tc.Tracks:
    plain = tracks_of(xy)
    return tc.Tracks(
        plain.ids, plain.xy_px, plain.status, ncc, plain.t_ns, SIZE, plain.fps, plain.first_frame
    )


def test_each_fault_is_found_once_and_named_with_its_frame() -> None:
    xy, ncc, culprits = bad_of_each_kind()
    report = find_bad_tracks(with_ncc(xy, ncc))
    for reason, track in culprits.items():
        assert np.flatnonzero(report.evidence[reason].flagged).tolist() == [track], reason
    leap = next(f for f in report.findings if f.reason == R.SPIKE)
    assert leap.frame == 31
    assert leap.value == pytest.approx(15.0, abs=1.0)
    assert report.counts[R.SHORT] == 1
    assert "SHORT" in repr(report)


@pytest.mark.parametrize("reason", [R.SHORT, R.SPIKE, R.DUPLICATE, R.LOW_CORRELATION])
def test_no_filter_touches_the_users_tracks(reason: R) -> None:
    xy, ncc, culprits = bad_of_each_kind()
    tracks = with_ncc(xy, ncc)
    mine = np.arange(len(tracks)) == culprits[reason]
    report = find_bad_tracks(tracks, protected=mine)
    assert not report.bad[culprits[reason]]
    kept = report.mute(tracks).delete()
    i = int(np.flatnonzero(kept.ids == tracks.ids[culprits[reason]])[0])
    assert_array_equal(kept.xy_px[i], tracks.xy_px[culprits[reason]])


def test_the_users_tracks_that_wander_from_the_scene_stay() -> None:
    xy = room(0)
    wanders = np.arange(len(xy)) % 12 == 0
    steps = np.random.default_rng(5).normal(0, 1.0, (wanders.sum(), N_FRAMES, 2))
    xy[wanders] += np.cumsum(steps, axis=1)
    tracks = tracks_of(xy)
    unlike = find_bad_tracks(tracks, reasons=[R.NOT_RIGID]).bad & wanders
    assert unlike.sum() >= 5
    mine = np.arange(len(xy)) == np.flatnonzero(unlike)[0]
    report = find_bad_tracks(tracks, protected=mine)
    assert not report.bad[mine].any()
    assert report.bad[unlike & ~mine].all()
    kept = report.mute(tracks).delete()
    row = int(np.flatnonzero(kept.ids == tracks.ids[mine][0])[0])
    assert_array_equal(kept.xy_px[row], xy[mine][0])


def test_the_users_tracks_on_a_moving_object_stay() -> None:
    xy = room(0)
    moves = np.arange(len(xy)) < 20
    xy[moves] = xy[moves][:, :1] + np.arange(N_FRAMES)[None, :, None] * [1.5, 0.7]
    report = find_bad_tracks(tracks_of(xy), protected=moves)
    assert not report.bad[moves].any()


def test_nothing_changes_until_it_is_muted_and_nothing_is_lost_until_it_is_deleted() -> None:
    xy, ncc, culprits = bad_of_each_kind()
    tracks = with_ncc(xy, ncc)
    report = find_bad_tracks(tracks)
    assert_array_equal(tracks.xy_px, with_ncc(xy, ncc).xy_px)
    muted = report.mute(tracks)
    assert np.isnan(muted.visible.xy_px[culprits[R.SHORT]]).all()
    assert_array_equal(muted.unmute().visible.xy_px, tracks.xy_px)
    assert np.isnan(muted.visible.xy_px[culprits[R.SPIKE]]).sum() == 2, "one sample, not the track"
    assert len(muted.delete()) == len(tracks) - 3


def test_the_least_bad_are_spared_where_too_few_would_remain() -> None:
    xy = room(0)[:10]
    xy[:, 5:] = np.nan
    report = find_bad_tracks(tracks_of(xy), tc.FilterOptions(keep_at_least=6))
    assert report.bad.all()
    assert len(report.mute(tracks_of(xy)).delete()) == 6


def test_tracks_that_cross_once_are_no_duplicates() -> None:
    t = np.arange(N_FRAMES)
    xy = np.stack([np.stack([100 + t, 100 + t], -1), np.stack([160 - t, 100 + t], -1)]).astype(
        float
    )
    assert find_bad_tracks(tracks_of(xy), reasons=[R.DUPLICATE]).counts[R.DUPLICATE] == 0


def test_merging_duplicates_lowers_the_error_and_keeps_one_name() -> None:
    rng = np.random.default_rng(0)
    truth = 100 + np.arange(N_FRAMES)[:, None] * [1.0, 0.5]
    apart = np.array([[[0, 0]], [[0.8, -0.6]]])
    xy = truth + apart + rng.normal(0, 0.3, (2, N_FRAMES, 2))
    xy[1, :5] = np.nan
    merged = merge_duplicates(tracks_of(xy))
    assert merged.merged_into == {1: 0}
    after = merged.tracks.xy_px[0] - truth
    before = xy[0] - truth
    assert np.std(after[5:]) < 0.85 * np.std(before[5:])
    assert abs(after.mean()) < 0.1


def test_the_users_tracks_are_neither_moved_nor_removed_by_merging() -> None:
    rng = np.random.default_rng(0)
    xy = 100 + rng.normal(0, 0.3, (3, N_FRAMES, 2))
    merged = merge_duplicates(tracks_of(xy), protected=[False, True, True])
    assert merged.tracks.ids.tolist() == [1, 2]
    assert_array_equal(merged.tracks.xy_px, xy[1:])


@pytest.mark.parametrize("strength", [0.3, 0.5, 1.0])
def test_smoothing_lowers_noise_and_does_not_delay_motion(strength: float) -> None:
    rng = np.random.default_rng(1)
    t = np.arange(N_FRAMES)
    truth = np.stack([100 + 3 * t + 0.05 * t**2, 200 + 20 * np.sin(t / 15)], -1)[None]
    noisy = truth + rng.normal(0, 0.3, (40, N_FRAMES, 2))
    after = smooth_tracks(tracks_of(noisy), strength=strength).xy_px - truth
    assert after.std() < 0.9 * 0.3
    assert np.abs(after.mean(axis=0)).max() < 0.3
    clean = smooth_tracks(tracks_of(truth), strength=strength).xy_px
    assert_allclose(clean, truth, atol=0.15)


@pytest.mark.parametrize("seed", range(3))
def test_smoothing_keeps_the_shake_of_a_hand_held_camera(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exact = room(seed, noise=0.0)
    turn, shift = rng.normal(0, 0.005, N_FRAMES), rng.normal(0, 4.0, (N_FRAMES, 2))
    about = exact - np.array(SIZE) / 2
    shaken = about + turn[:, None] * about[..., ::-1] * [-1, 1] + np.array(SIZE) / 2 + shift
    noisy = shaken + rng.normal(0, 0.3, exact.shape)
    after = smooth_tracks(tracks_of(noisy), strength=0.5).xy_px - shaken
    assert np.nanstd(after) < 0.75 * 0.3


def test_smoothing_moves_nothing_that_the_user_placed_and_bridges_no_gap() -> None:
    rng = np.random.default_rng(2)
    xy = 100 + rng.normal(0, 0.5, (3, N_FRAMES, 2))
    xy[:, 20:25] = np.nan
    xy[2, 25:] += 50.0
    placed = np.zeros((3, N_FRAMES), bool)
    placed[1, [3, 30]] = True
    after = smooth_tracks(tracks_of(xy), protected=[True, False, False], keyframed=placed).xy_px
    assert_array_equal(after[0], xy[0])
    assert_array_equal(after[1, [3, 30]], xy[1, [3, 30]])
    assert np.isnan(after[:, 20:25]).all()
    assert np.abs(after[2] - xy[2])[~np.isnan(after[2])].max() < 3
    assert_array_equal(smooth_tracks(tracks_of(xy), strength=0.0).xy_px, xy)


def test_wrong_arguments_are_named() -> None:
    tracks = tracks_of(room(0)[:3])
    with pytest.raises(tc.InputError, match="protected"):
        find_bad_tracks(tracks, protected=[True])
    with pytest.raises(tc.InputError, match="reasons"):
        find_bad_tracks(tracks, reasons=["UGLY"])
    with pytest.raises(tc.InputError, match="strength"):
        smooth_tracks(tracks, strength=2)
    with pytest.raises(tc.InputError, match="keyframed"):
        smooth_tracks(tracks, keyframed=np.zeros((1, 1), bool))


@pytest.mark.parametrize("shape", [(0, 0, 2), (0, 9, 2), (4, 0, 2), (4, 1, 2), (4, 9, 2)])
def test_nothing_is_a_sensible_input(shape: tuple[int, int, int]) -> None:
    nothing = tracks_of(np.full(shape, np.nan))
    assert len(find_bad_tracks(nothing)) == shape[0]
    assert len(merge_duplicates(nothing).tracks) == shape[0]
    assert smooth_tracks(nothing).equals(nothing)


def test_the_same_seed_gives_the_same_answer() -> None:
    xy = room(2, noise=0.4)
    first, second = (find_bad_tracks(tracks_of(xy)) for _ in range(2))
    assert first.to_dict() == second.to_dict()
