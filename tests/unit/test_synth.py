"""The scenes whose answer is known: is the answer right?

Everything here is checked against formulas or brute force written out again, never against the
module's own shortcuts.
"""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from trackcore import synth
from trackcore.errors import InputError
from trackcore.options import MotionModel

SIZE = (48, 40)


def shifted(dx, dy):
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def some_warp(model, seed=0, size=SIZE):
    center = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    return synth.warps(model, np.random.default_rng(seed), center_px=center)[0]


def by_brute_force(texture, size, warp, per_axis=32):
    """Average point samples of the texture at the warped-back positions: slow and obvious."""
    w, h = size
    back = np.linalg.inv(warp)
    offsets = (np.arange(per_axis) + 0.5) / per_axis - 0.5
    v, u = np.mgrid[0:h, 0:w].astype(float)
    total = np.zeros((h, w))
    for dv in offsets:
        for du in offsets:
            x, y, z = np.einsum("ij,jvu->ivu", back, np.stack([u + du, v + dv, np.ones((h, w))]))
            total += texture(x / z, y / z)
    return total / per_axis**2


# --- textures and rendering ------------------------------------------------------------------


@pytest.mark.parametrize("name", synth.TEXTURES)
def test_a_whole_pixel_shift_moves_the_picture_and_changes_nothing_else(name):
    texture = synth.TEXTURES[name](3)
    still = synth.render(texture, SIZE, dtype=np.float32)
    moved = synth.render(texture, SIZE, warp=shifted(5, -3), dtype=np.float32)
    assert still.std() > 3
    assert_allclose(moved[:-3, 5:], still[3:, :-5], atol=1e-3)


@pytest.mark.parametrize("model", MotionModel)
def test_plane_waves_equal_brute_force_integration_under_every_model(model):
    texture, warp = synth.plane_waves(1, std_rad_per_px=0.8, n_waves=12), some_warp(model)
    picture = synth.render(texture, SIZE, warp=warp, dtype=np.float32)
    # 32 x 32 samples leave (0.8 rad / 32)^2 / 24 of the contrast, and outliers of the spectrum
    assert_allclose(picture, by_brute_force(texture, SIZE, warp), atol=0.01)


@pytest.mark.parametrize("name", ["gabor", "corners", "edge_only"])
def test_supersampled_textures_are_close_to_brute_force(name):
    texture, warp = synth.TEXTURES[name](2), some_warp("Perspective")
    difference = synth.render(texture, SIZE, warp=warp, dtype=np.float32) - by_brute_force(
        texture, SIZE, warp, 16
    )
    assert abs(difference.mean()) < 0.02
    assert difference.std() < 0.15


def test_a_wave_loses_contrast_to_the_pixel_by_the_sinc_formula():
    for cycles_per_px in (0.05, 0.2, 0.45):
        wave = synth.PlaneWaves(np.array([[cycles_per_px, 0.0]]), np.zeros(1), np.array([100.0]))
        row = synth.render(wave, (400, 1), dtype=np.float32)[0] - 127
        angle = np.pi * cycles_per_px
        expected = 100 * np.sin(angle) / angle * np.cos(2 * angle * np.arange(400))
        assert_allclose(row, expected, atol=1e-4)


def test_the_second_way_of_averaging_waves_agrees_with_the_first():
    texture, warp = synth.plane_waves(4, std_rad_per_px=0.8), some_warp("Affine")
    exact = synth.render(texture, SIZE, warp=warp, dtype=np.float32)
    warp[2, 0] = 1e-13  # enough to leave the affine path
    assert_allclose(synth.render(texture, SIZE, warp=warp, dtype=np.float32), exact, atol=1e-3)


@pytest.mark.parametrize(("name", "expected"), [("smooth", 0.25), ("medium", 0.5), ("fine", 0.8)])
def test_spectrum_classes_have_the_gradient_they_promise(name, expected):
    rms = [
        np.sqrt((synth.gradient(synth.TEXTURES[name](seed), (96, 96)) ** 2).mean())
        for seed in range(4)
    ]
    blur = np.exp(-(expected**2) / 24 * 4)  # a Gaussian spectrum through the pixel, about
    assert np.mean(rms) == pytest.approx(34 * expected * blur, rel=0.12)


def test_difficult_textures_are_difficult_in_the_way_they_say():
    size = (128, 128)
    middle = np.random.default_rng(0).uniform(30, 97, (40, 2))
    shades = synth.gradient(synth.TEXTURES["low_gradient"](0), size)
    assert np.sqrt((shades**2).mean()) < 1
    edges = synth.gradient(synth.TEXTURES["edge_only"](0), size)
    assert (synth.crlb_px(edges, middle, noise=1.0) > 5).all()
    wallpaper = synth.repetitive(0, period_px=14)
    along = wallpaper.cycles_per_px[np.argmin(np.linalg.norm(wallpaper.cycles_per_px, axis=1))]
    along /= np.linalg.norm(along)
    x, y = np.random.default_rng(1).uniform(0, 100, (2, 500))
    assert_allclose(wallpaper(x + 14 * along[0], y + 14 * along[1]), wallpaper(x, y), atol=1e-9)


def test_gradient_is_that_of_the_formula():
    f, amplitude, phase = np.array([0.11, -0.07]), 60.0, 0.3
    wave = synth.PlaneWaves(f[None], np.array([phase]), np.array([amplitude]))
    v, u = np.mgrid[0:20, 0:30]
    slope = -amplitude * np.prod(np.sinc(f)) * np.sin(2 * np.pi * (f[0] * u + f[1] * v + phase))
    expected = slope[..., None] * 2 * np.pi * f
    assert_allclose(synth.gradient(wave, (30, 20)), expected, atol=0.02)


# --- noise and pixel types -------------------------------------------------------------------


def test_noise_has_the_variance_asked_for():
    flat = synth.PlaneWaves(np.zeros((1, 2)), np.zeros(1), np.zeros(1))
    rng = np.random.default_rng(0)
    gaussian = synth.render(flat, (400, 300), dtype=np.float32, noise=2.5, rng=rng)
    shot = synth.render(flat, (400, 300), dtype=np.float32, shot_noise=0.4, rng=rng)
    assert gaussian.std() == pytest.approx(2.5, rel=0.01)
    assert shot.var() == pytest.approx(0.4 * 127, rel=0.02)
    assert shot.mean() == pytest.approx(127, abs=0.1)


def test_pixel_types_hold_the_same_picture():
    texture = synth.plane_waves(0)
    real = synth.render(texture, SIZE, dtype=np.float32, gain=0.9, bias=4)
    grey8 = synth.render(texture, SIZE, dtype=np.uint8, gain=0.9, bias=4)
    grey16 = synth.render(texture, SIZE, dtype=np.uint16, gain=0.9, bias=4)
    unchanged = synth.render(texture, SIZE, dtype=np.float32)
    assert grey8.dtype == np.uint8
    assert np.abs(real - grey8).max() <= 0.5001
    assert np.abs(real - grey16 / 256.0).max() <= 0.5001 / 256
    assert_allclose(real, 0.9 * unchanged + 4, atol=1e-4)


def test_too_bright_saturates_and_does_not_wrap():
    bright = synth.render(synth.plane_waves(0), SIZE, gain=3.0)
    assert bright.max() == 255
    assert (bright == 255).mean() > 0.5


# --- motions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MotionModel)
def test_warps_stay_within_their_model(model):
    warps = synth.warps(model, np.random.default_rng(0), 50, center_px=(100, 80))
    block, bottom = warps[:, :2, :2], warps[:, 2]
    gram = block.transpose(0, 2, 1) @ block
    scale = np.sqrt(np.linalg.det(block))[:, None, None]
    if model is MotionModel.PERSPECTIVE:
        assert (np.abs(bottom[:, :2]) > 0).all()
        return
    assert_array_equal(bottom, np.tile([0, 0, 1], (50, 1)))
    if model is MotionModel.AFFINE:
        assert (np.abs(gram / scale**2 - np.eye(2)).max(axis=(1, 2)) > 1e-4).all()
        return
    assert_allclose(gram, scale**2 * np.eye(2), atol=1e-12)
    turns = np.abs(block[:, 0, 1]) > 1e-9
    assert turns.all() if "Rot" in model else not turns.any()
    sized = np.abs(scale - 1) > 1e-9
    assert sized.all() if "Scale" in model else not (np.abs(scale - 1) > 1e-12).any()
    assert (np.abs(scale) < 1.15 + 1e-9).all()
    assert (np.abs(synth.apply_warp(warps[0], [[100, 80]]) - [100, 80]) <= 8).all()


def test_a_warp_and_its_inverse_leave_points_where_they_were():
    points = np.random.default_rng(0).uniform(0, 300, (30, 2))
    points[3] = np.nan
    warp = some_warp("Perspective", size=(300, 300))
    back = synth.apply_warp(np.linalg.inv(warp), synth.apply_warp(warp, points))
    assert_allclose(back, points, atol=1e-9)
    beyond = synth.apply_warp([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1]], [[150.0, 0], [50, 0]])
    assert np.isnan(beyond[0]).all()
    assert_allclose(beyond[1], [100, 0])


@pytest.mark.parametrize("model", MotionModel)
def test_pairs_show_the_same_texture_at_corresponding_points(model):
    # a camera pointed so that the point is in the middle of a pixel, and a texture so coarse
    # that a pixel's shape does not matter
    p = synth.pair(synth.plane_waves(5, std_rad_per_px=0.02), model, seed=9, noise=0.0, n_points=20)
    for (x0, y0), (x1, y1) in zip(p.xy_px, p.true_xy_px, strict=True):
        before = synth.render(p.texture, (1, 1), warp=shifted(-x0, -y0), dtype=np.float32)
        after = synth.render(p.texture, (1, 1), warp=shifted(-x1, -y1) @ p.warp, dtype=np.float32)
        assert after[0, 0] == pytest.approx(before[0, 0], abs=0.02)


def test_points_of_pairs_have_every_sub_pixel_phase_and_stay_clear_of_the_border():
    p = synth.pair("smooth", "Affine", 2, n_points=2000, margin_px=20)
    for xy in (p.xy_px, p.true_xy_px):
        counts = np.histogram2d(*(xy % 1).T, bins=4, range=[[0, 1], [0, 1]])[0]
        assert counts.min() > 80  # 125 expected
        assert (xy >= 20).all()
        assert (xy <= np.array([319, 239]) - 20).all()


def test_pairs_are_the_same_bytes_for_the_same_seed_and_differ_otherwise():
    first, again, other = (synth.pair("medium", "Loc", seed, size=(96, 80)) for seed in (7, 7, 8))
    for name in ("prev", "next", "xy_px", "true_xy_px", "warp"):
        assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.prev != other.prev).any()


def test_brightness_changes_in_the_second_picture_only():
    plain, dim = (
        synth.pair("medium", "Loc", 1, noise=0.0, gain=gain, bias=bias, dtype=np.float32)
        for gain, bias in ((1.0, 0.0), (0.7, 12.0))
    )
    assert_array_equal(dim.prev, plain.prev)
    assert_allclose(dim.next, 0.7 * plain.next + 12, atol=1e-3)


# --- the Cramer-Rao bound --------------------------------------------------------------------


def test_the_bound_is_that_of_the_gradients_in_the_window():
    rng = np.random.default_rng(0)
    gradient = rng.normal(0, 10, (60, 70, 2))
    xy = np.array([[30.2, 25.9], [10.0, 10.0], [9.4, 20.0], [59.49, 30.0], [59.51, 30.0]])
    sigma = synth.crlb_px(gradient, xy, noise=(1.0, 2.0), window=21)
    for point, s in zip(xy[[0, 1, 3]], sigma[[0, 1, 3]], strict=True):
        x, y = np.rint(point).astype(int)
        g = gradient[y - 10 : y + 11, x - 10 : x + 11].reshape(-1, 2)
        assert s == pytest.approx(np.sqrt(np.trace(5 * np.linalg.inv(g.T @ g)) / 2))
    assert np.isnan(sigma[[2, 4]]).all()
    assert sigma[0] == pytest.approx(np.sqrt(5) / (21 * 10), rel=0.1)


def test_no_gradient_or_one_direction_of_it_bounds_nothing():
    assert np.isinf(synth.crlb_px(np.zeros((40, 40, 2)), [[20, 20]], noise=1.0)).all()
    edge = np.random.default_rng(0).normal(size=(40, 40, 1)) * np.array([0.6, 0.8])
    assert np.isinf(synth.crlb_px(edge, [[20, 20]], noise=1.0)).all()


def test_a_pair_knows_its_own_bound():
    p = synth.pair("medium", "Loc", 0, noise=2.0, gain=0.5)
    rms = np.sqrt((synth.gradient(p.texture, (320, 240)) ** 2).mean())
    sigmas = np.sqrt(4 + 1 / 12), np.sqrt(4 + 1 / 12) / 0.5
    assert_allclose(p.noise, sigmas)
    assert np.median(p.crlb_px(21)) == pytest.approx(np.hypot(*sigmas) / (21 * rms), rel=0.1)


# --- loops -----------------------------------------------------------------------------------


def test_a_loop_moves_and_returns_exactly():
    clip = synth.loop_clip("medium", n_frames=41, size=(96, 80))
    assert_array_equal(clip.warps[[0, -1]], [np.eye(3)] * 2)
    assert_array_equal(clip.frame(40), clip.frame(0))
    start = np.array([[40.3, 37.7], [60.1, 50.2]])
    path = clip.track_truth(start)
    assert_allclose(path[:, -1], start, atol=1e-12)
    assert np.nanmax(np.abs(path - start[:, None])) > 15
    assert np.nanmax(np.abs(np.diff(path, axis=1))) < 8  # 41 frames; a seventh of it at 300
    assert_allclose(clip.track_truth(path[:, 9], 9), path, atol=1e-9)


def test_loop_truth_is_unknown_outside_the_picture():
    clip = synth.loop_clip("medium", n_frames=41, size=(96, 80))
    path = clip.track_truth([[93.0, 40.0]])
    outside = np.isnan(path).any(axis=2)[0]
    assert outside.any()
    assert not outside.all()
    assert_array_equal(outside, np.isnan(path).all(axis=2)[0])


def test_loop_frames_do_not_depend_on_the_order_of_asking():
    clip = synth.loop_clip("smooth", n_frames=5, size=(40, 30), noise=2.0)
    in_order = list(clip.frames())
    assert len(in_order) == len(clip) == 5
    assert_array_equal(clip.frame(3), in_order[3])
    assert (in_order[0] != in_order[4]).any()  # same picture, other noise


# --- determinism and arguments ---------------------------------------------------------------

DIGEST = """
import hashlib, numpy as np
from trackcore import synth
p = synth.pair("pink", "Affine", 3, dtype=np.float32)
s = synth.ParallaxScene(3, size=(160, 90), n_frames=2).frame(1)
print(hashlib.sha256(p.prev.tobytes() + p.next.tobytes() + s.tobytes()).hexdigest())
"""


def test_bytes_do_not_depend_on_how_many_threads_numpy_may_use():
    digests, path = set(), os.pathsep.join(sys.path)
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        done = subprocess.run(
            [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True,
            env={**os.environ, **dict.fromkeys(names, threads), "PYTHONPATH": path},
        )  # fmt: skip
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


RNG = np.random.default_rng(0)
WAVES = synth.plane_waves(0, n_waves=3)
SCENE = synth.ParallaxScene(0, size=(32, 18), n_frames=2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: synth.plane_waves(-1), "seed: expected an integer >= 0, got -1"),
        (lambda: synth.plane_waves(0, std_rad_per_px=0), "std_rad_per_px: .* > 0, got 0"),
        (lambda: synth.corners(0, cell_px=np.nan), "cell_px: .* > 0, got nan"),
        (lambda: synth.white_noise(0, n_waves=2.5), "n_waves: .* got 2.5"),
        (lambda: synth.pink_noise(0, rad_per_px=(1.0, 0.5)), "rad_per_px: "),
        (lambda: synth.render(WAVES, (0, 5)), r"size\[0\]: expected an integer >= 1, got 0"),
        (lambda: synth.render(WAVES, 7), r"size: expected \(width, height\) in px, got 7"),
        (lambda: synth.render(WAVES, SIZE, dtype="int32"), "dtype: .* got 'int32'"),
        (lambda: synth.render(WAVES, SIZE, noise=1.0), "rng: expected a numpy.random.Generator"),
        (lambda: synth.render(WAVES, SIZE, noise=-1.0), "noise: .* got -1.0"),
        (lambda: synth.render(WAVES, SIZE, warp=np.eye(2)), r"warp: expected shape \(3, 3\)"),
        (lambda: synth.render(WAVES, SIZE, warp=np.zeros((3, 3))), "warp: .* invertible"),
        (lambda: synth.render(WAVES, SIZE, warp=[[1, 0, 0], [0, 1, 0], [0.05, 0, 1]]), "infinity"),
        (lambda: synth.warps("Zoom", RNG, center_px=(0, 0)), "model: .*'Zoom'"),
        (lambda: synth.warps("Loc", 3, center_px=(0, 0)), "rng: "),
        (lambda: synth.apply_warp(np.eye(3), [1.0, 2.0]), "xy_px: expected shape"),
        (lambda: synth.pair("marble"), "texture: expected one of smooth, .*got 'marble'"),
        (lambda: synth.pair("smooth", size=(40, 40)), "margin_px = 24.0: leaves nothing"),
        (lambda: synth.pair("smooth", warp=shifted(900, 0)), "warp: expected one that keeps"),
        (lambda: synth.crlb_px(np.zeros((9, 9)), [[1, 1]], noise=1.0), "gradient: expected shape"),
        (lambda: synth.loop_clip(n_frames=1), "n_frames: expected an integer >= 2, got 1"),
        (lambda: synth.loop_clip(n_frames=3).frame(3), "frame: expected 0 .. 2, got 3"),
        (lambda: SCENE.frame(-1), "frame: expected an integer >= 0, got -1"),
        (lambda: SCENE.track_truth([[1, 2, 3]]), "xy_px: expected shape"),
        (lambda: synth.project(np.eye(3, 4), [[0, 0, 1]]), "P_img_world: expected shape"),
        (lambda: synth.ring_of_cameras(0), "n: expected an integer >= 1, got 0"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(call, said):
    with pytest.raises(InputError, match=said):
        call()
