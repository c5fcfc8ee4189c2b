"""Decoding ahead: in order, bounded, honest about errors, and gone when nobody listens."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from trackcore.errors import InputError
from trackcore.frames import open_clip, prefetch

NAME = "trackcore-prefetch"


def workers() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    yield
    assert workers() == 0


class Source:
    """Counts what has been taken from it and where its iterator was closed."""

    def __init__(self, n: int, fail_at: int | None = None) -> None:
        self.n = n
        self.fail_at = fail_at
        self.taken = 0
        self.closed_on: str | None = None

    def __iter__(self) -> Iterator[int]:
        try:
            for i in range(self.n):
                if i == self.fail_at:
                    raise KeyError("broken frame")
                self.taken += 1
                yield i
        finally:
            self.closed_on = threading.current_thread().name


def settled(source: Source) -> int:
    """Wait until the thread has stopped taking items; return how many it took."""
    before = -1
    while before != source.taken:
        before = source.taken
        time.sleep(0.05)
    return before


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_every_item_comes_once_and_in_order(depth: int) -> None:
    assert list(prefetch(Source(50), depth)) == list(range(50))


def test_a_clip_comes_through_unchanged() -> None:
    stack = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    frames = list(prefetch(open_clip(stack)))
    assert [frame.number for frame in frames] == [1, 2, 3]
    assert all(
        np.array_equal(frame.image, image) for frame, image in zip(frames, stack, strict=True)
    )


def test_it_works_on_another_thread_and_only_so_far_ahead() -> None:
    source = Source(100)
    items = prefetch(source, depth=3)
    assert source.taken == 0  # nothing happens before the first item is asked for
    assert next(items) == 0
    assert settled(source) == 1 + 3 + 1  # one given, three waiting, one in the hand
    items.close()
    assert source.closed_on == NAME


def test_an_error_arrives_after_the_items_before_it() -> None:
    items = prefetch(Source(10, fail_at=2))
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(KeyError, match="broken frame"):
        next(items)


def test_closing_early_stops_the_thread_at_once() -> None:
    source = Source(10**9)
    items = prefetch(source, depth=2)
    next(items)
    began = time.perf_counter()
    items.close()
    assert time.perf_counter() - began < 1.0
    assert workers() == 0
    assert source.taken <= 5


def test_leaving_the_loop_by_break_or_error_stops_the_thread() -> None:
    for item in prefetch(Source(10**9)):
        if item == 3:
            break
    gc.collect()
    assert workers() == 0
    with pytest.raises(ZeroDivisionError):
        consume_badly()
    gc.collect()
    assert workers() == 0


def consume_badly() -> None:
    for item in prefetch(Source(10**9)):
        1 // (item - 2)


def test_a_generator_that_is_never_started_starts_no_thread() -> None:
    items = prefetch(Source(5))
    assert workers() == 0
    items.close()


@pytest.mark.parametrize("depth", [0, -1, 2.0, True, "4"])
def test_a_wrong_depth_is_refused_at_once(depth: object) -> None:
    with pytest.raises(InputError, match="depth: expected an integer >= 1"):
        prefetch(Source(1), depth)  # type: ignore[arg-type]
