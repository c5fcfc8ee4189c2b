"""Finding the places of a frame that are worth tracking."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims, threads_count
from trackcore.errors import InputError
from trackcore.options import FeatureOptions, require_options
from trackcore.pyramid import FramePyramid, as_pyramid
from trackcore.types import Features


def core_feature_options(options: FeatureOptions) -> _core.FeatureOptions:
    """Return `options` as the core takes them."""
    return _core.FeatureOptions(**{k.name: getattr(options, k.name) for k in options.knobs()})


def _mask_entries(mask: object, size: tuple[int, int]) -> NDArray[np.uint8]:
    width, height = size
    if not isinstance(mask, np.ndarray):
        raise InputError(f"mask: expected an array (h, w), got {type(mask).__name__}")
    if mask.dtype not in (np.dtype(np.bool_), np.dtype(np.uint8)):
        raise InputError(f"mask: expected dtype bool or uint8, got {mask.dtype}")
    if mask.shape != (height, width):
        raise InputError(
            f"mask: expected shape (h, w) = {(height, width)} as the image, got {mask.shape}"
        )
    return np.ascontiguousarray(mask).view(np.uint8)


def detect_features(
    image: NDArray[Any] | FramePyramid,
    *,
    options: FeatureOptions = FeatureOptions(),
    existing_px: ArrayLike | None = None,
    mask: NDArray[Any] | None = None,
    threads: int = 1,
) -> Features:
    """Find corners: places whose surroundings fix a position in every direction.

    Parameters
    ----------
    image : (h, w) or (h, w, 3|4) array, or FramePyramid
        uint8, uint16 or float32; colour in OpenCV's order. Of a pyramid, level 0 is used.
    options : FeatureOptions
        How many, how strong, how far apart, and whether balanced over the frame.
    existing_px : (n, 2) float, optional
        Points already there [px]: nothing is found nearer than `min_distance` to one, and with
        `cells` they count as part of their cell's share. NaN: ignored.
    mask : (h, w) bool or uint8, optional
        Where features may be: anywhere the mask is not 0. `quality` then refers to the strongest
        place within it. What it rules out is not searched.
    threads : int
        Worker threads; 0 means all. The result does not depend on it.

    Returns
    -------
    Features
        `xy_px (n, 2)`, whole pixels, and `score (n,)`, strongest first.

    Raises
    ------
    InputError
        If an argument has the wrong type, dtype, shape or range. An image without corners does
        not raise: it has 0 features.

    Notes
    -----
    Smaller eigenvalue of the structure tensor (Shi & Tomasi 1994) from 3 x 3 Sobel derivatives
    over `block` pixels, local maxima of 3 x 3 pixels, then strongest first with `min_distance`
    between any two: with `cells=0` the features of `cv2.goodFeaturesToTrack`. With `cells`, a
    frame of that many columns of about square cells gives each cell an equal share of
    `max_features`; what poor cells leave is shared out among the others. Pixels that are not
    finite have no corners around them. Releases the GIL.

    Examples
    --------
    >>> import numpy as np, trackcore as tc
    >>> image = np.zeros((60, 80), np.uint8)
    >>> image[20:40, 30:50] = 200
    >>> found = tc.detect_features(image)
    >>> sorted(map(tuple, found.xy_px.tolist()))
    [(30.0, 20.0), (30.0, 39.0), (49.0, 20.0), (49.0, 39.0)]
    """
    require_options(options, FeatureOptions)
    workers = threads_count(threads)
    pyramid = as_pyramid("image", image, 1, workers)
    existing = None if existing_px is None else Dims().array("existing_px", existing_px, ("n", 2))
    entries = None if mask is None else _mask_entries(mask, pyramid.size)
    return Features(
        *_core.detect_features(
            pyramid._core, core_feature_options(options), existing, entries, workers
        )
    )
