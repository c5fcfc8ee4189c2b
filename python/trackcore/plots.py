"""Statistics as a picture: how a clip moved and how its tracks fared. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackcore._files import replacing
from trackcore.errors import DependencyError
from trackcore.frame_regions import REGIONS
from trackcore.stats import region_stats as count
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trackcore.stats import ZoomAnalysis

Floats = NDArray[np.float64]

_BLUE, _ORANGE, _GREY = "#2a6fbb", "#d9822b", "#8a8f98"
_ARROW_SHARE = 0.05  # of the frame's diagonal: the length of a typical arrow
_FEW = 2  # tracks: fewer say nothing about a distribution


def write_statistics(
    path: str | PathLike[str],
    tracks: Tracks,
    *,
    zoom: ZoomAnalysis | None = None,
    region_stats: Mapping[str, Mapping[str, int]] | None = None,
    cuts: Sequence[int] = (),
    background: NDArray[Any] | None = None,
    title: str = "",
) -> Path:
    """Draw six views of a clip's tracks and write them as one image.

    Motion vectors over a frame, success by region, survival, speed, apparent scale, and how many
    tracks were alive and lost in each frame.

    Parameters
    ----------
    path : path
        The image to write; its suffix chooses the format (`.png`, `.svg`, `.pdf`).
    tracks : Tracks
        What to draw.
    zoom : ZoomAnalysis, optional
        Apparent scale over time; its panel says so where it is not known.
    region_stats : mapping, optional
        By region name, `total_tracks` and `successful_tracks`, as in session records. Default:
        `trackcore.region_stats(tracks)`.
    cuts : sequence of int
        Clip frame numbers to mark: first frames of a new shot.
    background : (h, w) array, optional
        The clip's middle frame, shown behind the motion vectors.
    title : str

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
    figure = _figure()
    grid: Any = figure.subplots(2, 3)
    _draw_vectors(grid[0, 0], tracks, background)
    _draw_regions(grid[0, 1], tracks, region_stats)
    _draw_survival(grid[0, 2], tracks)
    _draw_speed(grid[1, 0], tracks, cuts)
    _draw_scale(grid[1, 1], zoom, cuts)
    _draw_alive(grid[1, 2], tracks, cuts)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    with replacing(path) as beside:
        figure.savefig(beside)
    return path


def _figure() -> Figure:
    try:
        from matplotlib.figure import Figure  # not pyplot: no windows, no state shared by callers
    except ImportError as error:
        raise DependencyError(
            f"matplotlib cannot be imported ({error}): pip install 'trackcore[plot]'"
        ) from error
    return Figure(figsize=(15, 7.6), dpi=110, layout="constrained")


def _draw_vectors(axes: Axes, tracks: Tracks, background: NDArray[Any] | None) -> None:
    """Where points near the middle of the clip were heading, one arrow a track."""
    w, h = tracks.frame_size
    middle = tracks.n_frames // 2
    if background is not None:
        axes.imshow(background, cmap="gray", extent=(-0.5, w - 0.5, h - 0.5, -0.5), alpha=0.75)
    axes.set(xlim=(-0.5, w - 0.5), ylim=(h - 0.5, -0.5), xticks=[], yticks=[], aspect="equal")
    speed = _velocity_px(tracks)[:, max(middle - 1, 0)] if tracks.n_frames > 1 else None
    known = np.zeros(0, np.intp) if speed is None else np.flatnonzero(np.isfinite(speed[:, 0]))
    if speed is None or not len(known):
        _say(axes, "motion: no track there")
        return
    xy, v = tracks.xy_px[known, middle], speed[known]
    typical = float(np.median(np.linalg.norm(v, axis=1)))
    times = _ARROW_SHARE * float(np.hypot(w, h)) / typical if typical > 0 else 1.0
    times = float(np.clip(times, 1.0, 200.0))  # noise of a static shot stays small
    axes.quiver(
        xy[:, 0], xy[:, 1], *(times * v).T, color=_ORANGE, angles="xy", scale_units="xy",
        scale=1, width=0.004,
    )  # fmt: skip
    axes.set_title(f"motion at frame {tracks.frame_numbers[middle]}, {times:.0f} times a frame's")


def _draw_regions(
    axes: Axes, tracks: Tracks, region_stats: Mapping[str, Mapping[str, int]] | None
) -> None:
    counts = region_stats if region_stats is not None else count(tracks).region_stats
    total = np.array([counts.get(r, {}).get("total_tracks", 0) for r in REGIONS]).reshape(3, 3)
    good = np.array([counts.get(r, {}).get("successful_tracks", 0) for r in REGIONS])
    with np.errstate(invalid="ignore"):
        share = np.where(total > 0, good.reshape(3, 3) / total, np.nan)
    axes.imshow(share, vmin=0, vmax=1, cmap="RdYlGn", alpha=0.8, aspect="auto")
    for i, name in enumerate(REGIONS):
        row, column = divmod(i, 3)
        text = f"{name}\n{good[i]} of {total[row, column]}" if total[row, column] else f"{name}\n-"
        axes.text(column, row, text, ha="center", va="center", fontsize=9)
    axes.set(xticks=[], yticks=[], title="successful tracks by region")


def _draw_survival(axes: Axes, tracks: Tracks) -> None:
    """Kaplan-Meier: a track alive at the end of the clip, or gone from view, is no loss."""
    life = tracks.lifespan_frames
    had = life > 0
    lost = had & ~np.isin(tracks.end_status, (PointStatus.TRACKED, PointStatus.OUT_OF_FRAME))
    if not had.any():
        _say(axes, "survival: no tracks")
        return
    ages = np.arange(1, int(life.max()) + 1)
    at_risk = (life[had, None] >= ages).sum(axis=0)
    deaths = (life[lost, None] == ages).sum(axis=0)
    share = np.cumprod(1 - deaths / at_risk)
    axes.step([0, *ages], [1, *share], where="post", color=_BLUE)
    axes.set(ylim=(0, 1.03), xlabel="age [frames]", title="share of tracks still followed")
    _tidy(axes)


def _draw_speed(axes: Axes, tracks: Tracks, cuts: Sequence[int]) -> None:
    speed = np.linalg.norm(_velocity_px(tracks), axis=-1)
    enough = np.isfinite(speed).sum(axis=0) >= _FEW
    if not enough.any():
        _say(axes, "speed: not known")
        return
    frames = tracks.frame_numbers[1:][enough]
    low, median, high = np.nanquantile(speed[:, enough], (0.1, 0.5, 0.9), axis=0)
    axes.fill_between(frames, low, high, color=_BLUE, alpha=0.2, linewidth=0)
    axes.plot(frames, median, color=_BLUE)
    axes.set(ylim=(0, None), xlabel="frame", title="speed [px per frame]: median, 10 to 90 %")
    _mark(axes, cuts)
    _tidy(axes)


def _draw_scale(axes: Axes, zoom: ZoomAnalysis | None, cuts: Sequence[int]) -> None:
    if zoom is None or not len(zoom.scale_timeline):
        _say(axes, "apparent scale: not known")
        return
    axes.axhline(1.0, color=_GREY, linewidth=0.8)
    axes.plot(zoom.frames, zoom.scale_timeline, color=_BLUE)
    axes.set(xlabel="frame", title="apparent scale, the shot's first frame = 1")
    _mark(axes, cuts)
    _tidy(axes)


def _draw_alive(axes: Axes, tracks: Tracks, cuts: Sequence[int]) -> None:
    seen = tracks.seen
    frames = tracks.frame_numbers
    gone = seen[:, :-1] & ~seen[:, 1:]
    left = (tracks.status[:, 1:] == PointStatus.OUT_OF_FRAME) & gone
    axes.plot(frames, seen.sum(axis=0), color=_BLUE, label="alive")
    axes.bar(frames[1:], (gone & ~left).sum(axis=0), color=_ORANGE, width=1.0, label="lost")
    axes.set(ylim=(0, None), xlabel="frame", title="tracks in each frame")
    axes.legend(frameon=False, loc="best")
    _mark(axes, cuts)
    _tidy(axes)


def _velocity_px(tracks: Tracks) -> Floats:
    """Return (n_tracks, n_frames - 1, 2) displacement per clip frame [px]."""
    return np.asarray(np.diff(tracks.xy_px, axis=1) / np.diff(tracks.frame_numbers)[:, None])


def _mark(axes: Axes, cuts: Sequence[int]) -> None:
    for cut in cuts:
        axes.axvline(cut, color=_ORANGE, linestyle="--", linewidth=1)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)


def _say(axes: Axes, message: str) -> None:
    axes.text(0.5, 0.5, message, ha="center", va="center", color=_GREY, transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
