"""track_regions refuses a wrong argument by name, with what was expected and what came."""

import re

import numpy as np
import pytest

from trackcore import InputError, RegionOptions, TrackOptions, track_regions

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
POINTS = [[40.0, 30.0], [20.0, 25.0]]


@pytest.mark.parametrize(
    ("message", "changed"),
    [
        ("prev: expected a numpy image (h, w) or (h, w, 3), got NoneType", {"prev": None}),
        ("next: expected size (80, 60) as prev has, got (80, 59)", {"next": IMAGE[1:]}),
        (
            "next: expected dtype uint8 as prev has, got float32",
            {"next": IMAGE.astype(np.float32)},
        ),
        ("xy_px: expected shape (n, 2), got (2, 3)", {"xy_px": np.zeros((2, 3))}),
        (
            "guess_px: expected shape (n=2 as in xy_px, 2), got (1, 2)",
            {"guess_px": [[1.0, 2.0]]},
        ),
        (
            "guess_warp: expected shape (n=2 as in xy_px, 3, 3), got (3, 3)",
            {"guess_warp": np.eye(3)},
        ),
        ("options: expected RegionOptions, got TrackOptions", {"options": TrackOptions()}),
        (
            "options: expected search >= pattern, got search = 21 px and pattern = 31 px",
            {"options": RegionOptions(pattern=31, search=21)},
        ),
        ("threads: expected an integer >= 0 (0 = all), got -1", {"threads": -1}),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected_and_what_came(message, changed):
    call = {"prev": IMAGE, "next": IMAGE, "xy_px": POINTS, **changed}
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        track_regions(call.pop("prev"), call.pop("next"), call.pop("xy_px"), **call)
