"""What all pictures of pitches share: paper, colours, plain axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackcore.errors import DependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, GREY = "#16191f", "#5b6472", "#8a8f98"
SEEN, PATH, BALL = "#2a6fbb", "#d9822b", "#ffd23f"
STRIKE, OUTSIDE, ZONE = "#c4452d", "#2a6fbb", "#7fd1ff"


def figure(size_in: tuple[float, float], dpi: int = 110) -> Figure:
    """Return an empty figure.

    Raises
    ------
    DependencyError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot: no windows, no state shared by callers
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise DependencyError(
            f"matplotlib cannot be imported ({error}): pip install 'trackcore[plot]'"
        ) from error
    return Figure(figsize=size_in, dpi=dpi, layout=ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07))


def tidy(axes: Axes) -> None:
    """Take away what only frames the axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=QUIET, labelsize=9)
    axes.grid(alpha=0.25, linewidth=0.6)


def say(axes: Axes, message: str) -> None:
    """Say what there is to say in place of a drawing."""
    axes.text(0.5, 0.5, message, ha="center", va="center", color=GREY, transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
