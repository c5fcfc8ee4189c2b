"""`detect_features` against `cv2.goodFeaturesToTrack`: same answer first, then time.

pytest bench/bench_detect.py            # one row per case, ratios in the extra info
python bench/bench_detect.py            # the table, with the peer's heap as it comes and kept

OpenCV allocates about 60 MB for each 1080p call. Whether the C library hands that memory back to
the system in between, and page-faults it in again, depends on what else the process has done; it
changes OpenCV's time threefold. The table shows both: `as called` in a fresh process, and `kept`
with the two environment variables below, the best that OpenCV can have.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import trackcore as tc
from trackcore import _core

KEEP_HEAP = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
WIDTH, HEIGHT = 1920, 1080
CLIPS = {
    "log building": "boof_handheld_open/log_building_02.mp4",
    "tree, snow": "boof_handheld_open/tree_snow_01.mp4",
    "zoom": "boof_zoom_shake_rotate/zoom.mjpeg",
    "chessboard": "boof_chess_movie/movie.mjpeg",
    "horse": "boof_sweeps/horse_jitter.mp4",
}
PICTURES = [f"{clip}, {how}" for clip in CLIPS for how in ("enlarged", "tiled")] + ["dense"]
OPTIONS = tc.FeatureOptions(max_features=1000, quality=0.01, min_distance=7.0, block=3)


@cache
def picture(name: str) -> NDArray[np.uint8]:
    """Return a 1080p grey frame: real ones enlarged or tiled, or dense random texture."""
    if name == "dense":
        noise = np.random.default_rng(0).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
        blurred = cv2.GaussianBlur(noise, (0, 0), 1.5)
        return np.clip(128 + 40 * blurred / blurred.std(), 0, 255).astype(np.uint8)
    clip, how = name.rsplit(", ", 1)
    beside = Path(__file__).parents[1].parent / "shared" / "data"
    path = Path(os.environ.get("TRACKCORE_TEST_DATA", beside)) / CLIPS[clip]
    if not path.exists():
        pytest.skip(f"real test material is not here: {path} (set TRACKCORE_TEST_DATA)")
    frame = next(iter(tc.open_clip(path))).image
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    if how == "enlarged":
        return cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    times = (HEIGHT // grey.shape[0] + 1, WIDTH // grey.shape[1] + 1)
    return np.ascontiguousarray(np.tile(grey, times)[:HEIGHT, :WIDTH])


def ours(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return tc.detect_features(image, options=OPTIONS).xy_px


def theirs(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.goodFeaturesToTrack(image, 1000, 0.01, 7.0, blockSize=3)[:, 0]


def identity(image: NDArray[np.uint8]) -> float:
    """Return the share of features that both find."""
    a, b = set(map(tuple, ours(image).tolist())), set(map(tuple, theirs(image).tolist()))
    return len(a & b) / max(len(a), len(b))


def cpu_ms(function: object, image: NDArray[np.uint8]) -> float:
    start = time.process_time_ns()
    function(image)  # type: ignore[operator]
    return (time.process_time_ns() - start) * 1e-6


def interleaved_ms(image: NDArray[np.uint8], rounds: int = 15) -> tuple[float, float, float]:
    """Return median CPU times of OpenCV and of ours, in turns, and the median of their ratios."""
    times = np.array([(cpu_ms(theirs, image), cpu_ms(ours, image)) for _ in range(rounds)])
    their_ms, our_ms = np.median(times, axis=0)
    return float(their_ms), float(our_ms), float(np.median(times[:, 0] / times[:, 1]))


@pytest.mark.parametrize("name", PICTURES)
def bench_detect_1080p(benchmark, name):
    cv2.setNumThreads(1)
    image = picture(name)
    assert identity(image) >= 0.99  # fast and wrong is not fast
    their_ms, our_ms, ratio = interleaved_ms(image)
    benchmark(ours, image)
    benchmark.extra_info.update(opencv_cpu_ms=their_ms, cpu_ms=our_ms, times_faster=ratio)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def bench_detect_other_pixels(benchmark, dtype):
    image = picture("dense").astype(dtype)
    found = benchmark(tc.detect_features, image, options=OPTIONS)
    assert {*map(tuple, found.xy_px)} == {*map(tuple, ours(picture("dense")))}


@pytest.mark.parametrize("cells", [8, 64])
def bench_detect_balanced(benchmark, cells):
    options = tc.FeatureOptions(max_features=1000, quality=0.01, min_distance=7.0, cells=cells)
    found = benchmark(tc.detect_features, picture("dense"), options=options)
    assert len(found.score) == 1000


def bench_detect_replenish(benchmark):
    """Search only the cells that lack tracks: here one in ten."""
    image = picture("dense")
    wanted = np.zeros((9, 16), bool)
    wanted.flat[::10] = True
    mask = np.kron(wanted, np.ones((120, 120), bool))
    there = ours(image)
    there = there[~mask[there[:, 1].astype(int), there[:, 0].astype(int)]]
    found = benchmark(tc.detect_features, image, existing_px=there, mask=mask)
    assert mask[found.xy_px[:, 1].astype(int), found.xy_px[:, 0].astype(int)].all()


def rows(heap: str) -> None:
    for name in PICTURES:
        try:
            image = picture(name)
        except pytest.skip.Exception as why:
            print(f"| {name} | {heap} | {why} |")
            continue
        same, (their_ms, our_ms, ratio) = identity(image), interleaved_ms(image)
        print(f"| {name} | {heap} | {same:.2%} | {their_ms:.1f} | {our_ms:.2f} | {ratio:.1f} |")


def main() -> None:
    cv2.setNumThreads(1)
    if len(sys.argv) > 1:
        return rows(sys.argv[1])
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"OpenCV {cv2.__version__}, level {_core.cpu_level()}, load {load:.1f}, 1 thread, CPU ms\n"
    )
    print("| picture | OpenCV's heap | same features | OpenCV ms | trackcore ms | times faster |")
    print("|---|---|---|---|---|---|", flush=True)
    for heap, environment in (("as called", {}), ("kept", KEEP_HEAP)):
        command = [sys.executable, __file__, heap]
        subprocess.run(command, env={**os.environ, **environment}, check=True)
    return None


if __name__ == "__main__":
    main()
