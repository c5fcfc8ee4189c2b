"""Local affine motion by Tukey's biweight, slow and obvious: what healing must agree with."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FLOOR_PX, TUKEY, STEPS = 0.2, 4.0, 4


def weighted_median(values: list[float], weights: list[float]) -> float:
    """Return the value at which half of the weight is reached."""
    total = 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        total += weight
        if total >= sum(weights) / 2 - 1e-12:
            return value
    return math.inf


def affine_fit(
    away: NDArray, moved: NDArray, prior: NDArray, weights: NDArray
) -> tuple[NDArray, NDArray]:
    """Return rows t and G of moved = t + away G, and who agrees.

    Each round: weighted least squares as stacked rows (one per neighbour, and two that hold G near
    zero by 1 px^2), then weights anew from the distances.
    """
    G = np.zeros((3, 2))
    for _ in range(STEPS):
        root = np.sqrt(prior * weights)
        rows = [root[i] * np.array([1.0, *away[i]]) for i in range(len(away))]
        rows += [np.array([0.0, 1, 0]), np.array([0.0, 0, 1])]
        right = [root[i] * moved[i] for i in range(len(away))] + [np.zeros(2), np.zeros(2)]
        G = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
        off = [math.hypot(*(moved[i] - G[0] - away[i] @ G[1:])) for i in range(len(away))]
        spread = max(weighted_median(off, (prior * weights).tolist()), FLOOR_PX)
        weights = np.array([max(1 - (d / (TUKEY * spread)) ** 2, 0.0) ** 2 for d in off])
    return G, weights
