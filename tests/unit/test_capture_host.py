"""Two cameras, live: what is slow, full, gone or killed costs no frame of a pitch."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trackcore as tc
from tests.unit.capture_footage import SETUP, footage, rig
from trackcore.ballistics import BALLS
from trackcore.capture import CameraState, LoopSource, needs_recovery, open_source
from trackcore.errors import SourceError
from trackcore.recording import SIDES, RecordingStatus

PROJECT = Path(__file__).resolve().parents[2]


class Sink:
    """Keeps what it is given."""

    def __init__(self, slow_s: float = 0.0, full: int = 0) -> None:
        self.windows, self.pixels, self.lost, self.status = [], [], None, None
        self._slow_s, self._full = slow_s, full

    def write_pitch(self, window) -> None:
        if self._full:
            self._full -= 1
            raise OSError(28, "No space left on device")
        time.sleep(self._slow_s)
        self.windows.append(window)
        self.pixels.append({s: [f.image.copy() for f in window.frames[s]] for s in SIDES})

    def close(self, status, lost) -> None:
        self.status, self.lost = status, lost


class Film(Sink):
    """Takes frames, slowly."""

    def __init__(self, slow_s: float) -> None:
        super().__init__()
        self.filmed, self.left_out, self._frame_s = 0, 0, slow_s

    def write_frame(self, frame) -> None:
        time.sleep(self._frame_s)
        self.filmed += frame.image.size > 0

    def shed(self, lost) -> None:
        self.left_out += lost.reason == "video_shed"


@functools.lru_cache(maxsize=1)
def replayed():
    images, stamps = footage()
    return tc.replay_pitches(*images, rig(), timestamps=tuple(stamps), setup=SETUP).windows[0]


class Fast:
    """Footage at four times its pace."""

    live = True

    def __init__(self, source, begin_ns: int, began_s: list[float]) -> None:
        self._source, self._begin_ns, self._began_s = source, begin_ns, began_s
        self.camera_id, self.fps = source.camera_id, source.fps

    def open(self) -> None:
        self._source.open()

    def read(self):
        frame = self._source.read()
        if frame is not None:
            self._began_s.append(time.monotonic())  # of both sides: the first counts
            due_s = self._began_s[0] + (frame.t_ns - self._begin_ns) * 0.25e-9
            time.sleep(max(0.0, due_s - time.monotonic()))
        return frame

    def close(self) -> None:
        self._source.close()


def played():
    return tuple(
        open_source(i, side=s, timestamps=t) for s, i, t in zip(SIDES, *footage(), strict=True)
    )


def sources():
    began_s: list[float] = []
    return tuple(Fast(source, int(footage()[1][0][0]), began_s) for source in played())


def capture(sinks=(), cameras=None, **options) -> tuple[tc.CaptureHost, object]:
    host = tc.CaptureHost(
        sources() if cameras is None else cameras, rig(), sinks,
        **{"setup": replace(SETUP, timing=tc.PitchEventOptions()), **options},
    )  # fmt: skip
    with host:
        host.wait()
    return host, host.stop()


def assert_whole(sink: Sink) -> None:
    """The pitch, each of its frames and their pixels are what a replay has."""
    (window,), expected = sink.windows, replayed()
    assert window.lost == ()
    for side in SIDES:
        numbers = [d.frame_index for d in window.detections[side]]
        assert numbers == [d.frame_index for d in expected.detections[side]]
        pixels = zip(sink.pixels[0][side], expected.frames[side], strict=True)
        assert all(np.array_equal(got, frame.image) for got, frame in pixels)
    assert window.fit.status == expected.fit.status


def test_a_capture_gives_what_a_replay_gives() -> None:
    sink = Sink()
    _, report = capture([sink])
    assert_whole(sink)
    assert report.pitch_ids == ("session-pitch-001",)
    assert report.lost == [] == report.outages
    assert sink.status is RecordingStatus.COMPLETE
    assert report.final.cameras == dict.fromkeys(SIDES, CameraState.ENDED)
    assert report.final.latency_ms["p50"] > report.final.callback_ms["p50"] > 0


def test_hooks_and_sinks_that_stall_lose_nothing() -> None:
    quick, slow, seen = Sink(), Sink(slow_s=0.3), []

    def on_frame(frame, found) -> None:
        seen.append((frame.side, found.frame_index))
        time.sleep(0.1)

    def on_pitch(window) -> None:
        time.sleep(0.3)
        seen.append(window.frames["left"][0].image.shape)

    _, report = capture([quick, slow], on_frame=on_frame, on_pitch=on_pitch)
    assert_whole(quick)
    assert_whole(slow)
    assert (270, 480) in seen
    assert report.final.hooks_skipped > 0


def test_a_hook_that_raises_is_named() -> None:
    sink = Sink()
    _, report = capture([sink], on_pair=lambda left, right: left / right)
    assert_whole(sink)
    assert any("on_pair: TypeError" in problem for problem in report.final.problems)


def test_slow_video_is_shed_and_pitches_are_not() -> None:
    sink = Film(slow_s=0.02)
    options = tc.CaptureOptions(video_share=0.02)
    _, report = capture([sink], options=options)
    assert_whole(sink)
    assert report.final.shed == sink.left_out > 0
    assert sink.filmed + sink.left_out == sum(report.counts.frames.values())


def test_a_full_disk_is_named_and_tried_again() -> None:
    sink = Sink(full=2)
    _, report = capture([sink], options=tc.CaptureOptions(retry_s=0.02))
    assert_whole(sink)
    assert report.final.unwritten == ()


def test_what_found_no_room_can_be_recovered_later(tmp_path) -> None:
    setup = replace(SETUP, ball=BALLS["softball"], zone=tc.StrikeZone.of_batter(70.0))
    _, report = capture(
        [Sink(full=10_000)], folder=tmp_path, options=tc.CaptureOptions(retry_s=0.02), setup=setup
    )
    assert report.recoverable
    assert any("No space left" in problem for problem in report.final.problems)
    assert needs_recovery(tmp_path)
    later = Sink()
    tc.recover_session(tmp_path, [later])
    assert_whole(later)
    assert later.windows[0].status is RecordingStatus.RECOVERED
    fit, pitch = later.windows[0].fit, later.windows[0].pitch
    assert fit.strike == setup.fitted(rig(), pitch.left, pitch.right).strike
    assert list(tmp_path.iterdir()) == []


def test_a_full_ring_is_a_named_loss() -> None:
    sink = Sink(slow_s=0.5)
    images, _ = footage()
    small = tc.CaptureOptions(ring_mb=images[0][0].nbytes * 40 / 1e6)
    _, report = capture([sink], options=small)
    assert {lost.reason for lost in report.lost} == {"ring_full"}
    assert len(report.lost) == sum(report.counts.lost.values()) > 0
    assert sum(report.counts.frames.values()) + len(report.lost) == 2 * len(images[0])
    assert len(sink.lost) == len(report.lost)


class Flaky:
    """A camera that goes away for a moment."""

    live = True

    def __init__(self, source, gone_at: int) -> None:
        self._source, self._gone_at, self._opened = source, gone_at, 0
        self.camera_id, self.fps = source.camera_id, source.fps

    def open(self) -> None:
        self._opened += 1
        if self._opened == 1:
            self._source.open()
        elif self._opened == 2:
            raise SourceError("no such device")

    def read(self):
        frame = self._source.read()
        if frame is not None and frame.frame_index == self._gone_at and self._opened == 1:
            raise SourceError("unplugged")
        return frame

    def close(self) -> None:
        pass


def test_a_camera_that_goes_away_is_tried_again() -> None:
    left, right = sources()
    sink = Sink()
    options = tc.CaptureOptions(reconnect_s=0.01)
    _, report = capture([sink], cameras=(left, Flaky(right, 20)), options=options)
    (outage,) = report.outages
    assert (outage.side, outage.reason) == ("right", "SourceError: unplugged")
    assert outage.to_ns > outage.from_ns
    assert [(x.side, x.frame_index) for x in report.lost] == [("right", 20)]
    assert len(sink.windows) == 1


def test_a_camera_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SourceError, match="camera 97"):
        capture(cameras=(97, 98))


class Stuttering(Flaky):
    """A camera whose every tenth frame comes again, after the next."""

    def __init__(self, source) -> None:
        super().__init__(source, gone_at=-1)
        self._later, self._again = [], None

    def read(self):
        if self._later:
            return self._later.pop()
        frame, self._again = super().read(), self._again
        if self._again is not None:
            self._later, self._again = [self._again], None
        if frame is not None and frame.frame_index % 10 == 0:
            self._again = frame
        return frame


def test_frames_that_come_twice_or_late_do_not_disturb_the_search() -> None:
    left, right = sources()
    sink = Sink()
    host, _ = capture([sink], cameras=(Stuttering(left), right))
    assert host.status().counts.duplicates["left"] > 10
    (window,) = sink.windows
    found = {f.frame_index: f.balls.u.tolist() for f in window.detections["left"]}
    known = {f.frame_index: f.balls.u.tolist() for f in replayed().detections["left"]}
    assert len(found.keys() & known.keys()) > 50
    assert [found[i] for i in sorted(found.keys() & known.keys())] == [
        known[i] for i in sorted(found.keys() & known.keys())
    ]


def test_a_camera_of_another_size_than_the_rigs_is_refused() -> None:
    (left, right), _ = footage()
    halves = tuple(LoopSource(i[:9, ::2, ::2], fps=120.0, camera_id="a") for i in (left, right))
    with pytest.raises(tc.InputError, match=r"left: expected pictures of 480 x 270 px, .*240"):
        capture(cameras=halves)


def test_a_pitch_that_is_stopped_in_the_middle_says_so() -> None:
    middle = len(replayed().frames["left"]) // 2 + replayed().frames["left"][0].frame_index
    sink = Sink()
    host = tc.CaptureHost(played(), rig(), [sink], setup=SETUP)
    host.start()
    while host.status().counts.frames["left"] < middle:
        time.sleep(0.001)
    host.stop()
    assert [w.status for w in sink.windows] == [RecordingStatus.TRUNCATED]


def test_the_live_view_sees_the_latest_frame() -> None:
    images, _ = footage()
    cameras = tuple(
        LoopSource(i, fps=120.0, n_frames=30, camera_id=s)
        for s, i in zip(SIDES, images, strict=True)
    )
    host = tc.CaptureHost(cameras, rig())
    assert host.latest("left") is None
    host.start()
    host.wait()
    host.stop()
    assert host.status().counts.frames == {"left": 30, "right": 30}


def test_the_documented_files_are_written_by_another_process(tmp_path) -> None:
    setup = replace(
        SETUP, recording=replace(SETUP.recording, save_detections=True, save_observations=True)
    )
    host, report = capture(
        recorder=functools.partial(tc.SessionWriter, tmp_path, "a", rig(), setup), setup=setup
    )
    assert report.final.problems == ()
    session = tc.open_session(host.folder)
    assert session.status == "complete"
    (pitch,) = session.pitches
    assert len(pitch.observations) == len(replayed().pitch.observations)
    assert len(pitch.frames("right")) == len(replayed().frames["right"])
    assert not needs_recovery(host.folder)


def test_a_recorder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(tc.InputError, match="recorder: expected what can be pickled"):
        capture(recorder=lambda: None)
    with pytest.raises(tc.StoreError, match="recorder: InputError: session"):
        capture(recorder=functools.partial(tc.SessionWriter, "nowhere", "", rig()))


LEFT = """
import functools, os, signal, sys, time
import trackcore as tc
from tests.unit.test_capture_host import capture, rig
class Killer:
    def write_pitch(self, window):
        os.kill(os.getpid(), signal.SIGKILL)
capture([Killer()], recorder=functools.partial(tc.SessionWriter, sys.argv[1], "a", rig()))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_recorder_whose_parent_is_killed_is_waited_for(tmp_path) -> None:
    subprocess.run([sys.executable, "-c", LEFT, str(tmp_path)], cwd=PROJECT, check=False)
    (folder,) = tmp_path.iterdir()
    assert needs_recovery(folder)
    sink = Sink()
    report = tc.recover_session(folder, [sink], remove=False)
    assert report.pitch_ids == ["session-pitch-001"]
    assert_whole(sink)
    with tc.SessionWriter.resume(folder) as writer:
        tc.recover_session(folder, [writer])
    assert [p.pitch_id for p in tc.open_session(folder).pitches] == ["session-pitch-001"]
    assert not list(folder.glob("*.lock"))


KILLED = """
import sys, time
import trackcore as tc
from tests.unit.test_capture_host import Sink, capture
class Slow(Sink):
    def write_pitch(self, window):
        print("writing", flush=True)
        time.sleep(60)
capture([Slow()], folder=sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_process_loses_no_pitch(tmp_path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)],
        cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert child.stdout.readline() == "writing\n"
    with pytest.raises(tc.StoreError, match="still being recorded"):
        tc.recover_session(tmp_path)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert needs_recovery(tmp_path)
    sink = Sink()
    report = tc.recover_session(tmp_path, [sink])
    assert_whole(sink)
    assert report.pitch_ids == ["session-pitch-001"]
    assert report.pictures_lost == 0
    got, expected = (w.pitch.observations[9].X_world for w in (sink.windows[0], replayed()))
    assert np.abs(got - expected).max() < 0.02  # [m]: the cameras' frames came in another order
    assert not needs_recovery(tmp_path)
    with pytest.raises(tc.RecordError, match="no journal"):
        tc.recover_session(tmp_path)
