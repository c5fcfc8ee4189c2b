"""track_points: where points go, why they do not, and what it refuses."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from trackcore import FramePyramid, PointStatus, TrackOptions, synth, track_points
from trackcore.options import TrackerOptions

FIGURES = ("xy_px", "ncc", "residual", "sigma_px", "fb_px")
SCENE = synth.pair("medium", seed=3, n_points=30)


def shifted(dx, dy):
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def picture(texture="medium", seed=3, warp=None, size=(160, 120), **kwargs):
    return synth.render(synth.TEXTURES[texture](seed), size, warp=warp, **kwargs)


def errors_px(found, true):
    return np.linalg.norm(found.xy_px - true, axis=1)


def assert_lost(found, status):
    """All points have this status and nothing else."""
    assert {PointStatus(s).name for s in found.status} == {status.name}
    assert not found.ok.any()
    for name in FIGURES:
        assert np.isnan(getattr(found, name)).all()


# --- answers ---------------------------------------------------------------------------------


def test_points_are_found_and_every_figure_has_its_shape_and_type():
    found = track_points(SCENE.prev, SCENE.next, SCENE.xy_px)
    assert found.ok.all()
    assert errors_px(found, SCENE.true_xy_px).max() < 0.05
    assert found.xy_px.shape == (30, 2)
    assert found.xy_px.dtype == np.float64
    assert found.status.dtype == np.uint8
    for name in ("ncc", "residual", "sigma_px"):
        assert getattr(found, name).shape == (30,)
        assert getattr(found, name).dtype == np.float32
        assert np.isfinite(getattr(found, name)).all()
    assert np.isnan(found.fb_px).all()  # nobody asked


def test_the_same_picture_twice_means_no_motion():
    found = track_points(SCENE.prev, SCENE.prev, SCENE.xy_px)
    assert errors_px(found, SCENE.xy_px).max() < 1e-3
    assert found.ncc.min() > 0.9999
    assert found.residual.max() < 0.1


def test_a_whole_pixel_shift_is_found_exactly():
    found = track_points(picture(), picture(warp=shifted(5, -3)), [[80.3, 60.7], [50, 40]])
    assert errors_px(found, [[85.3, 57.7], [55, 37]]).max() < 1e-3


def test_motion_of_many_pixels_is_found_from_coarse_to_fine():
    for dx, dy in [(25, 10), (-18, 21), (0, -30)]:
        prev = picture("pink", size=(320, 240))
        next_ = picture("pink", size=(320, 240), warp=shifted(dx, dy))
        found = track_points(prev, next_, [[160.5, 120.25]])
        assert errors_px(found, [[160.5 + dx, 120.25 + dy]]).max() < 0.02
        alone = track_points(prev, next_, [[160.5, 120.25]], options=TrackOptions(levels=1))
        assert not alone.ok.any() or errors_px(alone, [[160.5 + dx, 120.25 + dy]]).max() > 1


def test_a_guess_replaces_the_search():
    prev, next_ = picture(), picture(warp=shifted(40, 0))
    options = TrackOptions(levels=1)
    found = track_points(prev, next_, [[60, 60]], options=options, guess_px=[[101, 60.5]])
    assert errors_px(found, [[100, 60]]).max() < 0.01


def test_a_guess_of_nan_is_no_guess():
    guess = SCENE.true_xy_px.copy()
    guess[::2] = np.nan
    mixed = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, guess_px=guess)
    without = track_points(SCENE.prev, SCENE.next, SCENE.xy_px)
    assert_array_equal(mixed.xy_px[::2], without.xy_px[::2])
    assert mixed.ok.all()


def test_the_part_of_a_window_that_both_frames_show_is_enough():
    rng = np.random.default_rng(0)
    truth, found = [], []
    for seed in range(4):
        scene = synth.pair("medium", seed=seed, amount=0.5, margin_px=0, n_points=0)
        at = rng.uniform(0, 8, (40, 2)) * [1, 30]  # the left 8 px
        end = synth.apply_warp(scene.warp, at)
        stays = (end[:, 0] > 0) & (end[:, 1] > 0) & (end[:, 1] < 239)
        found.append(track_points(scene.prev, scene.next, at[stays]).xy_px)
        truth.append(end[stays])
    apart = np.linalg.norm(np.concatenate(found) - np.concatenate(truth), axis=1)
    assert np.median(apart) < 0.025
    assert np.quantile(apart, 0.9) < 0.08


@pytest.mark.parametrize("gain", [0.4, 0.7, 1.3, 1.8])
def test_contrast_may_change_almost_twofold(gain):
    texture = synth.plane_waves(1, rms_contrast=12.0)
    scene = synth.pair(texture, seed=1, noise=1.0, gain=gain, bias=127 * (1 - gain), n_points=40)
    options = TrackOptions(photometric="gain_bias")
    found = track_points(scene.prev, scene.next, scene.xy_px, options=options)
    assert found.ok.all()
    bound = 1.177 * scene.crlb_px()
    assert np.median(errors_px(found, scene.true_xy_px) / bound) < 1.3


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint16, 257.0), (np.uint16, 16.0),
                                             (np.float32, 1 / 255), (np.float32, 1e4)])  # fmt: skip
@pytest.mark.parametrize("photometric", ["none", "gain_bias"])
def test_the_scale_of_grey_levels_does_not_matter(dtype, unit, photometric):
    options = TrackOptions(photometric=photometric, forward_backward=True)
    eight_bit = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, options=options)
    prev, next_ = ((image * unit).astype(dtype) for image in (SCENE.prev, SCENE.next))
    found = track_points(prev, next_, SCENE.xy_px, options=options)
    assert_array_equal(found.status, eight_bit.status)
    assert errors_px(found, eight_bit.xy_px).max() < 5e-3
    assert found.ncc == pytest.approx(eight_bit.ncc, abs=2e-3)
    assert found.residual == pytest.approx(eight_bit.residual * unit, rel=0.03)
    assert found.sigma_px == pytest.approx(eight_bit.sigma_px, rel=0.05)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("photometric", ["bias", "gain_bias"])
def test_a_brighter_lamp_does_not_clip_a_faint_texture(dtype, photometric):
    faint = synth.plane_waves(1, rms_contrast=3.0)
    prev = synth.render(faint, (160, 120), dtype=dtype)
    next_ = synth.render(faint, (160, 120), warp=shifted(1.3, -0.6), bias=60, dtype=dtype)
    xy = np.random.default_rng(0).uniform(25, 95, (20, 2))
    options = TrackOptions(photometric=photometric)
    found = track_points(prev, next_, xy, options=options)
    assert found.ok.all()
    assert errors_px(found, xy + np.array([1.3, -0.6])).max() < 0.01


# --- why there is no answer ------------------------------------------------------------------


def test_a_point_that_is_not_a_number_is_unseen():
    points = [[np.nan, 5], [5, np.nan], [np.nan, np.nan], [np.inf, 5], [5, -np.inf]]
    assert_lost(track_points(SCENE.prev, SCENE.next, points), PointStatus.UNSEEN)


def test_a_point_outside_the_first_frame_is_out_of_frame():
    points = [[-1, 50], [50, -0.6], [320, 50], [50, 240], [1e12, 5], [5, -1e300]]
    assert_lost(track_points(SCENE.prev, SCENE.next, points), PointStatus.OUT_OF_FRAME)


def test_a_point_that_leaves_the_picture_is_out_of_frame():
    prev, next_ = picture(), picture(warp=shifted(-8, 0))
    found = track_points(prev, next_, [[5, 60], [3.5, 40]])
    assert_lost(found, PointStatus.OUT_OF_FRAME)
    far = np.full((30, 2), 1e9)
    found = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, guess_px=far)
    assert_lost(found, PointStatus.OUT_OF_FRAME)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_and_saturated_pictures_have_low_texture(dtype, level):
    flat = np.full((80, 80), level, dtype)
    found = track_points(flat, flat, [[40, 40], [3, 3], [20.5, 60.2]])
    assert_lost(found, PointStatus.LOW_TEXTURE)


def test_noise_on_a_flat_wall_is_not_texture():
    flat = synth.plane_waves(0, rms_contrast=0.0)
    for noise in (0.5, 2.0, 5.0):
        prev, next_ = (
            synth.render(flat, (200, 160), noise=noise, rng=np.random.default_rng([seed]))
            for seed in (1, 2)
        )
        xy = np.random.default_rng(3).uniform(20, 140, (100, 2))
        for options in (TrackOptions(), TrackOptions(precise=True, photometric="gain_bias")):
            found = track_points(prev, next_, xy, options=options)
            assert not found.ok.any()
            assert (found.status == PointStatus.LOW_TEXTURE).mean() > 0.9


def test_a_cut_to_another_scene_has_low_correlation():
    xy = [[x + 0.5, y] for x in range(30, 100, 12) for y in range(30, 90, 12)]
    found = track_points(picture(seed=1), picture(seed=2), xy)
    assert not found.ok.any()
    assert PointStatus.LOW_CORRELATION in found.status
    for name in FIGURES:
        assert np.isnan(getattr(found, name)).all()


def test_too_few_iterations_do_not_converge():
    prev, next_ = picture("smooth"), picture("smooth", warp=shifted(4, 3))
    options = TrackOptions(levels=1, max_iterations=1)
    found = track_points(prev, next_, [[60, 60], [90, 50]], options=options)
    assert_lost(found, PointStatus.NOT_CONVERGED)


def test_a_point_that_does_not_return_failed_the_way_back():
    prev, next_ = picture(), picture(warp=shifted(2, 1))
    next_[40:100, 50:120] = picture(seed=9)[40:100, 50:120]  # something came in front
    points = [[75, 65], [85, 70], [100, 65], [25, 25]]
    there = TrackOptions(min_ncc=-1)
    there_and_back = replace(there, forward_backward=True, max_fb_px=0.5)
    invented = track_points(prev, next_, points, options=there).ok
    found = track_points(prev, next_, points, options=there_and_back)
    assert invented[:3].any()
    assert_array_equal(found.status[:3][invented[:3]], PointStatus.FAILED_FB)
    assert np.isnan(found.xy_px[:3]).all()
    assert np.isnan(found.fb_px[:3]).all()
    assert found.ok[3]
    assert found.fb_px[3] < 0.02


def test_lost_points_have_nothing_but_a_status_and_tracked_ones_everything():
    points = np.concatenate([SCENE.xy_px, [[np.nan, 0], [-9, 4]], [[0.0, 0.0], [319, 239]]])
    options = TrackOptions(forward_backward=True, max_sigma_px=0.009)
    found = track_points(SCENE.prev, SCENE.next, points, options=options)
    assert 0 < found.ok.sum() < len(points) - 2
    for name in FIGURES:
        values = getattr(found, name).reshape(len(points), -1)
        assert_array_equal(np.isnan(values).any(axis=1), ~found.ok)
        assert_array_equal(np.isnan(values).all(axis=1), ~found.ok)


@pytest.mark.parametrize(
    ("name", "figure", "worse"),
    [
        ("min_ncc", "ncc", np.less),
        ("max_sigma_px", "sigma_px", np.greater),
        ("max_fb_px", "fb_px", np.greater),
    ],
)
def test_a_threshold_drops_what_is_worse_and_nothing_else(name, figure, worse):
    options = TrackOptions(forward_backward=figure == "fb_px")
    plain = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, options=options)
    limit = float(np.median(getattr(plain, figure)))
    options = replace(options, **{name: limit})
    strict = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, options=options)
    assert_array_equal(strict.ok, ~worse(getattr(plain, figure), limit))
    assert_array_equal(strict.xy_px[strict.ok], plain.xy_px[strict.ok])


# --- pictures that are not plain -------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["prev", "next"])
def test_a_pixel_that_is_not_a_number_loses_the_windows_that_touch_it(bad, which):
    images = {k: getattr(SCENE, k).astype(np.float32) for k in ("prev", "next")}
    clean = track_points(images["prev"], images["next"], SCENE.xy_px)
    at = np.rint(SCENE.xy_px if which == "prev" else SCENE.true_xy_px).astype(int)[0]
    images[which][at[1] + 4, at[0] - 6] = bad
    found = track_points(images["prev"], images["next"], SCENE.xy_px)
    assert not found.ok[0]
    far = np.abs(SCENE.xy_px - SCENE.xy_px[0]).max(axis=1) > 150
    assert far.any()
    assert_array_equal(found.xy_px[far], clean.xy_px[far])
    images[which][:] = bad
    assert not track_points(images["prev"], images["next"], SCENE.xy_px).ok.any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 2), (3, 9), (4, 4)])
def test_a_picture_of_almost_no_pixels_has_low_texture(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    corner = [shape[1] - 1, shape[0] - 1]
    assert_lost(track_points(image, image, [[0, 0], corner]), PointStatus.LOW_TEXTURE)


def test_a_picture_smaller_than_the_window_is_tracked_by_what_there_is():
    prev, next_ = picture(size=(30, 14)), picture(size=(30, 14), warp=shifted(0.7, -0.4))
    found = track_points(prev, next_, [[15, 7], [12.3, 6.6]], options=TrackOptions(window=31))
    assert found.ok.all()
    assert errors_px(found, [[15.7, 6.6], [13.0, 6.2]]).max() < 0.03


def test_layout_and_writability_of_pictures_do_not_matter():
    prev, next_ = picture(size=(161, 121)), picture(size=(161, 121), warp=shifted(1.4, 0.3))
    xy = np.random.default_rng(1).uniform(25, 95, (12, 2))
    plain = track_points(prev, next_, xy)
    padded = [np.pad(image, ((3, 5), (7, 2)))[3:-5, 7:-2] for image in (prev, next_)]
    fortran = [np.asfortranarray(image) for image in (prev, next_)]
    from_flipped = [np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1] for image in (prev, next_)]
    channel = [np.stack([image, 255 - image], axis=2)[..., 0] for image in (prev, next_)]
    grey_as_colour = [np.repeat(image[..., None], 3, axis=2) for image in (prev, next_)]
    for first, second in (padded, fortran, from_flipped, channel, grey_as_colour):
        first.setflags(write=False)
        found = track_points(first, second, xy)
        assert_array_equal(found.xy_px, plain.xy_px)
        assert_array_equal(found.residual, plain.residual)


def test_nothing_given_is_changed():
    prev, next_, xy = SCENE.prev.copy(), SCENE.next.copy(), SCENE.xy_px.copy()
    track_points(prev, next_, xy, guess_px=xy, options=TrackOptions(forward_backward=True))
    assert_array_equal(prev, SCENE.prev)
    assert_array_equal(next_, SCENE.next)
    assert_array_equal(xy, SCENE.xy_px)


def test_pyramids_of_fewer_levels_than_asked_for_are_used_as_they_are():
    shallow = [FramePyramid(image, 2) for image in (SCENE.prev, SCENE.next)]
    expected = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, options=TrackOptions(levels=2))
    assert_array_equal(track_points(*shallow, SCENE.xy_px).xy_px, expected.xy_px)


def test_no_points_is_a_fine_question():
    for nothing in ([], np.zeros((0, 2)), np.zeros((0, 2), np.float32)):
        found = track_points(SCENE.prev, SCENE.next, nothing)
        assert found.xy_px.shape == (0, 2)
        assert found.status.shape == found.ncc.shape == (0,)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, ">f8"])
def test_points_of_any_real_type_and_layout_are_taken(dtype):
    xy = np.rint(SCENE.xy_px[SCENE.xy_px.max(axis=1) < 250]).astype(dtype)
    expected = track_points(SCENE.prev, SCENE.next, xy.astype(np.float64))
    for points in (xy, np.asfortranarray(xy), np.repeat(xy, 2, axis=0)[::2], xy.tolist()):
        assert_array_equal(track_points(SCENE.prev, SCENE.next, points).xy_px, expected.xy_px)


def test_options_of_a_tracker_are_options():
    found = track_points(SCENE.prev, SCENE.next, SCENE.xy_px, options=TrackerOptions())
    assert found.ok.all()


def test_several_threads_may_share_pyramids():
    first, second = FramePyramid(SCENE.prev), FramePyramid(SCENE.next)
    expected = track_points(first, second, SCENE.xy_px).xy_px
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(track_points, first, second, SCENE.xy_px, threads=2) for _ in range(40)
        ]
        for call in calls:
            assert_array_equal(call.result().xy_px, expected)
