"""Following points and patterns from one frame to the next."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims, threads_count
from trackcore.options import Photometric, TrackOptions, require_options
from trackcore.pyramid import FramePyramid, as_pyramid, comparable
from trackcore.types import PointMatches

Image = NDArray[Any] | FramePyramid


def core_point_options(options: TrackOptions) -> _core.PointOptions:
    """Return `options` as the core takes them."""
    values = {k.name: getattr(options, k.name) for k in TrackOptions.knobs()}
    values["photometric"] = list(Photometric).index(options.photometric)
    return _core.PointOptions(**values)


def track_points(
    prev: Image,
    next: Image,
    xy_px: ArrayLike,
    *,
    options: TrackOptions = TrackOptions(),
    guess_px: ArrayLike | None = None,
    threads: int = 1,
) -> PointMatches:
    """Follow points from one frame into another.

    Parameters
    ----------
    prev, next : image array or FramePyramid
        Two frames of one size. Arrays: (h, w) or (h, w, 3|4) of uint8, uint16 or float32, colour
        in OpenCV's order.
    xy_px : (n, 2) float
        Points in `prev` [px], pixel centres at integers. NaN: not seen, and reported so.
    options : TrackOptions
        Window, levels, accuracy and acceptance.
    guess_px : (n, 2) float, optional
        Where to start looking in `next` [px]; NaN or None: where the point was.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    PointMatches
        `xy_px (n, 2)`, `status (n,)`, `ncc`, `residual`, `sigma_px`, `fb_px` (n,): NaN where lost.

    Raises
    ------
    InputError
        If an argument has the wrong type, dtype, shape or range. A point that cannot be followed
        does not raise: its status says why.

    Notes
    -----
    Inverse compositional Lucas-Kanade (Baker & Matthews 2004) on a binomial pyramid. Releases the
    GIL. With arrays, both pyramids are built for this call: keep `FramePyramid`s to save that.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> y, x = np.mgrid[0:120, 0:160]
    >>> def frame(dx):
    ...     return np.uint8(128 + 60 * np.sin((x - dx) / 5) + 50 * np.cos(y / 6 + (x - dx) / 9))
    >>> match = tc.track_points(frame(0.0), frame(1.5), [[80.0, 60.0]])
    >>> bool(np.abs(match.xy_px - [81.5, 60.0]).max() < 0.05)
    True
    """
    require_options(options, TrackOptions)
    workers = threads_count(threads)
    dims = Dims()
    xy = dims.array("xy_px", xy_px, ("n", 2))
    guess = None if guess_px is None else dims.array("guess_px", guess_px, ("n", 2))
    first = as_pyramid("prev", prev, options.levels, workers)
    second = as_pyramid("next", next, options.levels, workers)
    comparable(first, second)
    return PointMatches(
        *_core.track_points(
            first._core, second._core, xy, guess, core_point_options(options), workers
        )
    )
