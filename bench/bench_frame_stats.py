"""Statistics of a frame by block against numpy and OpenCV: same answer first, then time.

pytest bench/bench_frame_stats.py       # one row per case, ratios in the extra info
python bench/bench_frame_stats.py       # the table, and the whole of FrameMeter.push
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from bench._measure import race
from numpy.typing import NDArray

import trackcore as tc
from trackcore import _core

SIZES = {"1080p": (1920, 1080), "4K": (3840, 2160)}
BLOCKS = (48, 27)
EDGE = 4.0


def picture(size: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(size=size[::-1]).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(128 + 40 * blurred / blurred.std(), 0, 255).astype(np.uint8)


def ours(pyramid: tc.FramePyramid) -> NDArray[np.float64]:
    return _core.frame_stats(
        pyramid._core, 0, groups=15, columns=BLOCKS[0], rows=BLOCKS[1], row_step=1, edge=EDGE,
        white=255.0, threads=1,
    )[0]  # fmt: skip


def theirs(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the same with OpenCV's filters, resized to blocks by area, and its histogram."""
    grey = image.astype(np.float32)

    def blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.resize(values, BLOCKS, interpolation=cv2.INTER_AREA)

    slope = np.array([[-0.5, 0.0, 0.5]], np.float32)
    bend = np.array([1, -2, 1], np.float32)
    dx = cv2.filter2D(grey, cv2.CV_32F, slope)
    dy = cv2.filter2D(grey, cv2.CV_32F, slope.T)
    rough = np.abs(cv2.sepFilter2D(grey, cv2.CV_32F, bend, bend))
    xx, yy = dx * dx, dy * dy
    mean = blocks(grey)
    cv2.calcHist([image], [0], None, [64], [0, 256])
    edges = (xx + yy > EDGE**2).astype(np.float32)
    return np.stack(
        [mean, blocks(grey * grey) - mean**2, blocks(rough), blocks(xx), blocks(yy), blocks(edges)]
    )


def checked(size: tuple[int, int]) -> tuple[list[NDArray[np.uint8]], list[tc.FramePyramid]]:
    cv2.setNumThreads(1)
    images = [picture(size, seed) for seed in range(2)]
    pyramids = [tc.FramePyramid(image, 1) for image in images]
    inner = (slice(None), slice(1, -1), slice(1, -1))  # OpenCV has slopes on the border too
    np.testing.assert_allclose(ours(pyramids[0])[inner], theirs(images[0])[inner], rtol=1e-3)
    return images, pyramids


@pytest.mark.parametrize("size", SIZES)
def bench_frame_stats(benchmark, size):
    images, pyramids = checked(SIZES[size])
    result = race(lambda i: theirs(images[i % 2]), lambda i: ours(pyramids[i % 2]), rounds=5)
    benchmark(ours, pyramids[0])
    benchmark.extra_info.update(
        opencv_cpu_ms=result.theirs.cpu_ms, cpu_ms=result.ours.cpu_ms,
        times_faster=result.cpu_ratio,
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def bench_frame_meter_push(benchmark, size):
    image = picture(SIZES[size])
    meter = tc.FrameMeter()
    benchmark(meter.push, image)
    assert meter.n_frames > 1


@pytest.mark.parametrize("size", SIZES)
def bench_motion_probe(benchmark, size):
    width, height = SIZES[size]
    wide = picture((width + 200, height))
    frames = [np.ascontiguousarray(wide[:, 10 * i : 10 * i + width]) for i in range(20)]
    probe = benchmark.pedantic(tc.motion_probe, (frames,), {"threads": 1}, rounds=3)
    expected = 10 / np.hypot(width, height)
    assert abs(probe.motion_magnitude - expected) < 0.01 * expected


def main() -> None:
    print("CPU ms, one thread, in turns; medians\n")
    print("| | OpenCV, numpy | frame_stats | times faster | FrameMeter.push | pyramid alone |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, size in SIZES.items():
        images, pyramids = checked(size)
        kernel = race(
            lambda i, a=images: theirs(a[i % 2]), lambda i, p=pyramids: ours(p[i % 2]), rounds=5
        )
        meter = tc.FrameMeter()
        push = race(
            lambda i, a=images: tc.FramePyramid(a[i % 2], 3, copy=False),
            lambda i, a=images, m=meter: m.push(a[i % 2]), rounds=5,
        )  # fmt: skip
        print(
            f"| {name} | {kernel.theirs.cpu_ms:.1f} | {kernel.ours.cpu_ms:.2f} |"
            f" {kernel.cpu_ratio:.1f} | {push.ours.cpu_ms:.2f} | {push.theirs.cpu_ms:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
