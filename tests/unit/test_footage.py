"""Classes of footage: the documented table, edges included."""

import pytest

import trackcore as tc


@pytest.mark.parametrize(
    ("width", "fps", "name"),
    [
        (1919, 27.99, "SD_24fps"), (1919, 28, "SD_30fps"), (640, 50, "SD_60fps"),
        (1920, 23.976, "HD_24fps"), (3839, 29.97, "HD_30fps"), (1920, 59.94, "HD_60fps"),
        (3840, 25, "4K_24fps"), (4096, 49.99, "4K_30fps"), (7680, 120, "4K_60fps"),
    ],
)  # fmt: skip
def test_the_nine_classes_begin_where_the_table_says(width, fps, name):
    assert tc.footage_class((width, 100), fps) == name
    resolution, rate = name.split("_")
    assert tc.resolution_class((width, 100)) == ["SD", "HD", "4K"].index(resolution)
    assert tc.fps_class(fps) == ["24fps", "30fps", "60fps"].index(rate)


def test_a_portrait_clip_is_judged_by_its_width_as_documented():
    assert tc.footage_class((1080, 1920), 24) == "SD_24fps"


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), None, True, "24"])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(tc.InputError, match="fps: expected a number > 0"):
        tc.footage_class((1920, 1080), fps)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (5,), None, 1920, (None, 3)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(tc.InputError, match="frame_size: expected"):
        tc.footage_class(size, 24)
