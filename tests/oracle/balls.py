"""The ball detector's background and blobs, slow and obvious: `BallDetector` must agree."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLOCK, CELL_ROWS, EARLY, TURNS = 64, 16, 16, 8
LEAST_SIGMA = np.float32(0.3)


class Background:
    """Fixed-point running mean and noise by cell of 64 x 16 pixels; the width a multiple of 64."""

    def __init__(self, threshold: float, min_contrast: float, rate: float) -> None:
        self.threshold, self.min_contrast, self.rate = threshold, min_contrast, rate
        self.n_frames = 0

    def push(self, frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Learn from a frame; return which of its pixels are foreground."""
        now = frame.astype(np.int64)
        if self.n_frames == 0:
            self.base, self.before, self.n_frames = 256 * now + 128, now, 1
            self.cells = (math.ceil(now.shape[0] / CELL_ROWS), now.shape[1] // BLOCK)
            self.sums, self.counts = np.zeros(self.cells), np.zeros(self.cells)
            return np.zeros(now.shape, bool)
        if self.n_frames == 1:
            self.sigma = np.full(self.cells, max(self._first_noise(now), LEAST_SIGMA), np.float32)
            self._set_limits(slice(None))
        limit = self._spread(self.limit)
        foreground = np.abs(now - (self.base >> 8)) > limit
        rows = [y for y in range(len(now)) if self._learns(y)]
        self._learn(now, foreground, rows)
        self.before = now
        self.n_frames += 1
        for row in range(self.n_frames % TURNS, self.cells[0], TURNS):
            seen = self.counts[row] >= BLOCK // 2
            mean = self.sums[row] / np.maximum(self.counts[row], 1)
            moved = self.sigma[row] + np.float32(0.25) * (
                (mean / 1.1284).astype(np.float32) - self.sigma[row]
            )
            self.sigma[row] = np.where(seen, np.maximum(moved, LEAST_SIGMA), self.sigma[row])
            self.sums[row] = self.counts[row] = 0
            self._set_limits(slice(row, row + 1))
        return foreground

    def grey(self) -> NDArray[np.float64]:
        return (self.base - 128) / 256

    def _learns(self, y: int) -> bool:
        return self.n_frames < EARLY or (y + self.n_frames) % TURNS == 0

    def _share(self) -> float:
        once = max(self.rate, 1 / (self.n_frames + 1))
        return once if self.n_frames < EARLY else 1 - (1 - once) ** TURNS

    def _learn(self, now: NDArray, foreground: NDArray, rows: list[int]) -> None:
        rate = int(min(self._share(), 0.4999) * 65536)
        step = self._spread(self.step)
        half = ((256 * now + 128) >> 1) - (self.base >> 1)
        taught = self.base + ((np.clip(half, -step, step) * rate + 0x4000) >> 15)
        change = np.minimum(np.abs(now - self.before), self._spread(self.cap))
        for y in rows:
            still = ~foreground[y]
            self.base[y] = np.where(still, taught[y], self.base[y])
            self.sums[y // CELL_ROWS] += (
                np.where(still, change[y], 0).reshape(-1, BLOCK).sum(axis=1)
            )
            self.counts[y // CELL_ROWS] += still.reshape(-1, BLOCK).sum(axis=1)

    def _first_noise(self, now: NDArray) -> float:
        change = np.abs(now - self.before)
        seen = np.concatenate([change[y, y // 4 % 3 :: 3] for y in range(0, len(change), 4)])
        lowest, share = np.sort(seen), 0.9 * len(seen)
        whole = int(share)
        mean = (lowest[:whole].sum() + (share - whole) * lowest[whole]) / share
        return float(mean) / 0.929

    def _set_limits(self, rows: slice) -> None:
        own = self._share() / (2 - self._share())
        sigma = self.sigma.astype(np.float64)
        least = np.maximum(self.min_contrast, self.threshold * math.sqrt(1 + own) * sigma)
        made = {
            "limit": np.minimum(np.ceil(least), 255).astype(np.int64),
            "cap": np.clip(np.ceil(3 * math.sqrt(2) * sigma), 2, 255).astype(np.int64),
            "step": (128 * np.maximum(2 * sigma, 1)).astype(np.int64),
        }
        for name, values in made.items():
            kept = getattr(self, name, values).copy()
            kept[rows] = values[rows]
            setattr(self, name, kept)

    def _spread(self, cells: NDArray) -> NDArray:
        return np.kron(cells, np.ones((CELL_ROWS, BLOCK), np.int64))[: len(self.base)]


def blobs(mask: NDArray[np.bool_], gap: int) -> list[NDArray[np.intp]]:
    """Return (n, 2) y, x of each group of pixels with at most `gap` others between, first first."""
    rest = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    reach = range(-gap - 1, gap + 2)
    for first in sorted(rest):
        if first not in rest:
            continue
        rest.discard(first)
        group, edge = [first], [first]
        while edge:
            y, x = edge.pop()
            near = {(y + i, x + j) for i in reach for j in reach} & rest
            rest -= near
            edge += near
            group += near
        found.append(np.array(sorted(group)))
    return found


def centroid(grey: NDArray, base: NDArray, pixels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return x, y weighted with the distance from the background."""
    y, x = pixels.T
    weight = np.abs(grey[y, x] - base[y, x])
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
