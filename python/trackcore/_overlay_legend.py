"""The strip below an overlay's picture, and the marks it explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore._cv2 import load_cv2
from trackcore._overlay_marks import Colour, Image, draw_cross, draw_dots
from trackcore.summary import REASONS
from trackcore.types import PointStatus

Mark = Callable[[Image, NDArray[np.float64]], None]

_BACKGROUND = 28
_TEXT: Colour = (225, 225, 225)
_QUIET: Colour = (150, 150, 150)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One item of the legend: a mark, its text, and the width both were given [px]."""

    x: int
    row: int
    mark: Mark | None
    key: str


class Legend:
    """Lays its entries out once, as wide as they will ever be, so that nothing jumps."""

    def __init__(
        self, width_px: int, unit: float, totals: dict[PointStatus, int],
        colours: dict[PointStatus, Colour], new_colour: Colour, ramp: list[Colour],
        grade: str, worst: str, best: str, widest: tuple[str, str],
    ) -> None:  # fmt: skip
        self._width, self._unit, self._widest = width_px, unit, widest
        self._totals, self._colours, self._ramp = totals, colours, ramp
        self._new_colour, self._ends = new_colour, (f"{grade} {worst}", best)
        self._cap = max(9.0, min(11.0 * unit, width_px / 56))
        self._entries = self._lay_out()
        rows = self._entries[-1].row + 1
        height = round(rows * self._row_px + 0.9 * self._cap)
        self.height_px = height + height % 2

    @property
    def _row_px(self) -> float:
        return 2.0 * self._cap

    def draw(self, frame: str, alive: str, new: str, lost: dict[PointStatus, int]) -> Image:
        """Return the strip: its first words, what is alive, how many are new or lost and why."""
        strip = np.full((self.height_px, self._width, 3), _BACKGROUND, np.uint8)
        texts = {"frame": frame, "alive": alive, "new": new}
        for status, count in lost.items():
            texts[status.name] = f"{count} {REASONS[status]}"
        for entry in self._entries:
            y = 0.45 * self._cap + (entry.row + 0.5) * self._row_px
            x = float(entry.x)
            if entry.mark is not None:
                entry.mark(strip, np.array([x + 0.5 * self._cap, y]))
                x += 1.5 * self._cap
            if entry.key == "ramp":
                self._draw_ramp(strip, x, y)
            else:
                idle = lost.get(_status(entry.key), 1) == 0
                self._write(strip, texts.get(entry.key, entry.key), x, y, _QUIET if idle else _TEXT)
        return strip

    def _lay_out(self) -> list[_Entry]:
        alive, new = self._ramp[-1], self._new_colour
        wanted: list[tuple[str, str, Mark | None]] = [
            ("frame", self._widest[0], None),
            ("alive", self._widest[1], lambda c, p: draw_dots(c, p[None], self._unit, [alive])),
            ("new", "000 new", lambda c, p: draw_dots(c, p[None], self._unit, [alive], [new])),
            ("ramp", "", None),
        ]
        if self._totals:
            wanted.append(("lost so far:", "lost so far:", None))
        for status, total in self._totals.items():
            cross = _cross_mark(self._unit, self._colours[status])
            wanted.append((status.name, f"{total} {REASONS[status]}", cross))
        gap = 1.6 * self._cap
        x, row = self._cap, 0
        entries: list[_Entry] = []
        for key, widest, mark in wanted:
            width = self._ramp_px if key == "ramp" else self._text_px(widest)
            width += 1.5 * self._cap if mark is not None else 0
            starts_losses = key == "lost so far:"
            if entries and (starts_losses or x + width > self._width - self._cap):
                x, row = self._cap, row + 1
            entries.append(_Entry(round(x), row, mark, key))
            x += width + gap
        return entries

    @property
    def _ramp_px(self) -> float:
        return sum(map(self._text_px, self._ends)) + 6.0 * self._cap

    def _draw_ramp(self, strip: Image, x: float, y: float) -> None:
        worst, best = self._ends
        self._write(strip, worst, x, y, _TEXT)
        left = x + self._text_px(worst) + 0.5 * self._cap
        top, bottom = round(y - 0.4 * self._cap), round(y + 0.4 * self._cap)
        step = 5.0 * self._cap / len(self._ramp)
        for i, colour in enumerate(self._ramp):
            strip[top:bottom, round(left + i * step) : round(left + (i + 1) * step)] = colour
        self._write(strip, best, left + 5.5 * self._cap, y, _TEXT)

    def _write(self, strip: Image, text: str, x: float, y: float, colour: Colour) -> None:
        cv2 = load_cv2()
        font, scale, weight = self._font()
        height = cv2.getTextSize("0", font, scale, weight)[0][1]
        origin = (round(x), round(y + height / 2))
        cv2.putText(strip, text, origin, font, scale, colour, weight, cv2.LINE_AA)

    def _text_px(self, text: str) -> float:
        cv2 = load_cv2()
        return float(cv2.getTextSize(text, *self._font())[0][0])

    def _font(self) -> tuple[int, float, int]:
        cv2 = load_cv2()
        # Hershey capitals are 21 units high at scale 1.
        return cv2.FONT_HERSHEY_SIMPLEX, self._cap / 21.0, max(1, round(0.5 * self._unit))


def _status(key: str) -> PointStatus:
    return PointStatus.__members__.get(key, PointStatus.TRACKED)


def _cross_mark(unit: float, colour: Colour) -> Mark:
    return lambda canvas, place: draw_cross(canvas, place, unit, colour)
