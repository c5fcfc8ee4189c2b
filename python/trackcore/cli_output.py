"""What the command line says, and where: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import Any, Protocol

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from trackcore.errors import TrackcoreError

Report = Callable[[int, "int | None"], None]
ReportStage = Callable[[str, int, "int | None", str], None]


class Exit(IntEnum):
    """Exit codes."""

    GOOD = 0
    ERROR = 1
    USAGE = 2
    WEAK = 3
    NOTHING_TRACKABLE = 4
    UNSOLVED = 4
    CANCELLED = 130


class Output:
    """One verb's voice.

    Parameters
    ----------
    verb : str
        Its name, part of every JSON object.
    as_json : bool
        stdout is exactly one JSON object, whatever happens after the flags were understood.
    quiet : bool
        Nothing but errors (and the JSON object, if asked for).
    """

    def __init__(self, verb: str, *, as_json: bool, quiet: bool) -> None:
        self.verb, self._as_json, self._quiet = verb, as_json, quiet
        self._stdout = Console()
        self._stderr = Console(stderr=True)

    def log(self, message: str) -> None:
        """Say something in passing, on stderr."""
        if not self._quiet:
            self._line(message)

    def status(self, line: str) -> None:
        """Say how it goes, on stderr: the line takes the place of the last one on a terminal."""
        if self._quiet:
            return
        if self._stderr.is_terminal:
            self._stderr.print(Text(line), end="\r", overflow="crop", no_wrap=True)
        else:
            self._line(line)

    def error(self, message: str) -> None:
        """Say what went wrong, on stderr, even when quiet."""
        self._line(f"trackcore {self.verb}: {message}")

    def result(self, payload: dict[str, Any], *shown: RenderableType) -> None:
        """Give the result: `payload` as JSON, or `shown` for people."""
        if self._as_json:
            typer.echo(json.dumps({"command": self.verb, **payload}, allow_nan=False))
        elif not self._quiet:
            for item in shown:
                self._stdout.print(item, soft_wrap=isinstance(item, Text))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn an expected failure inside the block into one line and an exit code."""
        try:
            yield
        except TrackcoreError as error:
            self._fail(error, str(error))
        except BrokenPipeError:
            raise  # nobody reads on; not an error to report
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            self._fail(error, f"{error.strerror or error}{where}")
        except KeyboardInterrupt:
            self.error("cancelled")
            self.result({"outcome": "cancelled"})
            raise typer.Exit(Exit.CANCELLED) from None

    @contextmanager
    def progress(self, what: str) -> Iterator[Report]:
        """Show a bar with frames/s and time left on a terminal; elsewhere nothing."""
        with self.stages() as stages:
            yield lambda done, total: stages(what, done, total, "")

    @contextmanager
    def stages(self) -> Iterator[ReportStage]:
        """Show one bar that names the stage which runs; what a stage has to say is a line."""
        if self._quiet or not self._stderr.is_terminal:
            yield lambda _stage, _done, _total, message: self._said(message)
            return
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(),
            TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=self._stderr, transient=True) as bar:
            tasks: dict[str, TaskID] = {}

            def report(stage: str, done: int, total: int | None, message: str) -> None:
                self._said(message)
                if stage not in tasks:  # its own clock: a new stage has another pace
                    for old in tasks.values():
                        bar.update(old, visible=False)
                    tasks.clear()
                    tasks[stage] = bar.add_task(stage, total=None)
                bar.update(tasks[stage], completed=done, total=total)

            yield report

    def _said(self, message: str) -> None:
        if message:
            self.log(message)

    def _fail(self, error: Exception, message: str) -> None:
        self.error(message)
        kind = type(error).__name__
        self.result({"outcome": "error", "error": {"type": kind, "message": message}})
        raise typer.Exit(Exit.ERROR) from None

    def _line(self, message: str) -> None:
        self._stderr.print(Text(message), soft_wrap=True, highlight=False)


class _Rate(ProgressColumn):
    """Frames per second."""

    def render(self, task: Task) -> Text:
        """Return the rate, or a dash before there is one."""
        return Text("- frames/s" if task.speed is None else f"{task.speed:.1f} frames/s")


class Interrupt(Protocol):
    """Whether the user asked to stop."""

    def __call__(self) -> bool:
        """Return True once Ctrl-C was pressed."""
        ...


@contextmanager
def interruptible(output: Output) -> Iterator[Interrupt]:
    """Make the first Ctrl-C a wish to stop, which the yielded function tells; the second kills.

    Off the main thread, where signals do not arrive, Ctrl-C stays as it is.
    """
    asked, said = threading.Event(), threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    def cancelled() -> bool:
        # Said here: a signal handler must not write, it may have interrupted a write.
        if asked.is_set() and not said.is_set():
            said.set()
            output.log("stopping: what was done is kept (Ctrl-C again to quit at once)")
        return asked.is_set()

    if threading.current_thread() is not threading.main_thread():
        yield cancelled
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)
