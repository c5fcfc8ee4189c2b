"""Seeded grey textures for the rendered clips: four procedural kinds and one of real photographs.

Every maker takes a size and a random generator and returns (h, w) uint8. They differ on purpose:
sharp edges at every scale (leaves), broadband (rock), straight edges that nearly repeat (facade),
weak and smooth (plaster), and camera pictures with their own blur and compression (photos).
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

# Permissively licensed clips of the project's test data (CC BY 4.0, P. Abeles, BoofCV-Data).
PHOTO_CLIPS = (
    "boof_zoom_shake_rotate/zoom.mjpeg",
    "boof_zoom_shake_rotate/rotate.mjpeg",
    "boof_zoom_shake_rotate/shake.mjpeg",
    "boof_sweeps/highway_bridge_jitter.mp4",
    "boof_sweeps/parking_lot_scan.mp4",
    "boof_sweeps/river_overview_long_sweep.mp4",
)


def leaves(w: int, h: int, rng: np.random.Generator) -> Grey:
    """Dead leaves: discs and boxes over each other, sizes by a power law, as natural scenes are."""
    image = np.full((h, w), 128, np.uint8)
    n = w * h // 150
    # In random order: drawn by size, the large would hide the small or never be hidden.
    radius = 3.5 * (1.0 - rng.uniform(0.0, 0.9995, n)) ** -0.5
    x, y = rng.uniform(0, w, n), rng.uniform(0, h, n)
    shade, turn, flat = rng.uniform(30, 225, n), rng.uniform(0, 180, n), rng.uniform(0.3, 1.0, n)
    for i in range(n):
        centre = (int(x[i] * 16), int(y[i] * 16))
        axes = (int(radius[i] * 16), int(radius[i] * flat[i] * 16))
        if i % 3:
            cv2.ellipse(image, centre, axes, turn[i], 0, 360, shade[i], -1, cv2.LINE_AA, 4)
        else:
            box = cv2.boxPoints(((x[i], y[i]), (2 * radius[i], 2 * axes[1] / 16), turn[i]))
            cv2.fillConvexPoly(image, np.int32(box * 16), shade[i], cv2.LINE_AA, 4)
    return image


def rock(w: int, h: int, rng: np.random.Generator) -> Grey:
    """Noise with a 1/f^1.1 spectrum up to half the sampling limit."""
    fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :]
    f = np.maximum(np.hypot(fx, fy), 1.0 / 256)
    spectrum = np.fft.rfft2(rng.standard_normal((h, w))) * f**-1.1 * np.exp(-((f / 0.25) ** 4))
    wave = np.fft.irfft2(spectrum, s=(h, w))
    return _to_grey(128 + 48 * wave / wave.std())


def facade(w: int, h: int, rng: np.random.Generator) -> Grey:
    """Rows of windows, each a little different, on brick noise: repeats, but never exactly."""
    image = cv2.resize(rock(w // 2, h // 2, rng), (w, h), interpolation=cv2.INTER_CUBIC)
    image = (150 + 0.4 * (image.astype(np.float32) - 128)).astype(np.uint8)
    step = 128
    for y0 in range(0, h, step):
        for x0 in range(0, w, step):
            jx, jy, jw, jh = rng.integers(-12, 13, 4)
            left, top = x0 + 24 + int(jx), y0 + 20 + int(jy)
            size_w, size_h = 76 + int(jw), 86 + int(jh)
            dark, far = int(rng.integers(20, 100)), (left + size_w, top + size_h)
            cv2.rectangle(image, (left, top), far, dark, -1)
            for _ in range(7):
                a = (left + int(rng.integers(0, size_w)), top + int(rng.integers(0, size_h)))
                b = (left + int(rng.integers(0, size_w)), top + int(rng.integers(0, size_h)))
                shade, width = int(rng.integers(90, 250)), int(rng.integers(1, 5))
                cv2.line(image, a, b, shade, width, cv2.LINE_AA)
    return image


def plaster(w: int, h: int, rng: np.random.Generator) -> Grey:
    """Weak smooth shading with a few soft specks: hard to track, but not impossible."""
    shade = cv2.resize(rock(w // 4, h // 4, rng), (w, h), interpolation=cv2.INTER_CUBIC)
    image = 150 + 0.25 * (shade.astype(np.float32) - 128)
    specks = np.zeros((h, w), np.float32)
    n = w * h // 2500
    specks[rng.integers(0, h, n), rng.integers(0, w, n)] = rng.uniform(-1, 1, n)
    return _to_grey(image + 900 * cv2.GaussianBlur(specks, (0, 0), 3.0))


def photos(w: int, h: int, rng: np.random.Generator) -> Grey:
    """Photographs, frames of real clips, hung edge to edge."""
    tile_w, tile_h = 512, 384
    frames = [_photo(name, int(rng.integers(0, 60))) for name in PHOTO_CLIPS]
    image = np.empty((h, w), np.uint8)
    for y0 in range(0, h, tile_h):
        for i, x0 in enumerate(range(0, w, tile_w)):
            photo = frames[(i + 2 * (y0 // tile_h)) % len(frames)]
            photo = photo[:, :: int(rng.choice((-1, 1)))]
            tile = cv2.resize(photo, (tile_w, tile_h), interpolation=cv2.INTER_CUBIC)
            image[y0 : y0 + tile_h, x0 : x0 + tile_w] = tile[: h - y0, : w - x0]
    return image


def tiles(w: int, h: int, rng: np.random.Generator) -> Grey:
    """One tile of 64 texels over and over, exactly: only its place tells one from the next."""
    tile = leaves(64, 64, rng)[:, :64]
    tile[:3], tile[:, :3] = 40, 40
    return np.tile(tile, (-(-h // 64), -(-w // 64)))[:h, :w].copy()


def dots(w: int, h: int, spacing: int, sigma: float) -> tuple[Grey, NDArray[np.float64]]:
    """Bright Gaussian dots on black at odd sub-pixel places, and their centres (n, 2) [0..1]."""
    rng = np.random.default_rng(0)
    gx, gy = np.meshgrid(*(np.arange(spacing, side - spacing, spacing) for side in (w, h)))
    xy = np.stack([gx, gy], -1).reshape(-1, 2) + rng.uniform(-0.5, 0.5, (gx.size, 2))
    image = np.zeros((h, w), np.float32)
    r = int(4 * sigma)
    for x, y in xy:
        x0, y0 = round(x), round(y)
        along_x, along_y = (
            np.exp(-((np.arange(c0 - r, c0 + r + 1) - c) ** 2) / (2 * sigma**2))
            for c0, c in ((x0, x), (y0, y))
        )
        image[y0 - r : y0 + r + 1, x0 - r : x0 + r + 1] += along_y[:, None] * along_x
    # Pixel i of a texture covers (i .. i+1) / w.
    return _to_grey(250 * image), (xy + 0.5) / (w, h)


@lru_cache(maxsize=400)
def _photo(name: str, frame: int) -> Grey:
    default = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("TRACKCORE_TEST_DATA", default)) / name
    video = cv2.VideoCapture(str(path))
    for _ in range(frame + 1):
        ok, image = video.read()
        if not ok:
            raise FileNotFoundError(
                f"photos: expected a clip of {frame + 1} frames or more: {path}"
            )
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _to_grey(image: NDArray[np.floating]) -> Grey:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


MAKERS = {
    "leaves": leaves, "rock": rock, "facade": facade, "plaster": plaster, "photos": photos,
    "tiles": tiles,
}  # fmt: skip
