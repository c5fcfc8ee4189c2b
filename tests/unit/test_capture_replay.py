"""Footage in, pitches out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import trackcore as tc
from tests.unit.capture_footage import FPS, SETUP, footage, rig, scene
from trackcore.capture import LossReason, open_source
from trackcore.recording import CapturedFrame, LostFrame, RecordingStatus


def frames(images=None, stamps=None) -> list[CapturedFrame]:
    """Frames of both cameras in the order of time."""
    if images is None:
        images, stamps = footage()
    made = [
        CapturedFrame(side=side, camera_id=side, frame_index=k + 1,
                      t_capture_monotonic_ns=int(t), image=image)
        for side, pictures, times in zip(("left", "right"), images, stamps, strict=True)
        for k, (image, t) in enumerate(zip(pictures, times, strict=True))
    ]  # fmt: skip
    return sorted(made, key=lambda f: f.t_capture_monotonic_ns)


def run(some, **options) -> tuple[tc.PitchEngine, list]:
    engine = tc.PitchEngine(rig(), setup=SETUP, **options)
    windows = [w for frame in some for w in engine.push(frame).windows]
    return engine, windows + list(engine.finish())


def replay(n_pitches=1, **options):
    images, stamps = footage(n_pitches)
    return tc.replay_pitches(
        images[0], images[1], rig(), timestamps=(stamps[0], stamps[1]), **options
    )


def test_every_pitch_of_the_footage_is_found_with_its_surroundings() -> None:
    result = replay(2, setup=SETUP, session="tuesday")
    assert [w.pitch_id for w in result.windows] == ["tuesday-pitch-001", "tuesday-pitch-002"]
    period = 1e9 / FPS
    for window in result.windows:
        assert window.fit.status == tc.PitchStatus.OK
        assert window.lost == ()
        for side in ("left", "right"):
            t = np.array([f.t_capture_monotonic_ns for f in window.frames[side]])
            assert 0 <= t[0] - (window.pitch.start_ns - 100_000_000) <= period
            assert 0 <= window.pitch.end_ns + 100_000_000 - t[-1] <= period
            assert [f.frame_index for f in window.frames[side]] == [
                d.frame_index for d in window.detections[side]
            ]


def test_the_ball_is_where_it_was_thrown() -> None:
    window = replay(setup=SETUP).windows[0]
    seconds = [(o.t_ns - scene().release_ns[0]) * 1e-9 for o in window.pitch.observations]
    true = scene().flights[0].at(seconds)[0]
    off = np.array([o.X_world for o in window.pitch.observations]) - true
    assert np.abs(np.median(off[:, :2], axis=0)).max() < 0.02


def test_the_same_footage_gives_the_same_numbers() -> None:
    first, second = (replay(setup=SETUP).windows[0] for _ in range(2))
    assert first.pitch.start_ns == second.pitch.start_ns
    for a, b in zip(first.pitch.observations, second.pitch.observations, strict=True):
        assert np.array_equal(a.X_world, b.X_world)
        assert np.array_equal(a.covariance, b.covariance)
    assert np.array_equal(first.fit.residuals.residual_px, second.fit.residuals.residual_px)


def test_a_stop_in_the_middle_keeps_the_pitch_and_says_so() -> None:
    whole = replay(setup=SETUP).windows[0]
    last = whole.frames["left"][len(whole.frames["left"]) // 2].t_capture_monotonic_ns
    seen = []
    result = replay(
        setup=SETUP, on_step=lambda f, _: seen.append(f.t_capture_monotonic_ns),
        cancel=lambda: bool(seen) and seen[-1] >= last,
    )  # fmt: skip
    assert result.cancelled
    assert [w.status for w in result.windows] == [RecordingStatus.TRUNCATED]
    assert 0 < len(result.windows[0].pitch.observations) < len(whole.pitch.observations)


def test_numbers_that_are_left_out_are_lost_frames_of_the_window() -> None:
    whole = replay(setup=SETUP).windows[0]
    gone = whole.frames["left"][20].frame_index
    kept = [f for f in frames() if not (f.side == "left" and f.frame_index == gone)]
    engine, (window,) = run(kept)
    assert window.lost == (LostFrame(side="left", frame_index=gone, reason="missing"),)
    assert engine.counts.lost == {"left": 1, "right": 0}
    assert window.fit.status == tc.PitchStatus.OK


def test_a_told_reason_is_kept() -> None:
    engine = tc.PitchEngine(rig(), setup=SETUP)
    some = frames()
    told = LostFrame(side="right", frame_index=60, reason=LossReason.RING_FULL.value)
    windows = []
    for frame in some:
        if (frame.side, frame.frame_index) == ("right", 60):
            engine.lose(told)
            continue
        windows += engine.push(frame).windows
    (window,) = windows + list(engine.finish())
    assert told in window.lost
    assert engine.counts.lost == {"left": 0, "right": 1}


def test_double_and_late_frames_are_not_used_and_nothing_else_is_lost() -> None:
    _, (clean,) = run(frames())
    some = frames()
    some.insert(101, some[100])
    some.insert(140, some[20])  # an old one again
    late = next(i for i, f in enumerate(some) if f.side == "left" and f.frame_index == 70)
    some.insert(late + 4, some.pop(late))  # comes after 71
    engine, (window,) = run(some)
    assert sum(engine.counts.duplicates.values()) == 2
    assert engine.counts.out_of_order == {"left": 1, "right": 0}
    assert engine.counts.lost == {"left": 1, "right": 0}
    assert [(x.side, x.frame_index) for x in window.lost] == [("left", 70)]
    assert len(window.frames["left"]) == len(clean.frames["left"]) - 1
    assert len(window.frames["right"]) == len(clean.frames["right"])


@pytest.mark.parametrize("leap_ns", [5_000_000_000, -5_000_000_000])
@pytest.mark.parametrize("sides", [("left",), ("left", "right")])
def test_a_clock_that_leaps_is_named_and_costs_no_pitch(leap_ns: int, sides) -> None:
    (images, stamps) = footage()
    # in the order they came, which the stamps no longer tell
    moved = [
        CapturedFrame(side=f.side, camera_id=f.camera_id, frame_index=f.frame_index, image=f.image,
                      t_capture_monotonic_ns=f.t_capture_monotonic_ns + leap_ns * (
                          f.side in sides and f.frame_index >= 60))
        for f in frames(images, stamps)
    ]  # fmt: skip
    _, (clean,) = run(frames())
    engine, (window,) = run(moved)
    assert engine.counts.clock_jumps == {s: int(s in sides) for s in ("left", "right")}
    assert len(window.pitch.observations) == len(clean.pitch.observations)
    assert {s: len(f) for s, f in window.frames.items()} == {
        s: len(f) for s, f in clean.frames.items()
    }


def test_a_pause_that_the_numbers_show_moves_no_stamps() -> None:
    paused = [
        CapturedFrame(
            side=f.side, camera_id=f.side, frame_index=f.frame_index + skipped, image=f.image,
            t_capture_monotonic_ns=f.t_capture_monotonic_ns + round(skipped * 1e9 / FPS),
        )
        for f in frames()
        for skipped in [2400 if f.frame_index >= 20 else 0]
    ]  # fmt: skip
    engine, (window,) = run(paused)
    assert engine.counts.clock_jumps == {"left": 0, "right": 0}
    assert engine.counts.lost == {"left": 2400, "right": 2400}
    assert window.frames["left"][0].t_capture_monotonic_ns > 20_000_000_000
    assert window.lost == ()


def test_cameras_of_different_rates_give_the_pitch() -> None:
    kept = [f for f in frames() if f.side == "left" or f.frame_index % 2]
    halved = [
        CapturedFrame(side=f.side, camera_id=f.side, image=f.image,
                      t_capture_monotonic_ns=f.t_capture_monotonic_ns,
                      frame_index=f.frame_index if f.side == "left" else (f.frame_index + 1) // 2)
        for f in kept
    ]  # fmt: skip
    engine, (window,) = run(halved)
    assert window.fit.status == tc.PitchStatus.OK
    assert sum(engine.counts.lost.values()) == 0


def test_a_camera_that_goes_silent_does_not_keep_the_window_open() -> None:
    some = frames()
    _, (clean,) = run(some)
    end = clean.pitch.end_ns
    engine = tc.PitchEngine(rig(), setup=SETUP)
    windows = []
    for frame in some:
        if frame.side == "left" or frame.t_capture_monotonic_ns < end + 20_000_000:
            windows += engine.push(frame).windows
    assert len(windows) == 1  # before finish
    assert windows[0].frames["right"][-1].t_capture_monotonic_ns < end + 20_000_000


def test_image_folders_say_which_frames_are_missing(tmp_path) -> None:
    images, _ = footage()
    for side, pictures in zip(("left", "right"), images, strict=True):
        (tmp_path / side).mkdir()
        for k, image in enumerate(pictures, start=1):
            if not (side == "left" and k in (50, 51)):
                cv2.imwrite(str(tmp_path / side / f"frame_{k:05d}.bmp"), image)
    made = tc.replay_pitches(tmp_path / "left", tmp_path / "right", rig(), fps=FPS, setup=SETUP)
    assert [(x.side, x.frame_index) for x in made.lost] == [("left", 50), ("left", 51)]
    assert len(made.windows) == 1


def test_stamps_come_from_the_table_beside_a_video(tmp_path) -> None:
    images, stamps = footage()
    size = images[0].shape[:0:-1]
    for side, pictures, t in zip(("left", "right"), images, stamps, strict=True):
        path = tmp_path / f"{side}.avi"
        writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter_fourcc(*"FFV1"), 30.0, size, isColor=False
        )
        for image in pictures:
            writer.write(image)
        writer.release()
        rows = [f"cam-{side},{k + 7},{t_ns}" for k, t_ns in enumerate(t)]
        table = "\n".join(["camera_id,frame_index,t_capture_monotonic_ns", *rows])
        (tmp_path / f"{side}_timestamps.csv").write_text(table)
    result = tc.replay_pitches(tmp_path / "left.avi", tmp_path / "right.avi", rig(), setup=SETUP)
    (window,) = result.windows
    whole = replay(setup=SETUP).windows[0]
    assert window.frames["left"][0].camera_id == "cam-left"
    assert window.frames["left"][0].frame_index == whole.frames["left"][0].frame_index + 6
    assert window.pitch.start_ns == whole.pitch.start_ns
    assert np.array_equal(window.frames["right"][5].image, whole.frames["right"][5].image)


def test_sinks_take_pitches_and_frames() -> None:
    class Sink:
        def __init__(self) -> None:
            self.windows, self.frames = [], 0

        def write_pitch(self, window) -> None:
            self.windows.append(window.pitch_id)

        def write_frame(self, _) -> None:
            self.frames += 1

    sink = Sink()
    result = replay(setup=SETUP, sinks=[sink], session="a")
    assert result.windows == []
    assert sink.windows == result.pitch_ids == ["a-pitch-001"]
    assert sink.frames == sum(result.frames.values())


@pytest.mark.parametrize(
    ("what", "options", "words"),
    [
        (np.zeros((2, 8, 8), np.uint8), {"side": "left"}, "fps: expected the rate"),
        (np.zeros((2, 8, 8), np.uint8), {"side": "up", "fps": 1.0}, "side: expected"),
        (np.zeros((2, 8, 8), np.uint8), {"side": "left", "timestamps": [0.5]}, "timestamps:"),
        ("nowhere.avi", {"side": "left"}, "no such file"),
    ],
)
def test_sources_that_cannot_be_are_named(what, options, words) -> None:
    with pytest.raises(tc.InputError, match=words):
        open_source(what, **options)


def test_the_engine_names_what_is_wrong() -> None:
    engine = tc.PitchEngine(rig())
    with pytest.raises(tc.InputError, match="frame: expected a CapturedFrame"):
        engine.push(np.zeros((4, 4), np.uint8))
    small = CapturedFrame(side="left", camera_id="a", frame_index=1, t_capture_monotonic_ns=0,
                          image=np.zeros((270, 240), np.uint8))  # fmt: skip
    with pytest.raises(tc.InputError, match=r"left: expected pictures of 480 x 270 px, as the rig"):
        engine.push(small)
    with pytest.raises(tc.InputError, match="lanes_px: expected sides"):
        tc.PitchSetup(lanes_px={"middle": [[0, 0], [1, 0], [1, 1]]})
