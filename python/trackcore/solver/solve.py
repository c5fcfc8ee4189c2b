"""`solve`: tracks in, a camera and an honest grade out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from trackcore.errors import InputError
from trackcore.options import SolveOptions, SolveWith, require_options
from trackcore.solver._assemble import assembled, refused, shaken_px
from trackcore.solver._cancel import Cancel, cancellable
from trackcore.solver._candidates import (
    Candidate,
    Task,
    free,
    free_zoom,
    promises,
    tripod,
    varied,
    with_lens,
)
from trackcore.solver._held_out import held_out
from trackcore.solver._problem import Flags, Floats, Problem, problem
from trackcore.solver.lens import LensModel
from trackcore.solver.prior import CameraPrior, Zoom
from trackcore.solver.result import Solve, SolveKind
from trackcore.stats import FrameMotion, ShotKind, ShotType, classify_shot, frame_motion
from trackcore.tracks import Tracks

LEAST_TRACKS, LEAST_FRAMES = 8, 3
TURNING = (ShotKind.PAN_TILT, ShotKind.ROLL, ShotKind.ZOOM, ShotKind.HANDHELD_SHAKE)
STILL_PX = 0.25
"""A locked-off camera whose picture shakes by less (at 1280 x 720) has nothing to be solved."""
TURNS_PX = 0.5
"""A turning camera that predicts held-out tracks so well (at 1280 x 720) needs no position."""
LOUD_PX, MANY_OFF, HIDDEN_TRENDS = 1.0, 1 / 3, (-0.3, 0.3, -0.6, 0.6)
"""Held-out errors (at 1280 x 720), or shares of held-out tracks beyond the tolerance, from which a
zoom is looked for that the scale does not show, and by how much the focal length's logarithm is
guessed to change."""
WORTH = 3.0
"""A guessed zoom may start with held-out errors so many times those of the fixed lens."""
QUIET_PX = 0.15
"""Tracks that a fixed lens predicts so well (at 1280 x 720) show no zoom."""
CLEARLY_BETTER, BETTER = 0.7, 0.85
"""Held-out error over that of the simpler camera below which the richer one is chosen."""
LENS_BETTER, LENS_TRACKS, FEW_LENS_TRACKS = 0.95, 30, 15
"""A distortion that nobody asked for has to gain so much, from at least so many tracks; clearly
more from fewer, and from very few none is believed."""
WIDER = 2.0
"""Where frames lack a camera, observations may be so many times further off: old tracks, or a
focal length that does not fit, leave errors that good tracks do not have."""


def solve(
    tracks: Tracks,
    camera_prior: CameraPrior | None = None,
    shot_type: ShotType | None = None,
    *,
    options: SolveOptions | None = None,
    protected: ArrayLike | None = None,
    cancel: Cancel | None = None,
    threads: int = 0,
) -> Solve:
    """Find the camera that moved through the scene, and say how far it is to be trusted.

    Parameters
    ----------
    tracks : Tracks
        Of one shot.
    camera_prior : CameraPrior, optional
        What is known of the camera. A focal length that is given is believed.
    shot_type : ShotType, optional
        `classify_shot(tracks)`, if it is known already; it decides what is tried, the held-out
        tracks decide what is kept.
    options : SolveOptions, optional
    protected : (n_tracks,) bool, optional
        The user's own tracks: neither outliers nor held out.
    cancel : callable, optional
        Asked between the steps of the solve; True ends it. A step in progress is finished.
    threads : int
        Worker threads of our own kernels; 0 means all. The result does not depend on it.

    Returns
    -------
    Solve
        Also where there is no camera: with grade F and the reasons.

    Raises
    ------
    InputError
        If an argument does not fit the tracks.
    CancelledError
        If `cancel` said so: there is no camera yet.

    Notes
    -----
    A share of the tracks is held out, drawn from all regions and lifespans. The camera is solved
    from the others: relative pose, resection and bundle adjustment by COLMAP (Schoenberger & Frahm
    2016) for one that moves; for one that only turns or zooms, an adjustment of our own, because
    COLMAP has neither points at infinity nor a focal length that changes smoothly. Each held-out
    track is then triangulated from the first and third quarter of its life and compared in the
    others: `held_out_error_px`, which no deletion of tracks improves. In the end all tracks that
    agree are fitted together.

    The shake of a camera that stands is solved as turns, with a focal length that is assumed, the
    frame's width: it cannot be seen, and the grade is D at best.
    """
    prior = camera_prior or CameraPrior()
    options = options or SolveOptions()
    require_options(options, SolveOptions)
    mine = _protected(protected, len(tracks))
    # small matrices; sums in a fixed order
    with threadpool_limits(limits=1, user_api="blas"), cancellable(cancel):
        return _solved(tracks, prior, shot_type, options, mine, threads)


def _protected(
    protected: ArrayLike | None, n_tracks: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    mine = np.zeros(n_tracks, bool) if protected is None else np.asarray(protected)
    if mine.shape != (n_tracks,) or mine.dtype != bool:
        raise InputError(
            f"protected: expected {n_tracks} truth values, one per track, got {mine.dtype} of"
            f" shape {mine.shape}"
        )
    return mine


def _solved(
    tracks: Tracks,
    prior: CameraPrior,
    shot: ShotType | None,
    options: SolveOptions,
    protected: np.ndarray[tuple[int], np.dtype[np.bool_]],
    threads: int,
) -> Solve:
    focal = prior.focal_in_px(tracks.frame_size[0])
    if prior.lens.model not in (LensModel.NONE, LensModel.POLYNOMIAL) and focal is None:
        raise InputError(
            f"CameraPrior.lens: expected a focal length beside a {prior.lens.model} lens, whose"
            " distortion is in units of it"
        )
    usable = int((tracks.seen.sum(axis=1) >= LEAST_FRAMES).sum())
    if tracks.n_frames < LEAST_FRAMES:
        return refused(tracks, prior, shot, f"{tracks.n_frames} frames are no shot")
    if usable < LEAST_TRACKS:
        return refused(
            tracks, prior, shot,
            f"only {usable} tracks of {LEAST_FRAMES} frames or more, {LEAST_TRACKS} are needed",
        )  # fmt: skip
    motion = frame_motion(tracks, threads=threads)
    shot = shot or classify_shot(tracks, motion=motion, threads=threads)
    data = problem(tracks, prior, protected, focal)
    still = shot.kind is ShotKind.STATIC and focal is None
    if still and (options.kind is SolveWith.FREE or shaken_px(data) < STILL_PX * data.unit_px):
        return refused(
            tracks, prior, shot,
            "the camera does not move: neither depth nor focal length can be seen",
        )  # fmt: skip
    aside = held_out(data, options.held_out_share, options.seed)
    task = Task(data, aside, prior, options, focal, _scale(motion))
    if still:
        task = replace(task, focal=data.width, focal_is_assumed=True)
        found = tripod(task, zoom=False)
        return (
            refused(tracks, prior, shot, "no camera explains the tracks")
            if found is None
            else assembled(tracks, task, found, shot)
        )
    best = _best(task, shot)
    if best is not None and not best.state.solved[_trackable(data)].all():
        wider = replace(task, options=replace(options, max_error_px=WIDER * options.max_error_px))
        again = _best(wider, shot)
        if again is not None and again.state.solved.sum() > best.state.solved.sum():
            task, best = wider, again
    if best is None:
        return refused(tracks, prior, shot, "no camera explains the tracks")
    return assembled(tracks, task, best, shot)


def _best(task: Task, shot: ShotType) -> Candidate | None:
    """Return the camera that predicts the held-out tracks best; the simpler one unless clear."""
    want, zoom = task.options.kind, task.prior.zoom
    # a focal length that is believed does not change unless somebody says so
    guess = zoom is Zoom.AUTO and task.focal_is_free and _zooms(shot)
    varies = zoom is Zoom.VARYING or guess
    best: Candidate | None = None
    if want is not SolveWith.FREE and _may_turn(shot, want):
        best = _turning(task, varies=varies, only=zoom is Zoom.VARYING)
        good = best is not None and best.error_px < TURNS_PX * task.problem.unit_px
        if want is SolveWith.TRIPOD or (good and shot.kind in (*TURNING, ShotKind.STATIC)):
            return best
    if zoom is not Zoom.VARYING:
        best = _better(best, _travelling(task), CLEARLY_BETTER)
    if best is not None and varies and zoom is not Zoom.VARYING:
        varies = _gains_by_zoom(task, best)
    if varies:
        best = _better(best, free_zoom(task), BETTER)
    if best is not None and zoom is Zoom.AUTO and task.focal_is_free:
        best = _with_hidden_zoom(task, best)
    return best


def _with_hidden_zoom(task: Task, best: Candidate) -> Candidate:
    """Return a better camera if a lens that zooms against the camera's motion makes one.

    Such a shot (a dolly zoom) shows no change of scale to start from.
    """
    off = best.share_beyond(task.tolerance_px) > MANY_OFF
    loud = off or best.error_px > LOUD_PX * task.problem.unit_px
    if best.kind is not SolveKind.FREE or best.model.focal == "free" or not loud:
        return best
    way = np.linspace(0, 1, len(task.scale))
    guesses = [replace(task, scale=np.exp(trend * way)) for trend in HIDDEN_TRENDS]
    found = [
        free_zoom(guess, good_px=WORTH * best.error_px)
        for guess in guesses
        if promises(guess, best)
    ]
    hidden = min(filter(None, found), key=lambda other: other.error_px, default=None)
    if hidden is None:
        return best
    return _better(best, replace(hidden, hidden_zoom=True), BETTER) or best


def _trackable(data: Problem) -> Flags:
    """Return the frames (n_frames,) in which enough is seen to ask for a camera."""
    return np.asarray(data.seen.sum(axis=0) >= LEAST_TRACKS)


def _gains_by_zoom(task: Task, found: Candidate) -> bool:
    """Whether a focal length that changes would predict the held-out tracks better."""
    if found.kind is not SolveKind.FREE or found.error_px < QUIET_PX * task.problem.unit_px:
        return False
    return varied(task, found).error_px < BETTER * found.error_px


def _may_turn(shot: ShotType, want: SolveWith) -> bool:
    return (
        want is SolveWith.TRIPOD
        or shot.kind is not ShotKind.DOLLY_PARALLAX
        or shot.confidence < 0.8
    )


def _turning(task: Task, *, varies: bool, only: bool) -> Candidate | None:
    fixed = None if only else tripod(task, zoom=False)
    return _better(fixed, tripod(task, zoom=True), BETTER) if varies else fixed


def _travelling(task: Task) -> Candidate | None:
    found = free(task)
    wanted = task.prior.refine_lens
    if found is None or wanted is False or (task.prior.lens.bends and not wanted):
        return found
    if wanted is None and len(task.aside) < FEW_LENS_TRACKS:
        return found
    limit = LENS_BETTER if len(task.aside) >= LENS_TRACKS else CLEARLY_BETTER
    return _better(found, with_lens(task, found), 1.0 if wanted else limit)


def _better(simple: Candidate | None, rich: Candidate | None, limit: float) -> Candidate | None:
    if simple is None or rich is None:
        return simple or rich
    more = rich.state.solved.sum() > 1.2 * simple.state.solved.sum()
    return rich if more or rich.error_px < limit * simple.error_px else simple


def _zooms(shot: ShotType) -> bool:
    return shot.kind is ShotKind.ZOOM or shot.evidence.get("zoom_detected", 0.0) > 0.5


def _scale(motion: FrameMotion) -> Floats:
    """Return the apparent scale of each frame over that of the first."""
    steps = np.where(np.isfinite(motion.scale), motion.scale, 1.0)
    return np.asarray(np.concatenate([[1.0], np.cumprod(steps)]))
