"""Frames of a pitch laid over each other: every place where the ball was, in one picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2
from trackcore.pitch import Sightings
from trackcore.recording import PitchWindow

Image = NDArray[np.uint8]

_AROUND = 1.6  # radii of the ball that are copied, and
_LEAST_PX = 5  # at least so much
_BETWEEN = 2.2  # radii between one copy and the next


def strobe(window: PitchWindow, side: str) -> Image | None:
    """Return one camera's picture of the whole flight, (h, w, 3) blue-green-red.

    The first frame, with the ball of later ones copied where it was seen; None without frames.
    """
    frames = window.frames[side]
    if not len(frames):
        return None
    wanted = copies(window, side)
    picture: Image | None = None
    for frame in frames:
        image = colour(frame.image)
        if picture is None:
            picture = image.copy()
        place = wanted.get(frame.t_capture_monotonic_ns)
        if place is not None:
            _copy(picture, image, *place)
    return picture


def frame_at(window: PitchWindow, side: str, t_ns: int) -> Image | None:
    """Return the frame of a stamp as blue-green-red, if it is there."""
    for frame in window.frames[side]:
        if frame.t_capture_monotonic_ns == t_ns:
            return colour(frame.image)
    return None


def colour(image: Image) -> Image:
    """Return a picture as (h, w, 3)."""
    if image.ndim == 3:
        return image
    return np.asarray(load_cv2().cvtColor(image, load_cv2().COLOR_GRAY2BGR), np.uint8)


def radii(window: PitchWindow, side: str) -> dict[int, float]:
    """Return the radius of the ball in each frame that saw it, by stamp [px]."""
    seen = sightings(window, side)
    places = dict(zip(seen.t_ns.tolist(), seen.xy_px, strict=True))
    found = {}
    for frame in window.detections[side]:
        balls, place = frame.balls, places.get(int(frame.balls.t_ns))
        if place is not None and len(balls):
            off = np.linalg.norm(balls.xy_px - place, axis=1)
            nearest = int(off.argmin())
            if off[nearest] < 1.0:
                found[int(balls.t_ns)] = float(balls.radius_px[nearest])
    return found


def sightings(window: PitchWindow, side: str) -> Sightings:
    """Return where one camera saw the ball."""
    return window.pitch.left if side == "left" else window.pitch.right


def copies(window: PitchWindow, side: str) -> dict[int, tuple[float, float, float]]:
    """Return centre and reach of what is copied, by stamp: as many as stay apart."""
    seen, sizes = sightings(window, side), radii(window, side)
    chosen: dict[int, tuple[float, float, float]] = {}
    last: NDArray[np.float64] | None = None
    for t_ns, place in zip(seen.t_ns.tolist(), seen.xy_px, strict=True):
        if not np.isfinite(place).all():
            continue
        size = max(sizes.get(t_ns, 0.0), _LEAST_PX / _AROUND)
        if last is not None and np.linalg.norm(place - last) < _BETWEEN * size:
            continue
        chosen[t_ns] = float(place[0]), float(place[1]), _AROUND * size
        last = place
    return chosen


def _copy(picture: Image, image: Image, x: float, y: float, reach: float) -> None:
    h, w = picture.shape[:2]
    x0, y0 = max(int(x - reach), 0), max(int(y - reach), 0)
    x1, y1 = min(int(x + reach) + 2, w), min(int(y + reach) + 2, h)
    if x0 < x1 and y0 < y1 and image.shape == picture.shape:
        rows, columns = np.mgrid[y0:y1, x0:x1]
        inside = (rows - y) ** 2 + (columns - x) ** 2 <= reach**2
        picture[y0:y1, x0:x1][inside] = image[y0:y1, x0:x1][inside]
