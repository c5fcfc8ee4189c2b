"""Decoding on a thread of its own, a few frames ahead of the consumer."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar

from trackcore.errors import InputError

T = TypeVar("T")


def prefetch(clip: Iterable[T], depth: int = 4) -> Generator[T, None, None]:
    """Iterate over `clip` on another thread, at most `depth` items ahead.

    Items come in order. An exception of `clip` is raised here, after the items before it. When
    the generator is closed, dropped or left by an exception, its thread stops after the item it
    is working on and is joined; `clip`'s iterator is closed on that thread.

    Parameters
    ----------
    clip : iterable
        What to read: a `Clip`, or anything else.
    depth : int
        Items kept ready, >= 1. Memory is `depth` + 2 frames.

    Raises
    ------
    InputError
        If `depth` is not an integer >= 1.
    """
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 1:
        raise InputError(f"depth: expected an integer >= 1 (frames kept ready), got {depth!r}")
    return _consume(clip, depth)


def _consume(clip: Iterable[T], depth: int) -> Generator[T, None, None]:
    belt: _Belt[T] = _Belt(depth)
    # A daemon: a consumer that is never closed must not keep the interpreter alive.
    worker = threading.Thread(
        target=belt.fill, args=(clip,), name="trackcore-prefetch", daemon=True
    )
    worker.start()
    try:
        yield from belt.drain()
    finally:
        belt.stop()
        worker.join()


class _Belt(Generic[T]):
    """A bounded queue that either side can end."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._stopped = False  # by the consumer
        self._finished = False  # by the producer
        self._error: BaseException | None = None

    def fill(self, source: Iterable[T]) -> None:
        """Put the items of `source` on the belt until they or the consumer end."""
        try:
            iterator = iter(source)
            try:
                for item in iterator:
                    if not self._put(item):
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as error:  # noqa: BLE001 - handed over and raised by the consumer
            self._error = error
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def drain(self) -> Generator[T, None, None]:
        """Take items off the belt; raise what the producer raised."""
        while True:
            with self._changed:
                while not self._items and not self._finished:
                    self._changed.wait()
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Tell the producer that nobody listens any more."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Wait for room and add an item; False if the consumer has gone."""
        with self._changed:
            while len(self._items) >= self._depth and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True
