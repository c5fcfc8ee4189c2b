"""Where a run stands, on the disk, so that a killed or cancelled one goes on.

What is kept: the plan and the raw tracks of every attempt, and while one is being tracked, the
tracker's whole state every `EVERY_FRAMES` frames. What is done again: the probe, the pixel
measurements (frames have to be decoded anyway) and what follows from the tracks: filters, healing,
solve. All of these are deterministic, so a run that was taken up ends with the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackcore import _core
from trackcore._files import write_bytes, write_text
from trackcore.errors import InputError
from trackcore.frames import Clip
from trackcore.pipeline.watch import Watcher
from trackcore.pixels import QualityMeter
from trackcore.tracker import Tracker
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.pipeline.run import SmartTracker

EVERY_FRAMES = 25
"""What the death of the process costs at most."""


@dataclass(frozen=True, slots=True)
class Behind:
    """How far an attempt had come: the last clip frame number it had tracked into."""

    frame: int


def run_key(tracker: SmartTracker, clip: Clip, mask: NDArray[np.uint8] | None) -> dict[str, Any]:
    """Return what the tracks of all attempts depend on.

    Solves decide whether, and how, a clip is tracked again: what they are asked counts as well.
    """
    own, policy = tracker.protected, tracker.policy
    return {
        "clip": [clip.name, clip.size, clip.fps, clip.expected_length, clip.number_at(0)],
        "first_frame": _digest(clip[0].image),
        "options": repr(replace(tracker.options, threads=0)),
        "prior": tracker.camera_prior.to_dict(), "shot": repr(tracker.shot_type),
        "solving": repr(tracker.solve_options),
        "solver": getattr(tracker.solver, "__qualname__", repr(type(tracker.solver))),
        "policy": [repr(type(policy)), repr(getattr(policy, "__dict__", None))],
        "mask": None if mask is None else _digest(mask),
        "protected": None if own is None else [_digest(own.frame_numbers), _digest(own.xy_px)],
    }  # fmt: skip


def _digest(values: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


class Checkpoint:
    """A folder of one run; without a folder, nothing is kept.

    Parameters
    ----------
    folder : Path or None
        Made if it is not there. One that belongs to another clip, other options or another
        version of trackcore is emptied first.
    key : dict
        What the run depends on.
    """

    def __init__(self, folder: Path | None, key: dict[str, Any]) -> None:
        self._folder = folder
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**key, "trackcore": _core.__version__}, sort_keys=True, default=str)
        name = hashlib.sha256(text.encode()).hexdigest()
        mark = folder / "run.txt"
        if not mark.exists() or mark.read_text(encoding="utf-8") != name:
            self.clear()
            write_text(mark, name)

    def clear(self) -> None:
        """Forget the run: it is done, or another one begins."""
        if self._folder is None:
            return
        for pattern in ("attempt-*", "run.txt"):
            for path in self._folder.glob(pattern):
                path.unlink(missing_ok=True)

    def finished(self, attempt: int) -> tuple[Tracks, dict[str, Any]] | None:
        """Return the tracks of an attempt that was tracked to its end, and its notes."""
        path = self._path(attempt, "npz")
        notes = self._path(attempt, "done.json")
        if path is None or notes is None or not notes.exists():
            return None
        try:
            return Tracks.load(path), json.loads(notes.read_text(encoding="utf-8"))
        except (InputError, ValueError):
            return None  # damaged: it is tracked again

    def finish(self, attempt: int, tracks: Tracks, notes: dict[str, Any]) -> None:
        """Keep the tracks of an attempt; what was kept on the way is no longer needed."""
        path, done = self._path(attempt, "npz"), self._path(attempt, "done.json")
        if path is None or done is None:
            return
        tracks.save(path)
        write_text(done, json.dumps(notes))
        for ending in ("state", "state.json"):
            part = self._path(attempt, ending)
            if part is not None:
                part.unlink(missing_ok=True)

    def track(
        self, attempt: int, tracker: Tracker, watcher: Watcher, quality: QualityMeter,
        *, now: bool = False,
    ) -> None:  # fmt: skip
        """Keep where the tracker stands, every so many frames, or now."""
        path = self._path(attempt, "state")
        if path is None or (tracker.n_frames % EVERY_FRAMES and not now) or not tracker.n_frames:
            return
        state = tracker.snapshot()
        head = {
            "frame": tracker.last_number, "watcher": watcher.state(), "quality": quality.state(),
            "state": hashlib.sha256(state).hexdigest(),
        }  # fmt: skip
        write_bytes(path, json.dumps(head).encode() + b"\n" + state)

    def tracked(self, attempt: int) -> Behind | None:
        """Return how far an attempt had come; None where nothing is kept."""
        found = self._read(attempt)
        return None if found is None else Behind(int(found[0]["frame"]))

    def resume(
        self, attempt: int, tracker: Tracker, watcher: Watcher, quality: QualityMeter,
        image: NDArray[np.generic],
    ) -> None:  # fmt: skip
        """Bring tracker, watcher and meter to where they were after that frame."""
        found = self._read(attempt)
        if found is None:
            raise InputError("checkpoint: expected the state that was there a moment ago")
        head, state = found
        watcher.resume(head["watcher"])
        tracker.configure(watcher.options)
        tracker.restore(state, image)
        quality.resume(head["quality"])

    def _read(self, attempt: int) -> tuple[dict[str, Any], bytes] | None:
        path = self._path(attempt, "state")
        if path is None or not path.exists():
            return None
        line, _, state = path.read_bytes().partition(b"\n")
        try:
            head = json.loads(line)
        except ValueError:
            return None
        whole = head.get("state") == hashlib.sha256(state).hexdigest()
        return (head, state) if whole else None  # damaged: it is tracked again

    def _path(self, attempt: int, ending: str) -> Path | None:
        return None if self._folder is None else self._folder / f"attempt-{attempt}.{ending}"
