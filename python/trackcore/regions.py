"""Following patterns that deform from one frame to the next."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims, threads_count
from trackcore.errors import InputError
from trackcore.options import MotionModel, RegionOptions, require_options
from trackcore.pyramid import FramePyramid, as_pyramid, comparable
from trackcore.types import RegionMatches

Image = NDArray[Any] | FramePyramid


def _core_options(options: RegionOptions) -> _core.RegionOptions:
    require_options(options, RegionOptions)
    if options.search < options.pattern:
        raise InputError(
            f"options: expected search >= pattern, got search = {options.search} px and"
            f" pattern = {options.pattern} px"
        )
    values = {k.name: getattr(options, k.name) for k in RegionOptions.knobs()}
    values["model"] = list(MotionModel).index(options.model)
    return _core.RegionOptions(**values)


def track_regions(
    prev: Image,
    next: Image,
    xy_px: ArrayLike,
    *,
    options: RegionOptions = RegionOptions(),
    guess_px: ArrayLike | None = None,
    guess_warp: ArrayLike | None = None,
    threads: int = 1,
) -> RegionMatches:
    """Follow the patterns around points from one frame into another, and how they deform.

    Parameters
    ----------
    prev, next : image array or FramePyramid
        Two frames of one size and dtype. Arrays: (h, w) or (h, w, 3|4) of uint8, uint16 or
        float32, colour in OpenCV's order.
    xy_px : (n, 2) float
        Points in `prev` [px], pixel centres at integers. NaN: not seen, and reported so.
    options : RegionOptions
        Pattern, search area, motion model, acceptance.
    guess_px : (n, 2) float, optional
        Middle of the search area in `next` [px]; NaN or None: where `guess_warp` takes the point.
    guess_warp : (n, 3, 3) float, optional
        How each pattern is expected to move and deform, as `warp` of an earlier result says:
        homography from pixels of `prev` to pixels of `next`. NaN or None: not to deform, and
        without `guess_px` not to move.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    RegionMatches
        `xy_px (n, 2)`, `status (n,)`, `ncc`, `residual`, `sigma_px` (n,) and `warp (n, 3, 3)`, the
        homography from pixels of `prev` to pixels of `next`: NaN where lost. `fb_px` is NaN.

    Raises
    ------
    InputError
        If an argument has the wrong type, dtype, shape or range. A pattern that cannot be
        followed does not raise: its status says why.

    Notes
    -----
    First every whole-pixel position in the search area is compared by zero-mean normalised
    cross-correlation (`RegionOptions.brute`), then the best is refined with the motion model by
    inverse compositional least squares (Baker & Matthews 2004). Releases the GIL.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> from trackcore import synth
    >>> pair = synth.pair("corners", "LocRotScale", seed=3)
    >>> options = tc.RegionOptions(model="LocRotScale")
    >>> match = tc.track_regions(pair.prev, pair.next, pair.xy_px, options=options)
    >>> bool(np.nanmedian(np.abs(match.xy_px - pair.true_xy_px)) < 0.05)
    True
    """
    core_options = _core_options(options)
    workers = threads_count(threads)
    dims = Dims()
    xy = dims.array("xy_px", xy_px, ("n", 2))
    guess = None if guess_px is None else dims.array("guess_px", guess_px, ("n", 2))
    start = None if guess_warp is None else dims.array("guess_warp", guess_warp, ("n", 3, 3))
    first = as_pyramid("prev", prev, 1, workers)
    second = as_pyramid("next", next, 1, workers)
    comparable(first, second)
    columns, warp = _core.track_regions(
        first._core, second._core, xy, guess, start, core_options, workers
    )
    return RegionMatches(*columns, warp)
