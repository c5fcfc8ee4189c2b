"""A pitch as one picture: frames, strike zone, both views of its path, numbers. By matplotlib."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackcore._files import replacing
from trackcore.cameras import StereoRig, home_plate_ft
from trackcore.pitch import StrikeZone
from trackcore.pitch_report.figure import (
    BALL,
    GREY,
    INK,
    PATH,
    QUIET,
    SEEN,
    ZONE,
    figure,
    say,
    tidy,
)
from trackcore.pitch_report.numbers import (
    Number,
    call_words,
    evidence,
    pitch_numbers,
    status_words,
)
from trackcore.pitch_report.strobe import copies, radii, strobe
from trackcore.pitch_report.views import PitchView
from trackcore.pitch_report.zone import draw_zone
from trackcore.recording import SIDES, PitchWindow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

_MARGIN_FT = 1.0
_FRAME_ASPECT = 1.12  # of the part of each frame that is shown


def write_pitch_picture(
    path: str | PathLike[str],
    window: PitchWindow,
    rig: StereoRig,
    *,
    zone: StrikeZone | None = None,
    title: str | None = None,
) -> Path:
    """Draw a pitch and write it as one image.

    Both cameras' pictures with every place where the ball was seen and the fitted path; the strike
    zone with its ninths, and where the ball crossed with its uncertainty; the path from the side
    and from above; speed, break, angles, the call and how sure it is.

    Parameters
    ----------
    path : path
        The image to write; its suffix chooses the format (`.png`, `.svg`, `.pdf`).
    window : PitchWindow
        Without a fit, what was seen is drawn alone.
    rig : StereoRig
        The one that the pitch was tracked with.
    zone : StrikeZone, optional
        Default: that of a batter of 66 in, as documented.
    title : str, optional
        Default: the pitch's id.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    DependencyError
        If matplotlib is not installed (`pip install 'trackcore[plot]'`).
    """
    path = Path(path)
    view = PitchView(window, rig, zone or StrikeZone.of_batter())
    drawn = figure((16, 10))
    top, bottom = _parts(drawn.subfigures(2, 1, height_ratios=(1.18, 1.0), hspace=0.0))
    frames, right = _parts(top.subfigures(1, 2, width_ratios=(2.5, 1.0), wspace=0.0))
    for axes, side in zip(frames.subplots(1, 2), SIDES, strict=True):
        _draw_frame(axes, view, side)
    if view.plate:
        draw_zone(right.subplots(), [view])
    else:
        _draw_residuals(right.subplots(), view)
    paths, numbers = _parts(bottom.subfigures(1, 2, width_ratios=(1.7, 1.0), wspace=0.0))
    side_axes, above_axes = paths.subplots(2, 1, sharex=True)
    _draw_side(side_axes, view)
    _draw_above(above_axes, view)
    _draw_numbers(numbers, view)
    drawn.suptitle(
        _title(view, title), x=0.012, ha="left", fontsize=15, fontweight="bold", color=INK
    )
    with replacing(path) as beside:
        drawn.savefig(beside)
    return path


def _parts(made: Any) -> list[SubFigure]:
    """Return what `subfigures` made, which has no type of its own."""
    return list(made)


def _title(view: PitchView, title: str | None) -> str:
    fit = view.window.fit
    name = title or view.window.pitch_id
    said = call_words(fit) if view.plate else status_words(fit, plate=False)
    speed = pitch_numbers(fit, plate=view.plate)[:1]
    return "   ·   ".join([name, *(n.text for n in speed if math.isfinite(n.value)), said])


def _draw_frame(axes: Axes, view: PitchView, side: str) -> None:
    from matplotlib.patches import Circle

    w, h = view.rig.cameras[SIDES.index(side)].size
    x0, x1, y0, y1 = view.part_px(side, _FRAME_ASPECT)
    axes.set(xlim=(x0, x1), ylim=(y1, y0), xticks=[], yticks=[], aspect="equal")
    picture = strobe(view.window, side)
    if picture is not None:
        axes.imshow(picture[..., ::-1], extent=(-0.5, w - 0.5, h - 0.5, -0.5))
    else:
        axes.set_facecolor("#22262d")
    for line in view.zone_lines_px(side):
        axes.plot(*line.T, color=ZONE, linewidth=0.9, alpha=0.75)
    axes.plot(*view.path_px(side).T, color=PATH, linewidth=1.0, alpha=0.75)
    seen, sizes = view.sightings(side), radii(view.window, side)
    axes.plot(*seen.xy_px.T, ".", color=BALL, markersize=2.2)
    for t_ns, (x, y, _) in copies(view.window, side).items():
        ring = Circle((x, y), sizes.get(t_ns, 3.0) + 2.5, facecolor="none", edgecolor=BALL,
                      linewidth=1.0)  # fmt: skip
        axes.add_patch(ring)
    axes.set_title(f"{side} camera: {len(seen)} sightings and the fitted path", fontsize=10.5,
                   loc="left", color=QUIET)  # fmt: skip


def _draw_side(axes: Axes, view: PitchView) -> None:
    """Height over the way: from the side."""
    axes.set_title(
        "from the side" if view.plate else "y over z", fontsize=10.5, loc="left", color=QUIET
    )
    axes.set_ylabel(f"height [{view.unit}]" if view.plate else f"y [{view.unit}]")
    if not _draw_path(axes, view, 1):
        return
    if view.plate:
        axes.set(ylim=(0, max(axes.get_ylim()[1], 7.0)))
        box = [(0, view.bottom_ft), (-17 / 12, view.bottom_ft), (-17 / 12, view.top_ft),
               (0, view.top_ft)]  # fmt: skip
        axes.fill(*zip(*box, strict=True), color=SEEN, alpha=0.16, linewidth=0)
    elif view.y_is_down:
        axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=8.8, loc="upper right", ncols=4, columnspacing=1.4)


def _draw_above(axes: Axes, view: PitchView) -> None:
    """Across over the way: from above."""
    axes.set_title(
        "from above" if view.plate else "x over z", fontsize=10.5, loc="left", color=QUIET
    )
    axes.set_ylabel(f"catcher's right [{view.unit}]" if view.plate else f"x [{view.unit}]")
    axes.set_xlabel(f"from the plate [{view.unit}]" if view.plate else f"z [{view.unit}]")
    if not _draw_path(axes, view, 0) or not view.plate:
        return
    corners = home_plate_ft()[:, [2, 0]]
    axes.fill(*corners.T, facecolor="#ffffff", edgecolor=GREY, linewidth=1.0, zorder=1)
    reach = max(2.0, *np.abs(axes.get_ylim()))
    axes.set(ylim=(-reach, reach))
    axes.axhline(0, color=GREY, linewidth=0.6, zorder=0)


def _draw_path(axes: Axes, view: PitchView, axis: int) -> bool:
    """Draw the path and where it was seen; False if there is neither."""
    path, seen = view.path, view.seen
    if not len(path) and not len(seen):
        say(axes, "no place is known")
        return False
    if len(seen):
        axes.plot(seen[:, 2], seen[:, axis], "o", color=SEEN, markersize=4.5, alpha=0.65,
                  markeredgewidth=0, label="seen by both cameras")  # fmt: skip
    if len(path):
        axes.plot(path[:, 2], path[:, axis], color=PATH, linewidth=1.6, label="fitted path")
    fit = view.window.fit
    if fit is not None and view.plate:
        for crossing, name, marker in (
            (fit.release, "release plane", "s"),
            (fit.plate, "plate", "D"),
        ):
            if crossing:
                X = view.shown(crossing.X_world)
                axes.plot(X[2], X[axis], marker, color=BALL, markeredgecolor=INK, markersize=7,
                          linestyle="none", label=name, zorder=4)  # fmt: skip
    both = np.concatenate([path[:, 2], seen[:, 2]])
    known = both[np.isfinite(both)]
    if len(known) and view.plate:
        axes.set_xlim(max(known.max(), 50.0) + _MARGIN_FT, min(known.min(), -1.5) - _MARGIN_FT)
    tidy(axes)
    return True


def _draw_residuals(axes: Axes, view: PitchView) -> None:
    """Draw what is left of each sighting, where there is no plate to show."""
    fit = view.window.fit
    table = None if fit is None else fit.residuals
    if table is None:
        say(axes, f"no fit: {status_words(fit)}")
        return
    for side, colour in enumerate((SEEN, PATH)):
        mine = table.side == side
        for axis, marker in ((0, "o"), (1, "^")):
            axes.plot(1e3 * table.tau_s[mine], table.residual_px[mine, axis], marker, color=colour,
                      markersize=4, alpha=0.7, markeredgewidth=0,
                      label=f"{SIDES[side]}, {'xy'[axis]}")  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(xlabel="time [ms]", ylabel="path less sighting [px]")
    axes.set_title("residuals", fontsize=10.5, loc="left", color=QUIET)
    axes.legend(frameon=False, fontsize=8.5, ncols=2)
    tidy(axes)


def _draw_numbers(part: SubFigure, view: PitchView) -> None:
    """Return two columns of numbers with their deviations."""
    axes: Any = part.subplots()
    axes.axis("off")
    rows = pitch_numbers(view.window.fit, plate=view.plate)
    head, body = 13.0 if rows else 11.0, 10.4
    axes.set(xlim=(0, 1), ylim=(0, 1))
    said = status_words(view.window.fit, plate=view.plate)
    axes.text(0.0, 0.985, said, fontsize=head, fontweight="bold", color=INK, va="top")
    _column(axes, rows, 0.0, 0.60, body)
    _column(axes, evidence(view.window), 0.66, 0.99, body - 0.9)
    if rows:
        axes.text(0.0, -0.035, "± one standard deviation, from the noise of the pixels alone",
                  fontsize=8.5, color=GREY, va="bottom")  # fmt: skip


def _column(axes: Axes, rows: list[Number], x0: float, x1: float, size: float) -> None:
    step = 0.074 if len(rows) <= 12 else 0.89 / len(rows)
    spread = any(n.spread for n in rows) and x0 == 0.0
    middle = x1 - (0.135 if spread else 0.0)
    for k, number in enumerate(rows):
        y = 0.88 - step * k
        axes.text(x0, y, number.name, fontsize=size, color=QUIET, va="top")
        axes.text(middle, y, number.text, fontsize=size, color=INK, va="top", ha="right")
        if spread:
            axes.text(x1, y, number.spread, fontsize=size - 1.2, color=QUIET, va="top", ha="right")
