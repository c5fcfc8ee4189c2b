"""The strike zone from the catcher: ninths, crossings, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trackcore.ballistics import INCH_M
from trackcore.pitch_report.figure import GREY, INK, OUTSIDE, QUIET, STRIKE, tidy
from trackcore.pitch_report.views import PitchView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF_IN = 8.5
_SIGMAS = 2.0
_AROUND_IN, _SIDE_IN = 9.0, 19.0


def draw_zone(axes: Axes, views: Sequence[PitchView], *, numbered: bool = False) -> None:
    """Draw the zone's front and where pitches crossed it, as the catcher sees it."""
    from matplotlib.patches import Circle, Ellipse, Rectangle

    view = views[0]
    bottom, top = 12 * view.bottom_ft, 12 * view.top_ft
    axes.add_patch(Rectangle((-HALF_IN, bottom), 2 * HALF_IN, top - bottom, facecolor="#f3f5f8",
                             edgecolor=INK, linewidth=1.6, zorder=1))  # fmt: skip
    for k in (1, 2):
        axes.plot([-HALF_IN + k * 2 * HALF_IN / 3] * 2, [bottom, top], color=GREY, linewidth=0.8,
                  zorder=2)  # fmt: skip
        axes.plot([-HALF_IN, HALF_IN], [bottom + k * (top - bottom) / 3] * 2, color=GREY,
                  linewidth=0.8, zorder=2)  # fmt: skip
    plate = np.array([(-8.5, 2.6), (8.5, 2.6), (8.5, 1.4), (0, 0.0), (-8.5, 1.4)])
    axes.fill(*plate.T, facecolor="white", edgecolor=GREY, linewidth=1.2)
    places = []
    for shown in views:
        at = shown.crossing_in
        if at is None:
            continue
        places.append(at)
        fit = shown.window.fit
        assert fit is not None
        colour = STRIKE if fit.strike.is_strike else OUTSIDE
        axes.add_patch(Circle(at, fit.strike.radius_m / INCH_M, facecolor=colour, alpha=0.30,
                              edgecolor=colour, linewidth=1.4, zorder=3))  # fmt: skip
        width, height, angle = _ellipse(shown)
        axes.add_patch(Ellipse(at, width, height, angle=angle, facecolor="none", edgecolor=colour,
                               linewidth=1.0, zorder=4))  # fmt: skip
        if numbered:
            axes.text(*at, str(shown.window.index), ha="center", va="center", fontsize=9,
                      color=INK, zorder=5)  # fmt: skip
        else:
            axes.plot(*at, "+", color=colour, markersize=7, zorder=5)
    if not places:
        axes.text(0, top + 2.0, "no crossing is known", ha="center", color=GREY)
    side = max([_SIDE_IN, *(abs(x) + 4 for x, _ in places)])
    axes.set(xlim=(-side, side), ylim=(min([-1.0, *(y - 4 for _, y in places)]),
             max([top + _AROUND_IN, *(y + 4 for _, y in places)])), aspect="equal")  # fmt: skip
    _words(axes, bottom, top)


def _words(axes: Axes, bottom: float, top: float) -> None:
    axes.set(xlabel="across the plate [in]", ylabel="above the ground [in]")
    axes.set_title("strike zone, from the catcher", fontsize=10.5, loc="left", color=QUIET)
    for y, name in ((top, f"{top:.1f}"), (bottom, f"{bottom:.1f}")):
        axes.text(HALF_IN + 0.5, y, name, fontsize=8.5, color=QUIET, va="center")
    tidy(axes)
    axes.grid(visible=False)


def _ellipse(view: PitchView) -> tuple[float, float, float]:
    """Return axes and angle [deg] of the ellipse of two sigma; at least as wide as a hair."""
    values, vectors = np.linalg.eigh(view.crossing_covariance_in2)
    small, large = 2 * _SIGMAS * np.sqrt(np.maximum(values, 0))
    return float(large), float(small), float(np.degrees(np.arctan2(*vectors[::-1, 1])))
