"""Pictures of tracks on their footage: a video to play, or a contact sheet to glance at.

A live track is a dot with its motion behind it, yellow where it matches poorly, green where it
matches well; a ring marks a new one. A track that ended leaves a cross for ten frames, coloured by
the reason, and the strip below counts the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2, quiet
from trackcore._files import replacing
from trackcore._overlay_marks import Image, draw_label
from trackcore._overlay_paint import LONG_SIDE_PX, Painter, output_size
from trackcore.errors import InputError, TrackcoreError
from trackcore.tracks import Tracks

Progress = Callable[[int, "int | None"], None]
Cancel = Callable[[], bool]


class FrameLike(Protocol):
    """One frame of a clip."""

    @property
    def image(self) -> NDArray[Any]:
        """(h, w) or (h, w, 3) blue, green, red."""
        ...

    @property
    def number(self) -> int:
        """Clip frame number."""
        ...


class ClipLike(Protocol):
    """What an overlay needs of a clip: its frames, oldest first."""

    def __iter__(self) -> Iterator[FrameLike]:
        """Yield the frames."""
        ...


def write_overlay(
    path: str | PathLike[str],
    clip: ClipLike,
    tracks: Tracks,
    *,
    tail: int = 12,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Path:
    """Draw `tracks` on `clip` and write a video, or a contact sheet where none can be written.

    Small footage is enlarged and large footage reduced, so that dots and legend can be read.

    Parameters
    ----------
    path : path
        The video to write, `.mp4`; with `.png` a contact sheet is written.
    clip : Clip
        The footage; frames whose numbers `tracks` does not know are skipped.
    tracks : Tracks
        What to draw.
    tail : int
        Frames of motion shown behind each live track.
    progress : callable, optional
        Called with (frames drawn, frames in all).
    cancel : callable, optional
        When it returns True, drawing stops and the frames drawn so far are kept.

    Returns
    -------
    Path
        The file written: `path`, or `path` with the suffix `.png`.

    Raises
    ------
    InputError
        If the clip's frames have another size than the tracks, or it has none of their frames.
    TrackcoreError
        If no picture could be written either.
    """
    path = Path(path)
    _check(tracks, tail)
    if path.suffix.lower() == ".png" or not _write_video(
        path, clip, tracks, tail, progress, cancel
    ):
        return contact_sheet(path.with_suffix(".png"), clip, tracks, tail=tail)
    return path


def contact_sheet(
    path: str | PathLike[str],
    clip: ClipLike,
    tracks: Tracks,
    *,
    columns: int = 3,
    rows: int = 3,
    tail: int = 12,
) -> Path:
    """Draw `tracks` on frames spread evenly over the clip and write them as one image.

    Parameters
    ----------
    path : path
        The image to write; its suffix chooses the format (`.png`).
    clip, tracks, tail
        As in `write_overlay`.
    columns, rows : int
        Frames beside and below each other; fewer where the clip has fewer.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        As `write_overlay`.
    TrackcoreError
        If the image could not be written.
    """
    cv2 = load_cv2()
    _check(tracks, tail)
    if columns < 1 or rows < 1:
        raise InputError(f"columns, rows: expected at least 1, got {columns} and {rows}")
    path = Path(path)
    n_shown = min(columns * rows, tracks.n_frames)
    chosen = np.unique(np.rint(np.linspace(0, tracks.n_frames - 1, n_shown)).astype(int)).tolist()
    columns = min(columns, len(chosen))
    w, h = tracks.frame_size
    rows = -(-len(chosen) // columns)
    fits = min(LONG_SIDE_PX / columns, LONG_SIDE_PX / rows * w / h)
    width = min(output_size(w, h)[0], round(fits))
    painter = Painter(tracks, tail, width)
    pictures = []
    for index, image in _frames_of(clip, tracks, stop=chosen[-1]):
        if index in chosen:
            picture = painter.picture(image, index)
            draw_label(picture, str(tracks.frame_numbers[index]), painter.unit)
            pictures.append(picture)
    sheet = _grid(pictures, columns)
    legend = Painter(tracks, tail, sheet.shape[1]).legend_of_clip()
    ok, encoded = cv2.imencode(path.suffix, np.vstack([sheet, legend]))
    if not ok:
        raise TrackcoreError(f"could not encode the contact sheet as {path.suffix}")
    with replacing(path) as beside:
        beside.write_bytes(encoded.tobytes())
    return path


def _check(tracks: Tracks, tail: int) -> None:
    if not tracks.n_frames:
        raise InputError("tracks: expected at least one frame to draw, got none")
    if tail < 0:
        raise InputError(f"tail: expected a number of frames >= 0, got {tail}")


def _write_video(
    path: Path, clip: ClipLike, tracks: Tracks, tail: int, progress: Progress | None,
    cancel: Cancel | None,
) -> bool:  # fmt: skip
    """Write the video; False where this OpenCV cannot."""
    cv2 = load_cv2()
    painter = Painter(tracks, tail)
    with replacing(path) as beside:
        code = cv2.VideoWriter.fourcc(*"mp4v")
        with quiet(cv2):
            writer = cv2.VideoWriter(str(beside), code, tracks.fps, painter.size)
        try:
            opened = writer.isOpened()
            frames = _frames_of(clip, tracks, stop=tracks.n_frames - 1) if opened else ()
            for done, (index, image) in enumerate(frames, start=1):
                writer.write(painter.paint(image, index))
                if progress is not None:
                    progress(done, tracks.n_frames)
                if cancel is not None and cancel():
                    break
        finally:
            writer.release()
        written = opened and beside.exists() and beside.stat().st_size > 0
        if not written:
            beside.unlink(missing_ok=True)
    return written


def _frames_of(clip: ClipLike, tracks: Tracks, *, stop: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield (array index, image) for the frames of `clip` that `tracks` knows, up to `stop`."""
    index_of = {number: i for i, number in enumerate(tracks.frame_numbers.tolist())}
    found = False
    for frame in clip:
        index = index_of.get(frame.number)
        if index is None:
            continue
        h, w = frame.image.shape[:2]
        if (w, h) != tracks.frame_size:
            raise InputError(
                f"clip: expected frames of {tracks.frame_size} px as in tracks, "
                f"got {(w, h)} at frame {frame.number}"
            )
        found = True
        yield index, frame.image
        if index >= stop:
            return
    if not found:
        first, last = tracks.frame_numbers[[0, -1]].tolist()
        raise InputError(f"clip: expected frames {first} .. {last} as in tracks, got none of them")


def _grid(pictures: list[Image], columns: int) -> Image:
    gap = 4
    h, w = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 28, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * (h + gap), i % columns * (w + gap)
        sheet[y : y + h, x : x + w] = picture
    return sheet
