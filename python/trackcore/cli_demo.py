"""`trackcore demo`: render a scene, track its pixels, and compare with what is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from trackcore._cv2 import load_cv2
from trackcore._files import write_text
from trackcore.cli_output import Interrupt, Output
from trackcore.errors import TrackcoreError
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.synth import ParallaxScene


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


def error_table(error: dict[str, Any]) -> Table:
    """Return the figures of `truth_error` for people."""
    table = Table(title="against the known scene", show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, key, form in (
        ("median error", "median_px", "{:.3f} px"),
        ("95 % of errors below", "p95_px", "{:.3f} px"),
        ("median error at each track's end", "last_frame_median_px", "{:.3f} px"),
        ("survive the clip, where visible", "survival", "{:.1%}"),
        ("positions on hidden points", "hidden_share", "{:.2%}"),
    ):
        value = error[key]
        table.add_row(name, "-" if value is None else form.format(value))
    return table


def _figure(measure: Any, values: Any) -> float | None:
    return round(float(measure(values)), 5) if len(values) else None
