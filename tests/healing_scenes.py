"""A wall of identical posters behind posts, a moving camera, and which tracks are which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackcore import synth
from trackcore.healing import Healing
from trackcore.synth._surfaces import Rectangle, View
from trackcore.synth.cameras import intrinsics, look_at
from trackcore.synth.images import develop
from trackcore.tracks import Tracks
from trackcore.types import PointStatus

_ALONG = np.array([[1.0, 0, 0], [0, 1.0, 0]])


class Posts:
    """The scene: analytic textures, closed formulas for what each pixel shows."""

    def __init__(self, seed: int, *, n_frames: int = 60, size=(360, 240), noise: float = 1.0):
        rng = np.random.default_rng([seed, 17])
        self.seed, self.size, self.noise = seed, size, noise
        poster = synth.corners(seed + 1, cell_px=17.0)
        cover = synth.plane_waves(seed + 2, std_rad_per_px=0.35, n_waves=30, rms_contrast=8.0)
        self.rectangles = [
            Rectangle(np.array([-5.0, -3.0, 4.0]), _ALONG, (10.0, 6.0), cover, 90.0),
        ]
        # all posters are the same print
        for x in np.arange(-3.5, 3.5, 0.75):
            for y in (-1.1, -0.35, 0.4):
                corner = np.array([x + 0.03 * rng.normal(), y + 0.02 * rng.normal(), 3.98])
                self.rectangles.append(Rectangle(corner, _ALONG, (0.6, 0.55), poster, 110.0))
        for k, x in enumerate((-0.8, -0.4, 0.0, 0.4, 0.8)):
            bark = synth.plane_waves(seed + 10 + k, std_rad_per_px=0.5, n_waves=30)
            width = rng.uniform(0.03, 0.09)
            corner = np.array([x + rng.uniform(-0.1, 0.1), -3.0, rng.uniform(1.7, 2.1)])
            self.rectangles.append(Rectangle(corner, _ALONG, (width, 6.0), bark, 130.0))
        t = np.linspace(-1, 1, n_frames)
        way, wave, roll = rng.choice([-1, 1]), rng.uniform(0, 2 * np.pi), rng.uniform(-3, 3)
        poses = [
            look_at(
                (way * 0.6 * s, 0.05 * np.sin(2 * s + wave), 0.15 * s),
                (way * 0.4 * s, 0.03 * np.cos(3 * s + wave), 4.0),
                roll_rad=np.deg2rad(roll) * np.sin(2 * s),
            )
            for s in t
        ]
        self.T_cam_world = np.stack(poses)
        self.K = intrinsics(0.85 * size[0], size)
        self.P_img_world = self.K @ self.T_cam_world[:, :3]

    def frames(self) -> list[np.ndarray]:
        return [
            develop(
                View(self.rectangles, P).render(self.size), np.dtype(np.uint8), noise=self.noise,
                shot_noise=0.0, rng=np.random.default_rng([self.seed, 1, i]),
            )
            for i, P in enumerate(self.P_img_world)
        ]  # fmt: skip

    def point_at(self, xy_px: np.ndarray, frame: int) -> np.ndarray:
        """(3,) the point of the scene that one position shows."""
        x, y = np.array([xy_px[0]]), np.array([xy_px[1]])
        inverse = View(self.rectangles, self.P_img_world[frame]).cast(x, y)[1][0]
        ray = np.linalg.inv(self.K) @ (xy_px[0], xy_px[1], 1.0) / inverse
        pose = self.T_cam_world[frame]
        return (ray - pose[:3, 3]) @ pose[:3, :3]

    def path_of(self, X: np.ndarray) -> np.ndarray:
        """(n_frames, 2) where that point is, hidden or not."""
        return synth.project(self.P_img_world, X[None])[0]


@dataclass
class Score:
    """What healing did on one clip, against the truth."""

    healable: int
    healed: int  # of those, joined within 0.5 px
    joins: int
    wrong: int
    errors_px: list[float]  # of the healed positions after each gap (median of each)
    gap_errors_px: list[float]  # of interpolated positions
    filled_errors_px: list[float]  # of positions the pixels confirmed
    gaps: list[int]  # frames in the healable gaps
    missed: list[str]


def score(scene: Posts, tracks: Tracks, healing: Healing, *, tolerance_px: float = 2.0) -> Score:
    truth = {}
    for row in range(len(tracks)):
        seen = np.flatnonzero(tracks.seen[row])
        if len(seen) < 3:
            continue
        # the surface point a track shows: where it was in the middle of its life
        middle = seen[len(seen) // 2]
        path = scene.path_of(scene.point_at(tracks.xy_px[row, middle], middle))
        off = np.hypot(*(tracks.xy_px[row] - path).T)[seen]
        truth[row] = path, float(np.median(off)), float(np.quantile(off, 0.9))
    first, last, end = tracks.first_index, tracks.last_index, tracks.end_status
    partner, gaps = {}, {}
    for a, (path, typical, _) in truth.items():
        if end[a] in (PointStatus.TRACKED, PointStatus.OUT_OF_FRAME) or typical > 0.5:
            continue
        for b, (other, steady, _) in truth.items():
            gap = first[b] - last[a] - 1
            if not 0 <= gap <= 50 or steady > 0.5:
                continue
            apart = np.hypot(*(other[first[b]] - path[first[b]]))
            if apart <= tolerance_px and (a not in partner or gap < gaps[a]):
                partner[a], gaps[a] = b, gap
    globals().update(PARTNER=partner, TRUTH=truth)
    row_of = {name: row for row, name in enumerate(tracks.names)}
    new_row = {int(i): row for row, i in enumerate(healing.tracks.ids)}
    before = {row_of[h.born_name]: row_of[h.lost_name] for h in healing.healing_attempts
              if h.heal_success}  # fmt: skip
    out = Score(len(partner), 0, 0, 0, [], [], [], list(gaps.values()), [])
    good = set()
    for attempt in healing.healing_attempts:
        if not attempt.heal_success:
            continue
        a, b = row_of[attempt.lost_name], row_of[attempt.born_name]
        root = a
        while root in before:
            root = before[root]
        row = new_row[int(tracks.ids[root])]
        out.joins += 1
        span = slice(first[b], last[b] + 1)
        path = truth[root][0] if root in truth else np.full((tracks.n_frames, 2), 1e3)
        errors = np.hypot(*(healing.tracks.xy_px[row] - path).T)
        error = float(np.nanmedian(errors[span]))
        out.wrong += error > tolerance_px
        out.errors_px.append(error)
        if error <= 0.5:
            good.add(a)
        inside = slice(last[a] + 1, first[b])
        hidden = np.hypot(*(healing.interpolated_xy_px[row] - path).T)[inside]
        out.gap_errors_px += hidden[np.isfinite(hidden)].tolist()
        out.filled_errors_px += errors[inside][np.isfinite(errors[inside])].tolist()
    out.healed = len(good & partner.keys())
    reasons = {}
    for h in healing.healing_attempts:
        reasons.setdefault(row_of[h.lost_name], []).append(h.reason)
    for a in partner.keys() - good:
        out.missed.append("; ".join(reasons.get(a, ["no candidate"])) or "off by more than 0.5 px")
    return out
