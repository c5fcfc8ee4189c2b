"""Camera solves that Blender's users made: their markers, cameras and points, read from files."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import trackcore as tc

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class OldSolve:
    """What a session held, in our conventions (y down, pixel centres at integers).

    `T_cam_world` (n_frames, 4, 4), `X_world` (n_tracks, 3): NaN where it had none. `lens` is the
    polynomial that bends ideal positions, in focal lengths.
    """

    tracks: tc.Tracks
    T_cam_world: F64
    X_world: F64
    focal_px: float
    principal_px: tuple[float, float]
    lens: tc.Lens

    @property
    def prior(self) -> tc.CameraPrior:
        """The camera that the session knew or found."""
        return tc.CameraPrior(
            focal_px=self.focal_px, principal_point_px=self.principal_px, lens=self.lens
        )

    def errors_px(self) -> F64:
        """(n_tracks, n_frames) reprojection errors of its markers; NaN without camera or point."""
        return errors_px(
            self.tracks, self.T_cam_world, self.X_world, self.focal_px, self.principal_px, self.lens
        )


def errors_px(
    tracks: tc.Tracks, T: F64, X: F64, focal_px: F64 | float, principal_px: Any, lens: tc.Lens
) -> F64:
    """The one measure for both: distance of each marker from its projected point."""
    Y = np.einsum("fab,nb->nfa", T[:, :3, :3], X) + T[:, :3, 3]
    focal = np.broadcast_to(focal_px, (len(T),))[None, :, None]
    ideal = Y[..., :2] / Y[..., 2:]
    flat = ideal.reshape(-1, 2)
    known = np.isfinite(flat).all(axis=1)
    flat[known] = lens.distort(flat[known])
    return np.linalg.norm(ideal * focal + principal_px - tracks.xy_px, axis=-1)


def blender_session(path: Path) -> OldSolve:
    """Read an exported session: normalised, origin bottom-left, y up, camera along -z."""
    with gzip.open(path) as file:
        data = json.load(file)
    (w, h), camera = data["size"], data["camera"]
    views = {v["frame"]: np.array(v["matrix"]) for v in data["reconstruction"]["cameras"]}
    markers = [
        {m["frame"]: m["co"] for m in track["markers"] if not m["mute"]} for track in data["tracks"]
    ]
    frames = sorted({frame for track in markers for frame in track})
    numbers = np.arange(frames[0], frames[-1] + 1)
    xy_px = np.full((len(markers), len(numbers), 2), np.nan)
    for row, track in zip(xy_px, markers, strict=True):
        for frame, (x, y) in track.items():
            row[frame - frames[0]] = x * w - 0.5, (1 - y) * h - 0.5
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    T = np.full((len(numbers), 4, 4), np.nan)
    for i, number in enumerate(numbers.tolist()):
        if number in views:
            T[i] = np.linalg.inv(views[number] @ flip)
    X = np.array([t["bundle"] if t["has_bundle"] else [np.nan] * 3 for t in data["tracks"]])
    x, y = camera["principal_point_px"]
    return OldSolve(
        tc.Tracks.from_positions(xy_px, frame_size=(w, h), first_frame=frames[0]), T, X,
        camera["focal_px"], (x - 0.5, h - 0.5 - y),
        tc.Lens("POLYNOMIAL", (camera["k1"], camera["k2"], camera["k3"])),
    )  # fmt: skip


def libmv_problem(path: Path, frame_size: tuple[int, int]) -> OldSolve:
    """Read a bundle adjustment problem: px, origin bottom-left corner, y up, camera along z."""
    data = json.loads(path.read_text())
    f, cx, cy, k1, k2, k3, *_ = data["intrinsics_f_cx_cy_k1_k2_k3_p1_p2"]
    _, h = frame_size
    images = sorted(map(int, data["cameras"]))
    ids = sorted(map(int, data["points"]))
    first, row = images[0], {track: i for i, track in enumerate(ids)}
    xy_px = np.full((len(ids), images[-1] - first + 1, 2), np.nan)
    for image, track, x, y in data["markers_image_track_x_y"]:
        if track in row and first <= image <= images[-1]:
            xy_px[row[track], image - first] = x - 0.5, h - 0.5 - y
    flip = np.diag([1.0, -1.0, 1.0])  # up is down in the picture: in the world as well
    T = np.full((xy_px.shape[1], 4, 4), np.nan)
    for image in images:
        camera = data["cameras"][str(image)]
        T[image - first] = np.eye(4)
        T[image - first, :3, :3] = flip @ np.array(camera["R"]) @ flip
        T[image - first, :3, 3] = flip @ np.array(camera["t"])
    return OldSolve(
        tc.Tracks.from_positions(xy_px, frame_size=frame_size, first_frame=first), T,
        np.array([data["points"][str(track)] for track in ids]) @ flip,
        f, (cx - 0.5, h - 0.5 - cy), tc.Lens("POLYNOMIAL", (k1, k2, k3)),
    )  # fmt: skip
