"""What tells one kind of camera motion from another, measured over the whole clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.normalised import diagonal_px
from trackcore.stats._core_rows import Fits, Floats, fits
from trackcore.tracks import Tracks

ANCHORS = 48
"""Wide pairs start at so many frames, evenly over the clip."""
SHARED = 0.6
"""Share of the tracks of either frame that a wide pair keeps."""
LEAST_COMMON = 12

DRIFT_PX = 0.2
"""What positions of followed patterns drift apart over many frames; taken off as noise."""

EPIPOLAR_FROM, EPIPOLAR_FULL = 0.75, 0.9
"""Shares of residual energy that point to one epipole: noise and things that move on their own give
0.5 to 0.75 (the best of all points is chosen), a moving camera among still things above 0.9."""


def wide_pairs(tracks: Tracks) -> NDArray[np.int64]:
    """Return pairs (m, 2) of array indices as far apart as the tracks allow.

    From each of up to 48 frames, the distance is doubled while 60 % of either frame's tracks, and
    at least 12, are in both.
    """
    seen, n = tracks.seen, tracks.n_frames
    if n < 2:
        return np.zeros((0, 2), np.int64)
    start = np.unique(np.linspace(0, n - 2, ANCHORS).astype(np.int64))
    alive = seen.sum(axis=0)
    gap, growing, k = np.ones_like(start), np.ones(len(start), bool), 2
    while (growing := growing & (start + k < n)).any():
        a = start[growing]
        common = (seen[:, a] & seen[:, a + k]).sum(axis=0)
        enough = common >= np.maximum(LEAST_COMMON, SHARED * np.maximum(alive[a], alive[a + k]))
        growing[growing] = enough
        gap[growing] = k
        k *= 2
    return np.stack([start, start + gap], axis=1)


def wide_fits(tracks: Tracks, center_px: tuple[float, float], threads: int = 0) -> Fits:
    """Fit the motion between `wide_pairs`."""
    return fits(tracks, wide_pairs(tracks), center_px, threads, epipoles=True)


def rms_radius_px(frame_size: tuple[int, int]) -> float:
    """Return the rms distance of the frame's pixels from its centre [px]."""
    return diagonal_px(frame_size) / 12**0.5


@dataclass(frozen=True, slots=True)
class Parallax:
    """What is left of the motion when that of a plane is taken away, over the wide pairs."""

    residual2: Floats
    """(m,) squared residual of each pair; noise, that of neighbouring frames, and drift are off."""
    flow2: Floats
    """(m,) squared length of the displacements."""
    share: Floats
    """(m,) share of the residuals' energy that points to an epipole."""

    @property
    def ratio(self) -> float:
        """Residual over flow, 0 .. 1; NaN without pairs."""
        ratio2 = weighted_median(self.residual2, self.flow2)
        return ratio2 if np.isnan(ratio2) else float(np.sqrt(min(1.0, max(0.0, ratio2))))

    @property
    def epipolar_share(self) -> float:
        """Median over the pairs; NaN without residuals."""
        known = self.share[np.isfinite(self.share)]
        return float(np.median(known)) if len(known) else float("nan")

    @property
    def score(self) -> float:
        """`ratio`, as far as the residuals point to an epipole."""
        share = self.epipolar_share
        if np.isnan(share) or np.isnan(self.ratio):
            return 0.0 if self.ratio == 0 else self.ratio
        certainty = (share - EPIPOLAR_FROM) / (EPIPOLAR_FULL - EPIPOLAR_FROM)
        return self.ratio * min(1.0, max(0.0, certainty))


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the median of values / weights, each counting as its weight; NaN without any.

    The ratio of two sums, but a few pairs full of mismatches do not decide it.
    """
    known = np.isfinite(values + weights) & (weights > 0)
    if not known.any():
        return float("nan")
    ratios = values[known] / weights[known]
    order = np.argsort(ratios, kind="stable")
    up_to = np.cumsum(weights[known][order])
    return float(ratios[order][np.searchsorted(up_to, up_to[-1] / 2)])


def parallax(steps: Fits, wide: Fits, *, most: bool = False) -> Parallax:
    """Compare the residuals of wide pairs with those of neighbouring frames.

    A third of the tracks may move on their own; with `most`, a tenth.
    """
    near, far = (f.spread_px if most else f.residual_px for f in (steps, wide))
    known = np.isfinite(near)
    noise2 = float(np.median(near[known] ** 2)) if known.any() else np.nan
    apart = (wide.pairs[:, 1] - wide.pairs[:, 0]).astype(np.float64)
    # Noise is the same for any distance, parallax grows with it: the difference has no noise, and
    # of the parallax what two neighbouring frames have of it is missing.
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = np.where(apart > 1, apart**2 / (apart**2 - 1), np.nan)
        residual2 = (far**2 - noise2 - DRIFT_PX**2) * larger
    return Parallax(residual2, wide.flow_px**2, wide.epipolar_share)


@dataclass(frozen=True, slots=True)
class RotationTest:
    """How well homographies fit a camera that only turns, H = K R K^-1.

    Attributes
    ----------
    focal_px : float
        Focal length for which they fit best.
    misfit, misfit_px : float
        What is left, as a share of the motion and as rms over the frame [px].
    curvature_sigma : float
        How clearly the homographies differ from similarities, in standard deviations: without a
        difference any long lens fits, and so does any wall.
    """

    focal_px: float
    misfit: float
    misfit_px: float
    curvature_sigma: float


def rotation_test(wide: Fits, frame_size: tuple[int, int]) -> RotationTest:
    """Search the focal length for which all wide homographies are rotations."""
    H = wide.homography.warp
    moved = np.isfinite(H).all(axis=(1, 2)) & (wide.flow_px > 0)
    if not moved.any():
        return RotationTest(float("nan"), float("nan"), float("nan"), 0.0)
    H, rms = H[moved], wide.homography.rms_px[moved]
    grid = _grid(frame_size)
    target = _mapped(H, grid)
    flow2 = ((target - grid) ** 2).sum(axis=(1, 2))
    similar = _mapped(wide.similarity.warp[moved], grid)
    curvature = np.sqrt(((target - similar) ** 2).sum(axis=2).mean(axis=1))
    # A homography of n points is known to about rms sqrt(8 / 2n) per axis over the frame.
    known_to = np.sqrt(2) * rms * np.sqrt(4 / wide.n_common[moved])
    turn = _Turns(H, wide.homography.log_scale[moved], grid, target, float(flow2.sum()))
    focals = frame_size[0] * np.geomspace(0.3, 30.0, 40)
    for _ in range(2):  # coarse, then between the neighbours of the best
        misfits = np.array([turn.misfit(f) for f in focals])
        best = int(np.argmin(misfits))
        least = float(misfits[best])
        found = RotationTest(
            float(focals[best]), least, least * float(np.sqrt(flow2.mean() / len(grid))),
            float(np.median(curvature / known_to)),
        )  # fmt: skip
        focals = np.geomspace(focals[max(best - 1, 0)], focals[min(best + 1, len(focals) - 1)], 20)
    return found


@dataclass(frozen=True, slots=True)
class _Turns:
    """Homographies, and what they do to points of the frame."""

    H: Floats
    log_scale: Floats
    grid: Floats
    target: Floats
    flow2: float

    def misfit(self, focal: float) -> float:
        """Return how far the nearest rotations with this focal length are off, as share of flow.

        A rotation is given by where the centre goes and by the roll; the lens may zoom.
        """
        n = len(self.H)
        k = np.exp(self.log_scale)
        to = np.column_stack([self.H[:, :2, 2] / (focal * k)[:, None], np.ones(n)])
        to /= np.linalg.norm(to, axis=1)[:, None]
        tilt = _turn_z_to(to)
        K_inv_next = np.zeros((n, 3, 3))
        K_inv_next[:, 0, 0] = K_inv_next[:, 1, 1] = 1 / (focal * k)
        K_inv_next[:, 2, 2] = 1.0
        K = np.diag([focal, focal, 1.0])
        rest = np.swapaxes(tilt, 1, 2) @ K_inv_next @ self.H @ K
        roll = np.arctan2(rest[:, 1, 0] - rest[:, 0, 1], rest[:, 0, 0] + rest[:, 1, 1])
        turn = np.zeros((n, 3, 3))
        turn[:, 0, 0] = turn[:, 1, 1] = np.cos(roll)
        turn[:, 1, 0] = np.sin(roll)
        turn[:, 0, 1] = -turn[:, 1, 0]
        turn[:, 2, 2] = 1.0
        rotation = np.linalg.inv(K_inv_next) @ tilt @ turn @ np.linalg.inv(K)
        off = _mapped(rotation, self.grid) - self.target
        return float(np.sqrt((off**2).sum() / self.flow2))


def _turn_z_to(to: Floats) -> Floats:
    """Return the smallest rotations (n, 3, 3) that turn the z axis to unit vectors (n, 3)."""
    x, y, z = to.T
    c = 1 / (1 + z)
    return np.stack(
        [1 - c * x * x, -c * x * y, x, -c * x * y, 1 - c * y * y, y, -x, -y, z], axis=1
    ).reshape(-1, 3, 3)


def _grid(frame_size: tuple[int, int]) -> Floats:
    w, h = frame_size
    x, y = np.meshgrid(np.linspace(-w / 2, w / 2, 5), np.linspace(-h / 2, h / 2, 5))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _mapped(H: Floats, points: Floats) -> Floats:
    homogeneous = np.column_stack([points, np.ones(len(points))])
    to = np.einsum("nij,kj->nki", H, homogeneous)
    return np.asarray(to[..., :2] / to[..., 2:])
