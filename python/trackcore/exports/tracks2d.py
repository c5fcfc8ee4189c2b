"""`3de`, `syntheyes`: 2-D tracks as text, by `tracks_text`: all that are given, also outliers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trackcore import tracks_text
from trackcore.exports.shot import Shot
from trackcore.solver import Solve


def writer(form: str) -> Callable[[Shot, Path], None]:
    """Return what writes the tracks in a form of `trackcore.tracks_text`."""

    def write(shot: Shot, path: Path) -> None:
        if shot.tracks is not None:
            tracks_text.write_text(shot.tracks, path, form)

    return write


def lost(_: Solve) -> list[str]:
    """Say what 2-D tracks do not hold of a solve."""
    return ["cameras, points, the lens and the grade: only where tracks were seen"]
