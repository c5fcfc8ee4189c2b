"""`ply`: points and the camera's path as one cloud; the path's neighbours are joined by edges.

World y up: x right, y up, z backward. Source: Turk, "The PLY Polygon File Format" (1994).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trackcore._files import write_text
from trackcore.exports.shot import Y_UP, Shot, number
from trackcore.solver import Solve

_POINT, _CAMERA = (230, 230, 230), (255, 120, 0)
_HEAD = """ply
format ascii 1.0
comment trackcore: points (grey), then camera positions by frame (orange); y up
element vertex {n}
property double x
property double y
property double z
property uchar red
property uchar green
property uchar blue
property int number
element edge {edges}
property int vertex1
property int vertex2
end_header
"""


def write(shot: Shot, path: Path) -> None:
    """Write vertices (points with track ids, cameras with frame numbers as `number`) and edges.

    There is no edge across frames that were not solved.
    """
    solve = shot.solve
    points, solved = solve.points[solve.bundled], np.flatnonzero(solve.solved)
    places = np.concatenate([points, solve.centres[solved]]) @ Y_UP.T
    colours = [_POINT] * len(points) + [_CAMERA] * len(solved)
    numbers = [*solve.ids[solve.bundled].tolist(), *solve.frame_numbers[solved].tolist()]
    joined = len(points) + np.flatnonzero(np.diff(solved) == 1)
    rows = [
        f"{' '.join(map(number, place))} {r} {g} {b} {called}\n"
        for place, (r, g, b), called in zip(places, colours, numbers, strict=True)
    ]
    edges = [f"{a} {a + 1}\n" for a in joined.tolist()]
    head = _HEAD.format(n=len(rows), edges=len(edges))
    write_text(path, "".join([head, *rows, *edges]))


def lost(_: Solve) -> list[str]:
    """Say what a cloud cannot hold of a solve."""
    return ["where cameras look, their lens and rate", "the grade and its reasons", "2-D tracks"]
