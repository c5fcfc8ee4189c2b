"""Frames in slots of one block of memory, which outlives the process if it is a mapped file."""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import threading
import uuid
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackcore import _core
from trackcore.errors import RecordError
from trackcore.recording import SIDES

RING_NAME = "capture.ring"
_MAGIC = b"tcring1\n"
_HEAD = struct.Struct("<8s3q")  # magic, slots, bytes of a slot, of the table
_ROW = struct.Struct("<q4q3i4x")  # whole, side, number, stamp, bytes; rows, columns, channels
_PAGE = 4096
_SHARED_MEMORY = Path("/dev/shm")
_SPARE = 1.1


class SlotFrame(NamedTuple):
    """What a slot holds."""

    slot: int
    side: str
    frame_index: int
    t_ns: int


class SlotRing:
    """Slots for frames, handed out to the capture threads and taken back when nobody needs them.

    Parameters
    ----------
    slots : int
    slot_bytes : int
        Of the largest frame.
    folder : Path, optional
        A folder to keep the file in if shared memory has no room. Default: plain memory, lost with
        the process.

    Notes
    -----
    `put` is for the capture threads: it takes a free slot, copies, and waits for nobody. Everybody
    else counts who still needs a slot under a lock that `put` does not touch. A slot that is being
    filled says so, and one that was freed keeps its frame until it is filled again.
    """

    def __init__(self, slots: int, slot_bytes: int, folder: Path | None = None) -> None:
        self.slots, self.slot_bytes = slots, slot_bytes
        self._stride = -(-slot_bytes // _PAGE) * _PAGE
        self._table = -(-(_PAGE + slots * _ROW.size) // _PAGE) * _PAGE
        size = self._table + slots * self._stride
        if folder is not None:
            sweep_rings()
        self.path = _place(size, folder)
        if self.path is None:
            self._memory = mmap.mmap(-1, size)
        else:
            self._memory = _mapped(self.path, size)
        self._pixels = np.frombuffer(self._memory, np.uint8)
        self._pixels[:] = 0  # every page is there before the first frame
        _HEAD.pack_into(self._memory, 0, _MAGIC, slots, self._stride, self._table)
        if folder is not None:
            name = os.fsencode(folder.resolve())[: _PAGE - _HEAD.size]
            self._memory[_HEAD.size : _HEAD.size + len(name)] = name
        self._free: deque[int] = deque(range(slots))
        self._needed = [0] * slots
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """Slots that nobody needs."""
        return len(self._free)

    @property
    def crash_safe(self) -> bool:
        """Whether the frames outlive the process."""
        return self.path is not None

    def put(self, side: str, number: int, t_ns: int, image: NDArray[np.uint8]) -> int | None:
        """Copy a frame and return its slot, held once; None if there is no room."""
        try:
            slot = self._free.popleft()
        except IndexError:
            return None
        row = _PAGE + slot * _ROW.size
        struct.pack_into("<q", self._memory, row, 0)
        self._copy(slot, image)
        h, w = image.shape[:2]
        channels = 0 if image.ndim == 2 else image.shape[2]
        self._needed[slot] = 1
        fields = (SIDES.index(side), number, t_ns, image.size, h, w, channels)
        _ROW.pack_into(self._memory, row, 0, *fields)
        struct.pack_into("<q", self._memory, row, 1)
        return slot

    def image(self, slot: int) -> NDArray[np.uint8]:
        """Return a view of a slot's picture: as long as the slot is held."""
        _, _, _, _, _, h, w, channels = _ROW.unpack_from(self._memory, _PAGE + slot * _ROW.size)
        return self._view(slot, (h, w, channels) if channels else (h, w))

    def hold(self, slot: int) -> None:
        """Keep a slot that is held already, once more."""
        with self._lock:
            self._needed[slot] += 1

    def hold_if_held(self, slot: int) -> bool:
        """Keep a slot once more if somebody does."""
        with self._lock:
            held = self._needed[slot] > 0
            self._needed[slot] += held
        return held

    def release(self, slot: int) -> None:
        """Let go of a slot once."""
        with self._lock:
            self._needed[slot] -= 1
            free = self._needed[slot] == 0
        if free:
            self._free.append(slot)

    def close(self, *, keep: bool = False) -> None:
        """Let go of the memory, and of the file if it is not to be kept."""
        self._pixels = np.empty(0, np.uint8)
        with contextlib.suppress(BufferError):  # somebody still looks at a picture
            self._memory.close()
        if self.path is not None and not keep:
            self.path.unlink(missing_ok=True)

    def _copy(self, slot: int, image: NDArray[np.uint8]) -> None:
        """Copy a picture without letting go of the interpreter, which would have to be waited for.

        numpy lets go of it; on two busy processors getting it back took as long as the copy.
        """
        view = self._view(slot, image.shape)
        if image.flags.c_contiguous:
            _core.copy_past_caches(view, image)
        else:
            np.copyto(view, image)

    def _view(self, slot: int, shape: Sequence[int]) -> NDArray[np.uint8]:
        begin = self._table + slot * self._stride
        size = int(np.prod(shape))
        return self._pixels[begin : begin + size].reshape(shape)


def _place(size: int, folder: Path | None) -> Path | None:
    """Return where a file of this size fits: shared memory, the folder, nowhere."""
    if folder is None:
        return None
    name = f"trackcore-{os.getpid()}-{uuid.uuid4().hex[:8]}.ring"
    for path in (_SHARED_MEMORY / name, folder / RING_NAME):
        try:
            room = os.statvfs(path.parent)
        except (OSError, AttributeError):
            continue
        if room.f_bavail * room.f_frsize >= size * _SPARE:
            return path
    return None


def sweep_rings() -> None:
    """Remove rings in shared memory whose process is dead and whose session's folder is gone."""
    for path in _SHARED_MEMORY.glob("trackcore-*-*.ring"):
        with contextlib.suppress(RecordError, OSError, ValueError):
            if not _lives(int(path.name.split("-")[1])) and not RingReader(path).folder.exists():
                path.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _mapped(path: Path, size: int) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):  # or a page without room would kill us when it is used
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.truncate(descriptor, size)
        return mmap.mmap(descriptor, size)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


class RingReader:
    """The ring of another process, or of one that is no more.

    Parameters
    ----------
    path : Path

    Raises
    ------
    RecordError
        If it is no ring.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._pixels = np.memmap(path, np.uint8, "r")
            head = _HEAD.unpack(self._pixels[: _HEAD.size].tobytes())
        except (OSError, ValueError, struct.error) as error:
            raise RecordError(f"{path}: cannot be read as a ring of frames ({error})") from error
        magic, self._slots, self._stride, self._table = head
        if magic != _MAGIC or len(self._pixels) < self._table + self._slots * self._stride:
            raise RecordError(f"{path}: expected a ring of frames, got something else")
        self._where: dict[tuple[str, int], int] | None = None

    @property
    def folder(self) -> Path:
        """The session it belongs to."""
        name = self._pixels[_HEAD.size : _PAGE].tobytes()
        return Path(os.fsdecode(name.rstrip(b"\0")))

    def frames(self) -> list[SlotFrame]:
        """Return what is whole, in the order of the stamps."""
        found = []
        for slot in range(self._slots):
            whole, side, number, t_ns, *_ = self._row(slot)
            if whole == 1:
                found.append(SlotFrame(slot, SIDES[side], number, t_ns))
        return sorted(found, key=lambda f: f.t_ns)

    def image(self, side: str, number: int) -> NDArray[np.uint8] | None:
        """Return a copy of a frame; None if it is not there."""
        if self._where is None:
            self._where = {(f.side, f.frame_index): f.slot for f in self.frames()}
        slot = self._where.get((side, number))
        if slot is None:
            return None
        return np.array(self.view(slot))

    def view(self, slot: int) -> NDArray[np.uint8]:
        """Return a view of a slot's picture."""
        _, _, _, _, size, h, w, channels = self._row(slot)
        begin = self._table + slot * self._stride
        pixels: NDArray[np.uint8] = np.asarray(self._pixels[begin : begin + size])
        return pixels.reshape((h, w, channels) if channels else (h, w))

    def _row(self, slot: int) -> tuple[int, ...]:
        row = _PAGE + slot * _ROW.size
        return _ROW.unpack(self._pixels[row : row + _ROW.size].tobytes())
