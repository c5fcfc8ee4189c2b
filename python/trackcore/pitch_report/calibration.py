"""A calibration as one picture: errors of every view, where the board was, where it stood."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackcore._files import replacing
from trackcore.cameras.boards import Board, BoardCorners
from trackcore.cameras.calibrate import StereoCalibration
from trackcore.pitch_report.figure import GREY, INK, PATH, QUIET, SEEN, figure, tidy
from trackcore.recording import SIDES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Found = Sequence["BoardCorners | None"]

_COLOURS = (SEEN, PATH)


def write_calibration_picture(
    path: str | PathLike[str],
    calibration: StereoCalibration,
    corners: tuple[Found, Found],
    numbers: Sequence[int],
    board: Board,
) -> Path:
    """Draw a calibration and write it as one image.

    The error of every pair in both pictures, with those that were not used; which parts of the
    pictures the board covered; where it stood before the cameras, from above.

    Parameters
    ----------
    path : path
        The image to write; its suffix chooses the format.
    calibration : StereoCalibration
    corners : (left, right)
        What was found in each picture.
    numbers : sequence of int
        Of the pairs, as people know them.
    board : Board

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
    drawn = figure((14, 8.4))
    parts: Any = drawn.subfigures(2, 1, height_ratios=(1, 1.35))
    top, bottom = parts
    _draw_errors(top.subplots(), calibration, numbers)
    left, right, above = bottom.subplots(1, 3, width_ratios=(1.2, 1.2, 1))
    for side, axes in enumerate((left, right)):
        _draw_cover(axes, calibration, corners[side], side)
    _draw_above(above, calibration, board)
    drawn.suptitle(
        f"{calibration.rating.value.lower()}: {calibration.rms_px:.3f} px rms in"
        f" {calibration.n_pairs} of {len(numbers)} pairs, baseline"
        f" {calibration.rig.baseline_m:.4g} m",
        x=0.012, ha="left", fontsize=14, fontweight="bold", color=INK,
    )  # fmt: skip
    with replacing(path) as beside:
        drawn.savefig(beside)
    return path


def _draw_errors(axes: Axes, calibration: StereoCalibration, numbers: Sequence[int]) -> None:
    at = np.arange(len(numbers))
    for side, colour in enumerate(_COLOURS):
        axes.bar(at + (side - 0.5) * 0.36, calibration.pair_rms_px[:, side], 0.34, color=colour,
                 label=SIDES[side])  # fmt: skip
    axes.axhline(calibration.rms_px, color=GREY, linewidth=1.0, linestyle="--",
                 label="all together")  # fmt: skip
    for i in calibration.rejected:
        axes.text(i, 0, " not used", rotation=90, ha="center", va="bottom", fontsize=8, color=QUIET)
    axes.set(xticks=at, xlim=(-0.7, len(at) - 0.3), ylabel="error [px rms]", xlabel="pair")
    axes.set_xticklabels([str(n) for n in numbers])
    axes.set_title("corners as found less corners as projected, each pair with one pose of the"
                   " board", fontsize=10.5, loc="left", color=QUIET)  # fmt: skip
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="upper right")
    tidy(axes)


def _draw_cover(axes: Axes, calibration: StereoCalibration, found: Found, side: int) -> None:
    w, h = calibration.rig.cameras[side].size
    for corners in found:
        if corners is not None:
            axes.plot(*corners.uv_px.T, ".", color=_COLOURS[side], markersize=2.6, alpha=0.6)
    axes.set(xlim=(-0.5, w - 0.5), ylim=(h - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")
    seen = sum(corners is not None for corners in found)
    axes.set_title(f"{SIDES[side]}: the board in {seen} pictures", fontsize=10.5, loc="left",
                   color=QUIET)  # fmt: skip


def _draw_above(axes: Axes, calibration: StereoCalibration, board: Board) -> None:
    """Where the cameras and the boards were, seen from above, in the left camera's frame."""
    X = board.points_board
    ends = X[[X[:, 0].argmin(), X[:, 0].argmax()]]
    for T in calibration.left.T_cam_board:
        if np.isfinite(T).all():
            line = ends @ T[:3, :3].T + T[:3, 3]
            axes.plot(line[:, 0], line[:, 2], color=GREY, linewidth=1.4)
    for side, camera in enumerate(calibration.rig.cameras):
        x, _, z = camera.center_world
        axes.plot(x, z, "^", color=_COLOURS[side], markersize=10)
    axes.set(xlabel="right [m]", ylabel="before the left camera [m]", aspect="equal")
    axes.set_title("boards and cameras from above", fontsize=10.5, loc="left", color=QUIET)
    axes.margins(0.08)
    tidy(axes)
