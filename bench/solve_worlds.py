"""What stands in front of the cameras of the solve suite: textured boxes, walls and hills.

Numpy only: the renderer inside Blender imports it. x right, y down, z forward [m]; the floor of
most worlds is y = 1.5, so that a camera at y = 0 is held at eye's height. Every world is made from
a seed and a texture resolution `ppm` [texels/m].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from bench.solve_paths import Knots, spline
from bench.walls import F64, Wall
from numpy.typing import ArrayLike

Rng = np.random.Generator
RICH = ("leaves", "rock", "photos", "facade")
FLOOR = 1.5


class Quad(Wall):
    """A wall whose texture's sides are powers of two as small as its size allows."""

    @property
    def texture_size(self) -> tuple[int, int]:
        sides = np.linalg.norm(self.edge_u), np.linalg.norm(self.edge_v)
        w, h = (2 ** int(np.clip(round(np.log2(s * self.px_per_m)), 6, 12)) for s in sides)
        return w, h


@dataclass(frozen=True)
class Relief:
    """Hills: heights [m, up] over a square of ground, as a mesh with one texture."""

    texture: str
    corner: tuple[float, float, float]
    side_m: float
    height_m: float
    seed: int
    px_per_m: float
    cells: int = 96

    def vertices(self) -> F64:
        """(cells + 1, cells + 1, 3) world points [m], rows along z."""
        rng = np.random.default_rng(self.seed)
        s = np.linspace(0, 1, self.cells + 1)
        x, z = np.meshgrid(s, s)
        height = np.zeros_like(x)
        for octave in (2.0, 4.0, 8.0, 16.0):
            for _ in range(4):
                kx, kz = octave * rng.normal(size=2)
                height += np.cos(2 * np.pi * (kx * x + kz * z + rng.uniform())) / octave**1.2
        height *= self.height_m / height.std()
        corner = np.array(self.corner)
        return corner + np.stack([self.side_m * x, -height, self.side_m * z], -1)


@dataclass(frozen=True)
class Mover:
    """Walls that move as one: `foot` are knots of where their origin is, `turn_deg` their yaw."""

    walls: tuple[Quad, ...]
    foot: Knots
    turn_deg: tuple[float, ...]

    def T_world_mover(self, u: ArrayLike) -> F64:
        """(n, 4, 4) poses at shares 0..1 of the clip."""
        share = np.asarray(u, np.float64)
        angle = np.radians(spline(self.turn_deg, share)[:, 0])
        T = np.zeros((len(share), 4, 4))
        T[:, 0, 0] = T[:, 2, 2] = np.cos(angle)
        T[:, 0, 2], T[:, 2, 0] = np.sin(angle), -np.sin(angle)
        T[:, 1, 1] = T[:, 3, 3] = 1
        T[:, :3, 3] = spline(self.foot, share)
        return T

    def walls_at(self, u: float) -> list[Wall]:
        """The walls where they are at one time."""
        T = self.T_world_mover([u])[0]
        R, t = T[:3, :3], T[:3, 3]
        return [
            Wall(w.texture, tuple(R @ w.corner + t), tuple(R @ w.edge_u), tuple(R @ w.edge_v))
            for w in self.walls
        ]


Solid = Quad | Relief
World = Callable[[Rng, float], list[Solid]]


def box(
    foot: Sequence[float],
    size: Sequence[float],
    turn_deg: float,
    textures: Sequence[str],
    ppm: float,
) -> list[Solid]:
    """Four sides and the top of a box of (width, height, depth) standing on `foot`."""
    (w, h, d), a = size, np.radians(turn_deg)
    right, away = np.array([np.cos(a), 0, np.sin(a)]) * w, np.array([-np.sin(a), 0, np.cos(a)]) * d
    down = np.array([0.0, h, 0])
    near = np.array(foot) - down - right / 2 - away / 2
    faces = (
        (near, right, down),
        (near + right, away, down),
        (near + right + away, -right, down),
        (near + away, -away, down),
        (near + away, right, -away),
    )
    return [
        quad(textures[i % len(textures)], corner, u, v, ppm)
        for i, (corner, u, v) in enumerate(faces)
    ]


def quad(texture: str, corner: ArrayLike, u: ArrayLike, v: ArrayLike, ppm: float) -> Quad:
    """Make a wall of plain numbers, so that its text is the same on every machine."""
    triple = (tuple(float(round(c, 9)) for c in np.asarray(a, float)) for a in (corner, u, v))
    return Quad(str(texture), *triple, px_per_m=float(ppm))  # type: ignore[arg-type]


def _some(rng: Rng, textures: Sequence[str] = RICH, n: int = 5) -> list[str]:
    return [str(t) for t in rng.choice(textures, n)]


def _hall(
    rng: Rng,
    ppm: float,
    x: float,
    y: tuple[float, float],
    z: tuple[float, float],
    textures: Sequence[str],
) -> list[Solid]:
    """Six walls around x in -x..x, with textures at random."""
    (top, floor), (near, far) = y, z
    t = list(rng.permutation([*textures, *textures[:2]])) + [textures[0]] * 6
    long, high = far - near, floor - top
    return [
        quad(t[0], (-x, top, far), (2 * x, 0, 0), (0, high, 0), ppm),
        quad(t[1], (-x, floor, far), (2 * x, 0, 0), (0, 0, -long), ppm),
        quad(t[2], (-x, top, near), (0, 0, long), (0, high, 0), ppm),
        quad(t[3], (x, top, far), (0, 0, -long), (0, high, 0), ppm),
        quad(t[4], (-x, top, near), (2 * x, 0, 0), (0, 0, long), ppm),
        quad(t[5], (x, top, near), (-2 * x, 0, 0), (0, high, 0), ppm),
    ]


def room(rng: Rng, ppm: float, textures: Sequence[str] = RICH) -> list[Solid]:
    """A room of 7 x 10 m with furniture and a post, free along the middle."""
    solids = _hall(rng, ppm, 3.5, (-2.2, FLOOR), (-1.6, 9.0), textures)
    for i in range(8):
        side = 1 if i % 2 else -1
        foot = (side * rng.uniform(1.0, 2.8), FLOOR, rng.uniform(2.4, 7.8))
        size = (rng.uniform(0.4, 1.1), rng.uniform(0.4, 1.9), rng.uniform(0.4, 1.0))
        solids += box(foot, size, rng.uniform(-45, 45), _some(rng, textures), ppm)
    return solids + box((0.75, FLOOR, 4.6), (0.25, 3.7, 0.25), 20, _some(rng, textures), ppm)


def blank(rng: Rng, ppm: float) -> list[Solid]:
    """The room in plaster, with a few small pictures."""
    solids = room(rng, ppm, ("plaster",) * 4)
    for x, y, w in ((-2.6, -1.0, 0.7), (0.4, -1.4, 0.9), (2.0, -0.6, 0.5)):
        solids.append(quad("photos", (x, y, 8.97), (w, 0, 0), (0, 0.7 * w, 0), ppm))
    return solids


def tiles(rng: Rng, ppm: float) -> list[Solid]:
    """The room under a pattern that repeats exactly every 64 texels."""
    return room(rng, ppm, ("tiles", "tiles", "facade", "tiles"))


def corridor(rng: Rng, ppm: float) -> list[Solid]:
    """A passage of 3.6 x 24 m with pillars along its sides."""
    solids = _hall(rng, ppm, 1.8, (-1.5, FLOOR), (-2.0, 22.0), RICH)
    for i in range(9):
        foot = ((1.35 if i % 2 else -1.35) + rng.uniform(-0.1, 0.1), FLOOR, 1.6 + 2.1 * i)
        size = (rng.uniform(0.25, 0.5), 3.0 if i % 3 else 1.0, rng.uniform(0.3, 0.7))
        solids += box(foot, size, rng.uniform(-10, 10), _some(rng), ppm)
    return solids


def street(rng: Rng, ppm: float) -> list[Solid]:
    """Houses on both sides of a road, parked boxes, lamp posts, woods at the end."""
    solids: list[Solid] = [
        quad("rock", (-16, FLOOR, 46), (32, 0, 0), (0, 0, -52), ppm / 2),
        quad("leaves", (-30, -18, 46), (60, 0, 0), (0, 20, 0), ppm / 4),
    ]
    for side in (-1, 1):
        z = 1.0
        while z < 42:
            long, high = rng.uniform(4, 8), rng.uniform(4, 11)
            foot = (side * (7.5 + rng.uniform(0, 1.5)), FLOOR, z + long / 2)
            texture = [str(rng.choice(("facade", "photos", "leaves", "rock")))]
            solids += box(foot, (4, high, long), 0, texture, ppm / 2)
            z += long + rng.uniform(0.2, 1.5)
        for i in range(4):
            foot = (side * rng.uniform(3.4, 4.4), FLOOR, 5 + 7 * i + rng.uniform(0, 3))
            solids += box(foot, (1.7, 1.4, 3.6), rng.uniform(-8, 8), _some(rng), ppm)
            post = (side * 2.9, FLOOR, 4 + 8 * i + rng.uniform(0, 2))
            solids += box(post, (0.18, 5, 0.18), 0, _some(rng), ppm)
    return solids


def city(rng: Rng, ppm: float) -> list[Solid]:
    """Blocks on a plain, to be seen from above; the ground is y = 0."""
    solids: list[Solid] = [quad("rock", (-70, 0, 110), (140, 0, 0), (0, 0, -150), ppm / 8)]
    for x in range(-48, 49, 12):
        for z in range(-18, 91, 12):
            foot = (x + rng.uniform(-2, 2), 0, z + rng.uniform(-2, 2))
            size = (rng.uniform(4, 8), rng.uniform(2, 15), rng.uniform(4, 8))
            texture = _some(rng, ("facade", "photos", "leaves", "rock"), 3)
            solids += box(foot, size, rng.uniform(-15, 15), texture, ppm / 6)
    return solids


def hills(rng: Rng, ppm: float) -> list[Solid]:
    """Rolling ground with a few huts, to be seen from above; heights vary about y = 0."""
    solids: list[Solid] = [
        Relief("leaves", (-45, 0, -25), 100, 3.0, int(rng.integers(1 << 31)), ppm / 8)
    ]
    for _ in range(9):
        foot = (rng.uniform(-20, 20), 4, rng.uniform(2, 45))
        size = (rng.uniform(2, 4), rng.uniform(7, 11), rng.uniform(2, 4))
        solids += box(foot, size, rng.uniform(0, 90), _some(rng), ppm / 5)
    return solids


def table(rng: Rng, ppm: float) -> list[Solid]:
    """Small boxes on a table, a wall behind."""
    solids: list[Solid] = [
        quad("photos", (-1.3, 0.4, 2.1), (2.6, 0, 0), (0, 0, -1.8), 4 * ppm),
        quad("leaves", (-4, -2.5, 3.4), (8, 0, 0), (0, 4.2, 0), ppm),
        quad("rock", (-4, 1.2, 3.4), (8, 0, 0), (0, 0, -5), ppm),
        quad("facade", (-3.5, -2.5, -1.5), (0, 0, 5), (0, 4, 0), ppm),
        quad("photos", (3.5, -2.5, 3.5), (0, 0, -5), (0, 4, 0), ppm),
    ]
    for i in range(11):
        foot = (-0.95 + 0.19 * i + rng.uniform(-0.05, 0.05), 0.4, rng.uniform(0.75, 1.8))
        size = rng.uniform(0.1, 0.26), rng.uniform(0.08, 0.42), rng.uniform(0.1, 0.26)
        solids += box(foot, size, rng.uniform(0, 90), _some(rng), 4 * ppm)
    return solids


def wall(rng: Rng, ppm: float) -> list[Solid]:
    """One plane and nothing else."""
    texture = str(rng.choice(("leaves", "photos", "facade")))
    return [quad(texture, (-9, -5.5, 7.6), (18, 0, -2.4), (0, 11, 0), ppm)]


def shelf(rng: Rng, ppm: float) -> list[Solid]:
    """A wall from which boxes stand out by 0.2 to 2 m."""
    solids: list[Solid] = [
        quad("leaves", (-8, -4.5, 7), (16, 0, 0), (0, 9, 0), ppm),
        quad("rock", (-8, 2.6, 7), (16, 0, 0), (0, 0, -6), ppm),
    ]
    for x in np.arange(-5.4, 5.5, 1.8):
        for y in (-1.2, 0.6, 2.4):
            depth = rng.uniform(0.2, 2.0)
            foot = (x + rng.uniform(-0.3, 0.3), y + rng.uniform(-0.2, 0.2), 7 - depth / 2)
            size = (rng.uniform(0.5, 1.0), rng.uniform(0.5, 1.0), depth)
            solids += box(foot, size, 0, _some(rng), ppm)
    return solids


def forest(rng: Rng, ppm: float) -> list[Solid]:
    """Many trunks before a backdrop: whatever is seen is soon hidden."""
    solids: list[Solid] = [
        quad("leaves", (-22, -9, 19), (44, 0, 0), (0, 11, 0), ppm / 2),
        quad("rock", (-22, FLOOR, 19), (44, 0, 0), (0, 0, -24), ppm),
        quad("photos", (-12, -9, -4), (0, 0, 24), (0, 11, 0), ppm / 2),
        quad("facade", (12, -9, 20), (0, 0, -24), (0, 11, 0), ppm / 2),
    ]
    for _ in range(46):
        x, z = rng.uniform(-8, 8), rng.uniform(2.2, 16)
        width = rng.uniform(0.15, 0.45)
        if abs(x) > 0.9:
            solids += box((x, FLOOR, z), (width, 8, width), rng.uniform(0, 90), _some(rng), ppm)
    return solids


def vista(rng: Rng, ppm: float) -> list[Solid]:
    """A ring of far fronts around the camera, with a few nearer blocks."""
    solids: list[Solid] = [quad("rock", (-70, 3, 70), (140, 0, 0), (0, 0, -140), ppm / 6)]
    for i, a in enumerate(np.arange(0, 2 * np.pi, np.pi / 8)):
        away, right = np.array([np.sin(a), 0, np.cos(a)]), np.array([np.cos(a), 0, -np.sin(a)])
        corner = away * (38 + 5 * (i % 3)) - right * 10 + np.array([0, -17, 0])
        solids.append(quad(RICH[i % 4], corner, right * 20, (0, 20, 0), ppm / 6))
        foot = away * rng.uniform(12, 24) + right * rng.uniform(-4, 4) + np.array([0, 3, 0])
        size = (rng.uniform(2, 4), rng.uniform(3, 7), rng.uniform(2, 4))
        solids += box(foot, size, rng.uniform(0, 90), _some(rng), ppm / 3)
    return solids


WORLDS: dict[str, World] = {
    "room": room, "blank": blank, "tiles": tiles, "corridor": corridor, "street": street,
    "city": city, "hills": hills, "table": table, "wall": wall, "shelf": shelf,
    "forest": forest, "vista": vista,
}  # fmt: skip


@dataclass(frozen=True)
class Traffic:
    """Boxes that go to and fro: how many, how big [m], and the x and z they keep to [m]."""

    n: int = 3
    size_m: tuple[float, float, float] = (1.6, 1.5, 2.6)
    x: tuple[float, float] = (-4.0, 4.0)
    z: tuple[float, float] = (7.0, 14.0)
    floor: float = FLOOR


def movers(traffic: Traffic, rng: Rng, ppm: float) -> list[Mover]:
    """Make the moving boxes: each crosses its lane of the zone in a curve, and turns a little."""
    made = []
    lanes = np.linspace(*traffic.z, traffic.n)
    for i, z in enumerate(lanes):
        ends = rng.uniform(0.5, 1.0, 2) * (traffic.x if i % 2 else traffic.x[::-1])
        wander = rng.uniform(-0.4, 0.4, 3)
        knots = [
            (round(float(x), 6), traffic.floor, round(float(z + dz), 6))
            for x, dz in zip(np.linspace(*ends, 3), wander, strict=True)
        ]
        size = np.array(traffic.size_m) * rng.uniform(0.8, 1.2)
        walls = tuple(w for w in box((0, 0, 0), size, 0, _some(rng), ppm) if isinstance(w, Quad))
        turn = round(float(rng.uniform(-30, 30)), 6)
        made.append(
            Mover(walls, tuple(knots), (turn, turn + round(float(rng.uniform(-25, 25)), 6)))
        )
    return made
