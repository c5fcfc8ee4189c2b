"""`trackcore demo`: render a scene, solve its pixels, and compare with what is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from trackcore._cv2 import load_cv2
from trackcore._files import write_text
from trackcore.cli_output import Interrupt, Output
from trackcore.errors import TrackcoreError
from trackcore.solver import Solve
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.synth import ParallaxScene

Floats = NDArray[np.float64]


def render(scene: ParallaxScene, folder: Path, output: Output, cancelled: Interrupt) -> bool:
    """Write the scene's frames as `clip/frame.0001.png ...` and its camera as `truth.json`.

    Returns
    -------
    bool
        False if the user stopped it half way.

    Raises
    ------
    TrackcoreError, OSError
        If a file could not be written.
    """
    cv2 = load_cv2()
    clip = folder / "clip"
    clip.mkdir(parents=True, exist_ok=True)
    for old in clip.glob("frame.*.png"):  # a longer demo's last frames would be tracked too
        old.unlink()
    text = json.dumps(scene.truth(), allow_nan=False) + "\n"
    write_text(folder / "truth.json", text)
    n_frames = len(scene)
    with output.progress("rendering") as progress:
        for number, image in enumerate(scene.frames(), start=1):
            ok, encoded = cv2.imencode(".png", image)
            if not ok:
                raise TrackcoreError(f"could not encode frame {number} as PNG")
            (clip / f"frame.{number:04d}.png").write_bytes(encoded.tobytes())
            progress(number, n_frames)
            if cancelled():
                return False
    return True


def error(
    tracks: Tracks | None, solve: Solve | None, scene: ParallaxScene, folder: Path
) -> dict[str, Any] | None:
    """Compare tracks and camera with the truth; None where `truth.json` is gone."""
    path = folder / "truth.json"
    if tracks is None or not path.exists():
        return None
    truth = json.loads(path.read_text(encoding="utf-8"))
    camera = None if solve is None else camera_error(
        solve, np.array(truth["T_cam_world"]), float(truth["K"][0][0])
    )  # fmt: skip
    return {**truth_error(tracks, scene), "camera": camera}


def camera_error(solve: Solve, T_cam_world: Floats, focal_px: float) -> dict[str, Any] | None:
    """Compare a solved camera with the true one, which has another world and another scale.

    Parameters
    ----------
    solve : Solve
        Of the frames 1, 2, ... of the clip.
    T_cam_world : (n, 4, 4) float
        The true poses.
    focal_px : float
        The true focal length [px].

    Returns
    -------
    dict or None
        `path_median_percent`, `path_max_percent`: distances of the solved positions from the
        true ones under the similarity that fits best, over the extent of the true path.
        `rotation_median_deg`: after the turn of the world that fits the
        rotations best. `focal_percent`. None for fewer than 3 frames.

    Notes
    -----
    Similarity: Umeyama 1991.
    """
    frames = np.flatnonzero(solve.solved)
    numbers = solve.frame_numbers[frames] - 1
    if len(frames) < 3:
        return None
    true = T_cam_world[numbers]
    R_true = true[:, :3, :3]
    true_centres = -np.einsum("nji,nj->ni", R_true, true[:, :3, 3])
    found = solve.centres[frames]
    a, b = found - found.mean(axis=0), true_centres - true_centres.mean(axis=0)
    R, stretch = _nearest_turn(b.T @ a)
    off = np.linalg.norm(stretch / max((a**2).sum(), 1e-300) * a @ R.T - b, axis=1)
    extent = float(np.linalg.norm(np.ptp(true_centres, axis=0)))
    R_found = solve.T_cam_world[frames, :3, :3]
    # its own turn: a path that is nearly straight determines none about itself
    common, _ = _nearest_turn(np.einsum("nji,njk->ik", R_found, R_true))
    chord = np.linalg.norm(R_found @ common - R_true, axis=(1, 2)) / np.sqrt(8)
    angles = np.degrees(2 * np.arcsin(np.minimum(chord, 1)))
    return {
        "path_median_percent": round(float(100 * np.median(off) / extent), 4),
        "path_max_percent": round(float(100 * off.max() / extent), 4),
        "rotation_median_deg": round(float(np.median(angles)), 4),
        "focal_percent": round(float(100 * abs(solve.focal_px / focal_px - 1)), 4),
    }


def _nearest_turn(A: Floats) -> tuple[Floats, float]:
    """Return the rotation nearest to a (3, 3) matrix, and the trace of their product."""
    U, S, Vt = np.linalg.svd(A)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))])
    return np.asarray(U @ np.diag(sign) @ Vt), float((S * sign).sum())


def truth_error(tracks: Tracks, scene: ParallaxScene) -> dict[str, Any]:
    """Compare tracks with where the points they started on really went.

    A track's truth is the surface point under its first position, seen by the known camera.
    The first position itself is left out: its error is zero by definition.

    Returns
    -------
    dict
        `median_px`, `p95_px`: over all positions. `last_frame_median_px`: over the last position
        of each track. `survival`: of the tracks started in the first frame whose point stays
        visible to the end, the share alive at the end. `hidden_share`: positions reported where
        the point is hidden or outside. `positions`: how many were compared. None where nothing
        could be compared.
    """
    truth = np.full(tracks.xy_px.shape, np.nan)
    first = tracks.first_index
    frames = tracks.frame_numbers - 1  # the clip's files are numbered from 1
    for start in np.unique(first[first >= 0]):
        born = np.flatnonzero(first == start)
        truth[born] = scene.track_truth(tracks.xy_px[born, start], int(frames[start]))[:, frames]
    later = np.arange(tracks.n_frames) > first[:, None]
    told = tracks.seen & later
    error_px = np.linalg.norm(tracks.xy_px - truth, axis=-1)
    error_px[~told] = np.nan
    known = np.isfinite(error_px)
    has_end = known.any(axis=1)
    ends = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1) if known.size else first
    visible = np.isfinite(truth[..., 0]).all(axis=1) & (first == 0)
    return {
        "median_px": _figure(np.median, error_px[known]),
        "p95_px": _figure(lambda e: np.percentile(e, 95), error_px[known]),
        "last_frame_median_px": _figure(np.median, error_px[has_end, ends[has_end]]),
        "survival": _figure(np.mean, tracks.last_index[visible] == tracks.n_frames - 1),
        "hidden_share": _figure(np.mean, ~known[told]),
        "positions": int(known.sum()),
    }


_TRACK_ROWS = (
    ("median error", "median_px", "{:.3f} px"),
    ("95 % of errors below", "p95_px", "{:.3f} px"),
    ("median error at each track's end", "last_frame_median_px", "{:.3f} px"),
    ("survive the clip, where visible", "survival", "{:.1%}"),
    ("positions on hidden points", "hidden_share", "{:.2%}"),
)
_CAMERA_ROWS = (
    ("camera path, median error", "path_median_percent", "{:.3f} % of its extent"),
    ("camera path, largest error", "path_max_percent", "{:.3f} % of its extent"),
    ("rotation, median error", "rotation_median_deg", "{:.3f} degrees"),
    ("focal length, error", "focal_percent", "{:.3f} %"),
)


def error_tables(error: dict[str, Any] | None) -> list[Table]:
    """Return the figures of `error` for people."""
    if error is None:
        return []
    tables = [_table("tracks, against the known scene", error, _TRACK_ROWS)]
    if error["camera"] is not None:
        tables.append(_table("camera, against the known one", error["camera"], _CAMERA_ROWS))
    return tables


def _table(title: str, figures: dict[str, Any], rows: tuple[tuple[str, str, str], ...]) -> Table:
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, key, form in rows:
        value = figures[key]
        table.add_row(name, "-" if value is None else form.format(value))
    return table


def _figure(measure: Any, values: Any) -> float | None:
    return round(float(measure(values)), 5) if len(values) else None
