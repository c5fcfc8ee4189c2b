"""Speed of `track_points` against `cv2.calcOpticalFlowPyrLK`, called as a user calls them.

    python -m bench.speed_points                  # one thread: the tables of bench/README.md
    python -m bench.speed_points --threads 2      # wall time, and how far a second thread helps
    python -m bench.speed_points --quick          # a few cells, for a look
    python -m bench.speed_points --kept-heap      # the best that OpenCV can have, see below

Same frames, points, window, levels, iterations and epsilon on both sides. Frames are textured
like photographs (equal power per octave), noisy (sigma 2), move by 2 - 4 px with changing
sub-pixel phase, and eight of them rotate. Before a cell is timed, both answers are compared with
the truth.

pair: both frames are new to the tracker, arrays in, positions out. stream: each frame is new once;
trackcore keeps the pyramid of the frame before, which OpenCV's Python interface cannot.
OpenCV allocates its pyramids and derivatives anew on every call. Whether the C library has handed
that memory back to the system in between, and page-faults it in again, depends on what else the
process did: at 4K it doubles OpenCV's time, or not. --kept-heap makes the library keep it.

points only: both sides less their own time for one point, which is what frames cost: what would
remain if OpenCV could keep pyramids too.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from bench._measure import (
    KEPT_HEAP,
    Race,
    heap_is_kept,
    machine,
    on_one_cpu,
    race,
    table,
)
from numpy.typing import NDArray

import trackcore as tc
from tests.contest import opencv_points

SIZES = {"VGA": (640, 480), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
COUNTS = (1, 10, 50, 200, 1000)
WINDOWS = (7, 11, 15, 16, 21, 24, 31)
HEADLINE_WINDOWS = (16, 21, 24)
N_FRAMES = 8
MARGIN = 40  # px of canvas beyond the frame


@dataclass(frozen=True)
class Clip:
    """Frames, and how far each is from the first."""

    frames: list[NDArray[np.uint8]]
    offset_px: NDArray[np.float64]  # (n_frames, 2)

    def points(self, n: int) -> NDArray[np.float64]:
        rng = np.random.default_rng(n)
        h, w = self.frames[0].shape
        return rng.uniform(2 * MARGIN, [w - 2 * MARGIN, h - 2 * MARGIN], (n, 2))

    def pair(self, i: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return self.frames[i % N_FRAMES], self.frames[(i + 1) % N_FRAMES]

    def motion(self, i: int) -> NDArray[np.float64]:
        return self.offset_px[(i + 1) % N_FRAMES] - self.offset_px[i % N_FRAMES]


@cache
def clip(size: str) -> Clip:
    """Make the frames: crops of two renderings that are half a pixel or so apart, plus noise."""
    w, h = SIZES[size]
    texture = tc.synth.pink_noise(1)
    phases = np.array([[0.0, 0.0], [0.37, 0.61]])
    canvases = [
        tc.synth.render(
            texture, (w + 2 * MARGIN, h + 2 * MARGIN), dtype=np.float32,
            warp=[[1, 0, dx], [0, 1, dy], [0, 0, 1]],
        )
        for dx, dy in phases
    ]  # fmt: skip
    walk = np.array([[0, 0], [2, 1], [4, 3], [6, 2], [8, 5], [6, 6], [4, 4], [2, 2]])
    frames = []
    for i, (x, y) in enumerate(walk):
        crop = canvases[i % 2][MARGIN - y : MARGIN - y + h, MARGIN - x : MARGIN - x + w]
        noise = np.random.default_rng(i).standard_normal((h, w), np.float32)
        frames.append(np.clip(np.rint(crop + 2 * noise), 0, 255).astype(np.uint8))
    return Clip(frames, walk + phases[np.arange(N_FRAMES) % 2])


@dataclass(frozen=True)
class Cell:
    """One row of a table: a race and the errors behind it."""

    size: str
    n: int
    window: int
    regime: str
    race: Race
    our_px: float
    their_px: float


@cache
def cell(size: str, n: int, window: int, regime: str, threads: int, rounds: int) -> Cell:
    """Check both answers, then time them."""
    frames, options = clip(size), tc.TrackOptions(window=window)
    xy = frames.points(n)
    our_px, their_px = errors(frames, xy, options)
    as_opencv = np.ascontiguousarray(xy[:, None], np.float32)
    settings: dict[str, Any] = {
        "winSize": (window, window),
        "maxLevel": options.levels - 1,
        "criteria": (3, options.max_iterations, options.epsilon),
    }

    def theirs(i: int) -> object:
        return cv2.calcOpticalFlowPyrLK(*frames.pair(i), as_opencv, None, **settings)

    def pair(i: int) -> object:
        return tc.track_points(*frames.pair(i), xy, options=options, threads=threads)

    kept = [tc.FramePyramid(frames.frames[0], threads=threads)]

    def stream(i: int) -> object:
        new = tc.FramePyramid(frames.frames[(i + 1) % N_FRAMES], threads=threads)
        found = tc.track_points(kept[0], new, xy, options=options, threads=threads)
        kept[0] = new
        return found

    ours = {"pair": pair, "stream": stream}[regime]
    return Cell(size, n, window, regime, race(theirs, ours, rounds=rounds), our_px, their_px)


def errors(frames: Clip, xy: NDArray[np.float64], options: tc.TrackOptions) -> tuple[float, float]:
    """Return both median errors [px]; raise unless ours is good and no worse."""
    mine, peers = [], []
    for i in range(3):
        truth = xy + frames.motion(i)
        found = tc.track_points(*frames.pair(i), xy, options=options)
        mine.append(np.linalg.norm(found.xy_px - truth, axis=1))
        peers.append(np.linalg.norm(opencv_points(*frames.pair(i), xy, options) - truth, axis=1))
    tracked = np.isfinite(np.concatenate(mine))
    our_px, their_px = (float(np.nanmedian(np.concatenate(each))) for each in (mine, peers))
    # of one point, medians say little
    if tracked.mean() < 0.95 or (len(xy) >= 50 and our_px > their_px):
        raise AssertionError(f"fast and wrong is not fast: {our_px} px, OpenCV {their_px} px")
    return our_px, their_px


def points_only(done: Cell, threads: int, rounds: int) -> str:
    """Return the ratio of what the points alone cost."""
    if done.n == 1:
        return ""
    one = cell(done.size, 1, done.window, done.regime, threads, rounds).race
    wall = threads > 1
    theirs, ours = (
        (getattr(a, "wall_ms" if wall else "cpu_ms") - getattr(b, "wall_ms" if wall else "cpu_ms"))
        for a, b in ((done.race.theirs, one.theirs), (done.race.ours, one.ours))
    )
    # a difference of nearly equal times says nothing
    telling = theirs > 0 and ours > 0.1 * done.race.ours.cpu_ms
    return f"{theirs / ours:.1f}" if telling else "-"


HEADER = [
    "frame", "window", "points", "regime", "OpenCV ms", "trackcore ms", "times faster",
    "by wall time", "points only", "median error px: OpenCV", "trackcore",
]  # fmt: skip


def row(done: Cell, rounds: int) -> list[object]:
    r = done.race
    return [
        done.size, done.window, done.n, done.regime, r.theirs.cpu_ms, r.ours.cpu_ms,
        f"**{r.cpu_ratio:.1f}**", f"{r.wall_ratio:.1f}", points_only(done, 1, rounds),
        done.their_px, done.our_px,
    ]  # fmt: skip


def one_thread(rounds: int, *, quick: bool) -> None:
    sizes = ["VGA", "1080p"] if quick else list(SIZES)
    counts = [50, 1000] if quick else COUNTS
    plans = {
        "Headline windows (16 and 24 are OpenCV's best, 21 is its users' habit)": [
            (size, n, window, regime)
            for size, window, n, regime in itertools.product(
                sizes, HEADLINE_WINDOWS, (1000, 50), ("pair", "stream")
            )
        ],
        "Number of points": [
            (size, n, 21, regime)
            for size, n, regime in itertools.product(sizes, counts, ("pair", "stream"))
        ],
        "Window": [("1080p", 1000, window, "stream") for window in WINDOWS],
    }
    with on_one_cpu():
        for title, plan in plans.items():
            rows = [row(cell(*case, 1, rounds), rounds) for case in plan]
            print(f"\n### {title}\n\n{table(HEADER, rows)}", flush=True)


def several_threads(threads: int, rounds: int, *, quick: bool) -> None:
    """Wall time; both sides may use as many threads."""
    rows = []
    for size, window in itertools.product(["1080p"] if quick else list(SIZES), HEADLINE_WINDOWS):
        cv2.setNumThreads(1)
        alone = cell(size, 1000, window, "stream", 1, rounds).race
        cv2.setNumThreads(threads)
        together = cell(size, 1000, window, "stream", threads, rounds).race
        gain = [
            f"{a.wall_ms / b.wall_ms:.2f}"
            for a, b in ((alone.theirs, together.theirs), (alone.ours, together.ours))
        ]
        rows.append(
            [
                size, window, together.theirs.wall_ms, together.ours.wall_ms,
                f"**{together.wall_ratio:.1f}**", *gain,
            ]
        )  # fmt: skip
    header = [
        "frame", "window", "OpenCV ms", "trackcore ms", "times faster",
        f"{threads} threads over 1: OpenCV", "trackcore",
    ]  # fmt: skip
    print(f"\n### {threads} threads, 1000 points, stream, wall time\n\n{table(header, rows)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="a few cells only")
    parser.add_argument("--kept-heap", action="store_true", help="let OpenCV's memory be kept")
    args = parser.parse_args()
    if args.kept_heap and not heap_is_kept():
        command = [sys.executable, "-m", "bench.speed_points", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **KEPT_HEAP})
    cv2.setNumThreads(args.threads)
    print(machine())
    if args.threads == 1:
        one_thread(args.rounds, quick=args.quick)
    else:
        several_threads(args.threads, args.rounds, quick=args.quick)


if __name__ == "__main__":
    main()
