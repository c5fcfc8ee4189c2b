"""The parts of a capture: ring, journal rows, the order of frames."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import trackcore as tc
from tests.unit.capture_footage import footage
from trackcore import _core
from trackcore.capture.merge import SideBySide
from trackcore.capture.ring import _ROW, RingReader, SlotRing, sweep_rings
from trackcore.capture.telemetry import balls_to_row, row_to_balls

MS = 1_000_000


def ring(tmp_path, slots=4) -> SlotRing:
    return SlotRing(slots, 12, tmp_path)


def picture(value: int) -> np.ndarray:
    return np.full((3, 4), value, np.uint8)


def test_slots_are_taken_until_there_are_none_and_come_back(tmp_path) -> None:
    made = ring(tmp_path, slots=2)
    try:
        first = made.put("left", 1, 10, picture(1))
        assert made.put("right", 1, 11, picture(2)) is not None
        assert made.put("left", 2, 12, picture(3)) is None
        made.hold(first)
        made.release(first)
        assert made.put("left", 2, 12, picture(3)) is None  # held once more
        made.release(first)
        assert made.put("left", 2, 12, picture(3)) == first
        assert np.array_equal(made.image(first), picture(3))
    finally:
        made.close()
    assert not made.path.exists()


def test_another_process_reads_what_is_whole(tmp_path) -> None:
    made = ring(tmp_path)
    try:
        for number in (1, 2, 3):
            made.put("left", number, number * 10, picture(number))
        row = 4096 + _ROW.size
        made._memory[row : row + 8] = bytes(8)  # the copy of 2 had begun
        reader = RingReader(made.path)
        assert [(f.side, f.frame_index, f.t_ns) for f in reader.frames()] == [
            ("left", 1, 10), ("left", 3, 30),
        ]  # fmt: skip
        assert np.array_equal(reader.image("left", 3), picture(3))
        assert reader.image("left", 2) is None
    finally:
        made.close()


def test_what_is_no_ring_is_refused(tmp_path) -> None:
    path = tmp_path / "x.ring"
    path.write_bytes(b"not a ring" * 100)
    with pytest.raises(tc.RecordError, match="expected a ring of frames"):
        RingReader(path)


def test_candidates_survive_the_journal_exactly() -> None:
    detector = tc.BallDetector(tc.BallOptions(keep_rejected=True))
    images, _ = footage()
    found = [detector.process(image, 7) for image in images[0][20:80]]
    balls = max(found, key=len)
    again = row_to_balls(balls_to_row(balls), 7)
    assert len(balls) > 0
    for name in ("u", "v", "covariance", "streak_px", "rule", "refined", "score"):
        kept, made = getattr(balls, name), getattr(again, name)
        assert made.dtype == kept.dtype
        assert np.array_equal(made, kept, equal_nan=kept.dtype.kind == "f")
    nothing = row_to_balls(balls_to_row(found[0]), 7)
    assert (len(nothing), nothing.t_ns, nothing.covariance.shape) == (0, 7, (0, 2, 2))


def drained(order: SideBySide, now_ns: int, coming=()) -> list:
    taken = []
    while (item := order.take(now_ns, lambda side: side in coming)[0]) is not None:
        taken.append(item)
    return taken


def started() -> SideBySide:
    order = SideBySide()
    for k in range(3):
        order.put("left", k * 8 * MS, 0, f"L{k}")
        order.put("right", (k * 8 + 2) * MS, 0, f"R{k}")
    return order


def test_frames_come_in_the_order_of_their_times() -> None:
    assert drained(started(), 0) == ["L0", "R0", "L1", "R1", "L2", "R2"]


def test_a_camera_that_keeps_up_is_not_waited_for() -> None:
    order = started()
    drained(order, 0)
    order.put("left", 24 * MS, 0, "L3")
    assert drained(order, 0) == ["L3"]


def test_a_camera_that_is_behind_is_waited_for_but_not_for_long() -> None:
    order = started()
    drained(order, 0)
    for k in (3, 4, 5):
        order.put("left", k * 8 * MS, 0, f"L{k}")
    assert drained(order, 0) == ["L3"]
    assert order.take(0, lambda _: False) == (None, 0.05)
    order.put("right", 26 * MS, 0, "R3")
    assert drained(order, 0) == ["R3", "L4"]
    assert drained(order, 60 * MS, coming={"right"}) == []  # its frames are being searched
    assert drained(order, 60 * MS) == ["L5"]
    order.put("left", 100 * MS, 60 * MS, "L9")
    order.end("right")
    assert drained(order, 60 * MS) == ["L9"]


def test_rings_whose_session_is_gone_are_swept_up(tmp_path, monkeypatch) -> None:
    shared = tmp_path / "shm"
    shared.mkdir()
    monkeypatch.setattr("trackcore.capture.ring._SHARED_MEMORY", shared)
    monkeypatch.setattr("os.getpid", lambda: 2**22 + 5)  # no process has this number
    kept, gone = (tmp_path / name for name in ("kept", "gone"))
    for folder in (kept, gone):
        folder.mkdir()
        SlotRing(2, 12, folder).close(keep=True)
    assert len(list(shared.iterdir())) == 2
    gone.rmdir()
    sweep_rings()
    (ring,) = shared.iterdir()
    assert RingReader(ring).folder == kept


@pytest.mark.parametrize("offset", [0, 1, 16, 33])
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 129, 4097])
def test_a_copy_past_the_caches_is_a_copy_and_no_more(size: int, offset: int) -> None:
    source = np.random.default_rng(size).integers(1, 255, size, dtype=np.uint8)
    to = np.zeros(size + 100, np.uint8)
    _core.copy_past_caches(to[offset : offset + size], source)
    assert_array_equal(to, np.pad(source, (offset, 100 - offset)))
