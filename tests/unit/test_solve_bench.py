"""What the solve suite measures with, on cameras and tracks whose errors are known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from bench.solve_corrupt import corrupt, corrupted, keep
from bench.solve_metrics import (
    CameraError,
    align,
    camera_error,
    rotation_errors_deg,
    track_residuals_px,
    umeyama,
)
from bench.solve_paths import Path, spline
from bench.solve_reference import best_camera
from bench.solve_run import Outcome
from bench.solve_scenes import SCENES, load, matching
from bench.solve_truth import Scene, Truth, distort, on_movers, undistort
from bench.solve_verdict import Row, confusion, totals
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import trackcore as tc

F64 = NDArray[np.float64]
WALK = Scene(
    name="walk", n_frames=24, path=Path(eye=((-1, 0, 0), (0, 0.3, 1), (1, 0, 0.5)), shake_deg=0.3)
)
PAN = Scene(name="pan", kind="tripod", n_frames=24, path=Path(turn=((-10, 0, 0), (10, 4, 2))))


def turned(degrees: float, axis: tuple[float, float, float] = (0.3, -0.5, 0.8)) -> F64:
    a, (x, y, z) = np.radians(degrees), np.array(axis) / np.linalg.norm(axis)
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(a) * K + (1 - np.cos(a)) * K @ K


def in_another_world(T_cam_world: F64) -> F64:
    """The same cameras in a world three times as large, turned and shifted."""
    R, shift = turned(70), np.array([5.0, -3, 2])
    out = T_cam_world.copy()
    out[:, :3, :3] = T_cam_world[:, :3, :3] @ R.T
    centres = -np.einsum("nji,nj->ni", T_cam_world[:, :3, :3], T_cam_world[:, :3, 3])
    there = 3 * centres @ R.T + shift
    out[:, :3, 3] = -np.einsum("nij,nj->ni", out[:, :3, :3], there)
    return out


def moved(T_cam_world: F64, by_m: F64) -> F64:
    """Cameras whose centres are elsewhere by (n, 3)."""
    out = T_cam_world.copy()
    out[:, :3, 3] -= np.einsum("nij,nj->ni", out[:, :3, :3], by_m)
    return out


def points(n: int = 40, seed: int = 0) -> F64:
    return np.random.default_rng(seed).uniform((-1.5, -0.8, 6), (1.5, 0.8, 9), (n, 3))


def seen(truth: Truth, X_world: F64) -> F64:
    return np.stack([truth.project(X_world, i) for i in range(len(truth))], 1)


def made_tracks(xy_px: F64) -> tc.Tracks:
    n, frames = xy_px.shape[:2]
    status = np.where(np.isfinite(xy_px[..., 0]), tc.PointStatus.TRACKED, tc.PointStatus.UNSEEN)
    return tc.Tracks(
        ids=np.arange(n), xy_px=xy_px, status=status.astype(np.uint8),
        ncc=np.full((n, frames), np.nan, np.float32), t_ns=np.arange(frames) * 40_000_000,
        frame_size=(1280, 720), fps=25.0, first_frame=1,
    )  # fmt: skip


def test_the_true_camera_in_another_world_has_no_error() -> None:
    truth = WALK.truth()
    e = camera_error(in_another_world(truth.T_cam_world), truth.focal_px, truth)
    found = (e.path_rms_pct, e.path_max_pct, e.rotation_deg, e.focal_pct)
    assert_allclose(found, 0, atol=1e-5)
    assert e.registered == 1


def test_the_path_error_is_a_share_of_the_extent() -> None:
    truth = WALK.truth()
    # To and fro about a path: no similarity takes it back.
    off = 0.01 * np.resize([1.0, -1.0], 24)[:, None] * np.array([0, 1, 0])
    e = camera_error(moved(truth.T_cam_world, off), truth.focal_px, truth)
    extent = np.linalg.norm(np.ptp(truth.centers_m, axis=0))
    assert_allclose(e.path_rms_pct, 100 * 0.01 / extent, rtol=0.02)
    assert e.path_median_pct <= e.path_rms_pct * 1.05
    assert e.of_kind("free") == e.path_rms_pct


def test_one_wrong_camera_shows_in_the_largest_error_but_not_in_the_median() -> None:
    truth = WALK.truth()
    off = np.zeros((24, 3))
    off[12, 1] = 0.4
    e = camera_error(moved(truth.T_cam_world, off), truth.focal_px, truth)
    assert e.path_max_pct > 10 * e.path_median_pct > 0


def test_rotation_and_focal_errors_are_those_put_in() -> None:
    truth = WALK.truth()
    T = truth.T_cam_world.copy()
    T[::2, :3] = turned(0.2) @ T[::2, :3]
    T[1::2, :3] = turned(-0.2) @ T[1::2, :3]
    e = camera_error(T, 1.03 * truth.focal_px, truth)
    assert_allclose(e.rotation_deg, 0.2, rtol=0.01)
    assert_allclose(e.focal_pct, 3, rtol=1e-9)


def test_a_common_turn_is_no_rotation_error_however_large() -> None:
    R = WALK.truth().T_cam_world[:, :3, :3]
    assert_allclose(rotation_errors_deg(R @ turned(170), R), 0, atol=1e-5)


def test_a_tripod_is_judged_by_rotation_and_focal_length() -> None:
    truth = PAN.truth()
    T = truth.T_cam_world.copy()
    T[::2, :3] = turned(0.1) @ T[::2, :3]
    T[1::2, :3] = turned(-0.1) @ T[1::2, :3]
    e = camera_error(T, 1.001 * truth.focal_px, truth)
    assert np.isnan(e.path_rms_pct)
    assert_allclose(e.of_kind("tripod"), 100 * 0.1 / 20.5, rtol=0.05)
    assert_allclose(camera_error(truth.T_cam_world, 2.0, truth).of_kind("tripod"), 99.7, rtol=0.01)


def test_frames_without_a_camera_are_counted_not_compared() -> None:
    truth = WALK.truth()
    T = truth.T_cam_world.copy()
    T[:6] = np.nan
    e = camera_error(T, truth.focal_px, truth)
    assert e.registered == 0.75
    assert_allclose(e.path_rms_pct, 0, atol=1e-5)
    T[:] = np.nan
    assert np.isnan(camera_error(T, truth.focal_px, truth).of_kind("free"))


def test_a_mirrored_path_cannot_be_aligned_away() -> None:
    centres = np.random.default_rng(1).normal(size=(30, 3))
    assert np.linalg.norm(align(centres * (1, 1, -1), centres) - centres, axis=1).max() > 0.5
    scale, R, t = umeyama(2 * centres @ turned(40).T + 1, centres)
    assert_allclose(scale, 0.5)
    assert_allclose(R, turned(-40), atol=1e-12)
    assert_allclose(t, -0.5 * turned(-40) @ np.ones(3), atol=1e-12)


def test_cameras_of_another_clip_are_refused() -> None:
    truth = WALK.truth()
    with pytest.raises(ValueError, match=r"T_cam_world: expected shape \(24, 4, 4\)"):
        camera_error(truth.T_cam_world[1:], 1.0, truth)


@pytest.mark.parametrize("scene", [WALK, PAN, replace(WALK, distortion=(-0.2, 0.03))])
def test_true_tracks_have_no_residual_and_a_wrong_frame_has_its_own(scene: Scene) -> None:
    truth = scene.truth()
    xy_px = seen(truth, points(6))
    assert_allclose(track_residuals_px(truth, xy_px), 0, atol=1e-4)
    xy_px[0, 3] += (0, 2.0)
    residual = track_residuals_px(truth, xy_px)[0]
    assert residual.argmax() == 3
    assert 1.5 < residual[3] <= 2.0


def test_half_a_pixel_of_principal_point_shows_in_the_residuals() -> None:
    truth = replace(WALK, path=replace(WALK.path, turn=((0, 0, -30), (0, 0, 30)))).truth()
    shifted = replace(truth, principal_px=truth.principal_px + 0.5)
    residual = track_residuals_px(shifted, seen(truth, points(8)))
    assert np.median(residual) > 0.03


def test_undistort_inverts_distort() -> None:
    xy = np.random.default_rng(2).uniform(-0.9, 0.9, (50, 2))
    assert_allclose(undistort(distort(xy, (-0.2, 0.03)), (-0.2, 0.03)), xy, atol=1e-9)


def test_splines_go_through_their_knots() -> None:
    knots = ((0.0, 1.0), (2.0, -1.0), (1.0, 0.0), (4.0, 2.0))
    assert_allclose(spline(knots, np.arange(4) / 3), knots, atol=1e-12)
    assert_allclose(spline((1.0, 3.0), np.array([0.25]))[0], [1.5])


def test_a_share_of_the_tracks_is_corrupted_and_the_rest_is_not() -> None:
    tracks = made_tracks(seen(WALK.truth(), points(60)) * 1280 / 960)
    bad = corrupt(tracks, 0.2, seed=3)
    off = np.nanmax(np.linalg.norm(bad.xy_px - tracks.xy_px, axis=2), axis=1)
    assert set(np.flatnonzero(off > 0)) == set(corrupted(tracks, 0.2, 3))
    assert (off > 0).sum() == 12
    assert off[off > 0].min() > 3
    assert np.array_equal(corrupt(tracks, 0.2, 3).xy_px, bad.xy_px, equal_nan=True)
    assert not np.array_equal(corrupt(tracks, 0.2, 4).xy_px, bad.xy_px, equal_nan=True)


def test_what_the_tracker_says_of_itself_does_not_give_a_corrupted_track_away() -> None:
    tracks = made_tracks(seen(WALK.truth(), points(60)) * 1280 / 960)
    bad = corrupt(tracks, 0.2, seed=3)
    still = np.isfinite(bad.xy_px[..., 0])
    assert np.array_equal(bad.status[still], tracks.status[still])


def test_keeping_a_few_tracks_keeps_the_longest() -> None:
    xy_px = seen(WALK.truth(), points(10))
    xy_px[4:, 10:] = np.nan
    assert keep(made_tracks(xy_px), 3).ids.tolist() == [0, 1, 2]


def test_the_suite_has_what_was_asked() -> None:
    good = [s for s in SCENES.values() if s.expect == "solve"]
    rendered = {s.fingerprint() for s in good if s.world != "synth"}
    assert len(good) >= 40
    assert len(rendered) >= 20
    assert all(1 <= s.n_frames <= 120 for s in SCENES.values())
    assert sum(s.size == (3840, 2160) for s in good) == 2
    assert {s.fps for s in good} >= {24, 30, 60}
    assert all(0.05 <= s.corrupt <= 0.2 for s in matching("corrupted"))
    wanted = "walk handheld drone dolly zoom tripod planar low_texture motion_blur movers repeated"
    for tag in (*wanted.split(), "light", "corrupted", "distortion"):
        assert matching(tag), tag


def test_scenes_that_share_a_clip_have_one_fingerprint_and_others_do_not() -> None:
    assert SCENES["walk_room_c10"].fingerprint() == SCENES["walk_room"].fingerprint()
    assert SCENES["walk_room_c10"].corrupt == 0.1
    own = [s.fingerprint() for s in SCENES.values() if not s.clip_of]
    assert len(set(own)) == len(own)
    assert replace(WALK, seed=1).fingerprint() != WALK.fingerprint()


def test_a_clip_that_was_not_rendered_is_named_with_the_command(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKCORE_BENCH_CACHE", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"walk_room_c10: .*render_solve\.py --scenes walk_room"
    ):
        load("walk_room_c10")


def test_pixels_on_moving_boxes_are_told_from_the_room() -> None:
    scene = SCENES["crowd_room"]
    truth = scene.truth()
    mover, frame = scene.movers()[0], 30
    wall = mover.walls_at(float(scene.share(frame)))[0]
    middle = np.array(wall.corner) + np.add(wall.edge_u, wall.edge_v) / 2
    xy_px = np.vstack([truth.project(middle[None], frame), [[5.0, 5.0]]])
    assert on_movers(scene, truth, xy_px, frame).tolist() == [True, False]


@pytest.mark.parametrize("scene", [WALK, PAN, replace(WALK, kind="zoom", focal=(0.8, 1.1))])
def test_the_reference_recovers_the_camera_that_made_the_tracks(scene: Scene) -> None:
    truth = scene.truth()
    noise = np.random.default_rng(5).normal(0, 0.1, (60, 24, 2))
    T, focal_px, X, mean_px = best_camera(truth, seen(truth, points(60) * (2, 2, 1)) + noise)
    e = camera_error(T, focal_px, truth)
    assert 1e-4 < e.of_kind(scene.kind) < 0.3  # it has moved, and not far
    assert e.focal_pct < 1
    assert np.isfinite(X).all()
    assert 0.05 < mean_px < 0.15


def row(
    *,
    grade: str = "A",
    off_m: float = 0.0,
    scene: Scene = WALK,
    attempts: int = 1,
    focal: float = 1.0,
) -> Row:
    truth = scene.truth()
    off = off_m * np.resize([1.0, -1.0], len(truth))[:, None] * np.array([0, 1, 0])
    T = moved(truth.T_cam_world, off)
    outcome = Outcome(
        T_cam_world=T, focal_px=focal * truth.focal_px, grade=grade, mean_error_px=0.3,
        survival=0.9, attempts=attempts,
    )  # fmt: skip
    error = camera_error(T, outcome.focal_px, truth)
    return Row(scene=scene, outcome=outcome, error=error, wall_s=1.0, cpu_s=1.0)


def crashed(*, refused: bool = False, scene: Scene = WALK) -> Row:
    return Row(
        scene=scene, outcome=None, error=CameraError.none(), wall_s=1.0, cpu_s=1.0,
        failure="ValueError: no", refused=refused,
    )  # fmt: skip


def test_a_crash_counts_as_the_worst_in_every_total_it_could_hide_from() -> None:
    found = {t.name: t for t in totals([row(), row(), crashed(), crashed(), crashed()])}
    assert found["first-try success (A-C at once)"].value == 0.4
    assert found["survival into bundles"].value == pytest.approx(0.9 * 0.4)
    assert found["median camera position error %"].value == np.inf
    assert not found["median camera position error %"].met
    assert [r[0] for r in confusion([row(), crashed()])] == ["A", "exception"]
    assert confusion([crashed()]) == [["exception", 0, 0, 0, 0, 1]]


def test_a_second_attempt_is_no_first_try() -> None:
    found = {t.name: t for t in totals([row(), row(attempts=2)])}
    assert found["first-try success (A-C at once)"].value == 0.5
    assert found["mean attempts"].value == 1.5


def test_the_confusion_table_tells_a_confident_wrong_camera() -> None:
    rows = [row(), row(grade="B"), row(grade="A", off_m=0.3), row(grade="D", off_m=0.3)]
    assert confusion(rows) == [["A", 1, 0, 0, 1, 0], ["B", 1, 0, 0, 0, 0], ["D", 0, 0, 0, 1, 0]]
    found = {t.name: t for t in totals(rows)}
    assert found["A with an error > 5 %"].value == 1
    assert not found["A with an error > 5 %"].met
    assert found["A or B where the error is <= 0.5 %"].value == 1


def test_bad_input_is_right_when_refused_or_graded_low_and_wrong_when_crashed() -> None:
    assert crashed(refused=True).right_about_bad_input
    assert not crashed(refused=False).right_about_bad_input
    assert row(grade="D", off_m=0.3).right_about_bad_input
    assert not row(grade="C", off_m=0.3).right_about_bad_input
    assert row(grade="B").right_about_bad_input
    assert not row(grade="B", focal=3.0).right_about_bad_input


def test_a_solve_of_few_frames_is_no_camera() -> None:
    truth = WALK.truth()
    T = truth.T_cam_world.copy()
    T[8:] = np.nan
    good = row()
    few = replace(good, error=camera_error(T, truth.focal_px, truth))
    assert (good.band, few.band) == (0, 4)
    assert {t.name: t for t in totals([few])}["median camera position error %"].value == np.inf


def test_results_are_plain_json() -> None:
    text = json.dumps(
        [row().as_json(), crashed().as_json(), row(scene=PAN).as_json()], allow_nan=False
    )
    first, second, third = json.loads(text)
    assert (first["grade"], second["failure"]) == ("A", "ValueError: no")
    assert third["path_rms_pct"] is None
