"""Smooth functions of time as Chebyshev series: integrated and evaluated by matrices.

Source: L. N. Trefethen, Spectral Methods in MATLAB, ch. 6; C. W. Clenshaw and H. J. Norton, The
solution of nonlinear ordinary differential equations in Chebyshev series, Comput. J. 6 (1963).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@lru_cache(maxsize=8)
def _tables(n: int) -> tuple[Floats, Floats, Floats]:
    """Return the n nodes in -1 .. 1, values -> coefficients (n, n), and the integral (n + 1, n)."""
    x: Floats = np.asarray(-np.cos(np.pi * np.arange(n) / (n - 1)), np.float64)
    to_series: Floats = np.asarray(np.linalg.inv(_basis(x, n - 1)), np.float64)
    integral = np.zeros((n + 1, n))
    for i in range(n):
        one = np.polynomial.chebyshev.chebint(np.eye(n)[i])
        integral[: len(one), i] = one
    return x, to_series, integral


def _basis(x: Floats, degree: int) -> Floats:
    """Return (len(x), degree + 1) Chebyshev polynomials at -1 .. 1; NaN beyond."""
    inside = np.where(np.abs(x) < 1 + 1e-9, np.minimum(np.maximum(x, -1.0), 1.0), np.nan)
    return np.cos(np.arccos(inside)[:, None] * np.arange(degree + 1))


class Span:
    """An interval of time lo .. hi [s] with n nodes; integrals begin at 0, in it or not."""

    def __init__(self, lo: float, hi: float, n: int) -> None:
        self.lo, self.hi, self.n = lo, hi, n
        self._half = 0.5 * (hi - lo)
        nodes, self._to_series, self._integral = _tables(n)
        self._zero = self._x(np.zeros(1))
        self.nodes = lo + self._half * (nodes + 1)
        once = self._half * (self._integral @ self._to_series)
        self.integrate: Floats = (_basis(nodes, n) - _basis(self._zero, n)) @ once
        """(n, n): values at the nodes -> integrals from 0 to each node."""

    def _x(self, tau: Floats) -> Floats:
        return (tau - self.lo) / self._half - 1

    def series(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Return series of a function of which (n, k) values are known, and of its integrals."""
        zeroth = self._to_series @ values
        first = self._half * (self._integral @ zeroth)
        basis = _basis(self._zero, self.n + 1)[0]
        first[0] -= basis[: self.n + 1] @ first
        second = self._half * (_tables(self.n + 1)[2] @ first)
        second[0] -= basis @ second
        return zeroth, first, second

    def basis(self, tau: Floats) -> Floats:
        """Return (len(tau), n + 2) Chebyshev polynomials at times; longer than any series here."""
        return _basis(self._x(tau), self.n + 1)
