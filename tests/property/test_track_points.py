"""track_points against brute least squares, and the symmetries any tracker must have."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from tests.oracle import track_points as oracle
from trackcore import FramePyramid, TrackOptions, synth, track_points

TEXTURED = ["smooth", "medium", "fine", "pink", "gabor"]
MODES = ["none", "bias", "gain_bias"]
SEEDS = st.integers(0, 7)
KERNELS = [oracle.bilinear, oracle.eight_taps]  # the fast mode takes the one that suits
# the same cases every time: a rare statistical outlier must not fail somebody else's change
repeatable = settings(max_examples=30, deadline=None, derandomize=True)


@functools.cache
def pair(texture, seed, noise=0.0, dtype="uint8", gain=1.0, bias=0.0):
    """Two pictures, shifted by up to 8 px, and points whose windows are far from the borders."""
    return synth.pair(
        texture, seed=seed, size=(200, 160), n_points=24, noise=noise, margin_px=40, dtype=dtype,
        gain=gain, bias=bias,
    )  # fmt: skip


def errors_px(a, b):
    return np.linalg.norm(a - b, axis=1)


# --- the oracle ------------------------------------------------------------------------------


@given(
    texture=st.sampled_from(TEXTURED), seed=SEEDS, window=st.integers(11, 35),
    photometric=st.sampled_from(MODES), noise=st.sampled_from([0.0, 0.5]),
)  # fmt: skip
@repeatable
def test_points_go_where_least_squares_puts_them(texture, seed, window, photometric, noise):
    scene = pair(texture, seed, noise)
    options = TrackOptions(
        window=window, levels=1, photometric=photometric, precise=True, min_ncc=-1
    )
    start, near = scene.xy_px[:12], scene.true_xy_px[:12]
    found = track_points(scene.prev, scene.next, start, options=options, guess_px=near)
    assert found.ok.all()
    expected = [
        oracle.track_point(
            scene.prev, scene.next, *points, window=window, photometric=photometric
        ).xy_px
        for points in zip(start, near, strict=True)
    ]
    # Both are estimates from noisy pixels by slightly different weights: they may differ by a
    # part of what noise does to either, and by the stopping rule.
    apart = errors_px(found.xy_px, np.array(expected))
    assert np.median(apart - 0.35 * found.sigma_px) < 0.003
    assert np.max(apart - 1.5 * found.sigma_px) < 0.006


@given(
    texture=st.sampled_from(TEXTURED), seed=SEEDS, window=st.integers(5, 35),
    photometric=st.sampled_from(MODES), noise=st.sampled_from([0.0, 3.0]), precise=st.booleans(),
)  # fmt: skip
@repeatable
def test_ncc_and_residual_are_those_of_the_patches_at_the_result(
    texture, seed, window, photometric, noise, precise
):
    scene = pair(texture, seed, noise)
    options = TrackOptions(window=window, photometric=photometric, precise=precise, min_ncc=-1)
    found = track_points(
        scene.prev, scene.next, scene.xy_px, options=options, guess_px=scene.true_xy_px
    )
    # a few pixels of smooth texture in noise are often refused
    assert found.ok.mean() > (0.8 if window >= 11 else 0.6)
    for i in np.flatnonzero(found.ok):
        figures = [
            oracle.quality(
                scene.prev, scene.next, scene.xy_px[i], found.xy_px[i],
                window=window, photometric=photometric, weights=weights,
            )
            for weights in ([oracle.eight_taps] if precise else KERNELS)
        ]  # fmt: skip
        # patches are compared in eighths of a grey level; in larger windows, unless `precise`,
        # what the last short step changes is predicted
        measured = precise or window < 11
        far_ncc, far_residual = (2e-3, 0.08) if measured else (4e-3, 0.15)
        assert any(
            abs(found.ncc[i] - ncc) < far_ncc and abs(found.residual[i] - residual) < far_residual
            for ncc, residual in figures
        )


# --- brightness ------------------------------------------------------------------------------


@given(seed=SEEDS, offset=st.integers(-40, 40), mode=st.sampled_from(["bias", "gain_bias"]))
@repeatable
def test_an_offset_changes_nothing_in_the_modes_that_allow_one(seed, offset, mode):
    scene = pair("medium", seed)
    shifted = np.clip(scene.next.astype(int), 45, 205).astype(np.uint8)
    options = TrackOptions(photometric=mode)
    plain = track_points(scene.prev, shifted, scene.xy_px, options=options)
    brighter = (shifted.astype(int) + offset).astype(np.uint8)
    moved = track_points(scene.prev, brighter, scene.xy_px, options=options)
    assert_array_equal(plain.status, moved.status)
    assert_allclose(moved.xy_px, plain.xy_px, rtol=0, atol=1e-3)
    assert_allclose(moved.ncc, plain.ncc, rtol=0, atol=1e-3)
    assert_allclose(moved.residual, plain.residual, rtol=0, atol=0.02)


@given(
    seed=SEEDS, gain=st.floats(0.5, 1.5), bias=st.floats(-30, 30),
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
)  # fmt: skip
@repeatable
def test_gain_and_offset_change_little_in_the_mode_that_allows_both(seed, gain, bias, dtype):
    plain = pair("medium", seed, dtype="float32")
    unit = {"uint8": 1, "uint16": 256, "float32": 1}[dtype]

    def as_dtype(grey):
        scaled = (0.5 * (grey.astype(np.float64) - 127) + 127) * unit  # room above and below
        return scaled.astype(np.float32) if dtype == "float32" else np.rint(scaled).astype(dtype)

    other = as_dtype(gain * (plain.next.astype(np.float64) - 127) + 127 + bias)
    options = TrackOptions(photometric="gain_bias")
    found = track_points(as_dtype(plain.prev), other, plain.xy_px, options=options)
    assert found.ok.all()
    assert errors_px(found.xy_px, plain.true_xy_px).max() < 0.03


# --- symmetries ------------------------------------------------------------------------------


@given(seed=SEEDS, texture=st.sampled_from(TEXTURED), window=st.integers(9, 33))
@repeatable
def test_swapping_x_and_y_swaps_the_answer(seed, texture, window):
    scene, options = pair(texture, seed), TrackOptions(window=window, precise=True, min_ncc=-1)
    found = track_points(scene.prev, scene.next, scene.xy_px, options=options)
    swapped = track_points(scene.prev.T, scene.next.T, scene.xy_px[:, ::-1], options=options)
    assert_mostly_equal(swapped.xy_px[:, ::-1], found.xy_px)


@given(seed=SEEDS, texture=st.sampled_from(TEXTURED), axis=st.sampled_from([0, 1]))
@repeatable
def test_mirrored_pictures_have_mirrored_answers(seed, texture, axis):
    scene, options = pair(texture, seed), TrackOptions(min_ncc=-1)
    # 8 n + 1 pixels: every level then has the same pixels from either end
    prev, next_ = scene.prev[:153, :193], scene.next[:153, :193]
    last = np.array([192, 152])[1 - axis]
    xy = scene.xy_px
    turned = xy.copy()
    turned[:, 1 - axis] = last - xy[:, 1 - axis]
    found = track_points(prev, next_, xy, options=options)
    mirrored = track_points(np.flip(prev, axis), np.flip(next_, axis), turned, options=options)
    back = mirrored.xy_px.copy()
    back[:, 1 - axis] = last - back[:, 1 - axis]
    assert_mostly_equal(back, found.xy_px)


def assert_mostly_equal(a, b):
    """Rounding differs, so an iteration more or less; a lost point may be lost elsewhere."""
    apart = errors_px(a, b)
    assert np.isfinite(apart).mean() > 0.85
    assert np.nanquantile(apart, 0.9) < 0.006


@given(seed=SEEDS, dx=st.integers(0, 3), dy=st.integers(0, 3), window=st.integers(5, 21))
@repeatable
def test_a_crop_gives_the_same_bits_moved(seed, dx, dy, window):
    scene, step = pair("medium", seed, noise=1.0), 4
    options = TrackOptions(window=window, levels=2)
    whole = track_points(scene.prev, scene.next, scene.xy_px, options=options)
    corner = np.array([step * dx, step * dy])
    x, y = corner
    prev, next_ = scene.prev[y:, x:], scene.next[y:, x:]
    cropped = track_points(prev, next_, scene.xy_px - corner, options=options)
    assert whole.ok.any()
    assert_array_equal(cropped.status, whole.status)
    assert_allclose(cropped.xy_px + corner, whole.xy_px, rtol=0, atol=1e-9)
    assert_array_equal(cropped.ncc, whole.ncc)


@given(seed=SEEDS, n=st.integers(0, 24), threads=st.integers(0, 4))
@repeatable
def test_the_answer_depends_on_neither_the_other_points_nor_the_threads(seed, n, threads):
    scene = pair("pink", seed)
    first, second = FramePyramid(scene.prev), FramePyramid(scene.next)
    every = np.tile(scene.xy_px, (4, 1))
    together = track_points(first, second, every, threads=threads)
    some = track_points(scene.prev, scene.next, scene.xy_px[:n])
    assert_array_equal(together.xy_px[:n], some.xy_px)
    assert_array_equal(together.xy_px[:24], together.xy_px[72:])


# --- the way back, and how sure --------------------------------------------------------------


@given(seed=SEEDS, texture=st.sampled_from(TEXTURED), off_px=st.none() | st.floats(-2, 2))
@repeatable
def test_fb_px_is_the_distance_after_tracking_back(seed, texture, off_px):
    scene = pair(texture, seed, noise=2.0)
    start, guess = scene.xy_px, None if off_px is None else scene.true_xy_px + off_px
    options = TrackOptions(forward_backward=True, max_fb_px=100)
    there = track_points(scene.prev, scene.next, start, options=options, guess_px=guess)
    ok = there.ok
    assert ok.any()
    # the way back may expect the opposite motion, but must not know the answer
    back_guess = None if guess is None else (there.xy_px - (guess - start))[ok]
    back = track_points(scene.next, scene.prev, there.xy_px[ok], guess_px=back_guess)
    assert_allclose(there.fb_px[ok], errors_px(back.xy_px, start[ok]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("texture", ["smooth", "medium", "fine", "pink"])
def test_sigma_px_is_the_size_of_the_errors_where_noise_limits(texture):
    squares = []
    for seed in range(100, 108):
        scene = pair(texture, seed, noise=2.0)
        found = track_points(scene.prev, scene.next, scene.xy_px)
        error = found.xy_px - scene.true_xy_px
        squares.append((error / found.sigma_px[:, None])[found.ok] ** 2)
    chi_square = np.concatenate(squares)
    assert 0.75 < chi_square.mean() < 1.4
