"""Render the benchmark clips with Blender's Workbench renderer, with exact truth for every point.

Run with the Python that has `bpy` (4.2 .. 4.5), numpy and opencv-python-headless:

    PYTHON_WITH_BPY bench/peers/render_clips.py CACHE [--clip NAME] [--force]

Writes CACHE/NAME/0001.png ... (8-bit grey) and CACHE/NAME/truth.npz: K, T_cam_world (n, 4, 4),
walls (m, 3, 3: corner, edge_u, edge_v) [m], start_px (p, 2), xy_px (p, n, 2; NaN where out of
frame or hidden), dot_error_px, fingerprint. A clip already there and unchanged is
left alone. No part of the pictures comes from trackcore or OpenCV's interpolation: Blender
samples mip-mapped textures at four points per pixel, whose mean (an exact box) is the pixel.

The conventions are checked, not trusted: each scene is rendered again with bright dots as
textures, and the dots' centroids are compared with the projection that makes the truth
(`dot_error_px`: per-dot x and y differences [px]). Rendering stops if that is off.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy  # type: ignore[import-not-found]
import cv2
import numpy as np
from numpy.typing import NDArray
from scenes import CLIPS, F64, ClipSpec, Wall, lift, on_one_wall, project, truth
from textures import MAKERS, dots

SUPERSAMPLE = 2
N_POINTS = 200
EDGE_PX = 24  # start points keep this distance from the frame's border
HALF_PATCH_PX = 16  # and show one wall only within this distance
DOT_WINDOW_PX = 23
MAX_DOT_BIAS_PX = 0.01


def main() -> None:
    """Render what the cache does not have yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--clip", action="append", choices=[c.name for c in CLIPS])
    parser.add_argument("--force", action="store_true")
    args = parser.parse_args()
    for spec in CLIPS:
        folder = args.cache / spec.name
        if args.clip and spec.name not in args.clip:
            continue
        if is_current(spec, folder) and not args.force:
            sys.stdout.write(f"{spec.name}: cached\n")
            continue
        began = time.perf_counter()
        folder.mkdir(parents=True, exist_ok=True)
        error_px, n_points = render_clip(spec, folder)
        spread = np.sqrt(np.median(error_px**2))
        sys.stdout.write(
            f"{spec.name}: {spec.n_frames} frames, {n_points} points, dots: n {len(error_px)},"
            f" mean {error_px.mean(0).round(4)} px, rms/axis {error_px.std():.4f},"
            f" median abs {spread:.4f}, {time.perf_counter() - began:.0f} s\n"
        )
        sys.stdout.flush()


def is_current(spec: ClipSpec, folder: Path) -> bool:
    """Whether the folder holds this very clip."""
    path = folder / "truth.npz"
    return path.exists() and str(np.load(path)["fingerprint"]) == spec.fingerprint()


def render_clip(spec: ClipSpec, folder: Path) -> tuple[F64, int]:
    """Write one clip's frames and truth; return its dot check and the number of points."""
    cameras = spec.cameras()
    error_px = check_with_dots(spec, cameras, folder)
    if np.abs(error_px.mean(0)).max() > MAX_DOT_BIAS_PX:
        raise RuntimeError(f"{spec.name}: dots are off by {error_px.mean(0)} px on average")
    rng = np.random.default_rng(spec.seed)
    images = [MAKERS[wall.texture](*wall.texture_size, rng) for wall in spec.walls]
    build_scene(spec, images, folder)
    first = np.empty(0)
    for i, T in enumerate(cameras):
        clean = render(T, folder)
        gain = 1 + spec.exposure * np.sin(2 * np.pi * i / spec.n_frames)
        noisy = clean * gain + rng.normal(0, spec.noise, clean.shape)
        frame = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{i + 1:04d}.png"), frame)
        first = frame if i == 0 else first
    start_px = corners(spec, cameras[0], first, rng)
    np.savez(
        folder / "truth.npz",
        K=spec.K,
        T_cam_world=cameras,
        walls=np.array([(w.corner, w.edge_u, w.edge_v) for w in spec.walls]),
        start_px=start_px,
        xy_px=truth(spec, cameras, start_px),
        dot_error_px=error_px,
        fingerprint=spec.fingerprint(),
    )
    return error_px, len(start_px)


def corners(
    spec: ClipSpec, T_cam_world: F64, frame: NDArray[np.uint8], rng: np.random.Generator
) -> F64:
    """(n, 2) good corners at random sub-pixel offsets whose patch lies on one wall."""
    w, h = spec.size
    mask = np.zeros((h, w), np.uint8)
    mask[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX] = 255
    found = cv2.goodFeaturesToTrack(cv2.blur(frame, (3, 3)), 1500, 0.01, 18, mask=mask, blockSize=9)
    xy_px = found[:, 0].astype(np.float64)
    xy_px += rng.uniform(-0.5, 0.5, xy_px.shape)
    xy_px = xy_px[on_one_wall(spec, T_cam_world, xy_px, HALF_PATCH_PX)]
    return rng.permutation(xy_px)[:N_POINTS]


def build_scene(spec: ClipSpec, images: list[NDArray[np.uint8]], folder: Path) -> None:
    """Set up an empty Blender scene with the textured walls and a camera."""
    w, h = spec.size
    camera = empty_scene((SUPERSAMPLE * w, SUPERSAMPLE * h))
    camera.lens = spec.focal_px * 36.0 / w
    camera.clip_start, camera.clip_end = 0.05, 200.0
    for wall, image in zip(spec.walls, images, strict=True):
        add_wall(wall, image, folder / "texture.png")


def empty_scene(size: tuple[int, int]) -> Any:
    """Start afresh: a camera with a sensor 36 mm wide, and nothing to see; returns its data."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    # Grey levels out as they went in: no view transform, no dither, no blending of samples.
    scene.view_settings.view_transform = "Raw"
    scene.render.dither_intensity = 0.0
    scene.render.image_settings.file_format = "BMP"
    scene.render.image_settings.color_mode = "BW"
    scene.display.render_aa = "OFF"
    scene.display.shading.light = "FLAT"
    scene.display.shading.color_type = "TEXTURE"
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    scene.camera = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(scene.camera)
    return data


def add_wall(wall: Wall, image: NDArray[np.uint8], scratch: Path) -> None:
    """Add one textured parallelogram; the texture's first row lies along `edge_u`."""
    corner, u, v = (np.array(e) for e in (wall.corner, wall.edge_u, wall.edge_v))
    vertices = np.array([corner, corner + u, corner + u + v, corner + v])
    uv = np.array(((0, 1), (1, 1), (1, 0), (0, 0)))
    add_mesh(vertices, np.arange(4)[None], uv, image, scratch)


def add_mesh(
    vertices: F64, faces: NDArray[Any], uv: NDArray[Any], image: NDArray[np.uint8], scratch: Path
) -> Any:
    """Add a mesh with one texture: (n, 3) vertices, (m, 4) faces, (4 m, 2) uv; its object."""
    mesh = bpy.data.meshes.new("wall")
    mesh.from_pydata(vertices.tolist(), [], faces.tolist())
    layer = mesh.uv_layers.new()
    for loop, at in zip(layer.data, uv.tolist(), strict=True):
        loop.uv = at
    cv2.imwrite(str(scratch), image)
    picture = bpy.data.images.load(str(scratch))
    picture.colorspace_settings.name = "Non-Color"
    picture.pack()
    scratch.unlink()
    material = bpy.data.materials.new("wall")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image, node.extension = picture, "EXTEND"
    material.node_tree.nodes.active = node
    mesh.materials.append(material)
    thing = bpy.data.objects.new("wall", mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def render(T_cam_world: F64, folder: Path) -> NDArray[np.float32]:
    """(h, w) float32 grey levels of one frame: the mean of SUPERSAMPLE^2 samples per pixel."""
    import mathutils  # comes with bpy  # type: ignore[import-not-found]

    scene = bpy.context.scene
    # Blender's camera looks along -z with y up.
    T_world_cam = np.linalg.inv(T_cam_world) @ np.diag([1.0, -1.0, -1.0, 1.0])
    scene.camera.matrix_world = mathutils.Matrix(T_world_cam.tolist())
    path = folder / "render.bmp"
    scene.render.filepath = str(path)
    with quiet():
        bpy.ops.render.render(write_still=True)
    fine = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32)
    path.unlink()
    h, w = fine.shape
    return fine.reshape(h // SUPERSAMPLE, SUPERSAMPLE, w // SUPERSAMPLE, SUPERSAMPLE).mean((1, 3))


def check_with_dots(spec: ClipSpec, cameras: F64, folder: Path) -> F64:
    """(n, 2) centroid minus projection [px] of dots painted on the walls, in three frames."""
    painted = [dots(*wall.texture_size, spacing=48, sigma=2.5) for wall in spec.walls]
    build_scene(spec, [image for image, _ in painted], folder)
    X_world, owner = [], []
    for i, (wall, (_, ab)) in enumerate(zip(spec.walls, painted, strict=True)):
        corner, u, v = (np.array(e) for e in (wall.corner, wall.edge_u, wall.edge_v))
        X_world.append(corner + ab[:, :1] * u + ab[:, 1:] * v)
        owner.append(np.full(len(ab), i))
    X, wall_of = np.concatenate(X_world), np.concatenate(owner)
    errors = []
    for i in (0, len(cameras) // 2, len(cameras) - 1):
        image = render(cameras[i], folder)
        p = project(spec.K, cameras[i], X)
        half = DOT_WINDOW_PX // 2
        w, h = spec.size
        inside = (p > half + 2).all(1) & (p[:, 0] < w - half - 3) & (p[:, 1] < h - half - 3)
        p, seen_wall = p[inside], wall_of[inside]
        seen = lift(spec, cameras[i], p)[0] == seen_wall
        seen &= on_one_wall(spec, cameras[i], p, half + 2)
        errors += [centroid(image, q, half) - q for q in p[seen] if alone(p, q, half)]
    return np.array([e for e in errors if np.isfinite(e).all()])


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the lines Blender's C code writes for every frame."""
    sys.stdout.flush()
    keep = os.dup(1)
    with Path(os.devnull).open("w") as sink:
        os.dup2(sink.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(keep, 1)
        os.close(keep)


def alone(p: F64, q: F64, half: int) -> bool:
    """Whether no other dot reaches into the window about q."""
    return int((np.abs(p - q).max(1) < 2 * half).sum()) == 1


def centroid(image: NDArray[np.float32], q: F64, half: int) -> F64:
    """(2,) centre of brightness about q; NaN where the dot does not fit the window."""
    x0, y0 = (int(v) for v in np.rint(q))
    patch = image[y0 - half : y0 + half + 1, x0 - half : x0 + half + 1]
    rim = np.concatenate([patch[0], patch[-1], patch[:, 0], patch[:, -1]])
    if rim.max() > 1.5 or patch.max() < 40:
        return np.full(2, np.nan)
    ys, xs = np.mgrid[y0 - half : y0 + half + 1, x0 - half : x0 + half + 1]
    return np.array([(patch * xs).sum(), (patch * ys).sum()]) / patch.sum()


if __name__ == "__main__":
    main()
