"""Our points and OpenCV's, on the same pictures, points and settings, against the truth.

Shared by the accuracy tests and by `bench/accuracy_points.py`, so that both count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore import TrackOptions, synth, track_points

Floats = NDArray[np.float64]

MEDIAN_LENGTH = 1.1774
"""Median length of a vector of two unit normal numbers: turns a sigma into a median error."""


@dataclass(frozen=True)
class Contest:
    """Endpoint errors of both trackers on the same points; NaN where a tracker reports none.

    Attributes
    ----------
    ours_px, theirs_px : (n,) float
        Endpoint errors [px].
    sigma_px : (n,) float
        What we said the error would be per axis [px].
    bound_px : (n,) float
        Cramer-Rao bound per axis [px]; NaN where nobody asked for it.
    """

    ours_px: Floats
    theirs_px: Floats
    sigma_px: Floats
    bound_px: Floats

    @property
    def common(self) -> NDArray[np.bool_]:
        """(n,) True where both trackers report a position."""
        return np.isfinite(self.ours_px) & np.isfinite(self.theirs_px)

    def ratio(self, q: float) -> float:
        """Return our error over OpenCV's at quantile `q`, on the common points."""
        ours, theirs = self.ours_px[self.common], self.theirs_px[self.common]
        return float(np.quantile(ours, q) / np.quantile(theirs, q))

    def over_bound(self, errors_px: Floats) -> float:
        """Return the median of errors over the bound, on the common points: 1 is the best."""
        relative = errors_px[self.common] / self.bound_px[self.common]
        return float(np.median(relative) / MEDIAN_LENGTH)

    def chi_square(self) -> float:
        """Return the mean square of our errors per axis over `sigma_px`: 1 is honest."""
        tracked = np.isfinite(self.ours_px)
        return float(np.mean((self.ours_px / self.sigma_px)[tracked] ** 2) / 2)


def contest(
    prev: NDArray[Any],
    next: NDArray[Any],
    xy_px: Floats,
    true_xy_px: Floats,
    options: TrackOptions,
    bound_px: Floats | None = None,
) -> Contest:
    """Track points with both."""
    ours = track_points(prev, next, xy_px, options=options)
    theirs = opencv_points(prev, next, xy_px, options)
    return Contest(
        np.linalg.norm(ours.xy_px - true_xy_px, axis=1),
        np.linalg.norm(theirs - true_xy_px, axis=1),
        ours.sigma_px.astype(np.float64),
        np.full(len(xy_px), np.nan) if bound_px is None else bound_px,
    )


def contest_on(pair: synth.ImagePair, options: TrackOptions, *, bound: bool = False) -> Contest:
    """Track the points of a synthetic pair with both."""
    return contest(
        pair.prev, pair.next, pair.xy_px, pair.true_xy_px, options,
        pair.crlb_px(options.window) if bound else None,
    )  # fmt: skip


def joined(contests: Sequence[Contest]) -> Contest:
    """Return all points of several contests as one."""
    return Contest(
        *(
            np.concatenate([getattr(each, name) for each in contests])
            for name in ("ours_px", "theirs_px", "sigma_px", "bound_px")
        )
    )


def share_wrong(errors_px: Floats, limit_px: float = 1.0) -> float:
    """Return the share of all points that have a position, and a wrong one."""
    return float(np.mean(np.nan_to_num(errors_px) > limit_px))


def opencv_points(
    prev: NDArray[Any], next: NDArray[Any], xy_px: Floats, options: TrackOptions
) -> Floats:
    """Return `cv2.calcOpticalFlowPyrLK`'s positions (n, 2) with our settings; NaN: status 0."""
    import cv2

    found, status, _ = cv2.calcOpticalFlowPyrLK(
        prev, next, np.ascontiguousarray(xy_px[:, None], np.float32), None,
        winSize=(options.window, options.window), maxLevel=options.levels - 1,
        criteria=(3, options.max_iterations, options.epsilon),
    )  # fmt: skip
    return np.where(status == 1, found[:, 0].astype(np.float64), np.nan)


def middlebury(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats, Floats]:
    """Return two frames, the corners OpenCV finds in the first and where they go.

    Corners whose true flow is not known are left out.
    """
    import cv2

    prev, next_ = (
        cv2.imread(str(folder / f"frame{i}.png"), cv2.IMREAD_GRAYSCALE) for i in (10, 11)
    )
    corners = cv2.goodFeaturesToTrack(prev, 1000, 0.01, 7)[:, 0].astype(np.float64)
    raw = (folder / "flow10.flo").read_bytes()
    width, height = np.frombuffer(raw, np.int32, 2, 4)
    flow = np.frombuffer(raw, np.float32, 2 * width * height, 12).reshape(height, width, 2)
    x, y = corners.astype(int).T  # goodFeaturesToTrack returns whole pixels
    motion = flow[y, x].astype(np.float64)
    known = (np.abs(motion) < 1e9).all(axis=1)  # the format's mark of "unknown" is larger
    return prev, next_, corners[known], (corners + motion)[known]
