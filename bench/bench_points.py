"""Pyramids and point tracking, one row per case. The answer is checked before it is timed.

    python -m pytest bench/bench_points.py

Comparisons with OpenCV are in `bench.speed_points` (time) and `bench.accuracy_points` (errors).
"""

from __future__ import annotations

import numpy as np
import pytest
from bench.speed_points import clip
from numpy.testing import assert_array_equal

import trackcore as tc
from tests.oracle.pyramid import pyramid as pyramid_oracle
from tests.oracle.track_points import track_point as track_point_oracle

WINDOWS = (7, 11, 15, 16, 21, 24, 31)


def answer(frames, xy, options, **kwargs):
    """Return the errors of tracking from the first frame to the second [px]."""
    found = tc.track_points(*frames.pair(0), xy, options=options, **kwargs)
    assert found.ok.mean() >= 0.95
    return np.linalg.norm(found.xy_px - xy - frames.motion(0), axis=1)[found.ok]


@pytest.mark.parametrize("size", ["VGA", "1080p", "4K"])
def bench_pyramid(benchmark, size):
    frames = clip(size).frames
    corner = np.s_[: 64 * 8, : 64 * 8]
    expected = pyramid_oracle(frames[0][corner], 4)[3][:56, :56]  # away from the cut
    assert_array_equal(tc.FramePyramid(frames[0]).level(3)[:56, :56], expected)
    turn = iter(range(10**9))
    benchmark(lambda: tc.FramePyramid(frames[next(turn) % len(frames)]))
    benchmark.extra_info["megapixels"] = frames[0].size / 1e6


@pytest.mark.parametrize("kind", ["bgr", "uint16", "float32"])
def bench_pyramid_of_other_pixels_1080p(benchmark, kind):
    grey = clip("1080p").frames[0]
    image = np.repeat(grey[..., None], 3, axis=2) if kind == "bgr" else grey.astype(kind)
    built = benchmark(tc.FramePyramid, image)
    plain = tc.FramePyramid(grey)
    for i in range(plain.levels):
        # levels of 8-bit pictures are rounded, one after the other
        apart = np.abs(built.level(i).astype(float) - plain.level(i))
        assert apart.max() <= (0 if kind == "bgr" else 1.5)


@pytest.mark.parametrize("n", [1, 50, 1000])
@pytest.mark.parametrize("size", ["VGA", "1080p", "4K"])
def bench_track_points_pair(benchmark, size, n):
    """Arrays in: both pyramids are built in the call."""
    frames, options = clip(size), tc.TrackOptions()
    xy = frames.points(n)
    assert np.median(answer(frames, xy, options)) < (0.03 if n > 1 else 0.1)
    turn = iter(range(10**9))
    benchmark(lambda: tc.track_points(*frames.pair(next(turn)), xy, options=options))


@pytest.mark.parametrize("window", WINDOWS)
def bench_track_points_1080p_window(benchmark, window):
    """Pyramids in: what the points cost."""
    frames, options = clip("1080p"), tc.TrackOptions(window=window)
    xy = frames.points(1000)
    assert np.median(answer(frames, xy, options)) < 0.5 / window
    built = [tc.FramePyramid(frame) for frame in frames.frames]
    pairs = list(zip(built, built[1:] + built[:1], strict=True))
    turn = iter(range(10**9))
    benchmark(lambda: tc.track_points(*pairs[next(turn) % len(pairs)], xy, options=options))
    benchmark.extra_info["us_per_point"] = benchmark.stats.stats.median * 1e6 / len(xy)


@pytest.mark.parametrize(
    "changed",
    [{"precise": True}, {"photometric": "gain_bias"}, {"forward_backward": True}],
    ids=lambda changed: "".join(changed),
)
def bench_track_points_1080p_option(benchmark, changed):
    frames, options = clip("1080p"), tc.TrackOptions(**changed)
    xy = frames.points(1000)
    assert np.median(answer(frames, xy, options)) < 0.03
    first, second = (tc.FramePyramid(frame) for frame in frames.pair(0))
    benchmark(tc.track_points, first, second, xy, options=options)
    benchmark.extra_info["us_per_point"] = benchmark.stats.stats.median * 1e6 / len(xy)


def bench_oracle_of_one_point(benchmark):
    """The pure-Python baseline: the oracle of the tests, from a start that is nearly right."""
    frames = clip("VGA")
    (xy,) = frames.points(1)
    truth = xy + frames.motion(0)
    found = benchmark(track_point_oracle, *frames.pair(0), xy, truth + 0.3)
    assert np.linalg.norm(found.xy_px - truth) < 0.1
