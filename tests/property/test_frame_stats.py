"""Statistics by block agree with the oracle, whatever the image and the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import trackcore as tc
from tests.oracle import frame_stats as oracle
from trackcore import _core

DTYPES = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


def picture(rng, shape, dtype):
    """Make whole grey levels or dyadic fractions, so that sums are exact."""
    if dtype == "float32":
        return (rng.integers(-20, 300, shape) / 256).astype(np.float32)
    levels = rng.choice([2, 5, 256])
    return (rng.integers(0, levels, shape) * (np.iinfo(dtype).max // (levels - 1))).astype(dtype)


def measured(image, level=0, **wanted):
    pyramid = tc.FramePyramid(image, 3, copy=False)
    return _core.frame_stats(pyramid._core, level, groups=15, threads=1, **wanted)


@settings(max_examples=200, deadline=None)
@given(
    w=st.integers(1, 70), h=st.integers(1, 70), columns=st.integers(1, 9), rows=st.integers(1, 9),
    row_step=st.integers(1, 7), dtype=st.sampled_from(sorted(DTYPES)),
    edge=st.sampled_from([0.0, 0.3, 3.3, 40.1]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_agrees_with_the_oracle(w, h, columns, rows, row_step, dtype, edge, seed):
    image = picture(np.random.default_rng(seed), (h, w), dtype)
    wanted = {
        "columns": columns, "rows": rows, "row_step": row_step,
        "edge": edge, "white": DTYPES[dtype],
    }  # fmt: skip
    blocks, histogram = measured(image, **wanted)
    expected, counts = oracle.frame_stats(image, **wanted)
    scale = {"uint8": 1.0, "uint16": 257.0, "float32": 1 / 255}[dtype]
    assert_allclose(blocks[[0, 2, 5]], expected[[0, 2, 5]], rtol=1e-6, atol=1e-9)
    assert_allclose(blocks[[1, 3, 4]], expected[[1, 3, 4]], rtol=1e-6, atol=1e-5 * scale**2)
    assert_array_equal(histogram, counts)


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(700, 1300), (3, 1800), (1500, 40)])
def test_no_seam_shows_between_strips_and_long_columns_do_not_overflow(shape, dtype):
    image = picture(np.random.default_rng(3), shape, dtype)
    wanted = {"columns": 3, "rows": 3, "row_step": 1, "edge": 2.0, "white": DTYPES[dtype]}
    blocks, histogram = measured(image, **wanted)
    expected, counts = oracle.frame_stats(image, **wanted)
    assert_allclose(blocks, expected, rtol=1e-6)
    assert_array_equal(histogram, counts)


def test_the_number_of_threads_changes_nothing():
    image = np.random.default_rng(4).integers(0, 256, (500, 900)).astype(np.uint8)
    pyramid = tc.FramePyramid(image, 1)
    wanted = {"groups": 15, "columns": 48, "rows": 27, "row_step": 3, "edge": 4.0, "white": 255.0}
    one, several = (_core.frame_stats(pyramid._core, 0, threads=n, **wanted) for n in (1, 5))
    assert_array_equal(one[0], several[0])
    assert_array_equal(one[1], several[1])


def test_pixels_that_are_not_finite_spoil_their_block_only():
    image = np.full((30, 30), 0.5, np.float32)
    image[4, 4] = np.nan
    image[25, 25] = np.inf
    blocks, histogram = measured(image, columns=3, rows=3, row_step=1, edge=0.1, white=1.0)
    spoilt = np.zeros((3, 3), bool)
    spoilt[0, 0] = spoilt[2, 2] = True
    assert_array_equal(np.isfinite(blocks[0]), ~spoilt)
    assert histogram.sum() in (240, 239)


def test_what_was_not_asked_for_is_not_made_up():
    image = np.random.default_rng(4).integers(0, 256, (50, 90)).astype(np.uint8)
    pyramid = tc.FramePyramid(image, 1)
    wanted = {"columns": 3, "rows": 3, "row_step": 1, "edge": 4.0, "white": 255.0, "threads": 1}
    blocks, histogram = _core.frame_stats(pyramid._core, 0, groups=2, **wanted)
    assert np.isnan(blocks[[0, 1, 3, 4, 5]]).all()
    assert np.isfinite(blocks[2]).all()
    assert histogram.sum() == 0
