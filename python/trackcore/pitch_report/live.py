"""The live view: both cameras side by side, what is detected, the last pitches. By OpenCV."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2
from trackcore.ballistics import INCH_M
from trackcore.balls import Candidates
from trackcore.pitch import PitchFit, StrikeZone
from trackcore.pitch_report.numbers import call_words, pitch_numbers, status_words
from trackcore.pitch_report.strobe import colour
from trackcore.recording import SIDES, CapturedFrame

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

_WIDTH, _BAR = 1280, 54
_PAPER: Colour = (28, 23, 20)
_TEXT, _QUIET, _BALL = (235, 232, 228), (165, 155, 145), (63, 210, 255)
_STRIKE, _OUTSIDE = (70, 90, 225), (220, 150, 70)
_ZONE_SHARE, _HALF_IN = 0.34, 8.5
_SCREENS, _PROBE_S = ("DISPLAY", "WAYLAND_DISPLAY"), 20.0


@dataclass(frozen=True, slots=True)
class LiveState:
    """What a live view shows.

    Attributes
    ----------
    frames : mapping of side to CapturedFrame or None
        The latest of each camera.
    balls : mapping of side to Candidates or None
        What was found in them.
    status : str
        One line: states, rates, what was lost.
    fits : sequence of PitchFit or None
        Of the pitches so far, in order.
    zone : StrikeZone
    plate : bool
        Whether the rig knows where the plate is.
    """

    frames: Mapping[str, CapturedFrame | None]
    balls: Mapping[str, Candidates | None]
    status: str
    fits: Sequence[PitchFit | None] = ()
    zone: StrikeZone = field(default_factory=StrikeZone.of_batter)
    plate: bool = True


def draw_live(state: LiveState, width: int = _WIDTH) -> Image:
    """Return the live view as a picture (h, width, 3) blue-green-red.

    The latest frame of each camera with a ring around each detection; in a corner the strike zone
    with the pitches so far; below, the last pitch and one line of state.
    """
    cv2 = load_cv2()
    half = width // 2
    views = [_camera(cv2, state, side, half) for side in SIDES]
    tall = max(view.shape[0] for view in views)
    page = np.full((tall + _BAR, 2 * half, 3), _PAPER, np.uint8)
    for k, view in enumerate(views):
        page[: view.shape[0], k * half : (k + 1) * half] = view
    if state.plate:
        _draw_zone(cv2, page[:tall], state)
    _write(cv2, page, _last(state), (14, tall + 22), 0.6, _TEXT)
    _write(cv2, page, state.status, (14, tall + 44), 0.45, _QUIET)
    return page


def _camera(cv2: Any, state: LiveState, side: str, width: int) -> Image:
    frame, balls = state.frames.get(side), state.balls.get(side)
    if frame is None:
        waiting = np.full((width * 9 // 16, width, 3), _PAPER, np.uint8)
        _write(cv2, waiting, f"{side}: no picture", (14, 28), 0.5, _QUIET)
        return waiting
    h, w = frame.image.shape[:2]
    scale = width / w
    small = cv2.resize(colour(frame.image), (width, round(h * scale)), interpolation=cv2.INTER_AREA)
    picture = np.asarray(small, np.uint8)
    if balls is not None:
        for (x, y), radius, rule in zip(balls.xy_px, balls.radius_px, balls.rule, strict=True):
            if rule == 0:
                at = (round(scale * float(x)), round(scale * float(y)))
                cv2.circle(picture, at, round(scale * float(radius)) + 4, _BALL, 1, cv2.LINE_AA)
    _write(cv2, picture, f"{side}  {frame.frame_index}", (14, 24), 0.5, _TEXT)
    return picture


def _draw_zone(cv2: Any, page: Image, state: LiveState) -> None:
    """Draw the strike zone into the lower right corner, from the catcher."""
    size = int(_ZONE_SHARE * page.shape[0])
    if size < 60:
        return
    corner = page[-size - 10 : -10, -size - 10 : -10]
    corner[:] = (0.25 * corner + 0.75 * np.array(_PAPER)).astype(np.uint8)
    bottom, top = state.zone.bottom_m / INCH_M, state.zone.top_m / INCH_M
    scale = size / (2.2 * (top - bottom))
    middle = (top + bottom) / 2

    def at(x: float, y: float) -> tuple[int, int]:
        return round(size / 2 + scale * x), round(size / 2 - scale * (y - middle))

    for k in (1, 2):
        x, y = -_HALF_IN + k * 2 * _HALF_IN / 3, bottom + k * (top - bottom) / 3
        cv2.line(corner, at(x, bottom), at(x, top), _QUIET, 1, cv2.LINE_AA)
        cv2.line(corner, at(-_HALF_IN, y), at(_HALF_IN, y), _QUIET, 1, cv2.LINE_AA)
    cv2.rectangle(corner, at(-_HALF_IN, top), at(_HALF_IN, bottom), _TEXT, 1, cv2.LINE_AA)
    for i, fit in enumerate(state.fits):
        if fit is None or not fit.plate:
            continue
        x, y = (fit.plate.X_world[:2] / INCH_M).tolist()
        radius = max(round(scale * fit.strike.radius_m / INCH_M), 2)
        shade = _STRIKE if fit.strike.is_strike else _OUTSIDE
        last = i == len(state.fits) - 1
        cv2.circle(corner, at(x, y), radius, shade, -1 if last else 1, cv2.LINE_AA)


def _last(state: LiveState) -> str:
    if not state.fits:
        return "waiting for a pitch"
    fit = state.fits[-1]
    n = len(state.fits)
    numbers = pitch_numbers(fit, plate=state.plate)
    words = [number.text for number in numbers[:1] if math.isfinite(number.value)]
    words.append(call_words(fit) if state.plate else status_words(fit, plate=False))
    return f"pitch {n}:  " + "   ".join(words)


def _write(
    cv2: Any, picture: Image, text: str, at: tuple[int, int], size: float, shade: Colour
) -> None:
    plain = text.encode("ascii", "replace").decode()  # OpenCV's letters
    for off, ink in ((1, (0, 0, 0)), (0, shade)):
        place = (at[0] + off, at[1] + off)
        cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)


def has_screen() -> bool:
    """Return whether this OpenCV can open a window here.

    Tried in another process: Qt, which draws OpenCV's windows on Linux, ends the process that has
    no screen.
    """
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _SCREENS)):
        return False
    words = [sys.executable, "-c", "import cv2; cv2.namedWindow('trackcore')"]
    try:
        tried = subprocess.run(words, capture_output=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


class LiveWindow:
    """A window on the screen that shows live views.

    Parameters
    ----------
    title : str

    Attributes
    ----------
    usable : bool
        Whether there is a screen and an OpenCV that can draw on it.
    closed : bool
        Whether the user closed it or pressed Q or Escape.
    """

    def __init__(self, title: str) -> None:
        self._title, self.closed = title, False
        self._cv2 = load_cv2()
        self.usable = has_screen()
        if self.usable:
            self._cv2.namedWindow(title, self._cv2.WINDOW_NORMAL)

    def show(self, picture: Image) -> None:
        """Show a picture, and see what was pressed."""
        if not self.usable or self.closed:
            return
        cv2 = self._cv2
        cv2.imshow(self._title, picture)
        pressed = cv2.waitKey(1) & 0xFF
        gone = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        self.closed = pressed in (27, ord("q"), ord("Q")) or gone

    def close(self) -> None:
        """Take the window away."""
        if self.usable and not self.closed:
            self._cv2.destroyWindow(self._title)
        self.usable = False
