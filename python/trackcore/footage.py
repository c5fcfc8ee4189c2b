"""The documented classes of footage: by width, frame rate, motion and texture."""

from __future__ import annotations

import math

from trackcore._compat import StrEnum
from trackcore.errors import InputError


class MotionClass(StrEnum):
    """How fast the picture moves."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class TextureClass(StrEnum):
    """How much of the picture can be tracked."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


RESOLUTIONS = ("SD", "HD", "4K")
"""Names by `resolution_class`."""

RATES = ("24fps", "30fps", "60fps")
"""Names by `fps_class`."""

_MEDIUM_MOTION = (0.01, 0.03)  # diagonals per frame, both included
_LEAST_TEXTURED = (0.4, 0.8)  # share of MEDIUM and HIGH
_LEAST_WIDTH_PX = (1920, 3840)  # of HD and 4K
_LEAST_FPS = (28.0, 50.0)  # of 30fps and 60fps


def resolution_class(frame_size: tuple[int, int]) -> int:
    """Return 0, 1 or 2, an index into SD, HD, 4K, by the frame's width [px].

    Raises
    ------
    InputError
        If the size is not two positive numbers.

    >>> resolution_class((1920, 1080))
    1
    """
    try:
        width, height = frame_size
        good = width > 0 and height > 0
    except (TypeError, ValueError):
        good = False
    if not good:
        raise InputError(f"frame_size: expected (width, height) > 0 [px], got {frame_size!r}")
    return sum(width >= least for least in _LEAST_WIDTH_PX)


def fps_class(fps: float) -> int:
    """Return 0, 1 or 2, an index into 24fps, 30fps, 60fps, by the frame rate [1/s].

    Raises
    ------
    InputError
        If the rate is not a positive number: a clip that has none has the default of `open_clip`.

    >>> [fps_class(rate) for rate in (23.976, 25, 29.97, 59.94)]
    [0, 0, 1, 2]
    """
    if isinstance(fps, bool) or not isinstance(fps, (int, float)):
        raise InputError(f"fps: expected a number > 0 [1/s], got {fps!r}")
    if not (math.isfinite(fps) and fps > 0):
        raise InputError(f"fps: expected a number > 0 [1/s], got {fps!r}")
    return sum(fps >= least for least in _LEAST_FPS)


def footage_class(frame_size: tuple[int, int], fps: float) -> str:
    """Return one of the nine classes of footage, such as "HD_30fps".

    Parameters
    ----------
    frame_size : (w, h)
        Size of the frames [px]. The width decides: below 1920 SD, from 3840 4K.
    fps : float
        Frames per second [1/s]: below 28 "24fps", from 50 "60fps".

    Returns
    -------
    str

    Raises
    ------
    InputError
        If an argument is not a positive number.

    >>> footage_class((3840, 2160), 23.976)
    '4K_24fps'
    """
    return f"{RESOLUTIONS[resolution_class(frame_size)]}_{RATES[fps_class(fps)]}"


def motion_class(diagonals_per_frame: float) -> MotionClass:
    """Return the class of a speed: 0.01 to 0.03 diagonals per frame, both included, is MEDIUM.

    LOW where nothing is known to move (NaN).

    >>> [motion_class(v).value for v in (0.0099, 0.01, 0.03, 0.0301)]
    ['LOW', 'MEDIUM', 'MEDIUM', 'HIGH']
    """
    least, most = _MEDIUM_MOTION
    if diagonals_per_frame > most:
        return MotionClass.HIGH
    return MotionClass.MEDIUM if diagonals_per_frame >= least else MotionClass.LOW


def texture_class(share: float) -> TextureClass:
    """Return the class of a picture by the share of its cells that have something to track.

    The add-on tried five places: four that could be tracked were HIGH, two or three MEDIUM.

    >>> texture_class(0.4).value, texture_class(0.8).value
    ('MEDIUM', 'HIGH')
    """
    medium, high = _LEAST_TEXTURED
    if share >= high:
        return TextureClass.HIGH
    return TextureClass.MEDIUM if share >= medium else TextureClass.LOW
