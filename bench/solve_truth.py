"""What a scene of the solve suite is, and what is known about its clip.

Numpy only: the renderer inside Blender imports it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from bench.solve_paths import Path, spline
from bench.solve_worlds import WORLDS, Mover, Quad, Solid, Traffic, movers
from bench.walls import F64, hit, project
from numpy.typing import ArrayLike, NDArray

RENDERER_VERSION = 1
KINDS = ("free", "planar", "tripod", "zoom", "tripod_zoom")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One scene; the same text gives the same clip. Lengths [m], angles [deg].

    `kind` is what the shot is; `expect` is "solve", or "weak" for input that does not determine
    a camera. A scene with `clip_of` uses that scene's clip, and differs in what the runner does.
    """

    name: str
    world: str = "room"
    path: Path = Path()  # noqa: RUF009 (frozen)
    kind: str = "free"
    n_frames: int = 72
    fps: float = 25.0
    size: tuple[int, int] = (960, 540)
    focal: tuple[float, ...] = (0.8,)  # focal length over the frame's width, knots over the clip
    principal_px: tuple[float, float] = (0.0, 0.0)  # from the frame's centre
    distortion: tuple[float, float] = (0.0, 0.0)  # k1, k2 of x (1 + k1 r^2 + k2 r^4)
    noise: float = 1.0  # one standard deviation [grey levels]
    jpeg: int = 0  # quality each frame was compressed with; 0: not
    shutter: float = 0.0  # share of a frame's time that it is open
    light: float = 0.0  # brightness swings by this share, rolling over the picture
    traffic: Traffic | None = None
    hold: int = 1  # each frame is shown so many times
    seed: int = 0
    # What the runner does: no part of the clip.
    clip_of: str = ""
    corrupt: float = 0.0  # share of the tracks made wrong
    keep_tracks: int = 0  # so many tracks are given to the solver; 0: all
    told_kind: str = ""  # `ShotKind` the solver is told; "": it finds out
    told_focal: float = 0.0  # focal length the solver is told, over the true one; 0: none
    expect: str = "solve"
    tags: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Identify the clip: everything that goes into its pictures."""
        runner = ("name", "clip_of", "corrupt", "keep_tracks", "expect", "tags")
        runner += ("told_kind", "told_focal")
        own = [(f.name, getattr(self, f.name)) for f in fields(self) if f.name not in runner]
        text = repr((RENDERER_VERSION, own, self.solids(), self.movers()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def texels_per_m(self) -> float:
        """Resolution of textures about 4 m away: finer than the picture's."""
        return 0.32 * self.size[0] * self.focal[0]

    def solids(self) -> list[Solid]:
        """What stands still."""
        if self.world not in WORLDS:
            return []
        return WORLDS[self.world](np.random.default_rng([self.seed, 1]), self.texels_per_m)

    def movers(self) -> list[Mover]:
        """What moves."""
        if self.traffic is None:
            return []
        return movers(self.traffic, np.random.default_rng([self.seed, 2]), self.texels_per_m)

    def share(self, frame: ArrayLike) -> F64:
        """Share 0..1 of the clip at frame indices, which may be fractions."""
        n = max(-(-self.n_frames // self.hold) - 1, 1)
        return np.asarray(frame, np.float64) / n

    def poses(self, frame: ArrayLike) -> F64:
        """(n, 4, 4) `T_cam_world` at frame indices, which may be fractions."""
        index = np.asarray(frame, np.float64)
        return self.path.poses(self.share(index), index / self.fps, self.seed)

    def focals_px(self, frame: ArrayLike) -> F64:
        """(n,) focal lengths [px] at frame indices."""
        return self.size[0] * spline(self.focal, self.share(frame))[:, 0]

    def truth(self) -> Truth:
        """Make the exact cameras of all frames."""
        index = np.arange(self.n_frames) // self.hold
        w, h = self.size
        centre = (np.array([w, h]) - 1) / 2 + self.principal_px
        return Truth(
            T_cam_world=self.poses(index), focal_px=self.focals_px(index), principal_px=centre,
            distortion=np.array(self.distortion), size=self.size, fps=self.fps, kind=self.kind,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Exact cameras of a clip: x right, y down, z forward, pixel centres at integers.

    `T_cam_world` (n, 4, 4) [m], `focal_px` (n,), `principal_px` (2,); `distortion` k1, k2: with
    (x, y) = X / Z, Y / Z in the camera and r^2 = x^2 + y^2, the pixel is
    focal (x, y) (1 + k1 r^2 + k2 r^4) + principal. `kind` as in `Scene`.
    """

    T_cam_world: F64
    focal_px: F64
    principal_px: F64
    distortion: F64
    size: tuple[int, int]
    fps: float
    kind: str

    def __len__(self) -> int:
        return len(self.T_cam_world)

    @property
    def centers_m(self) -> F64:
        """(n, 3) camera centres in the world."""
        R, t = self.T_cam_world[:, :3, :3], self.T_cam_world[:, :3, 3]
        return -np.einsum("nji,nj->ni", R, t)

    def project(self, X_world: F64, frame: int) -> F64:
        """(m, 2) pixels of (m, 3) points in one frame; NaN behind the camera."""
        xy = project(np.eye(3), self.T_cam_world[frame], X_world)
        return self.focal_px[frame] * distort(xy, self.distortion) + self.principal_px

    def rays(self, xy_px: F64, frame: int) -> F64:
        """(m, 2) undistorted x = X / Z, y = Y / Z in the camera of (m, 2) pixels."""
        return undistort((xy_px - self.principal_px) / self.focal_px[frame], self.distortion)

    def save(self, path: FilePath) -> None:
        """Write an .npz file."""
        np.savez(path, **{f.name: getattr(self, f.name) for f in fields(self)})

    @staticmethod
    def read(path: FilePath) -> Truth:
        """Read what `save` wrote."""
        with np.load(path) as data:
            values: dict[str, Any] = {name: data[name] for name in data.files}
        w, h = values["size"]
        values.update(size=(int(w), int(h)), fps=float(values["fps"]), kind=str(values["kind"]))
        return Truth(**values)


def distort(xy: F64, k: ArrayLike) -> F64:
    """(m, 2) distorted normalised coordinates."""
    k1, k2 = np.asarray(k, np.float64)
    r2 = (xy**2).sum(-1, keepdims=True)
    return xy * (1 + r2 * (k1 + r2 * k2))


def undistort(xy: F64, k: ArrayLike) -> F64:
    """Invert `distort` by Newton's method on the radius."""
    k1, k2 = np.asarray(k, np.float64)
    if k1 == 0 and k2 == 0:
        return xy
    far = np.sqrt((xy**2).sum(-1, keepdims=True))
    r = far.copy()
    for _ in range(12):
        r2 = r * r
        r -= (r * (1 + r2 * (k1 + r2 * k2)) - far) / (1 + r2 * (3 * k1 + 5 * r2 * k2))
    return xy * np.divide(r, far, out=np.ones_like(r), where=far > 0)


def on_movers(scene: Scene, truth: Truth, xy_px: F64, frame: int) -> NDArray[np.bool_]:
    """(m,) whether pixels of one frame show something that moves (worlds of flat walls only)."""
    moving = scene.movers()
    still = [s for s in scene.solids() if isinstance(s, Quad)]
    u = float(scene.share(frame // scene.hold))
    walls = [*still, *(w for m in moving for w in m.walls_at(u))]
    T = truth.T_cam_world[frame]
    rays = np.column_stack([truth.rays(xy_px, frame), np.ones(len(xy_px))]) @ T[:3, :3]
    which, _ = hit(tuple(walls), truth.centers_m[frame], rays)
    return which >= len(still)
