"""A furnished room and a moving camera, both known exactly: the scene of `trackcore demo`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore._check import Dims
from trackcore.synth._args import image_size, non_negative, seed_number, whole
from trackcore.synth._formulas import Floats
from trackcore.synth._room import furnished_room
from trackcore.synth._surfaces import View
from trackcore.synth.cameras import intrinsics, look_at, project
from trackcore.synth.images import develop
from trackcore.synth.motion import frame_index, nan_outside

FOCAL_PER_WIDTH = 0.85  # 61 degrees across: a phone's main camera, or 30 mm on full frame


class ParallaxScene:
    """A room with walls, posters, boxes and a post near the camera, which moves through it.

    Parameters
    ----------
    seed : int
        Of textures, furniture and noise.
    size : (w, h)
        Of the frames [px].
    n_frames : int
        The camera's path is the same for any number; its speed is not.
    noise : float
        Standard deviation of Gaussian noise [grey levels].

    Attributes
    ----------
    fps : float
    K : (3, 3) float64
        Camera matrix [px].
    T_cam_world : (n_frames, 4, 4) float64
        Poses: world [m] to camera, x right, y down, z forward.
    P_img_world : (n_frames, 3, 4) float64
        Projections, world [m] to image [px].
    """

    fps = 25.0

    def __init__(
        self,
        seed: int = 0,
        *,
        size: tuple[int, int] = (640, 360),
        n_frames: int = 60,
        noise: float = 1.0,
    ) -> None:
        self.seed, self.size = seed_number(seed), image_size(size)
        self.noise = non_negative("noise", noise)
        n = whole("n_frames", n_frames, 1)
        self.K = intrinsics(FOCAL_PER_WIDTH * self.size[0], self.size)
        self.T_cam_world = np.stack([_pose(t) for t in np.arange(n) / max(n - 1, 1)])
        self.P_img_world = self.K @ self.T_cam_world[:, :3]
        self._rectangles = furnished_room(np.random.default_rng([self.seed, 0]))

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.T_cam_world)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Return one frame (h, w); the same bytes whatever was rendered before."""
        i = frame_index(index, len(self))
        picture = develop(
            self._view(i).render(self.size), np.dtype(np.uint8), noise=self.noise,
            shot_noise=0.0, rng=np.random.default_rng([self.seed, 1, i]),
        )  # fmt: skip
        return picture.astype(np.uint8, copy=False)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all frames in order."""
        return map(self.frame, range(len(self)))

    def sample(self, xy_px: ArrayLike, frame: int) -> Floats:
        """Return what noise-free pixels centred at any positions would show.

        Parameters
        ----------
        xy_px : (n, 2) float
            Positions in `frame` [px]; on an edge, the surface at the centre counts.
        frame : int

        Returns
        -------
        (n,) float64
            Grey levels; NaN where `xy_px` is.
        """
        xy, view = self._known(xy_px), self._view(frame_index(frame, len(self)))
        valid = np.isfinite(xy).all(axis=1)
        grey = np.full(len(xy), np.nan)
        if valid.any():
            x, y = xy[valid].T
            grey[valid] = view.shade(view.cast(x, y)[0], x, y)
        return grey

    def surface_points(self, xy_px: ArrayLike, frame: int = 0) -> Floats:
        """Return the points of the room that pixels show.

        Parameters
        ----------
        xy_px : (n, 2) float
            Positions in `frame` [px].
        frame : int

        Returns
        -------
        (n, 3) float64
            World [m]; NaN where the ray hits nothing or `xy_px` is NaN.
        """
        i, xy = frame_index(frame, len(self)), self._known(xy_px)
        X = np.full((len(xy), 3), np.nan)
        valid = np.flatnonzero(np.isfinite(xy).all(axis=1))
        if len(valid):
            x, y = xy[valid].T
            inverse_depth = self._view(i).cast(x, y)[1]
            inverse_depth[inverse_depth == 0] = np.nan
            rays = np.column_stack([x, y, np.ones(len(x))]) @ np.linalg.inv(self.K).T
            pose = self.T_cam_world[i]
            X[valid] = (rays / inverse_depth[:, None] - pose[:3, 3]) @ pose[:3, :3]
        return X

    def project(self, X_world: ArrayLike, frame: int) -> Floats:
        """Return where one frame's camera sees points, (n, 2) [px]; NaN behind it."""
        i = frame_index(frame, len(self))
        return project(self.P_img_world[i : i + 1], X_world)[:, 0]

    def track_truth(self, xy_px: ArrayLike, frame: int = 0) -> Floats:
        """Return where surface points seen in one frame are in all frames.

        Parameters
        ----------
        xy_px : (n, 2) float
            Positions in `frame` [px].
        frame : int

        Returns
        -------
        (n, n_frames, 2) float64
            Exact positions [px]; NaN where hidden by something nearer or outside the picture.
        """
        X = self.surface_points(xy_px, frame)
        seen = nan_outside(project(self.P_img_world, X), self.size)
        for i in range(len(self)):
            view = self._view(i)
            now = np.flatnonzero(np.isfinite(seen[:, i]).all(axis=1))
            if not len(now):
                continue
            x, y = seen[now, i].T
            _, nearest = view.cast(x, y)
            depth = X[now] @ self.T_cam_world[i, 2, :3] + self.T_cam_world[i, 2, 3]
            seen[now[nearest * depth > 1 + 1e-9], i] = np.nan
        return seen

    def truth(self) -> dict[str, Any]:
        """Return camera and poses as plain numbers, ready for JSON."""
        return {
            "size": list(self.size),
            "fps": self.fps,
            "seed": self.seed,
            "K": self.K.tolist(),
            "T_cam_world": self.T_cam_world.tolist(),
        }

    def _view(self, frame: int) -> View:
        return View(self._rectangles, self.P_img_world[frame])

    def _known(self, xy_px: ArrayLike) -> Floats:
        return Dims().array("xy_px", xy_px, ("n_points", 2))


def _pose(t: float) -> Floats:
    """Return the camera's pose at path position t, 0 .. 1: an arc, a little hand-held."""
    turn = 2 * np.pi * t
    eye = (-0.7 + 1.4 * t, -1.4 - 0.1 * np.sin(turn), 0.1 + 0.6 * t + 0.1 * np.sin(turn / 2))
    target = (-0.1 + 0.12 * np.sin(turn / 2), -0.82 + 0.05 * np.sin(1.5 * turn), 4.4)
    return look_at(eye, target, roll_rad=np.deg2rad(1.5) * np.sin(turn))
