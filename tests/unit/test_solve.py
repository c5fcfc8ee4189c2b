"""A solved camera is the one that was there, and its grade says how far it can be trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trackcore as tc
from tests.unit import camera_scenes as scenes
from trackcore import CameraPrior, Grade, SolveKind, SolveOptions, TrackRole

GOOD = (Grade.A, Grade.B)
WEAK = (Grade.C, Grade.D, Grade.F)


@pytest.fixture(scope="module")
def walk() -> scenes.Scene:
    return scenes.seen(scenes.walk(), scenes.cloud(160, 1))


@pytest.fixture(scope="module")
def walk_solve(walk: scenes.Scene) -> tc.Solve:
    return tc.solve(walk.tracks)


def test_a_walk_is_solved_without_knowing_the_focal_length(walk, walk_solve):
    assert walk_solve.kind is SolveKind.FREE
    assert walk_solve.grade is Grade.A
    assert walk_solve.solved.all()
    assert walk.path_error(walk_solve.T_cam_world) < 0.003
    assert walk_solve.focal_px == pytest.approx(1300, rel=0.01)


def test_points_are_where_they_were_seen(walk, walk_solve):
    predicted = walk_solve.project(7)
    error = np.linalg.norm(predicted - walk.tracks.xy_px[:, 7], axis=1)
    assert np.nanmedian(error) < 0.3
    known = walk_solve.role != TrackRole.TOO_FEW_FRAMES
    assert walk_solve.bundled[known].mean() > 0.9


def test_the_world_is_the_first_cameras(walk_solve):
    np.testing.assert_allclose(walk_solve.T_cam_world[0], np.eye(4), atol=1e-9)
    first = walk_solve.bundled & (walk_solve.role == TrackRole.BUNDLE)
    assert np.median(walk_solve.points[first, 2]) == pytest.approx(10, rel=0.2)


def test_the_same_tracks_give_the_same_bits_whatever_the_threads(walk, walk_solve):
    again = tc.solve(walk.tracks, threads=1)
    assert again.T_cam_world.tobytes() == walk_solve.T_cam_world.tobytes()
    assert again.points.tobytes() == walk_solve.points.tobytes()
    assert again.reasons == walk_solve.reasons


def test_held_out_tracks_are_of_every_region_and_not_the_users(walk):
    protected = np.zeros(len(walk.tracks), bool)
    protected[::3] = True
    solve = tc.solve(walk.tracks, protected=protected)
    aside = np.isin(walk.tracks.ids, solve.held_out_ids)
    assert 0.1 < aside.sum() / (~protected).sum() < 0.3
    assert not (aside & protected).any()
    mean = np.nanmean(walk.tracks.xy_px[aside], axis=1)
    assert len(np.unique((mean / np.array(scenes.SIZE) * 3).astype(int), axis=0)) >= 7


def test_a_given_focal_length_is_kept(walk):
    solve = tc.solve(walk.tracks, CameraPrior(focal_mm=26.0, sensor_mm=25.6))
    assert solve.focal_px == pytest.approx(1300.0)
    assert solve.focal_sigma_px == 0
    assert solve.grade in GOOD


@pytest.mark.parametrize("times", [1 / 3, 3])
def test_a_wrong_focal_length_is_found_out(walk, times):
    solve = tc.solve(walk.tracks, CameraPrior(focal_px=1300 * times))
    assert solve.grade in WEAK
    assert any("focal length" in reason for reason in solve.reasons) or solve.grade is Grade.F


def test_things_that_move_by_themselves_are_no_points():
    scene = scenes.seen(scenes.walk(), scenes.cloud(160, 2), moving=0.3, seed=3)
    solve = tc.solve(scene.tracks)
    assert scene.path_error(solve.T_cam_world) < 0.01
    assert solve.grade in GOOD


def test_a_turning_camera_has_no_position_and_says_so():
    scene = scenes.seen(scenes.pan(), scenes.cloud(160, 4))
    solve = tc.solve(scene.tracks)
    assert solve.kind is SolveKind.TRIPOD
    assert solve.grade is Grade.A
    assert scene.turn_error_deg(solve.T_cam_world) < 0.05
    assert solve.focal_px == pytest.approx(1300, rel=0.01)
    np.testing.assert_array_equal(solve.T_cam_world[:, :3, 3], 0)
    assert np.isnan(solve.centre_sigma).all()


def test_a_zoom_has_a_focal_length_for_every_frame():
    focal = np.linspace(1300, 2000, 40)
    scene = scenes.seen(scenes.pan(), scenes.cloud(300, 5), focal)
    solve = tc.solve(scene.tracks)
    assert solve.kind is SolveKind.TRIPOD
    assert solve.grade in GOOD
    np.testing.assert_allclose(solve.focal_px_per_frame, focal, rtol=0.01)


def test_a_zoom_against_the_cameras_motion_is_no_best_grade():
    eye = np.column_stack([np.linspace(0, 0.2, 36), np.zeros(36), np.linspace(-1.5, 1.5, 36)])
    focal = 1300 * np.exp(np.linspace(0.25, -0.25, 36))
    scene = scenes.seen(scenes.poses(np.zeros((36, 3)), eye), scenes.cloud(220, 14), focal)
    solve = tc.solve(scene.tracks)
    assert solve.grade is not Grade.A or scene.path_error(solve.T_cam_world) < 0.02
    if "hidden_zoom" in solve.evidence:
        assert any("against the camera's motion" in reason for reason in solve.reasons)


def test_a_flat_wall_is_solved():
    scene = scenes.seen(scenes.walk(), scenes.cloud(160, 6, plane=True))
    solve = tc.solve(scene.tracks, CameraPrior(focal_px=1300))
    assert scene.path_error(solve.T_cam_world) < 0.02


def test_a_lens_that_bends_is_estimated():
    scene = scenes.seen(scenes.walk(), scenes.cloud(220, 7), lens=(-0.12, 0.02))
    solve = tc.solve(scene.tracks)
    assert scene.path_error(solve.T_cam_world) < 0.005
    assert solve.lens.coefficients[0] == pytest.approx(-0.12, abs=0.02)
    straight = tc.solve(scene.tracks, CameraPrior(refine_lens=False))
    assert solve.held_out_error_px < straight.held_out_error_px


def test_a_lens_that_is_known_is_believed():
    scene = scenes.seen(scenes.walk(), scenes.cloud(220, 7), lens=(-0.12, 0.02))
    lens = tc.Lens(tc.LensModel.POLYNOMIAL, (-0.12, 0.02))
    solve = tc.solve(scene.tracks, CameraPrior(lens=lens, focal_px=1300))
    assert solve.lens == lens
    assert scene.path_error(solve.T_cam_world) < 0.003


def test_a_known_lens_needs_no_focal_length():
    scene = scenes.seen(scenes.walk(), scenes.cloud(220, 7), lens=(-0.12, 0.02))
    solve = tc.solve(scene.tracks, CameraPrior(lens=tc.Lens("POLYNOMIAL", (-0.12, 0.02))))
    assert solve.lens.coefficients[:2] == (-0.12, 0.02)
    assert solve.focal_px == pytest.approx(1300, rel=0.01)
    assert scene.path_error(solve.T_cam_world) < 0.003


def test_a_lens_of_another_model_is_a_start():
    scene = scenes.seen(scenes.walk(), scenes.cloud(220, 7), lens=(-0.12, 0.02))
    rough = tc.Lens("BROWN", (-0.08,))
    solve = tc.solve(scene.tracks, CameraPrior(lens=rough, focal_px=1300, refine_lens=True))
    assert solve.lens.coefficients[0] == pytest.approx(-0.12, abs=0.02)


def test_pixels_need_not_be_square():
    scene = scenes.seen(scenes.walk(), scenes.cloud(160, 8), 650.0, aspect=2.0)
    solve = tc.solve(scene.tracks, CameraPrior(pixel_aspect=2.0))
    assert scene.path_error(solve.T_cam_world) < 0.005
    error = np.linalg.norm(solve.project(3) - scene.tracks.xy_px[:, 3], axis=1)
    assert np.nanmedian(error) < 0.4


def test_a_users_track_stays_a_point_however_it_moves():
    scene = scenes.seen(scenes.walk(), scenes.cloud(120, 9), moving=0.2, seed=1)
    free = tc.solve(scene.tracks)
    outlier = int(np.flatnonzero(free.role == TrackRole.OUTLIER)[0])
    mine = np.arange(len(scene.tracks)) == outlier
    assert tc.solve(scene.tracks, protected=mine).role[outlier] != TrackRole.OUTLIER


def test_deleting_tracks_until_the_error_is_small_does_not_raise_the_grade():
    scene = scenes.seen(scenes.walk(24), scenes.cloud(70, 10), noise_px=2.5, seed=2)
    tracks = scene.tracks
    before = tc.solve(tracks)
    for _ in range(4):
        solve = tc.solve(tracks)
        if solve.grade is Grade.F:
            break
        worst = np.nan_to_num(solve.track_error_px, nan=np.inf)
        tracks = tracks.select(worst <= np.percentile(worst, 80))
        after = tc.solve(tracks)
        if after.held_out_error_px > before.held_out_error_px:
            assert after.grade >= before.grade  # later in the alphabet, or the same


class TestWhatCannotBeSolved:
    def test_too_few_tracks(self, walk):
        long = np.flatnonzero(walk.tracks.lifespan_frames > 10)[:5]
        solve = tc.solve(walk.tracks.select(np.isin(np.arange(len(walk.tracks)), long)))
        assert solve.grade is Grade.F
        assert "5 tracks" in solve.reasons[0]
        assert np.isnan(solve.T_cam_world).all()

    def test_twelve_tracks_are_no_best_grade(self, walk):
        solve = tc.solve(walk.tracks.select(np.arange(len(walk.tracks)) < 12))
        assert solve.grade is not Grade.A

    def test_one_frame(self, walk):
        solve = tc.solve(walk.tracks.between(0, 1))
        assert solve.grade is Grade.F
        assert "1 frames" in solve.reasons[0]

    def test_a_camera_that_does_not_move(self):
        still = scenes.poses(np.zeros((20, 3)), np.zeros((20, 3)))
        solve = tc.solve(scenes.seen(still, scenes.cloud(100, 11)).tracks)
        assert solve.grade is Grade.F
        assert "does not move" in solve.reasons[0]

    def test_the_shake_of_a_camera_that_stands_is_weak_and_says_what_was_assumed(self):
        turns = np.random.default_rng(3).normal(0, 0.001, (30, 3))
        T = scenes.poses(turns, np.zeros((30, 3)))
        still = tc.ShotType(tc.ShotKind.STATIC, 0.9)
        tracks = scenes.seen(T, scenes.cloud(100, 11)).tracks
        solve = tc.solve(tracks, shot_type=still)
        assert solve.kind is SolveKind.TRIPOD
        assert solve.grade is Grade.D
        assert "is assumed" in solve.reasons[0]
        assert np.isnan(solve.focal_sigma_px)
        assert solve.focal_px == tracks.frame_size[0]
        assert solve.mean_error_px < 0.5, "its cameras take the shake out of the picture"
        known = tc.solve(tracks, CameraPrior(focal_px=1300), still)
        assert "focal_assumed" not in known.evidence

    def test_a_still_camera_of_known_focal_length_is_weak(self):
        still = scenes.poses(np.zeros((20, 3)), np.zeros((20, 3)))
        tracks = scenes.seen(still, scenes.cloud(100, 11)).tracks
        assert tc.solve(tracks, CameraPrior(focal_px=1300)).grade in WEAK

    def test_a_pan_that_must_be_free(self):
        scene = scenes.seen(scenes.pan(), scenes.cloud(160, 12))
        solve = tc.solve(scene.tracks, options=SolveOptions(kind="free"))
        assert solve.grade in WEAK

    def test_noise(self):
        rng = np.random.default_rng(13)
        xy = rng.uniform([0, 0], scenes.SIZE, (60, 30, 2))
        solve = tc.solve(tc.Tracks.from_positions(xy, frame_size=scenes.SIZE, fps=25.0))
        assert solve.grade is Grade.F

    def test_no_tracks(self):
        nothing = tc.Tracks.from_positions(np.zeros((0, 10, 2)), frame_size=scenes.SIZE, fps=25.0)
        assert tc.solve(nothing).grade is Grade.F


def test_a_solve_is_plain_json(walk_solve):
    import json

    record = json.loads(json.dumps(walk_solve.to_dict(), allow_nan=False))
    assert record["grade"] == "A"
    assert len(record["frames"]) == walk_solve.n_frames
    assert record["tracks"][0]["role"] in TrackRole.__members__


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"focal_px": -3}, "focal_px: expected a number > 0, got -3"),
        ({"focal_mm": 35.0}, "expected both or neither"),
        ({"focal_mm": 35.0, "sensor_mm": 36.0, "focal_px": 900.0}, "expected one of them"),
        ({"zoom": "often"}, "expected auto, fixed or varying"),
        ({"lens": 3}, "expected a Lens"),
    ],
)
def test_an_impossible_camera_is_refused(given, words):
    with pytest.raises(tc.InputError, match=words):
        CameraPrior(**given)


def test_a_bent_lens_in_focal_lengths_needs_one(walk):
    lens = tc.Lens(tc.LensModel.BROWN, (0.1,))
    with pytest.raises(tc.InputError, match="expected a focal length"):
        tc.solve(walk.tracks, CameraPrior(lens=lens))


def test_arguments_are_checked(walk):
    with pytest.raises(tc.InputError, match="protected: expected"):
        tc.solve(walk.tracks, protected=[True])
    with pytest.raises(tc.InputError, match="options: expected SolveOptions"):
        tc.solve(walk.tracks, options=tc.TrackOptions())
    assert replace(SolveOptions(), kind="TRIPOD").kind == "tripod"


def test_confidence_before_a_solve_grows_with_what_there_is(walk):
    few = walk.tracks.select(np.arange(len(walk.tracks)) < 14)
    told = [tc.pre_solve_confidence(tracks) for tracks in (few, walk.tracks)]
    assert 0 <= told[0] < told[1] - 0.2 <= 0.8
    still = scenes.poses(np.zeros((20, 3)), np.zeros((20, 3)))
    nothing_moves = scenes.seen(still, scenes.cloud(100, 11)).tracks
    assert tc.pre_solve_confidence(nothing_moves) < told[1]
