"""Positions as records have them, and the names of the frame's regions."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from trackcore.frame_regions import NO_REGION, REGIONS, region_index
from trackcore.normalised import in_pixels, normalised, normalised_velocity

SIZE = (1920, 1080)


def test_the_edges_of_the_picture_are_0_and_1_and_y_points_up() -> None:
    assert_allclose(normalised([[-0.5, -0.5], [1919.5, 1079.5]], SIZE), [[0, 1], [1, 0]])
    assert_allclose(normalised([959.5, 539.5], SIZE), [0.5, 0.5])


def test_back_in_pixels_is_where_it_was() -> None:
    xy_px = np.random.default_rng(0).uniform(-50, 2000, (20, 3, 2))
    assert_allclose(in_pixels(normalised(xy_px, SIZE), SIZE), xy_px)


def test_moving_down_the_picture_is_negative() -> None:
    assert_allclose(normalised_velocity([[0.0, 5.0]], (30, 40)), [[0.0, -0.1]])


def test_each_ninth_of_the_picture_has_its_name() -> None:
    x, y = np.meshgrid([100, 950, 1900], [50, 500, 1000])
    index = region_index(np.stack([x, y], axis=-1), SIZE)
    assert [REGIONS[i] for i in index.ravel()] == list(REGIONS)


def test_what_is_nowhere_is_in_no_region_and_what_is_outside_in_the_nearest() -> None:
    index = region_index([[np.nan, np.nan], [-40, 3000]], SIZE)
    assert index.tolist() == [NO_REGION, REGIONS.index("bottom-left")]
