"""FramePyramid: what it accepts, what it refuses, and whose memory it is."""

import gc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from trackcore import FramePyramid, InputError, synth, track_points

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (90, 120), dtype=np.uint8)


def same(a, b):
    assert a.levels == b.levels
    for i in range(a.levels):
        assert_array_equal(a.level(i), b.level(i))


def test_levels_halve_and_a_flat_picture_stays_flat():
    built = FramePyramid(np.full((45, 64), 200, np.uint8), levels=3)
    assert built.levels == 3
    assert built.size == (64, 45)
    assert [built.level(i).shape for i in range(3)] == [(45, 64), (23, 32), (12, 16)]
    assert all((built.level(i) == 200).all() for i in range(3))


@pytest.mark.parametrize(
    ("shape", "levels"),
    [((1, 1), 1), ((3, 500), 1), ((4, 500), 2), ((8, 9), 3), ((500, 500), 8)],
)
def test_a_level_has_at_least_two_pixels_a_side(shape, levels):
    assert FramePyramid(np.zeros(shape, np.uint8), levels=8).levels == levels


def test_a_pixel_of_a_level_lies_at_two_to_the_level_times_its_index():
    # a blob at (48, 32): the centre of mass must be there at every level
    y, x = np.mgrid[0:64, 0:96]
    blob = (200 * np.exp(-((x - 48.0) ** 2 + (y - 32.0) ** 2) / 50)).astype(np.uint16)
    built = FramePyramid(blob, levels=4)
    for i in range(4):
        level = built.level(i).astype(float)
        rows, columns = np.indices(level.shape)
        center = np.array([(columns * level).sum(), (rows * level).sum()]) / level.sum() * 2**i
        assert center == pytest.approx([48, 32], abs=0.1)


@pytest.mark.parametrize(
    ("image", "expected", "got"),
    [
        ([[1, 2], [3, 4]], "numpy image", "list"),
        (None, "numpy image", "NoneType"),
        (GREY.astype(np.float64), "uint8, uint16 or float32", "float64"),
        (GREY.astype(np.int32), "uint8, uint16 or float32", "int32"),
        (GREY.astype(">u2"), "uint8, uint16 or float32", ">u2"),
        (GREY > 100, "uint8, uint16 or float32", "bool"),
        (GREY.astype(object), "uint8, uint16 or float32", "object"),
        (GREY.astype(complex), "uint8, uint16 or float32", "complex128"),
        (GREY[0], "(h, w) or (h, w, 1|3|4)", "(120,)"),
        (GREY[None, :, :, None], "(h, w) or (h, w, 1|3|4)", "(1, 90, 120, 1)"),
        (np.zeros((9, 9, 2), np.uint8), "(h, w) or (h, w, 1|3|4)", "(9, 9, 2)"),
        (GREY[:0], "non-empty", "(0, 120)"),
        (np.broadcast_to(np.uint8(0), ((1 << 24) + 1, 1)), "at most 16777216 px", "16777217"),
    ],
)
def test_what_is_no_image_is_refused_by_name(image, expected, got):
    with pytest.raises(InputError, match=r"^image: ") as error:
        FramePyramid(image)
    assert expected in str(error.value)
    assert got in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("levels", v) for v in (0, 9, -1, 2.0, "2", True, None)),
        *(("color", v) for v in ("gbr", "BGR", None, 0)),
        *(("copy", v) for v in ("no", 1, None)),
        *(("threads", v) for v in (-1, 1.5, "2", True, None)),
    ],
)
def test_a_wrong_argument_is_named(name, value):
    with pytest.raises(InputError, match=f"^{name}: expected .*got {value!r}$"):
        FramePyramid(GREY, **{name: value})


@pytest.mark.parametrize("index", [-1, 4, 1.5, "0", None, True])
def test_a_level_that_is_not_there_is_refused(index):
    with pytest.raises(InputError, match=r"^index: expected an integer 0 \.\. 3, got "):
        FramePyramid(GREY, levels=4).level(index)


@pytest.mark.parametrize("copy", [True, False])
def test_nobody_can_write_into_a_pyramid(copy):
    source = GREY.copy()
    built = FramePyramid(source, copy=copy)
    before = built.level(1).copy()
    for i in range(built.levels):
        built.level(i)[:] = 0
    assert_array_equal(built.level(1), before)
    assert_array_equal(built.level(0), GREY)
    assert_array_equal(source, GREY)
    with pytest.raises(AttributeError):
        built.levels = 3


def test_a_copy_does_not_follow_its_source():
    source = GREY.copy()
    built = FramePyramid(source)
    source[:] = 0
    same(built, FramePyramid(GREY))


def test_without_a_copy_the_source_is_kept_alive():
    built = FramePyramid(GREY + np.uint8(0), copy=False)
    gc.collect()
    # what would land in the memory if it were free
    others = [np.full_like(GREY, 77) for _ in range(50)]
    same(built, FramePyramid(GREY))
    assert len(others) == 50


def test_memory_used_again_leaves_no_trace_of_the_frame_before():
    sizes = [(400, 300), (90, 120), (300, 401), (33, 70), (400, 300)]
    for round_ in range(3):
        for h, w in sizes:
            image = np.random.default_rng([round_, h, w]).integers(0, 256, (h, w), dtype=np.uint8)
            first = FramePyramid(image)
            levels = [first.level(i) for i in range(first.levels)]
            del first
            again = FramePyramid(image)
            for i, level in enumerate(levels):
                assert_array_equal(again.level(i), level)


def test_float_pictures_keep_values_far_from_0_to_255():
    small, large = (GREY / 255 * 1e-3).astype(np.float32), GREY.astype(np.float32) * 1e30
    for image in (small, large):
        built = FramePyramid(image)
        for i in range(built.levels):
            expected = FramePyramid(GREY.astype(np.float32)).level(i) * (image.max() / GREY.max())
            assert built.level(i) == pytest.approx(expected, rel=1e-5)


def test_what_takes_an_image_takes_a_pyramid_with_the_same_answer():
    scene = synth.pair("medium", seed=1, n_points=20)
    first, second = FramePyramid(scene.prev), FramePyramid(scene.next)
    plain = track_points(scene.prev, scene.next, scene.xy_px)
    for prev, next_ in [(first, second), (first, scene.next), (scene.prev, second)]:
        found = track_points(prev, next_, scene.xy_px)
        assert_array_equal(found.xy_px, plain.xy_px)
        assert_array_equal(found.sigma_px, plain.sigma_px)


def test_repr_says_what_it_is():
    assert repr(FramePyramid(GREY, levels=2)) == "FramePyramid(120 x 90, levels=2)"
