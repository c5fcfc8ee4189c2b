"""A sink in a process of its own: what it computes and encodes takes nothing from the capture.

The process maps the ring and is told slots, so that pictures are not copied. Messages are pickles
through its standard input and output; it ends when the first is closed, as when its parent dies.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from trackcore.capture.assemble import SeenFrame
from trackcore.capture.faults import words
from trackcore.capture.ring import SlotFrame
from trackcore.capture.workers import RingFrames
from trackcore.errors import InputError, StoreError
from trackcore.recording import SIDES, LostFrame, PitchWindow, RecordingStatus

_SERVER = "trackcore.capture.recorder_server"
_LONGEST_END_S = 600.0


class Outcome(NamedTuple):
    """What writing a pitch came to."""

    problems: tuple[str, ...]


class RecorderProcess:
    """Starts the process and speaks to it: a sink.

    Parameters
    ----------
    make : callable
        Returns the sink, over there: it must be picklable, as `functools.partial(SessionWriter,
        folder, name, rig)` is.

    Raises
    ------
    InputError
        If it cannot be pickled.
    StoreError
        If the sink cannot be made.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        try:
            recipe = pickle.dumps(make)
        except Exception as error:
            raise InputError(
                f"recorder: expected what can be pickled, such as functools.partial of a class "
                f"({words(error)})"
            ) from error
        self._child = subprocess.Popen(
            [sys.executable, "-m", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(sys.path).encode() + b"\n" + recipe)
        self._child.stdin.flush()
        try:
            self.folder: Path | None = self._answer()
        except BaseException:
            self.end()
            raise

    def attach(self, ring: Path, camera_ids: Mapping[str, str]) -> None:
        """Tell where the frames lie."""
        self._ask("attach", str(ring), dict(camera_ids))

    def write_pitch(self, window: PitchWindow) -> Outcome:
        """Write a pitch of this ring."""
        places = {}
        for side in SIDES:
            frames = window.frames[side]
            assert isinstance(frames, RingFrames)
            places[side] = [_place(f) for f in frames.seen]
            for found in window.detections[side]:  # a pickle holds up the capture while it is made
                self._say("found", side, found)
        for observation in window.pitch.observations:
            self._say("observation", observation)
        bare = replace(
            window, frames={}, detections={}, pitch=replace(window.pitch, observations=())
        )
        return Outcome(tuple(self._ask("pitch", bare, places)))

    def write_seen(self, seen: SeenFrame) -> None:
        """Add a frame to the session's video."""
        self._ask("frame", seen.side, _place(seen))

    def shed(self, lost: LostFrame) -> None:
        """Tell of a frame that is in no video."""
        self._say("shed", lost)

    def close(self, status: RecordingStatus, lost: Sequence[LostFrame] = ()) -> None:
        """Close the sink and end the process."""
        try:
            self._ask("close", status, tuple(lost))
        finally:
            self.end()

    def end(self) -> None:
        """End the process without closing the sink."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._child.wait(_LONGEST_END_S)
        self._child.stdout.close()

    def _say(self, *message: Any) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))

    def _ask(self, *message: Any) -> Any:
        assert self._child.stdin is not None
        self._say(*message)
        self._child.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._child.stdout is not None
        try:
            good, value = pickle.load(self._child.stdout)
        except EOFError:
            raise StoreError("recorder: its process has ended") from None
        if good is None:
            raise OSError(value)
        if not good:
            raise StoreError(f"recorder: {value}") from None
        return value


def _place(seen: SeenFrame) -> SlotFrame:
    return SlotFrame(seen.handle, seen.side, seen.frame_index, seen.t_ns)
