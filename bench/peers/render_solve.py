"""Render the clips of the solve suite with Blender's Workbench renderer, with exact cameras.

Run with the Python that has `bpy` (4.2 .. 4.5), numpy and opencv-python-headless:

    PYTHON_WITH_BPY bench/peers/render_solve.py [--scenes PATTERN] [--check]

Writes CACHE/NAME-FINGERPRINT/clip.avi (lossless 8-bit grey) and truth.npz for every scene of
`bench.solve_scenes` that the cache does not have. Frames are kept as they come, so that a run
that was stopped goes on where it was. --check renders Gaussian dots on the same walls instead
and compares their centroids with `Truth.project`: it writes nothing.

Lenses are resampled from an undistorted picture of twice the resolution; motion blur is the mean
of pictures over the shutter's time, symmetric about the frame's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy  # type: ignore[import-not-found]
import cv2
import numpy as np
from bench.peers.textures import MAKERS, dots
from bench.solve_clip import encode, write_whole
from bench.solve_scenes import clip_folder, matching
from bench.solve_truth import Scene, Truth, undistort
from bench.solve_worlds import Quad, Relief
from bench.walls import F64, Wall, hit
from numpy.typing import NDArray
from render_clips import (
    DOT_WINDOW_PX,
    SUPERSAMPLE,
    add_mesh,
    alone,
    centroid,
    empty_scene,
    quiet,
)

Grey = NDArray[np.float32]
Texture = Callable[[str, int, int], NDArray[np.uint8]]
BLUR_SAMPLES = 9


def main() -> None:
    """Render what the cache does not have yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", default="*", help="shell patterns of names or tags")
    parser.add_argument("--check", action="store_true", help="check the truth with dots")
    args = parser.parse_args()
    for scene in matching(args.scenes):
        if scene.world == "synth" or scene.clip_of:
            continue
        if args.check:
            check(scene)
            continue
        folder = clip_folder(scene)
        if (folder / "truth.npz").exists():
            continue
        began = time.perf_counter()
        render_scene(scene, folder)
        size_mb = (folder / "clip.avi").stat().st_size / 1e6
        say(
            f"\r{scene.name}: {scene.n_frames} frames of {scene.size[0]} x {scene.size[1]},"
            f" {size_mb:.0f} MB, {time.perf_counter() - began:.0f} s\n"
        )


def say(text: str) -> None:
    """Write progress."""
    sys.stdout.write(text)
    sys.stdout.flush()


def render_scene(scene: Scene, folder: Path) -> None:
    """Write one clip's frames, the clip, and last its truth.

    Another process may be at the same scene: then both work, and what either writes is the same.
    """
    parts, truth = folder / "parts", folder / "truth.npz"
    parts.mkdir(parents=True, exist_ok=True)
    camera = None
    paths = [parts / f"{i:04d}.png" for i in range(scene.n_frames)]
    with TemporaryDirectory() as scratch:
        for i, path in enumerate(paths):
            if path.exists():
                continue
            if i % scene.hold:
                shutil.copy(paths[i - 1], path)
                continue
            camera = camera or Camera(scene, Path(scratch))
            frame = camera.picture(i // scene.hold)
            if truth.exists():
                return
            write_whole(path, frame)
            say(f"\r{scene.name}: {i + 1}/{scene.n_frames} ")
    encode(paths, folder / "clip.avi", scene.fps)
    scene.truth().save(truth)
    shutil.rmtree(parts, ignore_errors=True)


class Camera:
    """A scene set up in Blender, and the camera that takes its pictures."""

    def __init__(self, scene: Scene, scratch: Path, texture: Texture | None = None) -> None:
        self.scene, self.scratch = scene, scratch
        texture = texture or Patterns(scene.seed)
        self.maps: tuple[Grey, Grey] | None = None
        size = scene.size
        if any(scene.distortion):
            size, self.maps = lens(scene)
        self.sharp = 1 if scene.shutter else SUPERSAMPLE
        self.size = size
        data = empty_scene((self.sharp * size[0], self.sharp * size[1]))
        data.clip_start, data.clip_end = 0.05, 300.0
        for solid in scene.solids():
            add(solid, texture, scratch)
        self.moving = []
        for mover in scene.movers():
            self.moving.append((mover, [add(w, texture, scratch) for w in mover.walls]))

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(h, w) grey levels of one frame, as a camera would store it."""
        scene = self.scene
        if scene.shutter:
            s = (np.arange(BLUR_SAMPLES) + 0.5) / BLUR_SAMPLES - 0.5
            # Where in the pixel each sample sits: spread evenly, and as often left as right.
            jitter = np.stack([np.roll(s, 4)[np.argsort(np.sin(7 * s))], s[::-1]], 1)
            shots = [
                self.sample(index + scene.shutter * ds, xy)
                for ds, xy in zip(s, jitter, strict=True)
            ]
            clean = np.mean(shots, axis=0)
        else:
            clean = self.sample(index, np.zeros(2))
        rng = np.random.default_rng([scene.seed, 4, index])
        noisy = self.lit(clean, index) + rng.normal(0, scene.noise, clean.shape)
        frame = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        if scene.jpeg:
            _, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, scene.jpeg])
            frame = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
        return frame

    def lit(self, clean: Grey, index: int) -> Grey:
        """Let the light roll over the picture, three times in a clip."""
        if not self.scene.light:
            return clean
        h, w = clean.shape
        phase = 2 * np.pi * 3 * self.scene.share(index)
        across = 2 * np.pi * (0.7 * np.arange(w)[None] / w + 0.3 * np.arange(h)[:, None] / h)
        return clean * (0.9 + self.scene.light * np.sin(phase - across))

    def sample(self, frame: float, jitter_px: F64) -> Grey:
        """(h, w) clean grey levels at one moment."""
        import mathutils  # comes with bpy  # type: ignore[import-not-found]

        scene, camera = self.scene, bpy.context.scene.camera
        focal_px = scene.focals_px([frame])[0]
        w = self.size[0]
        camera.data.lens = focal_px * 36.0 / w
        dx, dy = np.array(scene.principal_px) + jitter_px
        camera.data.shift_x, camera.data.shift_y = -dx / w, dy / w
        # Blender's camera looks along -z with y up.
        T = np.linalg.inv(scene.poses([frame])[0]) @ np.diag([1.0, -1.0, -1.0, 1.0])
        camera.matrix_world = mathutils.Matrix(T.tolist())
        for mover, objects in self.moving:
            T = mover.T_world_mover(scene.share([frame]))[0]
            for thing in objects:
                thing.matrix_world = mathutils.Matrix(T.tolist())
        return self.developed()

    def developed(self) -> Grey:
        """Render, bend the rays, and average over each pixel."""
        path = self.scratch / "render.bmp"
        bpy.context.scene.render.filepath = str(path)
        with quiet():
            bpy.ops.render.render(write_still=True)
        fine = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32)
        path.unlink()
        if self.maps is not None:
            fine = cv2.remap(fine, *self.maps, cv2.INTER_CUBIC)
        n, (h, w) = self.sharp, fine.shape
        return fine.reshape(h // n, n, w // n, n).mean((1, 3))


def lens(scene: Scene) -> tuple[tuple[int, int], tuple[Grey, Grey]]:
    """Size [px] of the undistorted picture, and where in it each fine sample looks."""
    w, h = scene.size
    focal_px = scene.focals_px([0])[0]
    n = SUPERSAMPLE
    # Sample i of a row is (i + 0.5) / n - 0.5 of the pixels, whose centres are at integers.
    x = ((np.arange(w * n) + 0.5) / n - w / 2) / focal_px
    y = ((np.arange(h * n) + 0.5) / n - h / 2) / focal_px
    far = undistort(np.stack(np.meshgrid(x, y), -1), scene.distortion) * focal_px
    reach = np.abs(far).max((0, 1)) + 4
    wide = [int(np.ceil(r)) * 2 for r in reach]
    columns, rows = ((far[..., i] + wide[i] / 2) * n - 0.5 for i in (0, 1))
    return (wide[0], wide[1]), (columns.astype(np.float32), rows.astype(np.float32))


class Patterns:
    """The textures of a scene: each solid gets one of a few of its kind and size, by a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 3])

    def __call__(self, kind: str, w: int, h: int) -> NDArray[np.uint8]:
        """(h, w) grey levels for the next solid."""
        return pattern(kind, w, h, int(self.rng.integers(4)))


@lru_cache(maxsize=64)
def pattern(kind: str, w: int, h: int, seed: int) -> NDArray[np.uint8]:
    """Make one texture."""
    return MAKERS[kind](w, h, np.random.default_rng(seed))


def add(solid: Quad | Relief, texture: Texture, scratch: Path) -> Any:
    """Add a solid to the Blender scene."""
    if isinstance(solid, Quad):
        corner, u, v = (np.array(e) for e in (solid.corner, solid.edge_u, solid.edge_v))
        vertices = np.array([corner, corner + u, corner + u + v, corner + v])
        faces, uv = np.arange(4)[None], np.array([(0, 1), (1, 1), (1, 0), (0, 0)])
        image = texture(solid.texture, *solid.texture_size)
        return add_mesh(vertices, faces, uv, image, scratch / "texture.png")
    n = solid.cells + 1
    first = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.stack([first, first + 1, first + n + 1, first + n], 1)
    uv = np.stack(np.meshgrid(*[np.linspace(0, 1, n)] * 2), -1).reshape(-1, 2)[faces.ravel()]
    side = 2 ** int(np.clip(round(np.log2(solid.side_m * solid.px_per_m)), 6, 12))
    image = texture(solid.texture, side, side)
    return add_mesh(solid.vertices().reshape(-1, 3), faces, uv, image, scratch / "texture.png")


def check(scene: Scene) -> None:
    """Paint dots on the flat walls and compare where they are seen with the truth."""
    painted: list[F64] = []

    def dotted(_: str, w: int, h: int) -> NDArray[np.uint8]:
        image, ab = dots(w, h, spacing=104, sigma=3.5)
        painted.append(ab)
        return image

    truth = scene.truth()
    errors = []
    with TemporaryDirectory() as folder:
        camera = Camera(replace(scene, shutter=0.0), Path(folder), dotted)
        on = zip(scene.solids(), painted, strict=False)
        places = [(s, ab) for s, ab in on if isinstance(s, Quad)]
        n_still = len(scene.solids())
        for i in sorted({0, (scene.n_frames - 1) // 2, scene.n_frames - 1}):
            u = float(scene.share(i // scene.hold))
            moved = [w for mover in scene.movers() for w in mover.walls_at(u)]
            now = [*places, *zip(moved, painted[n_still:], strict=True)]
            image = camera.sample(i // scene.hold, np.zeros(2))
            errors += dot_errors(truth, i, now, image)
    e = np.array([d for d in errors if np.isfinite(d).all()]).reshape(-1, 2)
    if not len(e):
        say(f"{scene.name}: no dot in sight\n")
        return
    say(
        f"{scene.name}: {len(e)} dots, median error {np.median(e, 0).round(4)} px,"
        f" median distance {np.median(np.linalg.norm(e, axis=1)):.4f}\n"
    )


def dot_errors(truth: Truth, frame: int, places: list[tuple[Wall, F64]], image: Grey) -> list[F64]:
    """Centroid less projection [px] of the dots that are in sight and alone in their window."""
    half, (w, h) = DOT_WINDOW_PX // 2, truth.size
    walls = tuple(wall for wall, _ in places)
    X, owner = [np.empty((0, 3))], [np.empty(0, int)]
    for i, (wall, ab) in enumerate(places):
        X.append(
            wall.corner + ab[:, :1] * np.array(wall.edge_u) + ab[:, 1:] * np.array(wall.edge_v)
        )
        owner.append(np.full(len(ab), i))
    p, wall_of = truth.project(np.concatenate(X), frame), np.concatenate(owner)
    inside = (p > half + 2).all(1) & (p[:, 0] < w - half - 3) & (p[:, 1] < h - half - 3)
    p, wall_of = p[inside], wall_of[inside]
    R, centre = truth.T_cam_world[frame, :3, :3], truth.centers_m[frame]
    seen = np.ones(len(p), bool)
    for dx in (-half, 0, half):
        for dy in (-half, 0, half):
            rays = truth.rays(p + np.array([dx, dy]), frame)
            which, _ = hit(walls, centre, np.column_stack([rays, np.ones(len(p))]) @ R)
            seen &= which == wall_of
    return [centroid(image, q, half) - q for q in p[seen] if alone(p, q, half)]


if __name__ == "__main__":
    main()
