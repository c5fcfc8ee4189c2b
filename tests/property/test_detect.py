"""`detect_features` against its oracle, on small images where every border and tie is near."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import trackcore as tc
from tests.oracle import detect as oracle

DTYPES = ["uint8", "uint16", "float32"]
sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)
option_sets = st.builds(
    tc.FeatureOptions,
    max_features=st.sampled_from([0, 1, 5, 12, 1000]),
    quality=st.sampled_from([0.0, 0.01, 0.5, 0.9, 1.0]),
    min_distance=st.sampled_from([0.0, 1.0, 1.5, 3.0, 7.0, 30.0]),
    block=st.integers(3, 15),
    cells=st.sampled_from([0, 0, 1, 3, 8, 256]),
    min_score=st.sampled_from([0.0, 0.0, 1500.0]),
)


def picture(rng: np.random.Generator, shape: tuple[int, int], dtype: str) -> np.ndarray:
    """Make whole or quarter grey levels of any contrast, so that sums are exact, with many ties."""
    levels = rng.choice([2, 5, 256])
    image = rng.integers(0, levels, shape) * (255 // (levels - 1))
    if rng.random() < 0.5:  # flat patches
        image = np.kron(image, np.ones((4, 4), int))[: shape[0], : shape[1]]
    if dtype == "float32":
        return (image / 4 - 20).astype(np.float32)
    return image.astype(dtype) * (257 if dtype == "uint16" else 1)


def random_mask(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray | None:
    """Make none, a speckled one, or one of a few rectangles, lines and border pieces included."""
    kind = rng.integers(3)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random(shape) < 0.5
    mask = np.zeros(shape, np.uint8)
    for _ in range(rng.integers(1, 4)):
        (y0, y1), (x0, x1) = (np.sort(rng.integers(0, n + 1, 2)) for n in shape)
        mask[y0 : y1 + 1, x0 : x1 + 1] = rng.integers(1, 256)
    return mask


def points_near(rng: np.random.Generator, xy_px: np.ndarray) -> np.ndarray:
    """Make a few points at, beside and far from the given ones, some of them NaN."""
    n = rng.integers(0, 10)
    base = np.concatenate([xy_px, rng.integers(-5, 45, (5, 2))])
    points = base[rng.integers(0, len(base), n)] + rng.choice([0, 0, 1, -2.5, 7.3], (n, 2))
    points[rng.random(n) < 0.1] = np.nan
    return points


@settings(max_examples=400, deadline=None)
@given(w=sizes, h=sizes, seed=seeds, options=option_sets, dtype=st.sampled_from(DTYPES))
def test_agrees_with_the_oracle_to_the_bit(w, h, seed, options, dtype):
    rng = np.random.default_rng(seed)
    image = picture(rng, (h, w), dtype)
    mask = random_mask(rng, (h, w))
    existing = points_near(rng, oracle.detect(image, options, None, mask)[0])
    found = tc.detect_features(image, options=options, existing_px=existing, mask=mask)
    xy_px, score = oracle.detect(image, options, existing, mask)
    assert_array_equal(found.xy_px, xy_px)
    assert_array_equal(found.score, score)


def test_nothing_beyond_the_border_counts_as_the_strongest():
    rng = np.random.default_rng(1)
    for _ in range(200):
        image = rng.integers(0, 256, rng.integers(5, 40, 2)).astype(np.uint8)
        options = tc.FeatureOptions(quality=0.9, min_distance=0, block=int(rng.integers(3, 16)))
        found = tc.detect_features(image, options=options)
        assert_array_equal(found.xy_px, oracle.detect(image, options)[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(140, 1000), (300, 2000), (4, 970)])
def test_no_seam_shows_where_the_image_is_cut_into_tiles(shape, dtype):
    image = picture(np.random.default_rng(shape[1]), shape, dtype)
    mask = np.zeros(shape, bool)
    mask[1:-1, 950:975] = mask[120:136] = True
    for options in (
        tc.FeatureOptions(max_features=60),
        tc.FeatureOptions(max_features=60, block=8),
    ):
        for where in (None, mask):
            found = tc.detect_features(image, options=options, mask=where)
            xy_px, score = oracle.detect(image, options, mask=where)
            assert_array_equal(found.xy_px, xy_px)
            assert_array_equal(found.score, score)
