"""`Tracks` for other programs: Blender, Nuke, COLMAP, 3DEqualizer, SynthEyes. Text.

Ours has pixel centres at integers, x right, y down, origin the centre of the top-left pixel. All
others put the origin on a corner of the picture, so that pixel centres are at half.

blender
    One file. Normalised, origin bottom-left, y up: x = (x_px + 0.5) / w, y = 1 - (y_px + 0.5) / h,
    as in `bpy`'s `MovieTrackingMarker.co`. A line `track NAME` starts a track; the lines after it
    are `frame x y`. Frames are ours; Blender counts an image sequence's files from 1, so there
    subtract the first file's number and add 1. To read it in Blender::

        tracks = bpy.data.movieclips["shot.mp4"].tracking.tracks
        for line in open("tracks.blender.txt"):
            word = line.split()
            if word[:1] == ["track"]:
                track, fresh = None, word[1]
            elif word and word[0] != "#":
                frame, co = int(word[0]), (float(word[1]), float(word[2]))
                if track is None:
                    track = tracks.new(name=fresh, frame=frame)
                track.markers.insert_frame(frame, co=co)

nuke
    A folder, one file a track, as Nuke's Tracker reads them (right-click a track > Import >
    Time+value Ascii): lines `frame x y` in px, origin bottom-left, y up: x = x_px + 0.5,
    y = h - (y_px + 0.5). Lines that begin with # are ignored there. Nuke draws a line across a
    gap; the file says nothing for frames without a position.
    Source: Nuke user guide, "Importing Tracking Data".

colmap
    A folder for `colmap feature_importer` and `colmap matches_importer`: for each frame
    IMAGE.txt, whose first line is `NUM_FEATURES 128`, then a line `X Y SCALE ORIENTATION D1 ..
    D128` per position, in px, origin the top-left corner, y down: X = x_px + 0.5,
    Y = y_px + 0.5. Tracks carry neither scale nor descriptor: scale 1, orientation 0 and zeros
    stand there, so import `matches.txt` (pairs of images with index pairs) instead of matching.
    Frames are paired at distances 1, 2, 4, ...: through these pairs COLMAP sees a track without
    gaps as one.
    IMAGE is `frame_NUMBER.png` with six digits: name the extracted images so.
    Source: COLMAP tutorial, "Feature Detection and Extraction" and "Custom Matching".

3de
    One file, as 3DEqualizer4 imports 2D tracks: the number of points; then for each its name, a
    colour index, the number of frames and that many lines `frame x y`, in px, origin bottom-left,
    y up: x = x_px + 0.5, y = h - (y_px + 0.5). 3DEqualizer counts a clip's frames from 1: give
    its import an offset of 1 - the first frame's number.
    Source: the import and export scripts that come with it.

syntheyes
    One file for File > Import > Plain Text > 2-D Tracker Paths: lines `name frame u v`, a track's
    together and in rising order. u is -1 at the picture's left edge and 1 at its right, v -1 at
    the top and 1 at the bottom: the script's own scale 1 and offset 0. Frames are ours; its
    frame offset makes them SynthEyes's.
    Source: SynthEyes user manual, "Exporting" and "Importing" of 2-D tracker paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trackcore._files import write_text as write_file
from trackcore.errors import InputError
from trackcore.normalised import normalised

if TYPE_CHECKING:
    from trackcore.tracks import Tracks

_NO_DESCRIPTOR = " 1 0" + " 0" * 128
_OURS = re.compile(r"(track_-?\d+|frame_-?\d+\.png|matches)\.txt")


def write_text(tracks: Tracks, path: Path, form: str) -> list[Path]:
    """Write `tracks` to `path` in the given form; return the files written.

    Raises
    ------
    InputError
        If the form is unknown, or `path` is a folder where a file is needed or the other way.
    """
    if form not in _WRITERS:
        raise InputError(f"format: expected one of {', '.join(_WRITERS)}, got {form!r}")
    return _WRITERS[form](tracks, path)


def _write_blender(tracks: Tracks, path: Path) -> list[Path]:
    w, h = tracks.frame_size
    names = tracks.names
    places = normalised(tracks.xy_px, tracks.frame_size)
    lines = [
        "# trackcore tracks for Blender: frame x y, of the frame's size, origin bottom-left, y up",
        f"# {w} x {h} px, {tracks.fps:g} fps",
    ]
    for track, rows in _rows(tracks, places, digits=9):
        lines += [f"track {names[track]}", *rows]
    write_file(path, "\n".join(lines) + "\n")
    return [path]


def _write_nuke(tracks: Tracks, path: Path) -> list[Path]:
    _, h = tracks.frame_size
    names = tracks.names
    places = tracks.xy_px + 0.5
    places[..., 1] = h - places[..., 1]
    files = {
        f"{names[track]}.txt": "\n".join(["# trackcore: frame x y", *rows]) + "\n"
        for track, rows in _rows(tracks, places, digits=6)
    }
    return _write_folder(path, files)


def _write_colmap(tracks: Tracks, path: Path) -> list[Path]:
    images = [f"frame_{number:06d}.png" for number in tracks.frame_numbers.tolist()]
    seen = tracks.seen
    # Index of each track's line in each frame's list; meaningless where unseen.
    line = np.cumsum(seen, axis=0) - 1
    files = {
        f"{image}.txt": _colmap_features(tracks.xy_px[seen[:, frame], frame] + 0.5)
        for frame, image in enumerate(images)
    }
    files["matches.txt"] = "".join(_colmap_matches(images, seen, line))
    return _write_folder(path, files)


def _colmap_features(places: NDArray[np.float64]) -> str:
    rows = [f"{x:.6f} {y:.6f}{_NO_DESCRIPTOR}" for x, y in places.tolist()]
    return "\n".join([f"{len(rows)} 128", *rows]) + "\n"


def _colmap_matches(
    images: list[str], seen: NDArray[np.bool_], line: NDArray[np.int64]
) -> Iterator[str]:
    distance = 1
    while distance < len(images):
        for a in range(len(images) - distance):
            b = a + distance
            common = np.flatnonzero(seen[:, a] & seen[:, b])
            if len(common):
                pairs = zip(line[common, a].tolist(), line[common, b].tolist(), strict=True)
                yield f"{images[a]} {images[b]}\n" + "".join(f"{i} {j}\n" for i, j in pairs) + "\n"
        distance *= 2


def _write_3de(tracks: Tracks, path: Path) -> list[Path]:
    _, h = tracks.frame_size
    names = tracks.names
    places = tracks.xy_px + 0.5
    places[..., 1] = h - places[..., 1]
    lines = [str(int(tracks.seen.any(axis=1).sum()))]
    for track, rows in _rows(tracks, places, digits=9):
        lines += [names[track], "0", str(len(rows)), *rows]
    write_file(path, "\n".join(lines) + "\n")
    return [path]


def _write_syntheyes(tracks: Tracks, path: Path) -> list[Path]:
    names = tracks.names
    places = (tracks.xy_px + 0.5) / tracks.frame_size * 2 - 1
    lines = [
        f"{names[track]} {row}" for track, rows in _rows(tracks, places, digits=9) for row in rows
    ]
    write_file(path, "".join(f"{line}\n" for line in lines))
    return [path]


def _rows(
    tracks: Tracks, places: NDArray[np.float64], *, digits: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield (track index, its lines `frame x y`) for tracks that have a position."""
    frames = tracks.frame_numbers
    for track, seen in enumerate(tracks.seen):
        if seen.any():
            positions = zip(frames[seen].tolist(), places[track, seen].tolist(), strict=True)
            yield track, [f"{frame} {x:.{digits}f} {y:.{digits}f}" for frame, (x, y) in positions]


def _write_folder(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write `files` and remove those of an earlier export, which would mix with these."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"path: expected a folder for this format, got the file {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if _OURS.fullmatch(old.name) and old.name not in files:
            old.unlink()
    for name, text in files.items():
        write_file(folder / name, text)
    return [folder / name for name in files]


_WRITERS: dict[str, Callable[[Tracks, Path], list[Path]]] = {
    "blender": _write_blender,
    "nuke": _write_nuke,
    "colmap": _write_colmap,
    "3de": _write_3de,
    "syntheyes": _write_syntheyes,
}
FORMS = tuple(_WRITERS)
PATHS = {
    "blender": "tracks.blender.txt", "nuke": "nuke", "colmap": "colmap", "3de": "tracks.3de.txt",
    "syntheyes": "tracks.syntheyes.txt",
}  # fmt: skip
"""The file or folder of each form beside other results."""
