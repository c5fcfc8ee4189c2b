"""`BallDetector` on 1080p grey frames against what people use instead, in one process.

    python -m bench.bench_blobs             # the table
    pytest bench/bench_blobs.py             # one case, for comparing a change with its parent

The answer first: every side must find the balls. Peers get a background that is known and constant,
and make binary centroids; `BallDetector` learns background and noise as it goes and fits discs.
SimpleBlobDetector and trackpy see the difference from the background.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from bench._measure import machine, on_one_cpu, race, table
from numpy.typing import NDArray

import trackcore as tc
from trackcore import synth

WIDTH, HEIGHT, RADIUS, LEVEL = 1920, 1080, 5.3, 190.0
LEARNING, FRAMES = 24, 8
Frames = list[NDArray[np.uint8]]


@cache
def background() -> NDArray[np.float64]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return 60 + 40 * np.sin(x / 97) * np.cos(y / 71)


@cache
def clip(n_balls: int, noise: float) -> tuple[Frames, Frames]:
    """Return frames of the scene alone, and frames with balls that fly to and fro."""
    rng = np.random.default_rng(n_balls)
    grid = np.stack(np.meshgrid(np.arange(60, 1860, 120), np.arange(60, 1020, 110)), axis=-1)
    at = rng.permutation(grid.reshape(-1, 2))[:n_balls] + rng.uniform(-20, 20, (n_balls, 2))
    step = rng.normal(0, 1, (n_balls, 2))
    step *= 3 / np.linalg.norm(step, axis=1, keepdims=True)

    def frame(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
        noisy = grey + noise * rng.standard_normal(grey.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)

    def with_balls(k: int) -> NDArray[np.uint8]:
        balls = [synth.Ball(xy_px=tuple(p), radius_px=RADIUS, level=LEVEL) for p in at + k * step]
        return frame(synth.draw_balls(background(), balls, supersample=4))

    moving = [with_balls(k) for k in range(FRAMES)]
    return [frame(background()) for _ in range(LEARNING)], moving + moving[-2:0:-1]


def ours(n_balls: int, noise: float, **options: object) -> Callable[[int], int]:
    still, moving = clip(n_balls, noise)
    detector = tc.BallDetector(tc.BallOptions(**options))  # type: ignore[arg-type]
    for frame in still:
        detector.process(frame, 0)
    return lambda i: len(detector.process(moving[i % len(moving)], i))


def difference(n_balls: int, noise: float) -> Callable[[int], NDArray[np.uint8]]:
    moving = clip(n_balls, noise)[1]
    base = np.rint(background()).astype(np.uint8)
    return lambda i: cv2.absdiff(moving[i % len(moving)], base)


def contours(n_balls: int, noise: float) -> Callable[[int], int]:
    made = difference(n_balls, noise)

    def call(i: int) -> int:
        _, mask = cv2.threshold(made(i), 4 * noise + 2, 255, cv2.THRESH_BINARY)
        found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        centres = []
        for contour in found:
            m = cv2.moments(contour)
            if m["m00"] > 12:
                centres.append((m["m10"] / m["m00"], m["m01"] / m["m00"]))
        return len(centres)

    return call


def components(n_balls: int, noise: float) -> Callable[[int], int]:
    made = difference(n_balls, noise)

    def call(i: int) -> int:
        _, mask = cv2.threshold(made(i), 4 * noise + 2, 255, cv2.THRESH_BINARY)
        _, _, stats, centres = cv2.connectedComponentsWithStats(mask)
        return len(centres[stats[:, cv2.CC_STAT_AREA] > 12]) - 1

    return call


def simple_detector() -> cv2.SimpleBlobDetector:
    params = cv2.SimpleBlobDetector_Params()
    params.blobColor, params.minArea, params.maxArea = 255, 12, 2000
    params.minThreshold, params.maxThreshold, params.thresholdStep = 20, 180, 10
    return cv2.SimpleBlobDetector_create(params)


def simple_blobs(n_balls: int, noise: float) -> Callable[[int], int]:
    made, detector = difference(n_balls, noise), simple_detector()
    return lambda i: len(detector.detect(made(i)))


def trackpy(n_balls: int, noise: float) -> Callable[[int], int] | None:
    try:
        package = importlib.import_module("trackpy")
    except ImportError:
        return None
    package.quiet()
    made = difference(n_balls, noise)

    def call(i: int) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return len(package.locate(made(i), 13, minmass=3000, preprocess=True, engine="auto"))

    return call


PEERS = {
    "absdiff + threshold + findContours + moments": (contours, 15),
    "absdiff + threshold + connectedComponentsWithStats": (components, 9),
    "absdiff + SimpleBlobDetector": (simple_blobs, 9),
    "trackpy.locate, tuned": (trackpy, 2),
}
CASES = [(5, 2.0), (50, 2.0), (50, 6.0)]


def rows(n_balls: int, noise: float) -> list[list[object]]:
    made = []
    for name, (peer, rounds) in PEERS.items():
        theirs = peer(n_balls, noise)
        if theirs is None:
            continue
        for kind, options in (("fit", {}), ("centroids", {"refine": False})):
            mine = ours(n_balls, noise, **options)
            found = min(mine(i) for i in range(FRAMES)), min(theirs(i) for i in range(3))
            assert found[0] == n_balls, found
            run = race(theirs, mine, rounds=rounds)
            scene = f"{n_balls} balls, noise {noise:g}"
            cells = [name, scene, kind, found[1], run.theirs.cpu_ms, run.ours.cpu_ms, run.cpu_ratio]
            made.append(cells)
            print(table([""] * len(cells), [cells]).splitlines()[-1], flush=True)
    return made


def spread(n_balls: int, noise: float, n: int = 400) -> tuple[float, float, float]:
    """Return median, 99 % and smallest CPU time of single calls [ms]."""
    import time

    call, times = ours(n_balls, noise), []
    for i in range(n):
        start = time.process_time_ns()
        call(i)
        times.append((time.process_time_ns() - start) * 1e-6)
    return float(np.median(times)), float(np.percentile(times, 99)), min(times)


def still_row(width: int, height: int, n_balls: int) -> list[object]:
    """Race `detect_blobs` against a SimpleBlobDetector tuned to the scene, on a still."""
    rng = np.random.default_rng(n_balls)
    across = round((n_balls * width / height) ** 0.5)
    x = np.linspace(40, width - 40, across)
    y = np.linspace(40, height - 40, -(-n_balls // across))
    at = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)[:n_balls]
    at = at + rng.uniform(-5, 5, at.shape)
    balls = [synth.Ball(xy_px=tuple(p), radius_px=RADIUS, level=LEVEL) for p in at]
    grey = synth.draw_balls(background()[:height, :width], balls, supersample=4)
    image = np.clip(np.rint(grey + 2 * rng.standard_normal(grey.shape)), 0, 255).astype(np.uint8)
    simple, options = simple_detector(), tc.BlobOptions(polarity="bright")
    errors = []
    for found in (
        [k.pt for k in simple.detect(image)],
        tc.detect_blobs(image, options=options).xy_px,
    ):
        apart = np.linalg.norm(np.asarray(found)[:, None] - at[None], axis=2).min(axis=0)
        assert apart.max() < 1, apart.max()
        errors.append(float(np.sqrt((apart**2).mean())))
    run = race(lambda _: simple.detect(image), lambda _: tc.detect_blobs(image, options=options),
               rounds=9)  # fmt: skip
    return [
        f"{width} x {height}, {n_balls}",
        *errors,
        run.theirs.cpu_ms,
        run.ours.cpu_ms,
        run.cpu_ratio,
    ]


def bench_balls_1080p(benchmark):
    call = ours(50, 2.0)
    counter = iter(range(10**9))
    assert benchmark(lambda: call(next(counter))) == 50


def main() -> None:
    cv2.setNumThreads(1)
    with on_one_cpu():
        print(machine() + "\n")
        header = ["scene", "p50 ms", "p99 ms", "least ms"]
        cases = [(f"{n} balls, noise {s:g}", *spread(n, s)) for n, s in CASES]
        print(table(header, cases) + "\n", flush=True)
        print(table(["peer", "scene", "ours", "they find", "their ms", "our ms", "times"], []))
        for case in CASES:
            rows(*case)
        header = ["still, balls", "SimpleBlob px", "detect_blobs px", "its ms", "our ms", "times"]
        cases = [still_row(640, 480, 50), still_row(1920, 1080, 50), still_row(1920, 1080, 400)]
        print("\n" + table(header, cases))


if __name__ == "__main__":
    main()
