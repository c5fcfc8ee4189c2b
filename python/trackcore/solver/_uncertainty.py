"""How far a solved camera may be off: from the information its tracks carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.solver._adjust import Estimate, Model, information
from trackcore.solver._colmap import State
from trackcore.solver._poses import centres, cross_matrix, reproject
from trackcore.solver._problem import Flags, Floats, Problem

MOST_FRAMES = 40
"""Frames looked at. Errors of a track go on from frame to frame: neighbours tell nothing new."""
MOST_INFLATION = 10.0
SYSTEMATIC, SYSTEMATIC_FOCAL = 4.0, 8.0
"""What tracks do beyond noise: they drift together, and patches are no planes. On 17 clips of
bench/solve_scenes.py the path was off by 1.1 to 5.2 times (median 2.8) what noise explains, the
focal length by up to 17 times."""
GAUGE = 1e-11
"""Eigenvalues below this share of the largest are directions that nothing determines."""


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """One standard deviation of what was solved; NaN where it could not be judged.

    Attributes
    ----------
    centre : (n_frames,) float64
        Of the camera's position, as a share of its path's extent, after the best similarity.
    turn_deg : (n_frames,) float64
        Of its rotation [degrees], after the best rotation of the world.
    focal : float
        Of the focal length, as a share of it; 0 where it was given.
    noise_px : float
        Of one coordinate of one observation, as the residuals show it.
    """

    centre: Floats
    turn_deg: Floats
    focal: float
    noise_px: float


def uncertainty(problem: Problem, state: State, use: Flags, model: Model) -> Uncertainty:
    """Return how far cameras and focal length may be off."""
    n = len(state.T)
    nothing = Uncertainty(np.full(n, np.nan), np.full(n, np.nan), np.nan, np.nan)
    use = use & np.isfinite(state.errors(problem.uv))
    usable = np.flatnonzero(state.solved & (use.sum(axis=0) >= 4))
    if len(usable) < 3:
        return nothing
    step = -(-len(usable) // MOST_FRAMES)
    frames = usable[:: max(step, 1)]
    tracks = use[:, frames].sum(axis=1) >= 2
    if tracks.sum() < 6 or len(frames) < 3:
        return nothing
    part = use[np.ix_(tracks, frames)]
    uv = problem.uv[np.ix_(tracks, frames)]
    estimate = Estimate(state.T[frames], state.X[tracks], state.focal[frames])
    noise = _noise(estimate, state.k, uv, part)
    covariance = _inverse(information(estimate, uv, part, model)) * noise**2
    turn, centre = (SYSTEMATIC * sigma for sigma in _spread(estimate, covariance, model))
    fixed = model.focal == "fixed"
    focal = 0.0 if fixed else SYSTEMATIC_FOCAL * float(np.sqrt(covariance[-1, -1]))
    whole = np.arange(n)
    return Uncertainty(
        _over(whole, frames, centre, state.solved), _over(whole, frames, turn, state.solved),
        focal, noise,
    )  # fmt: skip


def _over(
    whole: NDArray[np.int64], frames: NDArray[np.int64], values: Floats, solved: Flags
) -> Floats:
    return np.asarray(np.where(solved, np.interp(whole, frames, values), np.nan))


def _noise(e: Estimate, k: tuple[float, float], uv: Floats, use: Flags) -> float:
    """Return the noise of an observation, as if errors were new in every frame."""
    r = np.where(use[..., None], reproject(e.T, e.X, e.focal, k) - uv, np.nan)
    sigma = 1.4826 * float(np.nanmedian(np.abs(r)))
    both = use[:, 1:] & use[:, :-1]
    a, b = r[:, 1:][both], r[:, :-1][both]
    limit = 4 * sigma
    fair = (np.abs(a) < limit).all(axis=1) & (np.abs(b) < limit).all(axis=1)
    if fair.sum() < 10:
        return sigma
    a, b = a[fair], b[fair]
    rho = float((a * b).sum() / max(float(np.sqrt((a**2).sum() * (b**2).sum())), 1e-300))
    rho = min(max(rho, 0.0), 0.99)
    return float(sigma * np.sqrt(min((1 + rho) / (1 - rho), MOST_INFLATION)))


def _inverse(A: Floats) -> Floats:
    """Return the pseudo-inverse: nothing is said of what nothing determines."""
    scale = 1 / np.sqrt(np.maximum(np.diag(A), 1e-300))
    values, vectors = np.linalg.eigh(A * scale[:, None] * scale)
    kept = values > GAUGE * values[-1]
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return np.asarray(inverse * scale[:, None] * scale)


def _spread(e: Estimate, covariance: Floats, model: Model) -> tuple[Floats, Floats]:
    """Return the spread of rotations [deg] and of positions [share of the extent] per frame."""
    f, c = len(e.T), 6 if model.travels else 3
    if model.focal == "free":
        keep = np.arange(f * (c + 1)) % (c + 1) != c
        covariance = covariance[np.ix_(keep, keep)]
    covariance = covariance[: f * c, : f * c]
    R, t = e.T[:, :3, :3], e.T[:, :3, 3]
    # a turn of the world by v turns every camera by R v
    turns = np.zeros((f, 3, f, c))
    turns[np.arange(f), :, np.arange(f), :3] = np.eye(3)
    turn = _after(turns.reshape(3 * f, f * c), covariance, R.reshape(3 * f, 3))
    turn_deg = np.degrees(np.sqrt(turn.reshape(f, 3).sum(axis=1)))
    if not model.travels:
        return turn_deg, np.full(f, np.nan)
    C = centres(e.T)
    moves = np.zeros((f, 3, f, c))
    back = np.swapaxes(R, 1, 2)
    moves[np.arange(f), :, np.arange(f), :3] = -back @ cross_matrix(t)
    moves[np.arange(f), :, np.arange(f), 3:] = -back
    similar = np.concatenate(
        [np.tile(np.eye(3), (f, 1, 1)), -cross_matrix(C), C[..., None]], axis=2
    ).reshape(3 * f, 7)
    centre = _after(moves.reshape(3 * f, f * c), covariance, similar)
    extent = float(np.linalg.norm(np.ptp(C, axis=0)))
    return turn_deg, np.sqrt(centre.reshape(f, 3).sum(axis=1)) / max(extent, 1e-300)


def _after(J: Floats, covariance: Floats, gauge: Floats) -> Floats:
    """Return the variances of J x once the gauge's best fit is taken out."""
    Q, _ = np.linalg.qr(gauge)
    J = J - Q @ (Q.T @ J)
    return np.asarray(np.maximum(np.einsum("ij,jk,ik->i", J, covariance, J, optimize=True), 0.0))
