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

LEAST_LIFE = 8  # frames that a track must show its point for a gap beside it to be healable
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
        t = np.linspace(-1, 1, n_frames) * n_frames / 60  # one speed, however long
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
    wrong: int  # after the gap further than the tolerance from the point shown before it
    strayed: int  # over the later track's life, from the point in the middle of the earlier's
    errors_px: list[float]  # of the healed positions after each gap (median of each)
    gap_errors_px: list[float]  # of interpolated positions
    filled_errors_px: list[float]  # of positions the pixels confirmed
    gaps: list[int]  # frames in the healable gaps
    missed: list[str]


def _truth(scene: Posts, tracks: Tracks) -> dict[int, tuple[np.ndarray, float, float]]:
    """Per row: path of the point shown in the middle of its life, and how near the track stays."""
    truth = {}
    for row in range(len(tracks)):
        seen = np.flatnonzero(tracks.seen[row])
        if len(seen) >= 3:
            middle = seen[len(seen) // 2]
            path = scene.path_of(scene.point_at(tracks.xy_px[row, middle], middle))
            off = np.hypot(*(tracks.xy_px[row] - path).T)[seen]
            truth[row] = path, float(np.median(off)), float(np.quantile(off, 0.9))
    return truth


def _partners(tracks: Tracks, truth: dict, tolerance_px: float) -> dict[int, tuple[int, int]]:
    """Per lost row: frames of the gap, and the first later row that shows the same point.

    Each later row is the partner of one lost row at most, of the shortest gap: of two tracks of one
    point only one can go on. Both have to show their point for a while: a patch that was never
    seen unhidden cannot be told from others.
    """
    first, last, end = tracks.first_index, tracks.last_index, tracks.end_status
    long = tracks.seen.sum(axis=1) >= LEAST_LIFE
    pairs = [
        (int(first[b] - last[a] - 1), a, b)
        for a, (path, typical, _) in truth.items()
        if end[a] not in (PointStatus.TRACKED, PointStatus.OUT_OF_FRAME) and typical <= 0.5
        for b, (other, steady, _) in truth.items()
        if long[a] and long[b] and 0 <= first[b] - last[a] - 1 <= 50 and steady <= 0.5
        and np.hypot(*(other[first[b]] - path[first[b]])) <= tolerance_px
    ]  # fmt: skip
    found: dict[int, tuple[int, int]] = {}
    taken: set[int] = set()
    for gap, a, b in sorted(pairs):
        if a not in found and b not in taken:
            found[a] = gap, b
            taken.add(b)
    return found


def score(scene: Posts, tracks: Tracks, healing: Healing, *, tolerance_px: float = 2.0) -> Score:
    truth = _truth(scene, tracks)
    partner = _partners(tracks, truth, tolerance_px)
    row_of = {name: row for row, name in enumerate(tracks.names)}
    new_row = {int(i): row for row, i in enumerate(healing.tracks.ids)}
    done = [h for h in healing.healing_attempts if h.heal_success]
    before = {row_of[h.born_name]: row_of[h.lost_name] for h in done}
    gaps = [gap for gap, _ in partner.values()]
    out = Score(len(partner), 0, len(done), 0, 0, [], [], [], gaps, [])
    good, continued = set(), set()
    for attempt in done:
        root = row_of[attempt.lost_name]
        while root in before:
            root = before[root]
        xy = healing.tracks.xy_px[new_row[int(tracks.ids[root])]]
        one = attempt.gap_start_frame - tracks.first_frame
        other = attempt.gap_end_frame - tracks.first_frame
        end = int(tracks.last_index[row_of[attempt.born_name]]) + 1
        # the join itself: one point of the scene before the gap, not half hidden yet, and after it
        calm = max(one - 8, int(tracks.first_index[row_of[attempt.lost_name]]))
        calm += int(np.isfinite(xy[calm:, 0]).argmax())  # a join before this one may have cut it
        path = scene.path_of(scene.point_at(xy[calm], calm))
        off = np.hypot(*(xy - path).T)
        error = float(np.nanmedian(off[other : min(other + 10, end)]))
        out.errors_px.append(error)
        out.wrong += error > tolerance_px
        if root in truth:
            apart = np.hypot(*(xy - truth[root][0]).T)[other:end]
            out.strayed += float(np.nanmedian(apart)) > tolerance_px
        if error <= 0.5:
            good.add(row_of[attempt.lost_name])
            continued.add(row_of[attempt.born_name])
        inside = slice(one + 1, other)
        hidden = healing.interpolated_xy_px[new_row[int(tracks.ids[root])]] - path
        hidden_px = np.hypot(*hidden[inside].T)
        out.gap_errors_px += hidden_px[np.isfinite(hidden_px)].tolist()
        out.filled_errors_px += off[inside][np.isfinite(off[inside])].tolist()
    # a later track that rightly goes on from another lost track of its point is no gap left open
    good |= {a for a, (_, b) in partner.items() if b in continued}
    out.healed = len(good & partner.keys())
    reasons: dict[int, list[str]] = {}
    for h in healing.healing_attempts:
        reasons.setdefault(row_of[h.lost_name], []).append(h.reason)
    for a in partner.keys() - good:
        out.missed.append("; ".join(reasons.get(a, ["no candidate"])) or "off by more than 0.5 px")
    return out


KINDS = ("straight", "rotating", "two partners", "distractor")


@dataclass
class Case:
    """A track cut in two while its point stays in sight: everything is known."""

    frames: list[np.ndarray]
    tracks: Tracks
    truth_px: np.ndarray  # (n_frames, 2) of the cut track's point
    gap: tuple[int, int]  # first and last array index of the gap
    partner: int | None  # id of the track that goes on from it
    lost: int  # id of the cut track


def gap_case(seed: int, *, n_frames: int = 20, size=(160, 120)) -> Case:
    """Cases in turn: straight, rotating, two plausible partners, and none but a distractor."""
    rng = np.random.default_rng([seed, 5])
    kind = KINDS[seed % len(KINDS)]
    texture = synth.plane_waves(seed, std_rad_per_px=0.45, n_waves=40)
    middle = np.array(size) / 2
    turn = rng.uniform(0.5, 1.5) * rng.choice([-1, 1]) if kind == "rotating" else 0.0
    speed = rng.uniform(-1.2, 1.2, 2)
    warps = []
    for t in range(n_frames):
        angle = np.deg2rad(turn * t)
        warp = np.eye(3)
        warp[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        warp[:2, 2] = middle - warp[:2, :2] @ middle + speed * (t - n_frames / 2)
        warps.append(warp)
    frames = [synth.render(texture, size, warp=w, noise=1.0, rng=rng) for w in warps]

    def path(xy: np.ndarray) -> np.ndarray:
        return np.stack([w[:2, :2] @ xy + w[:2, 2] for w in warps])

    start, end = rng.integers(6, 8), rng.integers(10, 13)
    point = middle + rng.uniform(-12, 12, 2)
    around = [middle + rng.uniform(-1, 1, 2) * (40, 28) for _ in range(12)]
    measured = [path(xy) + rng.normal(0, 0.03, (n_frames, 2)) for xy in around]
    cut_off = path(point)
    cut_off[start:] = np.nan
    beside = rng.uniform(-1, 1, 2) * 1.0
    far = rng.uniform(4.5, 8) * np.array([np.cos(seed), np.sin(seed)])
    later = {"two partners": [beside, far], "distractor": [far]}.get(kind, [beside])
    for offset in later:
        track = path(point + offset)
        track[:end] = np.nan
        measured.append(track)
    xy = np.stack([cut_off, *measured])
    inside = ((xy >= 0) & (xy <= np.array(size) - 1)).all(axis=2)
    xy[~inside] = np.nan
    tracks = Tracks.from_positions(xy, frame_size=size)
    partner = None if kind == "distractor" else 13
    return Case(frames, tracks, path(point), (int(start), int(end) - 1), partner, 0)


def verdict_on(case: Case, healing: Healing) -> tuple[bool, bool, np.ndarray]:
    """Return whether the right partner was joined, whether a wrong merge was made, and errors."""
    joined = [
        (h.lost_name, h.born_name) for h in healing.healing_attempts if h.heal_success
    ]  # fmt: skip
    right = f"track_{case.lost:05d}", f"track_{case.partner if case.partner else -1:05d}"
    errors = np.hypot(*(healing.tracks.xy_px[0] - case.truth_px).T)
    filled = errors[case.gap[0] : case.gap[1] + 1]
    return right in joined, any(pair != right for pair in joined), filled
