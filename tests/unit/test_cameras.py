"""Cameras, rigs and their worlds: what they say of points they see."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.unit.rigs import LENSES, K, before_the_rig, pose, stereo_rig
from trackcore.cameras import metres_per

SIZE = (1920, 1080)


def grid_px() -> np.ndarray:
    """Return positions all over the picture, its corners among them."""
    x, y = np.meshgrid(np.linspace(-0.5, SIZE[0] - 0.5, 33), np.linspace(-0.5, SIZE[1] - 0.5, 19))
    return np.column_stack([x.ravel(), y.ravel()])


@pytest.mark.parametrize("lens", LENSES)
def test_undistorting_undoes_the_lens(lens):
    camera = tc.Camera(K=K, size=SIZE, distortion=lens)
    straight = camera.undistort(grid_px())
    assert np.isfinite(straight).all()
    assert_allclose(camera.distort(straight), grid_px(), atol=1e-10)


@pytest.mark.parametrize("lens", LENSES)
def test_projection_is_opencvs(lens):
    cv2 = pytest.importorskip("cv2")
    T = pose((0.1, -0.2, 0.05), (0.3, -0.1, 0.5))
    X = before_the_rig(300)
    theirs = cv2.projectPoints(X, cv2.Rodrigues(T[:3, :3])[0], T[:3, 3], K, np.array(lens))[0]
    ours = tc.Camera(K=K, size=SIZE, distortion=lens, T_cam_world=T).project(X)
    assert_allclose(ours, theirs[:, 0], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), terms=st.sampled_from([5, 8]))
def test_what_cannot_be_undistorted_is_nan_and_never_wrong(seed, terms):
    rng = np.random.default_rng(seed)
    lens = rng.normal(0, [0.5, 0.5, 0.02, 0.02, 0.3, 0.2, 0.1, 0.1][:terms])
    camera = tc.Camera(K=K, size=SIZE, distortion=tuple(lens))
    uv = rng.uniform(-2000, 4000, (200, 2))
    straight = camera.undistort(uv)
    back = camera.distort(straight)
    assert (np.isnan(back) == np.isnan(straight)).all()
    assert_allclose(back, np.where(np.isnan(back), np.nan, uv), atol=1e-8)


def test_a_lens_that_folds_shows_nothing_beyond_the_fold():
    camera = tc.Camera(K=K, size=SIZE, distortion=(-1.2, 0, 0, 0, 0))
    r = np.linspace(0, 1.5, 400)
    seen = camera.project(np.column_stack([r, 0 * r, np.ones(400)]))[:, 0]
    fold = np.sqrt(1 / 3.6)
    assert_array_equal(np.isnan(seen), r >= fold)
    assert (np.diff(seen[r < fold]) > 0).all()


def test_what_is_behind_is_not_seen():
    camera = tc.Camera(K=K, size=SIZE)
    assert np.isnan(camera.project([[0, 0, -1.0], [0.1, 0, 0]])).all()


def test_rays_go_through_what_was_seen():
    camera = stereo_rig().left
    X = before_the_rig(50)
    rays = camera.rays_world(camera.project(X))
    away = X - camera.center_world
    assert_allclose(rays, away / np.linalg.norm(away, axis=1, keepdims=True), atol=1e-12)


def test_pixels_end_half_a_pixel_beyond_their_centres():
    camera = tc.Camera(K=K, size=SIZE)
    uv = [[-0.5, -0.5], [1919.5, 1079.5], [-0.6, 5], [5, 1079.6], [np.nan, 5]]
    assert camera.inside(uv).tolist() == [True, True, False, False, False]


def test_stamps_go_to_the_common_clock_exactly():
    start = 1_700_000_000_000_000_000  # as since 1970: more than a double holds
    camera = tc.Camera(
        K=K, size=SIZE, line_time_ns=10_000.0, clock_offset_ns=5e6, clock_drift=20e-6,
        clock_reference_ns=start,
    )  # fmt: skip
    t = start + np.array([0, 1_000_000_000])
    assert camera.common_time_ns(t).tolist() == [start + 5_000_000, start + 1_005_020_000]
    assert (camera.common_time_ns(t, [0, 540]) - camera.common_time_ns(t)).tolist() == [
        0,
        5_400_000,
    ]


def test_cameras_are_values():
    a, b = stereo_rig().left, stereo_rig().left
    assert a == b
    assert hash(a) == hash(b)
    assert a != stereo_rig().right
    with pytest.raises(ValueError, match="read-only"):
        a.K[0, 0] = 1.0
    mine = np.array(K)
    camera = tc.Camera(K=mine, size=SIZE)
    mine[0, 0] = 1.0
    assert camera.K[0, 0] == K[0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"K": np.eye(4)}, r"K: expected shape \(3, 3\)"),
        ({"K": np.diag([-1.0, 1, 1])}, "K: expected .* focal lengths above 0"),
        ({"size": (0, 5)}, r"size: expected \(width, height\)"),
        ({"size": 5}, "size: expected"),
        ({"distortion": (0.1, 0.2)}, "distortion: expected 0, 4, 5 or 8"),
        ({"distortion": (np.nan,) * 5}, "distortion: expected .* finite"),
        ({"T_cam_world": np.diag([1.0, 1, -1, 1])}, "T_cam_world: expected a rotation"),
        ({"T_cam_world": 2 * np.eye(4)}, "T_cam_world: expected a rotation"),
        ({"line_time_ns": np.nan}, "line_time_ns: expected a finite number"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(change, message):
    with pytest.raises(tc.InputError, match=message):
        tc.Camera(**({"K": K, "size": SIZE} | change))


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("method", ["dlt", "optimal", "refined"])
def test_a_rig_finds_what_it_sees_through_any_lens(lens, method):
    rig, X = stereo_rig(lens), before_the_rig(400)
    points = rig.triangulate(rig.project(X), method=method)
    assert points.ok.all()
    assert points.reprojection_px.max() <= 1e-8
    assert_allclose(points.X_world, X, atol=1e-8)


def test_a_point_is_on_its_epipolar_line():
    rig, X = stereo_rig(), before_the_rig(40)
    left, right = np.moveaxis(rig.project(X), 1, 0)
    assert rig.sampson_px(left, right).max() < 1e-9
    assert rig.epipolar_px(left, right).max() < 1e-9
    pairs = rig.sampson_px(left[:, None], right[None])
    assert pairs.shape == (40, 40)
    assert_allclose(np.diag(pairs), 0, atol=1e-9)
    assert np.median(pairs) > 10


def test_the_sampson_error_is_the_least_move_that_makes_rays_meet():
    rig, X = stereo_rig(()), before_the_rig(200)
    uv = rig.project(X) + np.random.default_rng(0).normal(0, 0.5, (200, 2, 2))
    least = rig.triangulate(uv, method="optimal").view_error_px
    moved = np.sqrt((least**2).sum(axis=1))
    assert_allclose(rig.sampson_px(uv[:, 0], uv[:, 1]), moved, rtol=1e-3, atol=1e-6)


def test_a_rig_in_another_world_sees_the_same():
    rig, X = stereo_rig(), before_the_rig(20)
    T = pose((0.3, 1.2, -0.4), (3, -2, 10))
    moved = rig.with_world(T)
    assert_allclose(moved.project(X @ T[:3, :3].T + T[:3, 3]), rig.project(X), atol=1e-8)
    assert_allclose(moved.T_right_left, rig.T_right_left, atol=1e-12)
    assert moved.baseline_m == pytest.approx(np.hypot(1.2192, 0.04))


def test_two_cameras_in_one_place_are_no_rig():
    camera = tc.Camera(K=K, size=SIZE)
    with pytest.raises(tc.InputError, match="right: expected a camera in another place"):
        tc.StereoRig(left=camera, right=camera)


# ---- frames ----


def test_the_pitch_frame_is_left_handed_feet():
    frame = tc.PITCH_FRAME
    assert frame.handedness == "left"
    X = np.random.default_rng(0).normal(size=(10, 3))
    assert_allclose(frame.from_world(frame.to_world(X)), X)
    assert_allclose(frame.to_world([0, 1, 0]), [0, 0.3048, 0])
    assert_allclose(frame.to_world([0, 0, 60.5]), [0, 0, -18.4404])  # the rubber, from the catcher


def test_the_magnus_force_is_the_same_in_a_left_handed_frame():
    # Spin crosses over with a sign, so that the formula with the cross product stays as it is.
    frame = tc.PITCH_FRAME
    spin, velocity = np.random.default_rng(1).normal(size=(2, 5, 3))
    force = np.cross(spin, velocity)
    seen = np.cross(frame.spin_from_world(spin), frame.from_world(velocity))
    assert_allclose(frame.to_world(seen), force, atol=1e-12)
    assert_allclose(frame.spin_to_world(frame.spin_from_world(spin)), spin)


@pytest.mark.parametrize("unit", ["m", "Feet", "inches", "mm", "metres", "yd", "foot"])
def test_units_go_by_their_usual_names(unit):
    wanted = {"m": 1, "Feet": 0.3048, "inches": 0.0254, "mm": 1e-3, "metres": 1, "yd": 0.9144,
              "foot": 0.3048}  # fmt: skip
    assert metres_per(unit) == wanted[unit]


def test_an_unknown_unit_is_refused():
    with pytest.raises(tc.InputError, match="unit: expected a unit of length"):
        tc.WorldFrame("mine", unit="cubits")
    with pytest.raises(tc.InputError, match="axes: expected three signed axes"):
        tc.WorldFrame("mine", axes=np.ones((3, 3)))


# ---- the world from known points ----


def in_the_world(T_world_rig: np.ndarray, X_world: np.ndarray) -> np.ndarray:
    return (X_world - T_world_rig[:3, 3]) @ T_world_rig[:3, :3]


def behind_the_catcher() -> np.ndarray:
    """Return the pose of a rig 1.8 m up and 3 m behind the plate, looking at the pitcher.

    The world is right-handed: Y up, Z to the catcher; the rig's y is down and its z forward.
    """
    return pose((0, 0, 0), (0.1, 1.8, 3.0)) @ pose((np.pi - 0.3, 0, 0), (0, 0, 0))


def test_home_plate_and_a_pole_give_the_world():
    T = behind_the_catcher()
    known = np.vstack([tc.home_plate_ft(), [[0.0, 4.0, 20.0], [2.0, 0.0, 30.0]]])
    rig = stereo_rig()
    uv = rig.project(in_the_world(T, tc.PITCH_FRAME.to_world(known)))
    assert np.isfinite(uv).all()
    fit = tc.solve_world(rig, known, uv, frame=tc.PITCH_FRAME)
    assert_allclose(fit.T_world_rig, T, atol=1e-9)
    assert fit.rms_px < 1e-8
    assert fit.scale == pytest.approx(1.0, abs=1e-9)
    assert fit.error_m.max() < 1e-8
    ball = np.array([[0.5, 3.0, 40.0]])
    seen = rig.project(in_the_world(T, tc.PITCH_FRAME.to_world(ball)))
    assert_allclose(fit.rig.frame.from_world(fit.rig.triangulate(seen).X_world), ball, atol=1e-7)


def test_plate_corners_alone_put_the_ground_down():
    # In one plane the mirror image fits as well: only the frame says which side is up.
    T, rig = behind_the_catcher(), stereo_rig()
    uv = rig.project(in_the_world(T, tc.PITCH_FRAME.to_world(tc.home_plate_ft())))
    fit = tc.solve_world(rig, tc.home_plate_ft(), uv, frame=tc.PITCH_FRAME)
    assert fit.rig.left.center_world[1] == pytest.approx(1.8, abs=0.1)
    assert_allclose(fit.T_world_rig, T, atol=1e-7)


def test_noise_is_weighed_as_the_pictures_see_it():
    T, rig = behind_the_catcher(), stereo_rig()
    rng = np.random.default_rng(0)
    known = np.vstack([rng.uniform((-1, 0, -12), (1, 2, 0), (12, 3))])
    uv = rig.project(in_the_world(T, known)) + rng.normal(0, 0.2, (12, 2, 2))
    fit = tc.solve_world(rig, known, uv)
    assert 0.15 < fit.rms_px / np.sqrt(2) < 0.25
    assert np.linalg.norm(fit.T_world_rig[:3, 3] - T[:3, 3]) < 0.005


@pytest.mark.parametrize("n_both", [3, 0])
def test_three_points_for_two_cameras_or_four_for_one(n_both):
    T, rig = behind_the_catcher(), stereo_rig()
    known = tc.PITCH_FRAME.to_world(tc.home_plate_ft())
    uv = rig.project(in_the_world(T, known))
    if n_both == 3:
        known, uv = known[:3], uv[:3]
    else:
        uv[:, 1] = np.nan
    fit = tc.solve_world(rig, known, uv)
    assert_allclose(fit.T_world_rig, T, atol=1e-5)
    assert np.isnan(fit.error_px[:, 1]).all() == (n_both == 0)


def test_too_little_is_said_to_be_too_little():
    T, rig = behind_the_catcher(), stereo_rig()
    line = np.array([[0, 0, -z] for z in (0.0, 1, 2, 3, 4)])
    for known in (tc.PITCH_FRAME.to_world(tc.home_plate_ft())[:2], line):
        uv = rig.project(in_the_world(T, known))
        with pytest.raises(tc.InputError, match="uv_px: expected 3 points seen by both cameras"):
            tc.solve_world(rig, known, uv)


def test_a_word_is_no_frame():
    with pytest.raises(tc.InputError, match="frame: expected a WorldFrame, got str"):
        tc.solve_world(stereo_rig(), np.zeros((3, 3)), np.zeros((3, 2, 2)), frame="pitch")


def test_a_wrong_unit_shows_in_the_scale():
    T, rig = behind_the_catcher(), stereo_rig()
    known = np.random.default_rng(0).uniform((-1, 0, -12), (1, 2, 0), (12, 3))
    fit = tc.solve_world(rig, known * 1.1, rig.project(in_the_world(T, known)))
    assert fit.scale == pytest.approx(1 / 1.1)
    assert fit.rms_px > 1


def test_poses_of_every_kind_are_found():
    rig, rng = stereo_rig(), np.random.default_rng(2)
    for turn in itertools.product((-2.0, 0.4, 3.0), repeat=3):
        T = pose(turn, tuple(rng.normal(0, 5, 3)))
        X = before_the_rig(6, seed=int(rng.integers(1000)))
        known = X @ T[:3, :3].T + T[:3, 3]
        assert_allclose(tc.solve_world(rig, known, rig.project(X)).T_world_rig, T, atol=1e-8)
