"""Old camera solves, solved again from their own markers: no worse by their own measure.

Blender's figure of a solve is the mean distance of markers from their projected points. Ours is
taken on the very same markers: also on those of tracks that we call outliers or that lack
parallax, whose points are then found from our cameras.
"""

from __future__ import annotations

import numpy as np
import pytest

import trackcore as tc
from tests.unit.old_solves import OldSolve, blender_session, errors_px, libmv_problem
from trackcore.solver import _free
from trackcore.solver._colmap import Freedom, State, adjust
from trackcore.solver._poses import rays, triangulate
from trackcore.solver._problem import problem

SESSIONS = {
    "tears_of_steel_ba/problem_01.json": (1.014, (2048, 1080)),
    "tears_of_steel_ba/problem_02.json": (0.564, (4096, 2160)),
    "opencv_sfm_blender_tracks/backyard.tracking.json.gz": (1.502, None),
    "opencv_sfm_blender_tracks/desktop.tracking.json.gz": (0.526, None),
}


def read(shared_data, name: str) -> OldSolve:
    mean_px, frame_size = SESSIONS[name]
    path = shared_data(name)
    old = libmv_problem(path, frame_size) if frame_size else blender_session(path)
    # what the session says of itself: that we read it right
    assert np.nanmean(old.errors_px()) == pytest.approx(mean_px, abs=1e-3)
    return old


def every_error(solve: tc.Solve, old: OldSolve) -> np.ndarray:
    """(n_tracks, n_frames) [px], with a point for every track that our cameras can give one."""
    centred = old.tracks.xy_px - solve.principal_point_px
    focal = solve.focal_px_per_frame
    flat = (centred / focal[None, :, None]).reshape(-1, 2)
    known = np.isfinite(flat).all(axis=1)
    flat[known] = solve.lens.undistort(flat[known])
    ideal = rays(flat.reshape(centred.shape), np.ones(len(focal)), (0.0, 0.0))
    X = triangulate(solve.T_cam_world, ideal, tolerance=1e6)
    X = np.where(solve.bundled[:, None], solve.points, X)
    return errors_px(
        old.tracks, solve.T_cam_world, X, focal, solve.principal_point_px, solve.lens
    )  # fmt: skip


@pytest.mark.parametrize("known", ["camera", "nothing"])
@pytest.mark.parametrize("name", SESSIONS)
def test_an_old_session_is_solved_no_worse_than_it_was(shared_data, name, known):
    old = read(shared_data, name)
    unknown = tc.CameraPrior(principal_point_px=old.principal_px)
    solve = tc.solve(old.tracks, old.prior if known == "camera" else unknown)
    assert solve.solved.all()
    theirs, ours = old.errors_px(), every_error(solve, old)
    same = np.isfinite(theirs) & np.isfinite(ours)
    assert same.sum() >= 0.999 * np.isfinite(theirs).sum()
    assert ours[same].mean() <= theirs[same].mean()
    assert np.median(ours[same]) <= np.median(theirs[same])


@pytest.mark.parametrize("name", SESSIONS)
def test_by_plain_squares_our_cameras_lead_where_theirs_did(shared_data, name):
    """Their root mean square is smaller than ours as solved: they fit squares, we bound outliers.

    From our cameras on, with their focal length and lens, squares of the same markers reach the
    same place.
    """
    old = read(shared_data, name)
    solve, theirs = tc.solve(old.tracks, old.prior), old.errors_px()
    n_frames, k = len(solve.T_cam_world), old.lens.coefficients[:2]
    no_lens = tc.CameraPrior(principal_point_px=old.principal_px)
    uv = problem(old.tracks, no_lens, np.zeros(len(old.tracks), bool), None).uv
    focal = np.full(n_frames, old.focal_px)
    X = triangulate(solve.T_cam_world, rays(uv, focal, k), tolerance=1e6)
    start = State(solve.T_cam_world, np.where(np.isfinite(X), X, solve.points), focal, k)
    use = np.isfinite(theirs) & np.isfinite(start.errors(uv))
    squares = Freedom(focal=False, loss_px=1e4, iterations=200, tolerance=1e-9)
    error = adjust(start, uv, use, squares).errors(uv)
    assert use.sum() >= 0.999 * np.isfinite(theirs).sum()
    ours, theirs = error[use], theirs[use]
    assert ours.mean() <= theirs.mean() + 1e-3
    assert np.sqrt((ours**2).mean()) <= np.sqrt((theirs**2).mean()) + 1e-3


def test_a_focal_length_that_does_not_fit_its_tracks_is_doubted(shared_data):
    old = read(shared_data, "opencv_sfm_blender_tracks/backyard.tracking.json.gz")
    given, free = tc.solve(old.tracks, old.prior), tc.solve(old.tracks)
    assert free.held_out_error_px < 0.5 * given.held_out_error_px
    assert given.grade >= free.grade  # letters: D after C
    assert any("focal length that was given" in reason for reason in given.reasons)


def test_a_lens_that_was_taken_out_goes_with_the_focal_length_that_was_found(shared_data):
    old = read(shared_data, "opencv_sfm_blender_tracks/backyard.tracking.json.gz")
    prior = tc.CameraPrior(
        focal_px=old.focal_px, lens=old.lens, principal_point_px=old.principal_px, refine_focal=True
    )
    solve = tc.solve(old.tracks, prior)
    assert solve.focal_px < 0.8 * old.focal_px
    ours = np.linalg.norm(
        np.stack([solve.project(i) for i in range(solve.n_frames)], axis=1) - old.tracks.xy_px,
        axis=-1,
    )
    agree = ours < 2 * 2.0
    assert np.nanmean(ours[agree]) == pytest.approx(solve.mean_error_px, abs=0.05)


def test_a_focal_length_that_no_lens_has_is_no_camera(shared_data, monkeypatch):
    old = read(shared_data, "opencv_sfm_blender_tracks/desktop.tracking.json.gz")
    finished = _free._finished

    def spoilt(*args):
        monkeypatch.setattr(_free, "FOCAL_RANGE", (1e6, 2e6))
        return finished(*args)

    monkeypatch.setattr(_free, "_finished", spoilt)
    solve = tc.solve(old.tracks, options=tc.SolveOptions(kind="free"))
    assert solve.grade == "F"
    assert not solve.solved.any()
