"""Caller input -> arrays the core accepts, or a message worth reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError

LONGEST_SIDE = 1 << 24
IMAGE_DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


class Dims:
    """Checks shapes against each other, remembering which argument set each named size.

    >>> dims = Dims()
    >>> _ = dims.array("xy_px", [[1.0, 2.0]], ("n_points", 2))
    >>> dims.array("guess_px", [[1.0, 2.0], [3.0, 4.0]], ("n_points", 2))
    Traceback (most recent call last):
    trackcore.errors.InputError: guess_px: expected shape (n_points=1 as in xy_px, 2), got (2, 2)
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str]] = {}

    def array(self, name: str, value: ArrayLike, shape: Sequence[int | str]) -> NDArray[np.float64]:
        """Return `value` as a contiguous float64 array of the given shape."""
        array = _reals(name, value)
        if array.size == 0 and 0 in array.shape and len(shape) != array.ndim:
            # `[]` is the natural way to say "no points"
            array = array.reshape([0 if isinstance(s, str) else s for s in shape])
        fits = array.ndim == len(shape)
        named = self._known.copy()  # a loop, not a comprehension: this runs in every call
        for want, have in zip(shape, array.shape, strict=False):
            if isinstance(want, str):
                fits = fits and named.setdefault(want, (have, name))[0] == have
            else:
                fits = fits and want == have
        if not fits:
            raise InputError(
                f"{name}: expected shape ({', '.join(map(self._describe, shape))}), "
                f"got {array.shape}"
            )
        self._known = named
        return array

    def _describe(self, want: int | str) -> str:
        if isinstance(want, str) and want in self._known:
            size, owner = self._known[want]
            return f"{want}={size} as in {owner}"
        return str(want)


def _reals(name: str, value: ArrayLike) -> NDArray[np.float64]:
    if type(value) is np.ndarray and value.dtype == np.float64 and value.flags.c_contiguous:
        return value  # the usual case of a call per frame
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError
        return np.asarray(array, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        got = f"{type(value).__name__} of dtype {np.asarray(value, dtype=object).dtype}"
        raise InputError(f"{name}: expected an array of real numbers, got {got}") from None


def image_array(name: str, value: object) -> NDArray[np.generic]:
    """Return `value` as an image array: (h, w) or (h, w, 1|3|4) of uint8, uint16 or float32."""
    if not isinstance(value, np.ndarray):
        raise InputError(
            f"{name}: expected a numpy image (h, w) or (h, w, 3), got {type(value).__name__}"
        )
    if value.dtype not in IMAGE_DTYPES:
        raise InputError(
            f"{name}: expected dtype uint8, uint16 or float32, got {value.dtype}"
            " (convert it yourself, so that the scale is your choice)"
        )
    grey = value.ndim == 2
    colour = value.ndim == 3 and value.shape[2] in (1, 3, 4)
    if not (grey or colour) or 0 in value.shape:
        raise InputError(
            f"{name}: expected a non-empty image of shape (h, w) or (h, w, 1|3|4),"
            f" got {value.shape}"
        )
    if max(value.shape[:2]) > LONGEST_SIDE:
        raise InputError(f"{name}: expected sides of at most {LONGEST_SIDE} px, got {value.shape}")
    return value


def threads_count(threads: object) -> int:
    """Return a worker count >= 1; 0 means "as many as this process may use"."""
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 0:
        raise InputError(f"threads: expected an integer >= 0 (0 = all), got {threads!r}")
    return int(threads)
