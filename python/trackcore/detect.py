"""Finding the places of a frame that are worth tracking."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore import _core
from trackcore._check import Dims, threads_count
from trackcore.errors import InputError
from trackcore.options import FeatureOptions
from trackcore.pyramid import FramePyramid, as_pyramid
from trackcore.types import Features


def core_feature_options(options: FeatureOptions) -> _core.FeatureOptions:
    """Return `options` as the core takes them."""
    return _core.FeatureOptions(**{k.name: getattr(options, k.name) for k in options.knobs()})


def detect_features(
    image: NDArray[Any] | FramePyramid,
    *,
    options: FeatureOptions = FeatureOptions(),
    existing_px: ArrayLike | None = None,
    mask: NDArray[Any] | None = None,
    threads: int = 1,
) -> Features:
    pyramid = as_pyramid("image", image, 1, threads)
    if mask is not None:
        mask=np.ascontiguousarray(mask).view(np.uint8)
    return Features(*_core.detect_features(pyramid._core, core_feature_options(options), existing_px, mask, threads))
