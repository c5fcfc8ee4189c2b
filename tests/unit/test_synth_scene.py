"""The demo scene and cameras: is the truth true?

Checked against a ray caster written out by hand, which solves one 3 x 3 system per rectangle.
"""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from trackcore import synth


@pytest.fixture(scope="module")
def scene():
    return synth.ParallaxScene(1, size=(320, 180), n_frames=12, noise=0.0)


def cast_by_hand(scene, origin, direction, skip=None):
    """Return distance along a world ray to the nearest rectangle, by solving 3 x 3 systems."""
    nearest, number = np.inf, None
    for i, r in enumerate(scene._rectangles):
        # origin + distance * direction = corner + s * axis_s + t * axis_t
        system = np.column_stack([r.axes_world[0], r.axes_world[1], -direction])
        if abs(np.linalg.det(system)) < 1e-12 or i == skip:
            continue
        s, t, distance = np.linalg.solve(system, origin - r.origin_world)
        inside = 0 <= s <= r.size_m[0] and 0 <= t <= r.size_m[1]
        if inside and 1e-9 < distance < nearest:
            nearest, number = distance, i
    return nearest, number


def eye_of(scene, frame):
    pose = scene.T_cam_world[frame]
    return -pose[:3, :3].T @ pose[:3, 3]


def test_poses_are_rigid_and_move_smoothly(scene):
    rotations = scene.T_cam_world[:, :3, :3]
    assert_allclose(rotations @ rotations.transpose(0, 2, 1), [np.eye(3)] * 12, atol=1e-12)
    assert_allclose(np.linalg.det(rotations), 1)
    eyes = np.array([eye_of(scene, i) for i in range(12)])
    steps = np.linalg.norm(np.diff(eyes, axis=0), axis=1)
    assert steps.min() > 0.05
    assert steps.max() < 3 * steps.min()


def test_surface_points_are_where_a_ray_cast_by_hand_hits(scene):
    xy = np.random.default_rng(0).uniform(-0.5, (319.5, 179.5), (60, 2))
    X = scene.surface_points(xy, 4)
    pose, eye = scene.T_cam_world[4], eye_of(scene, 4)
    for (x, y), point in zip(xy, X, strict=True):
        ray = pose[:3, :3].T @ np.linalg.solve(scene.K, [x, y, 1])
        distance, _ = cast_by_hand(scene, eye, ray)
        assert_allclose(point, eye + distance * ray, atol=1e-9)
    assert_allclose(scene.project(X, 4), xy, atol=1e-9)


def test_truth_tracks_are_projections_and_hidden_when_something_is_in_front(scene):
    xy = np.random.default_rng(3).uniform(0, (319, 179), (80, 2))
    X, tracks = scene.surface_points(xy, 2), scene.track_truth(xy, 2)
    assert_allclose(tracks[:, 2], xy, atol=1e-9)
    hidden = 0
    for frame in (0, 6, 11):
        eye, seen = eye_of(scene, frame), scene.project(X, frame)
        for point, expected, track in zip(X, seen, tracks[:, frame], strict=True):
            in_view = (expected >= -0.5).all() and (expected <= (319.5, 179.5)).all()
            distance, _ = cast_by_hand(scene, eye, point - eye)
            if in_view and distance > 1 - 1e-9:
                assert_allclose(track, expected, atol=1e-9)
            else:
                assert np.isnan(track).all()
                hidden += in_view
    assert hidden > 3  # the scene has occlusion, or this test shows nothing


def test_a_surface_point_keeps_its_grey_level_in_every_frame(scene):
    xy = np.random.default_rng(5).uniform(5, (314, 174), (300, 2))
    tracks = scene.track_truth(xy)
    grey = np.stack([scene.sample(tracks[:, i], i) for i in range(12)], axis=1)
    beside = np.stack([scene.sample(tracks[:, i] + 1, i) for i in range(12)], axis=1)
    own = np.nanmedian(np.nanstd(grey, axis=1))
    # what is left is the pixel's size on the surface, which changes with distance
    assert own < 1.0
    assert np.nanmedian(np.abs(beside - grey)) > 6 * own


def test_frames_are_the_average_over_each_pixel():
    # a camera with 8 times the resolution sees the room almost in points
    coarse, fine = (
        synth.ParallaxScene(2, size=(160 * k, 90 * k), n_frames=3, noise=0.0) for k in (1, 8)
    )
    xy = np.random.default_rng(0).integers(0, (160, 90), (1500, 2))
    offsets = (np.arange(8) + 0.5) / 8 - 0.5
    points = [fine.sample((xy + (du, dv) + 0.5) * 8 - 0.5, 1) for du in offsets for dv in offsets]
    picture = coarse.frame(1).astype(float)
    difference = picture[xy[:, 1], xy[:, 0]] - np.clip(np.mean(points, axis=0), 0, 255)
    assert abs(difference.mean()) < 0.2
    assert np.sqrt((difference**2).mean()) < 3  # one pixel aside: 28
    assert np.percentile(np.abs(difference), 95) < 4


def test_scene_frames_repeat_and_do_not_depend_on_the_order_of_asking():
    noisy = synth.ParallaxScene(4, size=(64, 36), n_frames=4, noise=2.0)
    frames = list(noisy.frames())
    assert [f.dtype for f in frames] == [np.uint8] * 4
    assert [f.shape for f in frames] == [(36, 64)] * 4
    assert_array_equal(
        synth.ParallaxScene(4, size=(64, 36), n_frames=4, noise=2.0).frame(2), frames[2]
    )
    assert (
        synth.ParallaxScene(5, size=(64, 36), n_frames=4, noise=2.0).frame(2) != frames[2]
    ).any()


def test_scene_truth_survives_json(scene):
    read = json.loads(json.dumps(scene.truth()))
    assert_array_equal(read["K"], scene.K)
    assert_array_equal(read["T_cam_world"], scene.T_cam_world)
    assert read["size"] == [320, 180]


def test_unknown_points_stay_unknown(scene):
    xy = [[np.nan, 3.0], [100.0, 90.0]]
    assert np.isnan(scene.track_truth(xy)[0]).all()
    assert np.isnan(scene.sample(xy, 0)[0])
    assert np.isfinite(scene.sample(xy, 0)[1])
    assert scene.track_truth(np.empty((0, 2))).shape == (0, 12, 2)


# --- cameras ---------------------------------------------------------------------------------


def test_every_camera_of_the_ring_looks_at_the_origin_from_its_radius():
    P = synth.ring_of_cameras(5, radius_m=3.0)
    assert P.shape == (5, 3, 4)
    assert_allclose(synth.project(P, [[0, 0, 0]])[0], np.tile([639.5, 359.5], (5, 1)), atol=1e-9)
    below = synth.project(P, [[0, 0.5, 0]])[0]
    assert (below[:, 1] > 400).all()  # y is down in the world and in the picture
    eyes = np.array([-np.linalg.solve(p[:, :3], p[:, 3]) for p in P])
    assert_allclose(np.hypot(eyes[:, 0], eyes[:, 2]), 3)


def test_points_behind_a_camera_are_not_seen():
    P = synth.ring_of_cameras(2)
    eyes = np.array([-np.linalg.solve(p[:, :3], p[:, 3]) for p in P])
    seen = synth.project(P, 2 * eyes[:1])
    assert seen.shape == (1, 2, 2)
    assert np.isnan(seen[0, 0]).all()
    assert np.isfinite(seen[0, 1]).all()
