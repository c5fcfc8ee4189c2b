"""Checks of arguments that several parts of `synth` share."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from trackcore._check import IMAGE_DTYPES
from trackcore.errors import InputError


def seed_number(seed: object) -> int:
    """Return `seed` as an int >= 0."""
    return whole("seed", seed, 0)


def whole(name: str, value: object, lo: int) -> int:
    """Return `value` as an int >= lo."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < lo:
        raise InputError(f"{name}: expected an integer >= {lo}, got {value!r}")
    return int(value)


def generator(rng: object) -> np.random.Generator:
    """Return `rng` if it is a numpy Generator."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng: expected a numpy.random.Generator, got {rng!r}")
    return rng


def positive(name: str, value: object) -> float:
    """Return `value` if it is a finite number > 0."""
    number = non_negative(name, value, "> 0")
    if number == 0:
        raise InputError(f"{name}: expected a finite number > 0, got {value!r}")
    return number


def non_negative(name: str, value: object, bound: str = ">= 0") -> float:
    """Return `value` if it is a finite number >= 0."""
    refused = InputError(f"{name}: expected a finite number {bound}, got {value!r}")
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise refused
    if not 0 <= value < np.inf:
        raise refused
    return float(value)


def image_size(size: object) -> tuple[int, int]:
    """Return `size` as (w, h), each an int >= 1."""
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise InputError(f"size: expected (width, height) in px, got {size!r}")
    return whole("size[0]", size[0], 1), whole("size[1]", size[1], 1)


def image_dtype(dtype: DTypeLike) -> np.dtype[np.generic]:
    """Return `dtype` if images may have it."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in IMAGE_DTYPES:
        raise InputError(f"dtype: expected uint8, uint16 or float32, got {dtype!r}")
    return found
