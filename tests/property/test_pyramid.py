"""FramePyramid equals a few lines of integer numpy, whatever it is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from tests.oracle.pyramid import grey, pyramid
from trackcore import FramePyramid

SIDES = st.integers(1, 70)
INTEGERS = st.sampled_from([np.uint8, np.uint16])
COLORS = st.sampled_from(["bgr", "rgb"])


def noise(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    if dtype == np.float32:
        return rng.uniform(-2, 3, shape).astype(np.float32)
    top = np.iinfo(dtype).max
    # half of the pixels at the ends of the range, where sums would overflow first
    ends = rng.choice([0, top], shape)
    return np.where(rng.random(shape) < 0.5, ends, rng.integers(0, top + 1, shape)).astype(dtype)


def views(padded):
    """Pictures of one size, with every kind of strides."""
    h, w = padded.shape[0] // 2, padded.shape[1] // 2
    upside_down, mirrored = padded[h - 1 :: -1, :w], padded[:h, w - 1 :: -1]
    crop, every_second = padded[1 : 1 + h, 1 : 1 + w], padded[::2, ::2]
    columns_first = np.asfortranarray(padded[:h, :w])
    one_row = np.broadcast_to(padded[:1, :w], (h, w, *padded.shape[2:]))
    return (crop, every_second, upside_down, mirrored, columns_first, one_row)


def assert_same_levels(image, built, levels, color="bgr"):
    expected = pyramid(image, levels, color)
    assert built.levels == len(expected)
    assert built.size == (image.shape[1], image.shape[0])
    for i, level in enumerate(expected):
        assert built.level(i).dtype == image.dtype
        if image.dtype == np.float32:
            assert_allclose(built.level(i), level, rtol=0, atol=2e-6)
        else:
            assert_array_equal(built.level(i), level)


@given(h=SIDES, w=SIDES, dtype=INTEGERS, levels=st.integers(1, 8), seed=st.integers(0, 999))
@settings(max_examples=150, deadline=None)
def test_integer_levels_are_the_oracles_bits_at_every_size(h, w, dtype, levels, seed):
    image = noise((h, w), dtype, seed)
    assert_same_levels(image, FramePyramid(image, levels), levels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_width_and_every_height_has_its_own_last_pixel(dtype):
    for side in range(1, 71):
        for shape in ((9, side), (side, 9), (side, side)):
            image = noise(shape, dtype, side)
            assert_same_levels(image, FramePyramid(image, 3), 3)


@given(h=SIDES, w=SIDES, levels=st.integers(1, 8), seed=st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_float_levels_are_close_to_the_oracles(h, w, levels, seed):
    image = noise((h, w), np.float32, seed)
    assert_same_levels(image, FramePyramid(image, levels), levels)


@given(
    h=st.integers(1, 40), w=st.integers(1, 70), copy=st.booleans(), seed=st.integers(0, 999),
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_the_layout_in_memory_does_not_matter(h, w, copy, seed, dtype):
    for image in views(noise((2 * h, 2 * w), dtype, seed)):
        image.setflags(write=False)
        built = FramePyramid(image, 4, copy=copy)
        assert_same_levels(image, built, 4)


@given(
    h=st.integers(1, 30), w=st.integers(1, 50), channels=st.sampled_from([1, 3, 4]), color=COLORS,
    dtype=st.sampled_from([np.uint8, np.uint16, np.float32]), seed=st.integers(0, 999),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_colour_becomes_the_oracles_grey(h, w, channels, color, dtype, seed):
    for image in views(noise((2 * h, 2 * w, channels), dtype, seed)):
        assert_same_levels(image, FramePyramid(image, 3, color=color), 3, color)


@pytest.mark.parametrize("color", ["bgr", "rgb"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colour_becomes_the_oracles_grey_in_every_column(channels, color):
    # contiguous rows take vectors of several widths, then single pixels
    for width in range(1, 100):
        image = noise((5, width, channels), np.uint8, width)
        assert_array_equal(FramePyramid(image, 1, color=color).level(0), grey(image, color))
    image = noise((300, 1000, channels), np.uint8, 0)
    assert_array_equal(FramePyramid(image, 1, color=color).level(0), grey(image, color))


@given(h=st.integers(1, 300), threads=st.integers(0, 5), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_threads_change_nothing(h, threads, seed):
    image = noise((h, 61, 3), np.uint8, seed)
    alone, together = FramePyramid(image, 5), FramePyramid(image, 5, threads=threads)
    for i in range(alone.levels):
        assert_array_equal(alone.level(i), together.level(i))
