"""Solves made by hand from scenes whose cameras are known: for tests of what comes after."""

import numpy as np

from trackcore.solver import Grade, Lens, Solve, SolveKind, TrackRole
from trackcore.stats import ShotKind, ShotType
from trackcore.synth import ParallaxScene
from trackcore.tracks import Tracks

LEAST_FRAMES, OUTLIER_PX, HOLD_EVERY = 6, 2.0, 8


def small_scene(n_frames=12, size=(320, 180)):
    return ParallaxScene(3, size=size, n_frames=n_frames)


def true_tracks(scene, *, per_side=8, noise_px=0.2, seed=0, wrong=()):
    """Points on a grid of the first frame, where they really go, and a little noise.

    Those numbered in `wrong` drift away.
    """
    w, h = scene.size
    x, y = np.meshgrid(np.linspace(8, w - 9, per_side), np.linspace(8, h - 9, per_side))
    xy = scene.track_truth(np.column_stack([x.ravel(), y.ravel()]))
    xy = xy + np.random.default_rng(seed).normal(0, noise_px, xy.shape)
    xy[list(wrong)] += np.arange(len(scene))[:, None]
    inside = ((xy >= -0.5) & (xy <= np.array([w, h]) - 0.5)).all(axis=-1)
    xy[~inside] = np.nan
    return Tracks.from_positions(xy, frame_size=scene.size, fps=scene.fps)


def true_solve(scene, tracks, **changes):
    """The solve that finds the scene's own cameras, in the first camera's frame and another scale.

    Tracks too far from the truth are outliers, short ones are left out, every eighth is held out.
    """
    first = scene.T_cam_world[0]
    X = np.full((len(tracks), 3), np.nan)
    for i in np.unique(tracks.first_index[tracks.first_index >= 0]).tolist():
        born = tracks.first_index == i
        X[born] = scene.surface_points(tracks.xy_px[born, i], i)
    X = X @ first[:3, :3].T + first[:3, 3]
    scale = 10 / np.nanmedian(np.linalg.norm(X, axis=1))
    T = scene.T_cam_world @ np.linalg.inv(first)
    T[:, :3, 3] *= scale
    role = np.full(len(tracks), TrackRole.BUNDLE, np.uint8)
    role[tracks.seen.sum(axis=1) < LEAST_FRAMES] = TrackRole.TOO_FEW_FRAMES
    role[~np.isfinite(X).all(axis=1)] = TrackRole.UNUSED
    draft = _solve(scene, tracks, T, X * scale, role, np.zeros(0, np.int64))
    error = _errors(draft, tracks)
    bad = (np.nan_to_num(np.sqrt(np.nanmean(error**2, axis=1))) > OUTLIER_PX) & (role == 0)
    role[bad] = TrackRole.OUTLIER
    points = np.where((role == TrackRole.BUNDLE)[:, None], X * scale, np.nan)
    held = tracks.ids[role == TrackRole.BUNDLE][::HOLD_EVERY]
    return _solve(scene, tracks, T, points, role, held, **changes)


def no_solve(tracks, reason="too few tracks: 3, at least 8 are needed"):
    """A solve that found nothing."""
    n, m = tracks.n_frames, len(tracks)
    return Solve(
        T_cam_world=np.full((n, 4, 4), np.nan), points=np.full((m, 3), np.nan), ids=tracks.ids,
        role=np.full(m, TrackRole.UNUSED, np.uint8), track_error_px=np.full(m, np.nan),
        frame_error_px=np.full(n, np.nan), frame_numbers=tracks.frame_numbers,
        frame_size=tracks.frame_size, fps=tracks.fps, focal_px=np.nan,
        focal_px_per_frame=np.full(n, np.nan), focal_sigma_px=np.nan,
        principal_point_px=((tracks.frame_size[0] - 1) / 2, (tracks.frame_size[1] - 1) / 2),
        lens=Lens(), pixel_aspect=1.0, mean_error_px=np.nan, held_out_error_px=np.nan,
        held_out_ids=np.zeros(0, np.int64), centre_sigma=np.full(n, np.nan), kind=SolveKind.NONE,
        shot=ShotType(ShotKind.UNKNOWN, 0.0, {"judged_share": 0.0}), keyframes=None,
        grade=Grade.F, reasons=(reason,),
    )  # fmt: skip


def _errors(solve, tracks):
    places = np.stack([solve.project(i) for i in range(solve.n_frames)], axis=1)
    return np.linalg.norm(tracks.xy_px - places, axis=-1)


def _solve(scene, tracks, T, points, role, held, **changes):
    n = len(T)
    f = float(scene.K[0, 0])
    given = {
        "T_cam_world": T, "points": points, "ids": tracks.ids, "role": role,
        "track_error_px": np.full(len(tracks), np.nan), "frame_error_px": np.full(n, np.nan),
        "frame_numbers": tracks.frame_numbers, "frame_size": tracks.frame_size, "fps": tracks.fps,
        "focal_px": f, "focal_px_per_frame": np.full(n, f), "focal_sigma_px": 1.5,
        "principal_point_px": (float(scene.K[0, 2]), float(scene.K[1, 2])), "lens": Lens(),
        "pixel_aspect": 1.0, "mean_error_px": np.nan, "held_out_error_px": np.nan,
        "held_out_ids": held, "centre_sigma": np.linspace(0, 0.002, n), "kind": SolveKind.FREE,
        "shot": ShotType(ShotKind.DOLLY_PARALLAX, 0.93, {"parallax_score": 0.12}),
        "keyframes": (int(tracks.frame_numbers[n // 5]), int(tracks.frame_numbers[4 * n // 5])),
        "grade": Grade.B, "reasons": ("few tracks in the lower left",),
        "evidence": {"bundle_share": float((role == TrackRole.BUNDLE).mean())},
    }  # fmt: skip
    solve = Solve(**given)
    if len(held):
        error = _errors(solve, tracks)
        used = role == TrackRole.BUNDLE
        rest = used & ~np.isin(tracks.ids, held)
        with np.errstate(invalid="ignore"):
            known = np.isfinite(error)
            total = np.where(known, error**2, 0.0)
            given["track_error_px"] = np.sqrt(total.sum(axis=1) / np.maximum(known.sum(axis=1), 1))
            given["track_error_px"][~used] = np.nan
            n_seen = np.maximum(known[rest].sum(axis=0), 1)
            given["frame_error_px"] = np.sqrt(total[rest].sum(axis=0) / n_seen)
        given["mean_error_px"] = float(np.nanmean(error[rest]))
        given["held_out_error_px"] = float(np.nanmedian(error[used & ~rest]))
    return Solve(**{**given, **changes})
