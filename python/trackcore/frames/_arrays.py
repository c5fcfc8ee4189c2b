"""Clips from arrays that are already in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trackcore._check import image_array
from trackcore.errors import InputError, SourceError
from trackcore.frames._source import (
    DEFAULT_FPS,
    ClipInfo,
    Frame,
    Image,
    Source,
    time_ns,
    to_bgr,
    to_grey,
)


class ArraySource(Source):
    """A stack (n, h, w) or (n, h, w, 3), or a sequence of images of one size and dtype.

    Grey images are handed out as views, not copies.
    """

    def __init__(
        self, stack: np.ndarray | Sequence[Image], *, color: bool, fps: float | None
    ) -> None:
        self._images = _checked_stack(stack) if isinstance(stack, np.ndarray) else _checked(stack)
        self._color = color
        first = self._images[0]
        self.dtype = first.dtype
        self.size = (first.shape[1], first.shape[0])
        self.fps = fps or DEFAULT_FPS
        self._fps_given = fps is not None
        what = "array" if isinstance(stack, np.ndarray) else "sequence"
        self.name = f"{what} of {len(self._images)} images {first.shape} {first.dtype}"

    def count(self, at_most: int | None = None) -> int:
        """Return how many frames there are."""
        n = len(self._images)
        return n if at_most is None else min(n, at_most)

    def read(self, indices: Sequence[int]) -> Iterator[Frame]:
        """Yield the frames at `indices`."""
        for index in indices:
            frame = self.frame(index)
            if frame is None:
                return
            yield frame

    def frame(self, index: int) -> Frame | None:
        """Return one frame."""
        if index >= len(self._images):
            return None
        image = self._images[index]
        image = to_bgr(image) if self._color else to_grey(image)
        return Frame(image, time_ns(index, self.fps), index + 1)

    def info(self) -> ClipInfo:
        """Describe the array."""
        n = len(self._images)
        return ClipInfo(
            kind="array",
            source=self.name,
            codec="",
            size=self.size,
            fps=self.fps,
            reported_count=n,
            decoded_count=n,
            duration_s=n / self.fps,
            variable_frame_rate=False,
            dtype=str(self.dtype),
            bit_depth=self.dtype.itemsize * 8,
            rotation_deg=0,
            first_number=1,
            last_number=n,
            missing_numbers=0,
            warnings=() if self._fps_given else (f"no frame rate given: {self.fps:g} assumed",),
        )


def _checked_stack(stack: np.ndarray) -> np.ndarray:
    """Return the stack if it is one of images."""
    if stack.ndim == 3 and stack.shape[2] in (1, 3, 4):
        raise SourceError(
            "source: expected a stack of images (n, h, w) or (n, h, w, 3), got shape "
            f"{stack.shape}, which looks like one colour image (use image[None] for one frame)"
        )
    if stack.ndim not in (3, 4):
        raise SourceError(
            f"source: expected a stack of images (n, h, w) or (n, h, w, 3), got shape {stack.shape}"
        )
    if len(stack) == 0:
        raise SourceError(f"source: expected at least one image, got shape {stack.shape}")
    _image("source[0]", stack[0])
    return stack


def _checked(images: Sequence[Image]) -> Sequence[Image]:
    """Return the sequence if all its images agree in shape and dtype."""
    if len(images) == 0:
        raise SourceError("source: expected at least one image, got an empty sequence")
    first = _image("source[0]", images[0])
    for i, image in enumerate(images):
        _image(f"source[{i}]", image)
        if image.shape != first.shape or image.dtype != first.dtype:
            raise SourceError(
                f"source[{i}]: expected {first.shape} {first.dtype} as source[0], "
                f"got {image.shape} {image.dtype}"
            )
    return images


def _image(name: str, value: object) -> Image:
    try:
        return image_array(name, value)
    except InputError as error:
        raise SourceError(str(error)) from None
