"""The lens as the core takes it, and how far out it can be believed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TERMS = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")


def core_lens(K: Floats, distortion: tuple[float, ...]) -> Floats:
    """Return the matrix, the eight terms and the limit in the core's order."""
    terms = np.zeros(len(TERMS))
    terms[: len(distortion)] = distortion
    matrix = (K[0, 0], K[0, 1], K[0, 2], K[1, 1], K[1, 2])
    return np.array([*matrix, *terms, _fold_r2(terms)])


def _fold_r2(terms: Floats) -> float:
    """Return the least squared radius at which the distorted radius stops growing.

    With s = r^2, N and D the polynomials above and below the line: the derivative of r N(s) / D(s)
    is ((N + 2 s N') D - 2 s N D') / D^2. Where D vanishes the model ends as well.
    """
    k1, k2, _, _, k3, k4, k5, k6 = terms
    over, under = np.poly1d([k3, k2, k1, 1.0]), np.poly1d([k6, k5, k4, 1.0])
    twice = np.poly1d([2.0, 0.0])
    slope = (over + twice * over.deriv()) * under - twice * over * under.deriv()
    roots = np.concatenate([slope.roots, under.roots])
    real = roots.real[(np.abs(roots.imag) <= 1e-9 * np.abs(roots)) & (roots.real > 0)]
    return float(real.min()) if len(real) else math.inf
