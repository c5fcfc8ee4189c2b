"""Patterns: the exhaustive search against OpenCV's, and `track_regions` by model.

    python -m bench.bench_regions       # the table of bench/README.md
    pytest bench/bench_regions.py       # rates, each after its answer is checked

The search compares a pattern with every place of an area by zero-mean normalised
cross-correlation, as `cv2.matchTemplate` with TM_CCOEFF_NORMED does; both must name the same place.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from bench._measure import machine, on_one_cpu, race, table
from numpy.typing import NDArray

import trackcore as tc
from trackcore import _core, synth

Image = NDArray[np.uint8]
SEARCHES = ((21, 41), (21, 71), (21, 101), (31, 101))  # pattern, search area [px]
N_PATTERNS = 40


def patterns(pattern: int, search: int) -> list[tuple[Image, Image]]:
    """Return patterns and the areas they are searched in, cut from two frames of one clip."""
    scene = synth.pair("pink", "Loc", seed=5, size=(640, 480), n_points=N_PATTERNS, margin_px=130)
    pairs = []
    for x, y in scene.xy_px.astype(int):
        half, reach = pattern // 2, search // 2
        small = scene.prev[y - half : y + half + 1, x - half : x + half + 1]
        area = scene.next[y - reach : y + reach + 1, x - reach : x + reach + 1]
        pairs.append((np.ascontiguousarray(small), np.ascontiguousarray(area)))
    return pairs


def ours(small: Image, area: Image) -> tuple[int, int]:
    found, x, y, _, _ = _core.find_pattern(small, area, with_map=False)
    assert found
    return x, y


def theirs(small: Image, area: Image) -> tuple[int, int]:
    best = cv2.minMaxLoc(cv2.matchTemplate(area, small, cv2.TM_CCOEFF_NORMED))[3]
    return int(best[0]), int(best[1])


def search_rows() -> list[list[Any]]:
    rows = []
    for pattern, search in SEARCHES:
        pairs = patterns(pattern, search)
        same = np.mean([ours(*pair) == theirs(*pair) for pair in pairs])
        result = race(
            lambda _, p=pairs: [theirs(*pair) for pair in p],
            lambda _, p=pairs: [ours(*pair) for pair in p],
        )
        us = 1e3 / len(pairs)
        rows.append(
            [f"{pattern} / {search}", f"{same:.0%}", round(result.theirs.cpu_ms * us, 1),
             round(result.ours.cpu_ms * us, 1), f"**{result.cpu_ratio:.1f}**"]
        )  # fmt: skip
    return rows


@pytest.mark.parametrize("model", [m.value for m in tc.MotionModel])
def bench_track_regions(benchmark: Any, model: str) -> None:
    scene = synth.pair("corners", model, seed=3, size=(640, 480), n_points=200, amount=0.5)
    prev, following = tc.FramePyramid(scene.prev), tc.FramePyramid(scene.next)
    options = tc.RegionOptions(model=model)
    found = benchmark(tc.track_regions, prev, following, scene.xy_px, options=options)
    error_px = np.linalg.norm(found.xy_px - scene.true_xy_px, axis=1)
    assert np.nanmedian(error_px) < 0.1  # fast and wrong is not fast
    benchmark.extra_info["us_per_region"] = round(benchmark.stats.stats.min / 200 * 1e6, 1)


def main() -> None:
    cv2.setNumThreads(1)
    print(machine())
    header = ["pattern / search px", "same place", "OpenCV us", "trackcore us", "times faster"]
    with on_one_cpu():
        print(table(header, search_rows()))


if __name__ == "__main__":
    main()
