"""track_points refuses a wrong argument by name, with what was expected and what came."""

import re

import numpy as np
import pytest

from trackcore import (
    FramePyramid,
    InputError,
    RegionOptions,
    TrackcoreError,
    TrackOptions,
    track_points,
)

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (60, 80), dtype=np.uint8)
POINTS = [[40.0, 30.0], [20.0, 25.0]]


def assert_refused(message, **changed):
    call = {"prev": IMAGE, "next": IMAGE, "xy_px": POINTS, **changed}
    with pytest.raises(InputError, match=f"^{re.escape(message)}") as error:
        track_points(call.pop("prev"), call.pop("next"), call.pop("xy_px"), **call)
    assert isinstance(error.value, TrackcoreError)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("which", ["prev", "next"])
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "expected a numpy image (h, w) or (h, w, 3), got NoneType"),
        (IMAGE.tolist(), "expected a numpy image (h, w) or (h, w, 3), got list"),
        (FramePyramid, "expected a numpy image (h, w) or (h, w, 3), got type"),
        (IMAGE.astype(float), "expected dtype uint8, uint16 or float32, got float64"),
        (IMAGE.astype(np.float16), "expected dtype uint8, uint16 or float32, got float16"),
        (IMAGE.astype(np.int16), "expected dtype uint8, uint16 or float32, got int16"),
        (IMAGE.astype(object), "expected dtype uint8, uint16 or float32, got object"),
        (IMAGE > 9, "expected dtype uint8, uint16 or float32, got bool"),
        (IMAGE[0], "expected a non-empty image of shape (h, w) or (h, w, 1|3|4), got (80,)"),
        (IMAGE[:, :0], "expected a non-empty image"),
        (np.stack([IMAGE] * 2, axis=2), "expected a non-empty image of shape"),
    ],
)
def test_what_is_no_image(which, image, message):
    assert_refused(f"{which}: {message}", **{which: image})


def test_frames_that_do_not_go_together():
    assert_refused("next: expected size (80, 60) as prev has, got (80, 59)", next=IMAGE[1:])
    assert_refused(
        "next: expected size (80, 60) as prev has, got (60, 80)", next=FramePyramid(IMAGE.T)
    )
    for other in (np.uint16, np.float32):
        name = np.dtype(other).name
        image = IMAGE.astype(other)
        assert_refused(f"next: expected dtype uint8 as prev has, got {name}", next=image)
        assert_refused(f"next: expected dtype {name} as prev has, got uint8", prev=image)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((3, 1, 2)), "expected shape (n, 2), got (3, 1, 2)"),  # as OpenCV has them
        (np.zeros((3, 3)), "expected shape (n, 2), got (3, 3)"),
        (np.zeros((2, 5)), "expected shape (n, 2), got (2, 5)"),
        (np.zeros(2), "expected shape (n, 2), got (2,)"),
        (np.zeros((0, 3)), "expected shape (n, 2), got (0, 3)"),
        (3.0, "expected shape (n, 2), got ()"),
        (None, "expected an array of real numbers, got NoneType"),
        ("12", "expected an array of real numbers, got str"),
        ([[1, 2], [3]], "expected an array of real numbers, got list"),
        (np.array(POINTS, object), "expected an array of real numbers, got ndarray"),
        (np.array(POINTS, complex), "expected an array of real numbers, got ndarray"),
        (np.array(POINTS, str), "expected an array of real numbers, got ndarray"),
        (np.array(POINTS) > 3, "expected an array of real numbers, got ndarray"),
    ],
)
def test_points_of_the_wrong_shape_or_type(points, message):
    assert_refused(f"xy_px: {message}", xy_px=points)


@pytest.mark.parametrize(
    ("guess", "message"),
    [
        ([[1.0, 2.0]], "expected shape (n=2 as in xy_px, 2), got (1, 2)"),
        ([[1.0], [2.0]], "expected shape (n=2 as in xy_px, 2), got (2, 1)"),
        ([], "expected shape (n=2 as in xy_px, 2), got (0, 2)"),
        ("near", "expected an array of real numbers, got str"),
    ],
)
def test_a_guess_that_does_not_fit_the_points(guess, message):
    assert_refused(f"guess_px: {message}", guess_px=guess)


@pytest.mark.parametrize("options", [None, {}, "fast", TrackOptions, RegionOptions()])
def test_options_of_another_kind(options):
    assert_refused(f"options: expected TrackOptions, got {type(options).__name__}", options=options)


@pytest.mark.parametrize("threads", [-1, 1.5, "2", None, True])
def test_threads_that_are_no_count(threads):
    assert_refused(f"threads: expected an integer >= 0 (0 = all), got {threads!r}", threads=threads)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("window", v, "expected 5 .. 63") for v in (4, 64, -21)),
        *(("window", v, "expected an integer") for v in (21.0, "21", None, True, np.nan)),
        *(("levels", v, "expected 1 .. 8") for v in (0, 9)),
        *(("max_iterations", v, "expected 1 .. 100") for v in (0, 101)),
        *(("epsilon", v, "expected 0.0001 .. 1.0") for v in (0, -1, 1.5, np.nan, np.inf)),
        *(("epsilon", v, "expected a number") for v in ("small", None, True, [0.01])),
        *(("photometric", v, "expected one of none, bias, gain_bias") for v in ("ramp", 1, None)),
        *(("precise", v, "expected True or False") for v in (1, "yes", None)),
        *(("forward_backward", v, "expected True or False") for v in (1, "yes", None)),
        *(("min_ncc", v, "expected -1.0 .. 1.0") for v in (-1.1, 2, np.nan)),
        *(("max_fb_px", v, "expected 0.0 .. 100.0") for v in (-1, np.inf)),
        *(("max_sigma_px", v, "expected 0.001 .. 100.0") for v in (0, np.nan)),
    ],
)
def test_an_option_out_of_range_or_of_another_type(name, value, expected):
    with pytest.raises(InputError) as error:
        TrackOptions(**{name: value})
    assert str(error.value).startswith(f"TrackOptions.{name} = {value!r}")
    assert expected in str(error.value)


def test_a_misspelt_option_is_no_option():
    with pytest.raises(TypeError, match="windw"):
        TrackOptions(windw=21)
    with pytest.raises(TypeError):
        TrackOptions(21)
    with pytest.raises(AttributeError):
        TrackOptions().window = 9


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("window", np.int16(9), 9),
        ("min_ncc", np.float32(0.5), 0.5),
        ("epsilon", 1, 1.0),
        ("photometric", "GAIN_BIAS", "gain_bias"),
        ("precise", np.True_, True),
    ],
)
def test_options_keep_plain_values(name, given, kept):
    value = getattr(TrackOptions(**{name: given}), name)
    assert value == kept
    assert type(value).__module__ != "numpy"
