"""The cameras that may explain a shot, each solved without the held-out tracks, judged by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.options import SolveOptions, SolveWith
from trackcore.solver._adjust import Estimate, Model
from trackcore.solver._adjust import adjust as adjust_freely
from trackcore.solver._colmap import FINE, ROUGH, Freedom, State
from trackcore.solver._free import SAME, adjusted, keyframe_solution, refitted, score_of, solve_free
from trackcore.solver._held_out import held_out_errors
from trackcore.solver._poses import directions, rays, triangulate
from trackcore.solver._problem import Flags, Floats, Problem, start_coefficients
from trackcore.solver._thinned import ALL_FRAMES, spacing, thinned
from trackcore.solver._tripod import solve_tripod
from trackcore.solver.prior import CameraPrior
from trackcore.solver.result import SolveKind

MOST_BEND = 0.25
"""Of a lens, at the corner of the picture, as a share of the distance from its centre."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A camera, and how far off the held-out tracks are.

    `use` (n_tracks, n_frames): observations of all tracks that agree, none of held-out ones.
    `errors` (n_held_out,): as `held_out_errors` returns them. `model`: what was free to change.
    `pair`: frames that a moving one started from; `score`: what that start explained.
    `hidden_zoom`: its focal length changes though the scale of the picture does not show it.
    """

    kind: SolveKind
    state: State
    use: Flags
    errors: Floats
    model: Model
    pair: tuple[int, int] | None = None
    score: float = 0.0
    hidden_zoom: bool = False

    @property
    def error_px(self) -> float:
        """Median of the held-out errors; infinite where none could be judged."""
        judged = self.errors[~np.isnan(self.errors)]
        return float(np.median(judged)) if len(judged) else float("inf")

    def share_beyond(self, tolerance_px: float) -> float:
        """Return the share of judged tracks that are further off; 1 where none could be judged."""
        judged = self.errors[~np.isnan(self.errors)]
        return float((judged > tolerance_px).mean()) if len(judged) else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """All that candidates need: tracks, which are held out, what is known, limits."""

    problem: Problem
    aside: Flags
    prior: CameraPrior
    options: SolveOptions
    focal: float | None
    scale: Floats
    focal_is_assumed: bool = False

    @property
    def tolerance_px(self) -> float:
        """Observations further from their prediction do not count."""
        return self.options.max_error_px * self.problem.unit_px

    @property
    def loss_px(self) -> float:
        """Errors beyond this count less and less."""
        return 0.5 * self.tolerance_px

    @property
    def focal_is_free(self) -> bool:
        """Whether the focal length is estimated."""
        return self.focal is None or (self.prior.refine_focal and not self.focal_is_assumed)

    @property
    def k(self) -> tuple[float, float]:
        """Distortion to start from."""
        prior = self.prior
        taken_out = prior.lens.bends and not prior.refine_lens and self.focal is not None
        return (0.0, 0.0) if taken_out else start_coefficients(prior, self.problem, self.focal)

    def judged(
        self, kind: SolveKind, state: State, use: Flags, model: Model
    ) -> Candidate:  # fmt: skip
        """Return the candidate with its held-out errors."""
        errors = held_out_errors(self.problem, state, self.aside, self.tolerance_px)
        return Candidate(kind, state, use, errors, model)

    def rejudged(self, candidate: Candidate) -> Candidate:
        """Return the candidate with the held-out errors of what it has become."""
        errors = held_out_errors(self.problem, candidate.state, self.aside, self.tolerance_px)
        return replace(candidate, errors=errors)

    def everywhere(self, of_training: NDArray[Any], *, fill: float) -> NDArray[Any]:
        """Return rows for all tracks, `fill` for those held out."""
        out = np.full((len(self.aside), *of_training.shape[1:]), fill, of_training.dtype)
        out[~self.aside] = of_training
        return out


def tripod(task: Task, *, zoom: bool) -> Candidate | None:
    """Return a camera that only turns, with a fixed or a changing focal length."""
    training = task.problem.select(~task.aside)
    shared = "shared" if task.focal_is_free else "fixed"
    model = Model(travels=False, focal="free" if zoom else shared, loss_px=task.loss_px)
    scale = task.scale if zoom else np.ones_like(task.scale)
    found = solve_tripod(
        training, task.focal, scale, model, task.tolerance_px,
        whatever=task.options.kind is SolveWith.TRIPOD,
    )  # fmt: skip
    if found is None:
        return None
    state, use = found
    state = replace(state, X=task.everywhere(state.X, fill=np.nan))
    return task.judged(SolveKind.TRIPOD, state, task.everywhere(use, fill=False), model)


def free(task: Task) -> Candidate | None:
    """Return a camera that moves, with a fixed focal length."""
    training = task.problem.select(~task.aside)
    freedom = Freedom(focal=task.focal_is_free, loss_px=task.loss_px)
    found = solve_free(training, task.focal, task.k, freedom, task.tolerance_px, task.options.seed)
    if found is None:
        return None
    state = replace(found.state, X=task.everywhere(found.state.X, fill=np.nan))
    use = task.everywhere(found.use, fill=False)
    focal = "shared" if task.focal_is_free else "fixed"
    model = Model(travels=True, focal=focal, loss_px=task.loss_px)
    return replace(
        task.judged(SolveKind.FREE, state, use, model), pair=found.pair, score=found.score
    )


def promises(task: Task, other: Candidate) -> bool:
    """Whether a focal length that changes as guessed, and then freely, explains more than another.

    Asked of the keyframes only, from the frames and the focal length that the other started from.
    """
    if other.pair is None:
        return False
    training = task.problem.select(~task.aside)
    freedom = Freedom(focal=task.focal_is_free, loss_px=task.loss_px)
    start = keyframe_solution(
        training.scaled(task.scale), other.pair, float(np.median(other.state.focal)), task.k,
        freedom, task.tolerance_px, task.options.seed,
    )  # fmt: skip
    if start is None:
        return False
    few = replace(training, uv=training.uv[:, start.frames])
    at = start.frames
    state = replace(start.state, T=start.state.T[at], focal=start.state.focal[at] * task.scale[at])
    model = Model(travels=True, focal="free", loss_px=task.loss_px, iterations=15)
    model = model.apart(spacing(at))
    state = readjusted(few, state, np.isfinite(state.errors(few.uv)), model)
    return score_of(few, state, task.tolerance_px) > other.score + SAME


def free_zoom(task: Task, *, good_px: float = float("inf")) -> Candidate | None:
    """Return a camera that moves while its focal length changes.

    With the apparent scale taken out of the picture it is one with a fixed lens; from there on
    every frame has its own focal length. None if that start leaves more than `good_px`.
    """
    fixed = replace(task, problem=task.problem.scaled(task.scale))
    start = free(fixed)
    if start is None or start.error_px > good_px:
        return None
    model = Model(travels=True, focal="free", loss_px=task.loss_px)
    state = replace(start.state, focal=start.state.focal * task.scale)
    state = readjusted(task.problem, state, start.use, model)
    return task.rejudged(replace(start, state=state, model=model))


def with_lens(task: Task, candidate: Candidate) -> Candidate:
    """Return the candidate with its distortion estimated as well."""
    freedom = Freedom(focal=task.focal_is_free, lens=True, loss_px=task.loss_px, iterations=40)
    state = adjusted(task.problem, candidate.state, candidate.use, freedom)
    k1, k2 = state.k
    corner = (np.hypot(task.problem.width, task.problem.height) / 2 / state.focal[0]) ** 2
    if not abs(corner * (k1 + corner * k2)) < MOST_BEND:  # no lens: a fit to something else
        return candidate
    return task.rejudged(replace(candidate, state=state))


def varied(task: Task, candidate: Candidate) -> Candidate:
    """Return the candidate with a focal length of its own for every frame."""
    model = replace(candidate.model, focal="free", iterations=25)
    state = readjusted(task.problem, candidate.state, candidate.use, model)
    return task.rejudged(replace(candidate, state=state, model=model))


def readjusted(problem: Problem, state: State, use: Flags, model: Model) -> State:
    """Return the state adjusted as `model` says; frames and tracks that lack something stay.

    Of a long clip some frames are adjusted, and the others' cameras found from the points.
    """
    use = use & np.isfinite(state.errors(problem.uv))
    use = use & (use.sum(axis=1) >= 2)[:, None]
    usable = np.flatnonzero(use.sum(axis=0) >= 4)
    frames = np.zeros(len(state.T), bool)
    chosen = thinned(use, usable, model.most_frames)
    frames[chosen] = True
    tracks = use[:, frames].sum(axis=1) >= 2
    if frames.sum() < 3 or tracks.sum() < 6:
        return state
    at = np.ix_(tracks, frames)
    found = adjust_freely(
        Estimate(state.T[frames], state.X[tracks], state.focal[frames]),
        problem.uv[at], use[at], model.apart(spacing(chosen)),
    )  # fmt: skip
    T, X, whole = state.T.copy(), state.X.copy(), np.arange(len(state.T))
    T[frames], X[tracks] = found.T, found.X
    focal = np.exp(np.interp(whole, whole[frames], np.log(found.focal)))
    state = replace(state, T=T, X=X, focal=focal)
    return refitted(problem, state, use, np.setdiff1d(usable, whole[frames]), model.loss_px)


def with_all_tracks(task: Task, candidate: Candidate) -> Candidate:
    """Return the candidate fitted once more, with the held-out tracks."""
    problem, state, model = task.problem, candidate.state, candidate.model
    ideal = rays(problem.uv, state.focal, state.k)
    if model.travels:
        X = triangulate(state.T, ideal, task.tolerance_px / float(np.median(state.focal)))
    else:
        X = directions(state.T, ideal)
    state = replace(state, X=np.where(np.isfinite(state.X), state.X, X))
    for tolerance in (ROUGH, FINE):  # the first only tells what agrees
        error = state.errors(problem.uv)
        with np.errstate(invalid="ignore"):
            near = error < 2 * task.tolerance_px
        # a track that mostly disagrees follows something else, also where it seems to agree
        known = np.maximum(np.isfinite(error).sum(axis=1), 1)
        near &= ((near.sum(axis=1) >= 0.5 * known) | problem.protected)[:, None]
        use = near | (problem.protected[:, None] & np.isfinite(error))
        if model.travels and model.focal != "free":
            freedom = Freedom(
                focal=model.focal == "shared", lens=state.k != task.k, loss_px=task.loss_px,
                iterations=20, most_frames=ALL_FRAMES, tolerance=tolerance,
            )  # fmt: skip
            state = adjusted(problem, state, use, freedom)
        else:
            state = readjusted(problem, state, use, replace(model, most_frames=ALL_FRAMES))
    return replace(candidate, state=state, use=use)
