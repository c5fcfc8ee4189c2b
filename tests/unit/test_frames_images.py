"""Image sequences: the right files, their numbers, their depth, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.made_clips import Image, numbers_of, picture, write_images
from trackcore.errors import SourceError
from trackcore.frames import open_clip


def test_gaps_in_a_sequence_show_in_numbers_and_times(tmp_path: Path) -> None:
    write_images(tmp_path, "shot.%04d.png", [1001, 1002, 1005, 1006])
    clip = open_clip(tmp_path / "shot.####.png", fps=25)
    assert numbers_of(clip) == clip.numbers.tolist() == [1001, 1002, 1005, 1006]
    assert [frame.t_ns for frame in clip] == [0, 40_000_000, 160_000_000, 200_000_000]
    assert np.array_equal(clip[2].image, picture(1005))
    info = clip.info()
    assert (info.missing_numbers, info.first_number, info.last_number) == (2, 1001, 1006)
    assert "2 of the numbers 1001 .. 1006 are missing" in info.warnings
    assert numbers_of(open_clip(tmp_path, step=2)) == [1001, 1005]
    assert numbers_of(open_clip(tmp_path, frames="1002:1005")) == [1002, 1005]
    assert numbers_of(open_clip(tmp_path / "shot.%04d.png")[::-1]) == [1006, 1005, 1002, 1001]
    with pytest.raises(SourceError, match=r"frames = 1:5, step = 1: .* 1001 \.\. 1006"):
        open_clip(tmp_path, frames=(1, 5))


def test_patterns_take_their_digits_and_more_but_nothing_else(tmp_path: Path) -> None:
    write_images(tmp_path, "a_%04d.png", [9998, 9999, 10000])
    write_images(tmp_path, "a_%d.png", [5, 123])
    write_images(tmp_path, "a_%05d.png", [7])
    write_images(tmp_path, "b_%04d.png", [1])
    (tmp_path / "a_0003.png.bak").write_bytes(b"")
    assert open_clip(tmp_path / "a_####.png").numbers.tolist() == [9998, 9999, 10000]
    assert open_clip(f"{tmp_path}/a_%d.png").numbers.tolist() == [5, 123, 9998, 9999, 10000]


def test_a_folder_finds_the_number_that_counts(tmp_path: Path) -> None:
    write_images(tmp_path, "cam2_take3_%03d_v2.png", [8, 9, 10])
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "._cam2_take3_008_v2.png").write_bytes(b"of macOS")
    clip = open_clip(tmp_path)
    assert clip.numbers.tolist() == [8, 9, 10]
    assert clip.name.endswith("cam2_take3_###_v2.png")


def test_names_without_numbers_are_counted_from_1_and_say_so(tmp_path: Path) -> None:
    for number, name in enumerate(("ant", "bee", "cat")):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture(number))
    clip = open_clip(tmp_path)
    assert numbers_of(clip) == [1, 2, 3]
    assert np.array_equal(clip[1].image, picture(1))
    assert "counted from 1" in clip.info().warnings[0]
    assert numbers_of(open_clip(tmp_path / "bee.png")) == [1]


def test_one_image_is_a_clip_of_one_frame_with_its_number(tmp_path: Path) -> None:
    write_images(tmp_path, "plate.%04d.png", [1042])
    assert numbers_of(open_clip(tmp_path / "plate.1042.png")) == [1042]


def test_16_bit_and_float_images_keep_their_depth(tmp_path: Path) -> None:
    deep, real = picture(0, dtype=np.uint16), picture(1, dtype=np.float32)
    cv2.imwrite(str(tmp_path / "d1.png"), deep)
    cv2.imwrite(str(tmp_path / "d2.tif"), deep)
    cv2.imwrite(str(tmp_path / "r1.tiff"), real)
    assert np.array_equal(open_clip(tmp_path / "d1.png")[0].image, deep)
    assert np.array_equal(open_clip(tmp_path / "d2.tif")[0].image, deep)
    clip = open_clip(tmp_path / "r1.tiff")
    assert np.array_equal(clip[0].image, real)
    assert (clip.info().bit_depth, clip.info().dtype) == (32, "float32")


def test_exr_is_read_as_float_or_the_error_says_this_opencv_cannot(tmp_path: Path) -> None:
    # A 2 x 1 half-float EXR would need a writer; the magic number is enough to ask OpenCV.
    path = tmp_path / "shot.0001.exr"
    real = picture(3, dtype=np.float32)
    try:
        assert cv2.imwrite(str(path), real)
    except cv2.error:
        path.write_bytes(b"\x76\x2f\x31\x01" + bytes(300))
        with pytest.raises(SourceError, match=r"can read, got EXR.*convert to 16-bit PNG or TIFF"):
            open_clip(path)
    else:
        image = open_clip(path)[0].image
        assert image.dtype == np.float32
        assert np.allclose(image, real, atol=1e-6)


def test_dpx_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "shot.0001.dpx").write_bytes(b"SDPX" + bytes(2048))
    with pytest.raises(SourceError, match="got DPX"):
        open_clip(tmp_path / "shot.####.dpx")


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    upright = cv2.GaussianBlur(picture(5, (40, 60)), (0, 0), 3)
    jpeg = cv2.imencode(".jpg", upright, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    # APP1 with one tag: orientation 6, "rotate 90 degrees clockwise to show".
    tiff = (
        b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"
        + bytes(4)
    )
    exif = b"Exif\x00\x00" + tiff
    app1 = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "phone.jpg").write_bytes(jpeg[:2] + app1 + jpeg[2:])
    for color in (False, True):
        image = open_clip(tmp_path / "phone.jpg", color=color)[0].image
        assert image.shape[:2] == (60, 40)
        expected = np.rot90(upright, -1).astype(int)
        assert np.abs(image.reshape(60, 40, -1)[..., 0] - expected).max() <= 4


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "expected images in the folder .* found none"),
        (["left01.png", "left02.png", "right01.png"], r"got 2: left##\.png, right01\.png"),
        (["a1.png", "a01.png"], "one file per frame number, got a01.png and a1.png"),
    ],
)
def test_a_folder_without_one_sequence_says_what_is_there(
    tmp_path: Path, names: list[str], message: str
) -> None:
    for name in names:
        cv2.imwrite(str(tmp_path / name), picture(0))
    with pytest.raises(SourceError, match=message):
        open_clip(tmp_path)


def test_a_pattern_without_files_says_what_is_there(tmp_path: Path) -> None:
    write_images(tmp_path, "shot.%03d.png", [1])
    with pytest.raises(SourceError, match=r"no file matches .*####\.png; the folder has shot\.001"):
        open_clip(tmp_path / "shot.####.png")
    with pytest.raises(SourceError, match="no such folder"):
        open_clip(tmp_path / "nowhere" / "shot.####.png")
    with pytest.raises(SourceError, match="expected one run of #"):
        open_clip(tmp_path / "shot.##.##.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda _: b"", "got an empty file"),
        (lambda data: data[: len(data) // 2], "cut off or damaged"),
        (lambda _: b"hello, I am text", "got a file that starts with b'hello"),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_bad_file_in_the_middle_raises_there_and_stderr_stays_clean(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    suffix: str,
    spoil: Callable[[bytes], bytes],
    message: str,
) -> None:
    write_images(tmp_path, "s%02d" + suffix, [1, 2, 3])
    bad = tmp_path / f"s02{suffix}"
    bad.write_bytes(spoil(bad.read_bytes()))
    frames = iter(open_clip(tmp_path))
    assert next(frames).number == 1
    with pytest.raises(SourceError, match=f"s02{suffix}: .*{message}"):
        next(frames)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (picture(2, (24, 64)), "s2.png: expected 64x48 uint8 as s1.png, got 64x24 uint8"),
        (picture(2, dtype=np.uint16), "expected 64x48 uint8 as s1.png, got 64x48 uint16"),
    ],
)
def test_a_frame_of_another_size_or_depth_is_an_error(
    tmp_path: Path, odd: Image, message: str
) -> None:
    write_images(tmp_path, "s%d.png", [1, 3])
    cv2.imwrite(str(tmp_path / "s2.png"), odd)
    with pytest.raises(SourceError, match=message):
        list(open_clip(tmp_path))
