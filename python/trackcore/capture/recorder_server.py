"""The process of `RecorderProcess`: makes a sink and does with it what the pipe says."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from trackcore.capture.faults import words
from trackcore.capture.ring import RingReader, SlotFrame
from trackcore.capture.telemetry import recorder_lock
from trackcore.recording import SIDES, CapturedFrame, LostFrame, PitchWindow, RecordingStatus
from trackcore.recording.window import LazyFrames

_NICE = 10


class _SlotFrames(LazyFrames):
    """Frames of a mapped ring."""

    def __init__(
        self, ring: RingReader, side: str, camera_id: str, places: Sequence[SlotFrame]
    ) -> None:
        self._ring, self._side, self._camera_id, self._places = ring, side, camera_id, places

    def __len__(self) -> int:
        return len(self._places)

    def _frame(self, place: int) -> CapturedFrame:
        frame = self._places[place]
        return CapturedFrame(
            side=self._side, camera_id=self._camera_id, frame_index=frame.frame_index,
            t_capture_monotonic_ns=frame.t_ns, image=self._ring.view(frame.slot),
        )  # fmt: skip


class _Server:
    """The other end."""

    def __init__(self, sink: Any) -> None:
        self._sink = sink
        self._found: dict[str, list[Any]] = {side: [] for side in SIDES}
        self._observations: list[Any] = []

    def attach(self, path: str, camera_ids: dict[str, str]) -> None:
        self._ring, self._camera_ids = RingReader(Path(path)), camera_ids

    def found(self, side: str, found: Any) -> None:
        self._found[side].append(found)

    def observation(self, observation: Any) -> None:
        self._observations.append(observation)

    def pitch(self, bare: PitchWindow, places: dict[str, list[SlotFrame]]) -> list[str]:
        window = replace(
            bare, pitch=replace(bare.pitch, observations=tuple(self._observations)),
            detections={side: tuple(found) for side, found in self._found.items()},
            frames={side: self._frames(side, there) for side, there in places.items()},
        )  # fmt: skip
        self._found = {side: [] for side in SIDES}
        self._observations = []
        return [str(p) for p in getattr(self._sink.write_pitch(window), "problems", ())]

    def frame(self, side: str, place: SlotFrame) -> None:
        write_frame = getattr(self._sink, "write_frame", None)
        if write_frame is not None:
            write_frame(self._frames(side, [place])[0])

    def shed(self, lost: LostFrame) -> None:
        shed = getattr(self._sink, "shed", None)
        if shed is not None:
            shed(lost)

    def close(self, status: RecordingStatus, lost: tuple[LostFrame, ...]) -> None:
        if hasattr(self._sink, "close"):
            self._sink.close(status=status, lost=lost)

    def _frames(self, side: str, places: list[SlotFrame]) -> _SlotFrames:
        return _SlotFrames(self._ring, side, self._camera_ids[side], places)


_UNANSWERED = ("found", "observation", "shed")


def main() -> None:
    """Serve until the parent closes the pipe."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints, prints elsewhere
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us in its time
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICE)
    pipe = sys.stdin.buffer
    sys.path[:] = json.loads(pipe.readline())

    def answer(call: Callable[..., Any], *arguments: Any) -> Any:
        value = None
        try:
            value = call(*arguments)
            reply: tuple[bool | None, Any] = (
                True,
                value if not hasattr(value, "write_pitch") else _folder(value),
            )
        except OSError as error:
            reply = (None, words(error))
        except Exception as error:  # noqa: BLE001 - the parent is told
            reply = (False, words(error))
        pickle.dump(reply, out)
        out.flush()
        return value

    sink = answer(lambda: pickle.load(pipe)())
    if sink is None:
        return  # the parent has been told why
    with _locked(_folder(sink)), contextlib.suppress(EOFError, BrokenPipeError):  # the parent died
        _serve(_Server(sink), pipe, answer)


def _serve(server: _Server, pipe: IO[bytes], answer: Callable[..., Any]) -> None:
    while True:
        kind, *arguments = pickle.load(pipe)
        call = getattr(server, kind)
        if kind in _UNANSWERED:
            call(*arguments)
        else:
            answer(call, *arguments)


@contextlib.contextmanager
def _locked(folder: Path | None) -> Iterator[None]:
    """Keep a recovery waiting while this process still writes."""
    if folder is None:
        yield
        return
    lock = recorder_lock(folder)
    with lock:
        yield
        Path(lock.lock_file).unlink(missing_ok=True)


def _folder(sink: Any) -> Path | None:
    folder = getattr(sink, "folder", None)
    return None if folder is None else Path(folder)


if __name__ == "__main__":
    main()
