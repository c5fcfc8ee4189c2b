"""Pictures of the clip for the report, and what is drawn over them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2
from trackcore._overlay_marks import Image, as_u8, white_level
from trackcore.errors import TrackcoreError
from trackcore.frames import Clip
from trackcore.report.measures import Measures

MOST_POSTERS = 12
WIDTH_PX = 960
QUALITY = 72
TAIL = 10
_DIGITS = 1  # of a pixel in the picture drawn upon
_FINE = 2


def posters(measures: Measures, clip: Clip | None) -> list[dict[str, Any]]:
    """Return frames spread over the clip, each with its picture and what tracks did there.

    Without a clip the pictures are missing and the marks stand alone.
    """
    n = measures.tracks.n_frames
    if not n:
        return []
    chosen = np.unique(np.linspace(0, n - 1, MOST_POSTERS).round().astype(int)).tolist()
    numbers = measures.tracks.frame_numbers
    pictures = {} if clip is None else _pictures(clip, {int(numbers[i]) for i in chosen})
    return [
        {
            "frame": int(numbers[i]),
            "src": pictures.get(int(numbers[i])),
            "marks": _marks(measures, i),
        }
        for i in chosen
    ]


def _marks(measures: Measures, index: int) -> dict[str, Any]:
    """Return, for the tracks seen in a frame, where they are, were, and should be."""
    tracks = measures.tracks
    live = np.flatnonzero(tracks.seen[:, index])
    since = max(0, index - TAIL)
    tails = []
    for track in live.tolist():
        back = tracks.xy_px[track, since : index + 1][::-1]
        gone = np.flatnonzero(~np.isfinite(back[:, 0]))
        tail = back[: gone[0]] if len(gone) else back
        tails.append(tail[1:].round(_DIGITS).ravel().tolist())
    at = measures.projected_px[live, index]
    return {
        "track": live.tolist(),
        "xy": tracks.xy_px[live, index].round(_FINE).ravel().tolist(),
        "should": [round(v, _FINE) if np.isfinite(v) else None for v in at.ravel().tolist()],
        "tail": tails,
    }


def _pictures(clip: Clip, wanted: set[int]) -> dict[int, str]:
    """Return the frames with these numbers as data URIs."""
    found = dict(_frames(clip, wanted))
    if not found:
        return {}
    white = white_level(np.concatenate([f.reshape(-1)[::17] for f in found.values()]))
    return {number: data_uri(as_u8(image, white)) for number, image in found.items()}


def _frames(clip: Clip, wanted: set[int]) -> Iterator[tuple[int, NDArray[Any]]]:
    position, last = 0, max(wanted)
    while True:
        try:
            number = clip.number_at(position)
            if number > last:
                return
            if number in wanted:
                yield number, np.asarray(clip[position].image)
        except IndexError:
            return
        position += 1


def data_uri(image: Image, width: int = WIDTH_PX, quality: int = QUALITY) -> str:
    """Return a picture, at most `width` px wide, as a data URI.

    Raises
    ------
    TrackcoreError
        If this OpenCV can encode neither WebP nor JPEG.
    """
    cv2 = load_cv2()
    h, w = image.shape[:2]
    if w > width:
        size = (width, max(1, round(h * width / w)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    for suffix, kind, flag in (
        (".webp", "webp", cv2.IMWRITE_WEBP_QUALITY),
        (".jpg", "jpeg", cv2.IMWRITE_JPEG_QUALITY),
    ):
        try:
            ok, encoded = cv2.imencode(suffix, image, [flag, quality])
        except cv2.error:  # an OpenCV built without this format
            continue
        if ok:
            return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"
    raise TrackcoreError("could not encode a frame for the report as WebP or JPEG")
