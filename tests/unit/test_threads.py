"""Threads, fork and CPU levels: the answer never depends on who computes it, or beside whom."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit.thread_scene import digest, scene, track
from trackcore import _core

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, which has not yet read the environment."""
    return subprocess.run(
        [sys.executable, "-c", "from tests.unit.thread_scene import *\n" + script],
        env={**os.environ, **environment},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )


def said(script: str, **environment: str) -> str:
    done = run(script, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_scene_has_every_kind_of_outcome() -> None:
    # or the tests below would compare nothing
    assert {tc.PointStatus.TRACKED, tc.PointStatus.OUT_OF_FRAME} < set(track().status)
    assert track().ok.sum() > 100


def test_the_number_of_threads_changes_no_byte() -> None:
    answers = {threads: digest(track(threads)) for threads in (1, 2, 3, 7, 0, 300)}
    assert set(answers.values()) == {answers[1]}


def test_calls_from_many_threads_at_once_give_what_serial_calls_give() -> None:
    jobs = [(seed, threads) for seed in range(4) for threads in (1, 2, 4)] * 2
    serial = [digest(track(threads, seed)) for seed, threads in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda job: digest(track(job[1], job[0])), jobs))
    assert together == serial


def test_threads_may_share_a_pyramid() -> None:
    pair, xy = scene()
    prev, next_ = tc.FramePyramid(pair.prev), tc.FramePyramid(pair.next)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(tc.track_points, prev, next_, xy, threads=2) for _ in range(16)]
        answers = {digest(call.result()) for call in calls}
    assert answers == {digest(tc.track_points(prev, next_, xy))}


@pytest.mark.skipif(
    getattr(sys, "_is_gil_enabled", lambda: True)(), reason="needs a free-threaded Python"
)
def test_without_a_gil_many_threads_stress_it_and_nothing_changes() -> None:
    serial = [digest(track(1, seed)) for seed in range(4)]

    def work(worker: int) -> bool:
        return all(digest(track(1 + k % 3, (worker + k) % 4)) == serial[(worker + k) % 4]
                   for k in range(40))  # fmt: skip

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


def test_other_python_threads_run_while_the_core_works() -> None:
    rng = np.random.default_rng(0)
    prev, next_ = rng.integers(0, 256, (2, 240, 320), dtype=np.uint8)
    pyramids = tc.FramePyramid(prev), tc.FramePyramid(next_)
    xy = np.ascontiguousarray(rng.uniform(60, 180, (80_000, 2)))
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    ticker = threading.Thread(target=tick)
    ticker.start()
    begin = time.perf_counter()
    tc.track_points(*pyramids, xy, options=tc.TrackOptions(window=41))
    end = time.perf_counter()
    stop.set()
    ticker.join()
    # Evenly spread, not only before and after: the core alone takes almost all of this time.
    tenths = {int(10 * (t - begin) / (end - begin)) for t in ticks if begin < t < end}
    assert end - begin > 0.1, "too short a call to tell"
    assert len(tenths & set(range(2, 8))) >= 4


@linux
def test_all_threads_means_the_cpus_this_process_may_use() -> None:
    script = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    count = "from trackcore import _core; print(_core.available_threads())"
    assert said(script + count, TRACKCORE_NUM_THREADS="") == "1"


@linux
@pytest.mark.parametrize(("wanted", "threads", "started"), [("3", 0, 2), ("1", 0, 0), ("1", 4, 3)])
def test_the_environment_says_how_many_all_is(wanted: str, threads: int, started: int) -> None:
    script = (
        "import os; scene(); before = len(os.listdir('/proc/self/task'))\n"
        f"track({threads}); print(len(os.listdir('/proc/self/task')) - before)"
    )
    assert said(script, TRACKCORE_NUM_THREADS=wanted) == str(started)


@pytest.mark.parametrize("wanted", ["abc", "0", "-3", "2x", "1.5", "9" * 30])
def test_an_environment_that_says_no_number_is_an_input_error(wanted: str) -> None:
    done = run("scene()\ntrack(0)", TRACKCORE_NUM_THREADS=wanted)
    assert done.returncode == 1
    message = f"InputError: TRACKCORE_NUM_THREADS={wanted}: expected a whole number above 0"
    assert message in done.stderr


FORK = """
import os, signal, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of fork beside threads
serial = digest(track())
assert digest(track(4)) == serial

def child_agrees():
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os._exit(0 if digest(track(4)) == serial else 7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


@forks
def test_a_forked_child_tracks_and_its_parent_goes_on() -> None:
    script = FORK + "print([child_agrees() for _ in range(3)], digest(track(4)) == serial)"
    assert said(script) == "[0, 0, 0] True"


@forks
def test_a_child_forked_while_others_are_inside_the_core_is_not_stuck() -> None:
    # The child inherits every lock as it was: one held by another thread is never released.
    # Tiny pyramids take and give back memory, under its lock, as often as can be.
    script = FORK + (
        "tiny = np.zeros((8, 8), np.uint8)\n"
        "stop = threading.Event()\n"
        "def build():\n"
        "    while not stop.is_set(): tc.FramePyramid(tiny, 2)\n"
        "def work():\n"
        "    while not stop.is_set(): track(2)\n"
        "busy = [threading.Thread(target=f) for f in (build, build, build, work)]\n"
        "for thread in busy: thread.start()\n"
        "def child_builds():\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        signal.alarm(10)\n"
        "        tc.FramePyramid(tiny, 2)\n"
        "        os._exit(0)\n"
        "    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\n"
        "good = all(child_builds() == 0 for _ in range(300))\n"
        "good = good and all(child_agrees() == 0 for _ in range(5))\n"
        "stop.set()\n"
        "print(good)"
    )
    assert said(script) == "True"


@forks
def test_a_child_may_fork_again() -> None:
    script = FORK + (
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    signal.alarm(20)\n"
        "    os._exit(child_agrees() or (0 if digest(track(3)) == serial else 8))\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert said(script) == "0"


def levels_here() -> list[str]:
    levels = ["baseline", "v3", "v4"]
    return levels[: levels.index(_core.best_cpu_level()) + 1]


def test_every_cpu_level_gives_the_same_bytes() -> None:
    script = "from trackcore import _core; print(_core.cpu_level(), digest(track()))"
    answers = dict(said(script, TRACKCORE_CPU=level).split() for level in levels_here())
    assert list(answers) == levels_here()
    assert len(set(answers.values())) == 1


def test_an_unknown_cpu_level_is_refused_with_the_choices() -> None:
    done = run("track()", TRACKCORE_CPU="nonsense")
    assert done.returncode == 1
    assert "InputError: TRACKCORE_CPU=nonsense: expected baseline, v3 or v4" in done.stderr
