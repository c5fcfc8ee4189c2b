"""Calibration from pictures of boards whose truth is known: rays through a known lens."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.unit.rigs import board_poses, chessboard_pattern, picture, pose
from trackcore.cameras.calibrate import CalibrationRating

SIZE = (480, 360)
LENS = (-0.2, 0.08, 5e-4, -5e-4, 0.0)
BOARD = tc.Chessboard(8, 5, 0.025)
CHARUCO = tc.CharucoBoard(9, 7, 0.025, 0.018)
DISTANCE_M = 0.45


def rig() -> tc.StereoRig:
    """Return a rig 8 cm wide, toed in, whose world is the left camera."""
    K = np.array([[600.0, 0, 238.2], [0, 602, 181.7], [0, 0, 1]])
    T = pose((0.01, 0.18, -0.02), (-0.08, 0.002, 0.01))
    left = tc.Camera(K=K, size=SIZE, distortion=LENS)
    right = tc.Camera(K=K + np.diag([5.0, 5, 0]), size=SIZE, distortion=LENS, T_cam_world=T)
    return tc.StereoRig(left=left, right=right)


@cache
def chess_pairs() -> tuple[list[np.ndarray], list[np.ndarray]]:
    pattern, px = chessboard_pattern(BOARD.columns, BOARD.rows, 25), BOARD.square_m / 25
    centre = BOARD.points_board.mean(axis=0)
    images: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for T in board_poses(10, DISTANCE_M):
        placed = T @ pose((0, 0, 0), tuple(-centre))
        for camera, side in zip(rig().cameras, images, strict=True):
            seen = camera.T_cam_world @ placed
            side.append(picture(camera, seen, pattern, px, (-2 * BOARD.square_m,) * 2))
    return images


@pytest.fixture(scope="module")
def calibration() -> tc.StereoCalibration:
    return tc.calibrate_stereo(*chess_pairs(), BOARD)


def test_the_rig_comes_back(calibration):
    true, found = rig(), calibration.rig
    assert calibration.n_pairs >= 9, calibration.rejected
    assert calibration.rms_px < 0.25
    assert found.baseline_m == pytest.approx(true.baseline_m, rel=2e-3)
    turn = found.T_right_left[:3, :3] @ true.T_right_left[:3, :3].T
    # Ten views leave the principal points open by two pixels, and a turn makes up for them.
    assert np.arccos((np.trace(turn) - 1) / 2) < np.deg2rad(0.4)
    for side in ("left", "right"):
        a, b = getattr(found, side), getattr(true, side)
        assert_allclose(a.K[[0, 1], [0, 1]], b.K[[0, 1], [0, 1]], rtol=5e-3)
        assert a.size == SIZE
        middle = np.array([[100.0, 80], [400, 80], [240, 180], [100, 300]])
        assert_allclose(a.rays_world(middle), b.rays_world(middle), atol=0.01)


def test_errors_are_of_the_views_own_poses(calibration):
    one = tc.calibrate_camera(chess_pairs()[0], BOARD)
    found = [BOARD.find(image) for image in chess_pairs()[0]]
    for i, corners in enumerate(found):
        if corners is None:
            assert i in one.rejected
            assert np.isnan(one.view_rms_px[i])
            continue
        X = BOARD.points_board @ one.T_cam_board[i, :3, :3].T + one.T_cam_board[i, :3, 3]
        off = one.camera.project(X) - corners.uv_px
        assert one.view_rms_px[i] == pytest.approx(np.sqrt((off**2).sum(axis=1).mean()))
        assert one.T_cam_board[i, 2, 3] > 0.2
    assert np.nanmax(one.view_rms_px) < 0.25
    assert calibration.pair_rms_px.shape == (10, 2)


def test_triangulated_squares_have_their_size(calibration):
    lengths = []
    for left, right in zip(*chess_pairs(), strict=True):
        a, b = BOARD.find(left), BOARD.find(right)
        if a is None or b is None:
            continue
        X = calibration.rig.triangulate(np.stack([a.uv_px, b.uv_px], axis=1)).X_world
        X = X.reshape(BOARD.rows, BOARD.columns, 3)
        for axis in (0, 1):
            lengths.append(np.linalg.norm(np.diff(X, axis=axis), axis=-1).ravel())
    lengths = np.concatenate(lengths) / BOARD.square_m
    assert lengths.mean() == pytest.approx(1.0, abs=2e-3)


def test_pictures_without_the_board_are_named():
    left, right = (list(side) for side in chess_pairs())
    right[3] = np.full_like(right[3], 128)
    found = tc.calibrate_stereo(left, right, BOARD)
    assert found.rejected[3] == "no board found in the right picture"
    assert 3 in found.right.rejected
    assert 3 not in found.left.rejected
    assert np.isnan(found.pair_rms_px[3]).all()


def test_charuco_views_are_matched_by_corner_and_not_by_order():
    # Each camera sees another part of the board, which shifted the points of one against the other.
    whole = CHARUCO.image(24)
    parts = [whole.copy(), whole.copy()]
    parts[0][:, : 3 * 24] = 128  # half a square of margin, and two and a half squares
    parts[1][:, -3 * 24 :] = 128
    px, margin = CHARUCO.square_m / 24, -CHARUCO.square_m / 2
    size = np.array([CHARUCO.columns, CHARUCO.rows, 0]) * CHARUCO.square_m
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for k, T in enumerate(board_poses(8, 0.36, seed=4)):
        placed = T @ pose((0, 0, 0), tuple(-size / 2))
        for s, (camera, side) in enumerate(zip(rig().cameras, sides, strict=True)):
            seen = camera.T_cam_world @ placed
            side.append(picture(camera, seen, parts[(k + s) % 2], px, (margin, margin)))
    a, b = CHARUCO.find(sides[0][0]), CHARUCO.find(sides[1][0])
    assert set(a.ids) != set(b.ids)
    found = tc.calibrate_stereo(*sides, CHARUCO)
    assert found.n_pairs >= 7, found.rejected
    assert found.rms_px < 0.3
    assert found.rig.baseline_m == pytest.approx(rig().baseline_m, rel=5e-3)


def test_corners_are_found_where_they_are():
    true = rig().left
    T = pose((0.2, -0.25, 0.1), (-0.09, -0.05, DISTANCE_M))
    pattern = chessboard_pattern(BOARD.columns, BOARD.rows, 40)
    image = picture(true, T, pattern, BOARD.square_m / 40, (-2 * BOARD.square_m,) * 2)
    found = BOARD.find(np.repeat(image[..., None], 3, axis=2))
    where = true.project(BOARD.points_board @ T[:3, :3].T + T[:3, 3])
    assert_array_equal(found.ids, np.arange(40))
    assert np.sqrt(((found.uv_px - where) ** 2).sum(axis=1).mean()) < 0.12
    assert BOARD.find(np.zeros_like(image)) is None


@pytest.mark.parametrize("terms", [0, 8])
def test_the_number_of_lens_terms_is_a_choice(terms):
    one = tc.calibrate_camera(chess_pairs()[0], BOARD, terms=terms)
    assert len(one.camera.distortion) == terms
    assert (one.rms_px > 0.3) == (terms == 0)


@pytest.mark.parametrize(
    ("rms_px", "pairs", "rating"),
    [(0.4, 15, "EXCELLENT"), (0.4, 14, "ACCEPTABLE"), (0.9, 15, "GOOD"), (1.5, 10, "ACCEPTABLE"),
     (1.5, 9, "POOR"), (2.0, 40, "POOR")],
)  # fmt: skip
def test_ratings_are_the_documented_ones(calibration, rms_px, pairs, rating):
    errors = np.full((50, 2), np.nan)
    errors[:pairs] = rms_px
    rated = tc.StereoCalibration(
        calibration.rig, calibration.left, calibration.right, rms_px, errors, {}
    )
    assert rated.rating is CalibrationRating(rating)


def test_too_few_pictures_are_said_to_be_too_few():
    left, right = chess_pairs()
    grey = [np.full_like(image, 128) for image in left]
    with pytest.raises(tc.InputError, match="images: expected 3 pictures that show the board"):
        tc.calibrate_camera(grey, BOARD)
    with pytest.raises(tc.InputError, match="right_images: expected 10 pictures as in left_images"):
        tc.calibrate_stereo(left, right[:-1], BOARD)
    with pytest.raises(tc.InputError, match="right_images: expected 3 pairs that both show"):
        tc.calibrate_stereo(left[:5] + grey[5:], grey[:5] + right[5:], BOARD)
    with pytest.raises(tc.InputError, match="pictures of one size"):
        tc.calibrate_camera([left[0], left[1][:-1]], BOARD)
    with pytest.raises(tc.InputError, match="terms: expected 0, 5 or 8"):
        tc.calibrate_camera(left, BOARD, terms=3)


def test_a_board_that_cannot_be_is_refused():
    with pytest.raises(tc.InputError, match="columns: expected 3 inner corners or more"):
        tc.Chessboard(1, 5, 0.02)
    with pytest.raises(tc.InputError, match=r"square_m: expected a length above 0 \[m\]"):
        tc.Chessboard(5, 5, 0.0)
    with pytest.raises(tc.InputError, match=r"marker_m: expected less than square_m=0.02 m"):
        tc.CharucoBoard(5, 5, 0.02, 0.02)
    with pytest.raises(tc.InputError, match=r"dictionary: expected one of .*6X6_250.*, got '9X9'"):
        tc.CharucoBoard(5, 5, 0.02, 0.01, "9X9")
