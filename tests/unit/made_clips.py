"""Clips with known content, written by the tests that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trackcore.frames import Clip, Frame

Image = NDArray[Any]


def picture(number: int, shape: tuple[int, ...] = (48, 64), dtype: type = np.uint8) -> Image:
    """Return a noise image that is different for every number."""
    rng = np.random.default_rng(number)
    if np.issubdtype(dtype, np.floating):
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def write_images(folder: Path, name: str, numbers: range | list[int]) -> None:
    for number in numbers:
        assert cv2.imwrite(str(folder / (name % number)), picture(number))


def write_video(path: Path, frames: list[Image], fps: float = 25.0) -> list[Image]:
    """Write grey images of 64 x 48 px, 8 or 16 bits, without loss; return them."""
    depth = cv2.CV_8U if frames[0].dtype == np.uint8 else cv2.CV_16U
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), fps, (64, 48),
        [cv2.VIDEOWRITER_PROP_IS_COLOR, 0, cv2.VIDEOWRITER_PROP_DEPTH, depth],
    )  # fmt: skip
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return frames


def noise_video(path: Path, n: int) -> list[Image]:
    """Write a video of `n` different frames; return them."""
    return write_video(path, [picture(i) for i in range(n)])


def numbers_of(clip: Clip) -> list[int]:
    return [frame.number for frame in clip]


def same(a: Frame, b: Frame) -> bool:
    return a.number == b.number and a.t_ns == b.t_ns and np.array_equal(a.image, b.image)
