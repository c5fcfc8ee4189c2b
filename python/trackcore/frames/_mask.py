"""Masks: where to track."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.errors import InputError
from trackcore.frames._images import read_image


def load_mask(
    mask: str | os.PathLike[str] | NDArray[Any], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return a mask as booleans, True where to track.

    Parameters
    ----------
    mask : path or (h, w) array
        An image file, white where to track; or an array: bool, integers 0 and 1, or grey levels.
        Grey levels count as white from half of the range up (float: from 0.5).
    size : (int, int)
        Width and height of the clip [px].

    Returns
    -------
    (h, w) bool

    Raises
    ------
    InputError
        If the array is no mask, or its size is not the clip's.
    SourceError
        If the file cannot be read.
    """
    if isinstance(mask, np.ndarray):
        image: NDArray[Any] = mask
        where = "mask"
    elif isinstance(mask, (str, os.PathLike)):
        image = read_image("mask", Path(mask), color=False)
        where = f"mask: {os.fspath(mask)}"
    else:
        raise InputError(f"mask: expected a path or an array (h, w), got {type(mask).__name__}")
    width, height = size
    if image.shape != (height, width):
        raise InputError(
            f"{where}: expected shape (h, w) = {(height, width)} as the clip, got {image.shape}"
        )
    kind = image.dtype.kind
    if kind == "b":
        return image.astype(np.bool_)
    if kind == "f":
        return np.asarray(image >= 0.5)
    if kind in "iu" and image.min() >= 0 and image.max() <= 1:
        return np.asarray(image == 1)
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{where}: expected bool, integers 0 and 1, uint8, uint16 or float, got {image.dtype}"
        )
    return np.asarray(image > np.iinfo(image.dtype).max // 2)
