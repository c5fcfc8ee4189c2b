"""Stopping a solve between its steps: every call into an engine asks first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from trackcore.errors import CancelledError

Cancel = Callable[[], bool]
_asked: ContextVar[Cancel | None] = ContextVar("cancel", default=None)


@contextmanager
def cancellable(cancel: Cancel | None) -> Iterator[None]:
    """Let `cancel` end what runs inside."""
    token = _asked.set(cancel)
    try:
        yield
    finally:
        _asked.reset(token)


def proceed() -> None:
    """Go on, unless the caller wants to stop.

    Raises
    ------
    CancelledError
    """
    cancel = _asked.get()
    if cancel is not None and cancel():
        raise CancelledError("the solve was cancelled before it had a camera")
