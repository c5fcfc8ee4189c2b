"""Opening clips: what comes out is what the source holds, numbered and timed as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.made_clips import numbers_of, picture
from trackcore.errors import DependencyError, InputError, SourceError
from trackcore.frames import load_mask, open_clip

STACK = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)


def test_an_array_is_a_clip_numbered_from_1_and_timed_from_0() -> None:
    clip = open_clip(STACK, fps=50)
    assert (len(clip), clip.size, clip.fps, str(clip.dtype)) == (6, (5, 4), 50, "uint8")
    assert numbers_of(clip) == [1, 2, 3, 4, 5, 6]
    assert [frame.t_ns for frame in clip] == [i * 20_000_000 for i in range(6)]
    assert np.shares_memory(clip[2].image, STACK)
    assert np.array_equal(clip[2].image, STACK[2])


def test_colour_is_made_grey_unless_asked_for_and_grey_is_made_colour_if_asked_for() -> None:
    bgr = picture(0, (2, 8, 9, 3))
    grey = open_clip(bgr)[1].image
    expected = bgr[1] @ np.array([0.114, 0.587, 0.299])
    assert np.abs(grey - expected).max() <= 0.51
    assert np.array_equal(open_clip(bgr, color=True)[1].image, bgr[1])
    bgra = np.concatenate([bgr, bgr[..., :1]], axis=-1)
    assert np.array_equal(open_clip(bgra)[1].image, grey)
    assert np.array_equal(open_clip(bgra, color=True)[1].image, bgr[1])
    assert open_clip([picture(1)], color=True)[0].image.shape == (48, 64, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_each_dtype_stays_what_it_is(dtype: type) -> None:
    assert open_clip([picture(0, dtype=dtype), picture(1, dtype=dtype)])[-1].image.dtype == dtype


def test_indexing_and_slicing_follow_lists() -> None:
    clip, numbers = open_clip(STACK), list(range(1, 7))
    for cut in (slice(1, 4), slice(None, None, 2), slice(-2, None), slice(None, None, -1),
                slice(4, 1, -2), slice(3, 3), slice(2, 100)):  # fmt: skip
        assert numbers_of(clip[cut]) == numbers[cut]
        assert clip[cut].numbers.tolist() == numbers[cut]
        assert len(clip[cut]) == len(numbers[cut])
    assert clip[1:][1:][0].number == 3
    assert clip[-1].number == clip[5].number == 6
    for outside in (6, -7):
        with pytest.raises(IndexError, match="the clip has 6 frames"):
            clip[outside]


@pytest.mark.parametrize(
    ("frames", "step", "expected"),
    [
        ("2:4", 1, [2, 3, 4]),
        ((2, 4), 1, [2, 3, 4]),
        ("5:", 1, [5, 6]),
        ((None, 2), 1, [1, 2]),
        ("3", 1, [3]),
        (None, 4, [1, 5]),
        ("2:", 2, [2, 4, 6]),
        ("-2:4", 2, [2, 4]),
        ("4:99", 1, [4, 5, 6]),
    ],
)
def test_ranges_are_source_numbers_with_both_ends(
    frames: str | tuple[int | None, int | None] | None, step: int, expected: list[int]
) -> None:
    clip = open_clip(STACK, frames=frames, step=step)
    assert numbers_of(clip) == clip.numbers.tolist() == expected
    assert clip[0].t_ns == round((expected[0] - 1) / 24 * 1e9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": 7}, "source: expected a path, an array .* got int"),
        ({"source": STACK[0]}, r"source: expected a stack .* got shape \(4, 5\)"),
        ({"source": STACK[..., :3]}, "looks like one colour image"),
        ({"source": STACK[:0]}, r"at least one image, got shape \(0, 4, 5\)"),
        ({"source": []}, "at least one image, got an empty sequence"),
        ({"source": STACK.astype(float)}, "expected dtype uint8, uint16 or float32, got float64"),
        ({"source": [STACK[0], STACK[0, :3]]}, r"source\[1\]: expected \(4, 5\) uint8 .* \(3, 5\)"),
        ({"source": [STACK[0], "x.png"]}, r"source\[1\]: expected a numpy image"),
        ({"source": STACK, "frames": "7:9"}, r"frames = 7:9: expected .* 1 \.\. 6"),
        ({"source": STACK, "frames": "0"}, r"frames = 0:0: expected .* 1 \.\. 6"),
        ({"source": STACK, "frames": "4:2"}, "frames: expected .* first <= last.* got '4:2'"),
        ({"source": STACK, "frames": "a:b"}, "frames: expected .* got 'a:b'"),
        ({"source": STACK, "frames": (1, 2, 3)}, "frames: expected"),
        ({"source": STACK, "frames": (1.5, 2)}, "frames: expected"),
        ({"source": STACK, "step": 0}, "step: expected an integer >= 1 .* got 0"),
        ({"source": STACK, "fps": -1.0}, r"fps: expected a finite number > 0 .* got -1\.0"),
        ({"source": STACK, "fps": "25"}, "fps: expected .* got '25'"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_clip(**arguments)  # type: ignore[arg-type]


def test_info_is_plain_data() -> None:
    info = open_clip(STACK, frames="2:3", fps=30).info()
    assert json.loads(json.dumps(info.to_dict())) == info.to_dict()
    assert (info.kind, info.decoded_count, info.last_number) == ("array", 6, 6)
    assert info.duration_s == pytest.approx(0.2)


def test_opencv_is_imported_only_when_it_is_needed_and_its_log_level_is_left_alone() -> None:
    code = (
        "import sys, numpy as np; from trackcore.frames import open_clip, load_mask\n"
        "open_clip(np.zeros((2, 4, 5), np.uint8))[1]; assert 'cv2' not in sys.modules\n"
        "import cv2; from trackcore._cv2 import quiet\n"
        "level = getattr(cv2, 'getLogLevel', None) or cv2.utils.logging.getLogLevel\n"
        "before = level()\n"
        "with quiet(cv2), quiet(cv2): assert level() == 0 != before\n"
        "assert level() == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_opencv_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(DependencyError, match="opencv-python-headless") as caught:
        open_clip(picture(0, (2, 8, 9, 3)))[0]
    assert isinstance(caught.value, ImportError)


def test_a_mask_is_true_where_it_is_white(tmp_path: Path) -> None:
    image = np.zeros((48, 64), np.uint8)
    image[10:20, 30:40] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), image)
    cv2.imwrite(str(tmp_path / "mask.jpg"), image)
    cv2.imwrite(str(tmp_path / "deep.png"), image.astype(np.uint16) * 257)
    for mask in (tmp_path / "mask.png", str(tmp_path / "mask.jpg"), tmp_path / "deep.png",
                 image, image > 0, image // 255, image.astype(np.int64) // 255,
                 image.astype(np.float32) / 255):  # fmt: skip
        loaded = load_mask(mask, (64, 48))
        assert loaded.dtype == bool
        assert np.array_equal(loaded, image > 0)


def test_a_mask_that_does_not_fit_or_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"mask: .*bad\.png: expected an image, got a file that"):
        load_mask(tmp_path / "bad.png", (64, 48))
    with pytest.raises(SourceError, match=r"mask: .*gone\.png: No such file"):
        load_mask(tmp_path / "gone.png", (64, 48))
    with pytest.raises(InputError, match=r"mask: expected .* \(48, 64\) as the clip, got \(64, 48"):
        load_mask(np.zeros((64, 48), bool), (64, 48))
    with pytest.raises(InputError, match=r"mask: expected bool.* got int64"):
        load_mask(np.full((48, 64), 255), (64, 48))
    with pytest.raises(InputError, match=r"mask: expected a path or an array .* got list"):
        load_mask([[1]], (1, 1))  # type: ignore[arg-type]
