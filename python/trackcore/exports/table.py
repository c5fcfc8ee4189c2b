"""The formats a solve is exported in, each once, and the function that writes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trackcore import tracks_text
from trackcore.errors import InputError
from trackcore.exports import blender, colmap, gltf, nuke, ply, records, sheets, tracks2d, usd
from trackcore.exports.shot import Shot
from trackcore.solver import Solve
from trackcore.tracks import Tracks


@dataclass(frozen=True, slots=True)
class Format:
    """One way to hand a solve on.

    Attributes
    ----------
    writes : str
        File or folder, inside of the export's folder.
    title : str
        For whom, in a line.
    write : callable
        Takes a `Shot` and the path to write.
    lost : callable
        Takes a `Solve`; says in sentences what of it this format cannot hold.
    needs_tracks : bool
        Whether there is nothing to write without tracks.
    check : callable
        Raises `DependencyError` if a package or program that it needs is not there.
    """

    writes: str
    title: str
    write: Callable[[Shot, Path], None]
    lost: Callable[[Solve], list[str]] = lambda _: []
    needs_tracks: bool = False
    check: Callable[[], object] = lambda: None


FORMATS: Mapping[str, Format] = {
    "json": Format("solve.json", "everything; load_solve reads it back", records.write),
    "csv": Format("csv", "cameras.csv and points.csv, for spreadsheets", sheets.write),
    "blender": Format(
        "blender_scene.py", "script that builds the scene in Blender", blender.write_script,
        blender.lost,
    ),
    "blend": Format(
        "scene.blend", "Blender file; needs Blender or bpy", blender.write_blend, blender.lost,
        check=blender.command,
    ),
    "nuke": Format("camera.nk", "Nuke script: camera and lens", nuke.write_nk, nuke.nk_lost),
    "nuke_chan": Format("camera.chan", "camera for Nuke", nuke.write_chan, nuke.chan_lost),
    "usd": Format(
        "scene.usda", "OpenUSD camera and points", usd.write, usd.lost, check=usd.load
    ),
    "alembic": Format(
        "scene.abc", "camera and points; needs Blender or bpy", blender.write_alembic,
        blender.alembic_lost, check=blender.command,
    ),
    "gltf": Format("scene.glb", "binary glTF: camera and points", gltf.write, gltf.lost),
    "ply": Format("points.ply", "point cloud and camera path", ply.write, ply.lost),
    "colmap": Format("colmap", "COLMAP text model", colmap.write, colmap.lost),
    "3de": Format(
        tracks_text.PATHS["3de"], "2-D tracks for 3DEqualizer", tracks2d.writer("3de"),
        tracks2d.lost, needs_tracks=True,
    ),
    "syntheyes": Format(
        tracks_text.PATHS["syntheyes"], "2-D tracks for SynthEyes", tracks2d.writer("syntheyes"),
        tracks2d.lost, needs_tracks=True,
    ),
}  # fmt: skip
"""By the name that `trackcore solve --export` takes."""


def export_solve(
    solve: Solve,
    folder: str | os.PathLike[str],
    formats: str | Iterable[str],
    *,
    tracks: Tracks | None = None,
    clip: str | os.PathLike[str] | None = None,
) -> dict[str, Path]:
    """Write a solve for other programs.

    Parameters
    ----------
    solve : Solve
    folder : path
        Where to write; made if it is not there.
    formats : str or list of str
        Names in `trackcore.exports.FORMATS`: `blender`, `nuke`, `colmap`, `usd`, ...
    tracks : Tracks, optional
        What was solved: 2-D positions go where the format has a place for them.
    clip : path, optional
        The clip, for formats that show it behind the points. It is written as given; one that is
        relative to the working directory as seen from `folder`.

    Returns
    -------
    dict of str to Path
        The file or folder written for each format, in the order asked for.

    Raises
    ------
    InputError
        If a format is unknown or needs tracks and there are none, no camera was solved, or the
        format cannot hold this lens.
    DependencyError
        If the format needs a package that is not installed. It says which.
    OSError
        If the folder cannot be written.

    Notes
    -----
    Names, tracks and packages are checked before anything is written. Frames that could not be
    solved are left out. What each program calls what is in docs/exports.md; what a format cannot
    hold of a solve, `FORMATS[name].lost(solve)` says.
    """
    names = [formats] if isinstance(formats, str) else list(dict.fromkeys(formats))
    for name in names:
        if name not in FORMATS:
            raise InputError(f"formats: expected some of {', '.join(FORMATS)}, got {name!r}")
        FORMATS[name].check()
        if FORMATS[name].needs_tracks and tracks is None:
            raise InputError(f"tracks: expected the tracks, which the format {name} is made of")
    if not solve.solved.any() and set(names) - {"json"}:
        raise InputError("solve: expected at least one solved camera, got none to export")
    folder = Path(folder)
    shot = Shot(solve=solve, tracks=tracks, clip=_as_seen_from(folder, clip))
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name in names:
        paths[name] = folder / FORMATS[name].writes
        FORMATS[name].write(shot, paths[name])
    return paths


def _as_seen_from(folder: Path, clip: str | os.PathLike[str] | None) -> str | None:
    if clip is None or Path(clip).is_absolute():
        return None if clip is None else os.fspath(clip)
    return os.path.relpath(clip, folder)
