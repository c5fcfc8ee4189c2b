"""`csv`: cameras and points as tables, in our own axes (x right, y down, z forward)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from trackcore._files import write_text
from trackcore.exports.shot import Shot, number
from trackcore.solver import Solve, TrackRole

CAMERAS = "frame,x,y,z,r11,r12,r13,t1,r21,r22,r23,t2,r31,r32,r33,t3,focal_px,error_px,centre_sigma"
POINTS = "track,role,x,y,z,error_px"


def write(shot: Shot, folder: Path) -> None:
    """Write `cameras.csv` (a line per frame) and `points.csv` (a line per track).

    `x, y, z` is the camera's position; r and t are the rows of `T_cam_world`: a point X is at
    R X + t from the camera. Cells are empty where there is nothing.
    """
    folder.mkdir(exist_ok=True)
    write_text(folder / "cameras.csv", _table(CAMERAS, _camera_rows(shot.solve)))
    write_text(folder / "points.csv", _table(POINTS, _point_rows(shot.solve)))


def _table(head: str, rows: Iterable[list[str]]) -> str:
    return "".join(line + "\n" for line in [head, *map(",".join, rows)])


def _camera_rows(solve: Solve) -> Iterator[list[str]]:
    solved, centres = solve.solved, solve.centres
    for i, frame in enumerate(solve.frame_numbers.tolist()):
        pose = solve.T_cam_world[i, :3].ravel()
        numbers = [
            *([*centres[i], *pose] if solved[i] else [float("nan")] * 15),
            solve.focal_px_per_frame[i],
            solve.frame_error_px[i],
            solve.centre_sigma[i],
        ]
        yield [str(frame), *map(number, numbers)]


def _point_rows(solve: Solve) -> Iterator[list[str]]:
    for i, track in enumerate(solve.ids.tolist()):
        row = [*solve.points[i], solve.track_error_px[i]]
        yield [str(track), TrackRole(solve.role[i]).name, *map(number, row)]
