"""The scenes of the solve suite, and their clips in the cache.

    load("walk_room") -> (path of the clip, Truth)

Clips are rendered once, by `bench/peers/render_solve.py` in a Python with `bpy`, into the folder
named by TRACKCORE_BENCH_CACHE or else the platform's cache folder.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from bench.solve_paths import Path
from bench.solve_truth import Scene, Truth
from bench.solve_worlds import Traffic

SD, HD, FULL_HD, UHD = (640, 480), (1280, 720), (1920, 1080), (3840, 2160)

_TABLE_ARC = ((-0.75, -0.25, 0.15), (0.0, -0.35, -0.15), (0.8, -0.2, 0.2))

# The first fifteen show one of everything.
_RENDERED = (
    Scene(name="walk_room", size=HD, tags=("walk",), seed=1, path=Path(
        eye=((-0.2, 0, -0.6), (0.15, -0.05, 0.4), (-0.1, 0, 1.6)), shake_deg=0.2, bob_m=0.03,
        turn=((3, -2, 0), (-4, -3, 0.5), (3, -2, 0)))),
    Scene(name="handheld_shelf", world="shelf", size=HD, fps=30, tags=("handheld",), seed=2,
        path=Path(eye=((-0.6, 0, 0), (0.2, 0.15, 0.3), (0.5, -0.2, 0)), look=((0, 0.4, 6),),
        shake_deg=0.3, shake_m=0.015)),
    Scene(name="drone_city", world="city", size=HD, fps=30, tags=("drone",), seed=3, path=Path(
        eye=((-16, -30, -14), (0, -27, -4), (14, -31, 4)), look=((0, 0, 22), (6, 0, 34)),
        shake_deg=0.05)),
    Scene(name="dolly_corridor", world="corridor", n_frames=80, fps=24, tags=("dolly",), seed=4,
        path=Path(eye=((0.1, 0, -1.2), (-0.1, 0.05, 3.2)), turn=((0, 0, 0), (2, -1, 0)),
        ease=True)),
    Scene(name="pan_vista", world="vista", kind="tripod", tags=("tripod",), seed=5, path=Path(
        turn=((-17, 0, 0), (2, 3, 0), (18, 1, 0)))),
    Scene(name="zoom_street", world="street", kind="tripod_zoom", focal=(0.75, 1.5), seed=6,
        tags=("zoom",), path=Path(eye=((0, -0.5, 0),), turn=((-3, 0, 0), (3, 1, 0)), ease=True)),
    Scene(name="wall_walk", world="wall", kind="planar", tags=("planar",), seed=7, path=Path(
        eye=((-2.2, -0.4, -0.3), (0, 0.3, 0.8), (2.2, -0.2, 0.3)), shake_deg=0.15,
        turn=((12, 0, 0), (8, -2, 1), (-12, 2, 0)))),
    Scene(name="orbit_table", world="table", size=HD, focal=(0.9,), tags=("handheld", "orbit"),
        seed=8, path=Path(eye=_TABLE_ARC, look=((0, 0.3, 1.3),), shake_deg=0.15, shake_m=0.003)),
    Scene(name="blank_room", world="blank", tags=("low_texture",), seed=9, noise=1.5, path=Path(
        eye=((-0.3, -0.2, -0.5), (0.3, 0, 1.2)), turn=((5, -4, 0), (-5, -3, 0)), shake_deg=0.1)),
    Scene(name="blur_room", shutter=0.5, n_frames=60, tags=("motion_blur", "handheld"), seed=10,
        path=Path(eye=((-0.35, 0, -0.8), (0.3, -0.1, 0.3), (-0.2, 0, 1.2), (0.3, 0, 1.7)),
        turn=((14, 0, 0), (-10, -5, 1), (12, 2, -1), (-8, 0, 0)), shake_deg=0.3, bob_m=0.03)),
    Scene(name="traffic_street", world="street", size=HD, fps=24, tags=("movers",), seed=11,
        traffic=Traffic(3), path=Path(eye=((-1.2, -0.6, -2), (1.2, -0.8, 0.5)), shake_deg=0.12,
        turn=((4, -3, 0), (-4, -3, 0)))),
    Scene(name="tiles_room", world="tiles", tags=("repeated",), seed=12, path=Path(
        eye=((-0.4, 0, -1), (0.3, -0.3, 0.8)), turn=((6, -2, 0), (-6, -2, 0)), shake_deg=0.1)),
    Scene(name="light_room", light=0.25, fps=30, tags=("light", "handheld"), seed=13, path=Path(
        eye=((0.4, -0.3, -0.8), (-0.2, 0, 0.6), (0.3, 0.1, 1.4)), turn=((-8, -3, 0), (4, -3, 0)),
        shake_deg=0.25, shake_m=0.01)),
    Scene(name="hd_street_60", world="street", size=FULL_HD, fps=60, n_frames=60, seed=14,
        tags=("walk", "fps60"), path=Path(eye=((-0.4, -0.1, 0), (0.2, -0.1, 1.5)), shake_deg=0.2,
        turn=((2, 0, 0), (-2, 1, 0)), bob_m=0.03)),
    Scene(name="uhd_shelf", world="shelf", size=UHD, fps=24, n_frames=36, tags=("handheld", "4k"),
        seed=15, path=Path(eye=((-0.5, -0.2, 0.5), (0.5, 0.2, 0.8)), look=((0, 0.4, 6),),
        shake_deg=0.12, shake_m=0.008)),
    # Paths of other shapes.
    Scene(name="forest_walk", world="forest", tags=("walk",), seed=16, path=Path(
        eye=((0, 0, -1.5), (0.3, 0.05, -0.2), (-0.1, 0, 1.1)), turn=((-4, 0, 0), (5, 0, 0)),
        shake_deg=0.2, bob_m=0.035)),
    Scene(name="drone_hills", world="hills", size=HD, fps=30, tags=("drone",), seed=17, path=Path(
        eye=((-10, -22, -16), (-3, -19, -4), (9, -21, 4)), look=((0, 0, 16), (3, 0, 28)),
        shake_deg=0.05)),
    Scene(name="drone_orbit", world="city", fps=30, n_frames=90, tags=("drone", "orbit"), seed=18,
        path=Path(eye=((-34, -30, 10), (-26, -31, -9), (-8, -32, -20), (10, -30, -21)),
        look=((0, 0, 26),), shake_deg=0.04)),
    Scene(name="drone_rise", world="hills", fps=60, n_frames=90, tags=("drone", "fps60"), seed=19,
        path=Path(eye=((0, -10, -12), (1, -17, -13), (1, -26, -14)), look=((0, 0, 14),))),
    Scene(name="truck_street", world="street", fps=24, tags=("dolly", "truck"), seed=20, path=Path(
        eye=((-2.2, -0.3, 2), (-2.2, -0.35, 7)), turn=((62, 0, 0), (68, 2, 0)), ease=True,
        shake_deg=0.04)),
    Scene(name="pull_back", world="corridor", fps=25, tags=("dolly",), seed=21, path=Path(
        eye=((0, -0.1, 5.5), (0.15, -0.4, 1.5)), turn=((-3, 0, 0), (3, -3, 0)), shake_deg=0.08)),
    Scene(name="crane_room", fps=24, tags=("crane",), seed=22, path=Path(
        eye=((-0.2, 0.9, -0.8), (0.1, -0.5, -0.6), (0.2, -1.7, -0.3)), look=((0, 0.2, 5),))),
    Scene(name="roll_shelf", world="shelf", tags=("handheld", "roll"), seed=23, path=Path(
        eye=((0.5, 0, 0), (0, 0.3, 0.5), (-0.6, 0, 0.2)), look=((0, 0.4, 6),),
        turn=((0, 0, -20), (0, 0, 30)), shake_deg=0.1)),
    Scene(name="loop_table", world="table", focal=(0.85,), n_frames=96, fps=30, seed=24,
        tags=("handheld", "loop"), path=Path(eye=((-0.4, -0.2, 0), (0, -0.45, -0.1),
        (0.4, -0.2, 0), (0.1, 0, -0.1), (-0.4, -0.2, 0)), look=((0, 0.25, 1.3),),
        shake_deg=0.1, shake_m=0.002)),
    Scene(name="drive_street", world="street", fps=30, n_frames=60, light=0.1, seed=25,
        tags=("drive", "light"), path=Path(eye=((0, -0.2, -2), (0.5, -0.2, 4.5), (0.3, -0.2, 12)),
        turn=((-1, 0, 0), (3, 0, 0), (-2, 0, 0)), shake_deg=0.1, shake_m=0.005)),
    Scene(name="whip_room", n_frames=60, fps=30, tags=("whip",), seed=26, path=Path(
        eye=((-0.5, 0, -1), (0.4, -0.2, 0.5)), turn=((-14, 0, 0), (-10, 0, 0), (14, -3, 0),
        (10, -2, 0)), shake_deg=0.2)),
    Scene(name="slider_table", world="table", fps=60, n_frames=90, focal=(1.1,), seed=27,
        tags=("slider", "fps60"), path=Path(eye=((-0.3, -0.1, 0), (0.3, -0.1, 0)), ease=True,
        turn=((6, -12, 0), (-6, -12, 0)))),
    # Lenses.
    Scene(name="zoom_walk", world="shelf", kind="zoom", focal=(0.8, 0.95, 1.3), seed=28,
        tags=("zoom", "handheld"), path=Path(eye=((-0.8, 0, 0), (0, 0.2, 0.3), (0.8, 0, 0)),
        look=((0, 0.4, 6),), shake_deg=0.15, shake_m=0.01)),
    Scene(name="dolly_zoom", world="room", kind="zoom", focal=(1.3, 0.95, 0.75), fps=24, seed=29,
        tags=("zoom", "dolly"), path=Path(eye=((0.1, -0.2, -1.3), (-0.1, -0.2, 1.2)),
        shake_deg=0.05)),
    Scene(name="zoom_out_pan", world="vista", kind="tripod_zoom", focal=(1.6, 0.9), seed=30,
        tags=("zoom", "tripod"), fps=30, path=Path(turn=((-6, 1, 0), (8, 3, 0)), ease=True)),
    Scene(name="barrel_shelf", world="shelf", distortion=(-0.15, 0.02), focal=(0.7,), size=HD,
        tags=("distortion", "handheld"), seed=31, path=Path(eye=((-0.8, 0.2, 0), (0.8, -0.2, 0.4)),
        look=((0, 0.4, 6),), shake_deg=0.2, shake_m=0.01)),
    Scene(name="action_street", world="street", distortion=(-0.2, 0.03), focal=(0.55,), fps=60,
        n_frames=80, tags=("distortion", "walk", "fps60"), seed=32, path=Path(
        eye=((-0.5, 0, -2), (0.3, 0, 1.8)), turn=((0, 0, -3), (4, 0, 4)), shake_deg=0.4,
        bob_m=0.04)),
    Scene(name="cropped_room", principal_px=(40.0, -24.0), tags=("principal", "walk"), seed=33,
        path=Path(eye=((-0.3, 0, -1), (0.3, -0.1, 1.4)), turn=((5, -2, 0), (-4, -2, 0)),
        shake_deg=0.15, bob_m=0.02)),
    Scene(name="tele_street", world="street", focal=(2.2,), fps=30, tags=("handheld", "tele"),
        seed=34, path=Path(eye=((-0.8, -0.4, -3), (0.9, -0.7, -2.5)), look=((0.5, 0, 18),),
        shake_deg=0.06, shake_m=0.01)),
    Scene(name="wide_corridor", world="corridor", focal=(0.5,), fps=24, tags=("walk", "wide"),
        seed=35, path=Path(eye=((0, 0, -1), (0.2, -0.1, 0.6), (-0.1, 0, 2.2)), shake_deg=0.3,
        bob_m=0.03)),
    # Harder pictures.
    Scene(name="sd_walk", size=SD, fps=30, noise=3.0, jpeg=80, tags=("walk", "sd"), seed=36,
        path=Path(eye=((0.3, 0, -1), (-0.2, 0, 0.4), (0.2, -0.1, 1.5)), turn=((-4, -2, 0),
        (4, -2, 0)), shake_deg=0.25, bob_m=0.03)),
    Scene(name="dark_table", world="table", noise=5.0, tags=("noise", "handheld"), seed=37,
        path=Path(eye=((0.5, -0.3, 0), (-0.5, -0.2, 0.1)), look=((0, 0.3, 1.3),), shake_deg=0.15)),
    Scene(name="plaster_walk", world="blank", size=HD, fps=30, jpeg=90, seed=38,
        tags=("low_texture", "walk"), path=Path(eye=((0.3, 0, -1), (-0.3, -0.1, 1.5)),
        turn=((-6, -3, 0), (4, -3, 0)), shake_deg=0.2, bob_m=0.03)),
    Scene(name="blur_forest", world="forest", shutter=0.5, n_frames=60, fps=24, seed=39,
        tags=("motion_blur", "walk"), path=Path(eye=((0.2, 0, -1.8), (-0.2, 0, 0.6)),
        turn=((8, 0, 0), (-8, -2, 0), (6, 0, 0)), shake_deg=0.35, bob_m=0.04)),
    Scene(name="crowd_room", tags=("movers", "handheld"), seed=40, fps=30,
        traffic=Traffic(5, (0.6, 1.7, 0.5), (-2.2, 2.2), (2.6, 6.5)), path=Path(
        eye=((-0.5, -0.1, -1.2), (0.5, -0.3, 0)), look=((0, 0, 6),), shake_deg=0.2,
        shake_m=0.01)),
    Scene(name="mover_shelf", world="shelf", tags=("movers",), seed=41,
        traffic=Traffic(1, (1.1, 1.2, 0.5), (-3, 3), (4, 4), 1.2), path=Path(
        eye=((0.9, 0, 0), (-0.8, 0.3, 0.4)), look=((0, 0.4, 6),), shake_deg=0.15)),
    Scene(name="traffic_wall", world="wall", kind="planar", tags=("planar", "movers"), seed=42,
        traffic=Traffic(2, (1.2, 1.5, 0.6), (-3, 3), (4.5, 5.5), 1.6), path=Path(
        eye=((-1.5, 0, 0), (1.5, 0.4, 0.6)), turn=((6, 0, 0), (-8, 0, 0)), shake_deg=0.1)),
    Scene(name="pan_room", kind="tripod", size=SD, fps=30, tags=("tripod", "sd"), seed=43,
        noise=2.0, path=Path(turn=((-10, 4, 0), (6, -6, 2), (14, 2, -1)), shake_deg=0.15)),
    Scene(name="tiles_corridor", world="tiles", fps=24, tags=("repeated", "dolly"), seed=44,
        path=Path(eye=((0.2, -0.4, -1.3), (-0.2, 0, 1.6)), turn=((-3, -4, 0), (3, -2, 0)))),
    Scene(name="uhd_drone", world="city", size=UHD, fps=30, n_frames=24, tags=("drone", "4k"),
        seed=45, path=Path(eye=((8, -28, -16), (-2, -29.5, -11)), look=((2, 0, 24),),
        shake_deg=0.03)),
)  # fmt: skip

# One clip, and what else the runner does with it.
_VARIANTS = (
    Scene(name="walk_room_c10", clip_of="walk_room", corrupt=0.10, tags=("corrupted",)),
    Scene(name="drone_city_c20", clip_of="drone_city", corrupt=0.20, tags=("corrupted",)),
    Scene(name="dolly_corridor_c15", clip_of="dolly_corridor", corrupt=0.15, tags=("corrupted",)),
    Scene(name="orbit_table_c05", clip_of="orbit_table", corrupt=0.05, tags=("corrupted",)),
    Scene(name="pan_vista_c10", clip_of="pan_vista", corrupt=0.10, tags=("corrupted",)),
    Scene(name="truck_street_c20", clip_of="truck_street", corrupt=0.20, tags=("corrupted",)),
    # Drawn by trackcore.synth: formulas averaged over pixels, no renderer.
    Scene(name="synth_room", world="synth", size=SD, n_frames=60, focal=(0.85,), tags=("synth",)),
)

_STILL = Path(eye=((0, 0, -1),), turn=((2, -3, 0),))
_BAD = (
    Scene(name="bad_static", n_frames=40, size=SD, seed=50, path=_STILL),
    Scene(name="bad_frozen", n_frames=40, hold=40, size=SD, seed=51, path=_STILL),
    Scene(name="bad_doubled", n_frames=72, hold=2, size=SD, seed=52, path=Path(
        eye=((-0.3, 0, -1), (0.3, 0, 1)), turn=((4, -2, 0), (-4, -2, 0)), shake_deg=0.1)),
    Scene(name="bad_one_frame", n_frames=1, size=SD, seed=53, path=_STILL),
    Scene(name="bad_no_parallax", clip_of="pan_vista", told_kind="DOLLY_PARALLAX"),
    Scene(name="bad_few_tracks", clip_of="walk_room", keep_tracks=6),
    Scene(name="bad_focal", clip_of="walk_room", told_focal=3.0),
)  # fmt: skip


def _complete(scene: Scene, **changes: Any) -> Scene:
    """Fill in the clip of a scene that shares another's."""
    if not scene.clip_of:
        return replace(scene, **changes)
    parent = next(s for s in _RENDERED if s.name == scene.clip_of)
    own = {f: getattr(scene, f) for f in ("name", "clip_of", "corrupt", "keep_tracks")}
    own |= {f: getattr(scene, f) for f in ("told_kind", "told_focal")} | changes
    return replace(parent, **own, tags=(*parent.tags, *scene.tags))


SCENES: dict[str, Scene] = {
    s.name: s
    for s in (
        *(_complete(s) for s in (*_RENDERED, *_VARIANTS)),
        *(_complete(s, expect="weak") for s in _BAD),
    )
}


def matching(pattern: str) -> list[Scene]:
    """Scenes whose name or a tag matches a shell pattern, or one of several between commas."""
    wanted = pattern.split(",")
    return [
        s
        for s in SCENES.values()
        if any(fnmatch.fnmatch(word, p) for word in (s.name, *s.tags, s.kind) for p in wanted)
    ]


def cache_folder() -> FilePath:
    """Folder of the rendered clips."""
    if chosen := os.environ.get("TRACKCORE_BENCH_CACHE"):
        return FilePath(chosen)
    home = FilePath.home()
    if sys.platform == "win32":
        base = FilePath(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
    elif sys.platform == "darwin":
        base = home / "Library/Caches"
    else:
        base = FilePath(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    return base / "trackcore" / "solve-suite"


def clip_folder(scene: Scene) -> FilePath:
    """Folder of one clip; another definition or renderer is another folder."""
    return cache_folder() / f"{scene.clip_of or scene.name}-{scene.fingerprint()}"


def load(name: str) -> tuple[FilePath, Truth]:
    """Return a scene's clip and its truth.

    Raises
    ------
    FileNotFoundError
        If the clip has not been rendered yet, with the command that does it.
    """
    scene = SCENES[name]
    folder = clip_folder(scene)
    truth = folder / "truth.npz"  # written last
    if scene.world == "synth" and not truth.exists():
        from bench.solve_clip import draw_synth  # needs OpenCV and trackcore, as Blender does not

        draw_synth(scene, folder)
    if not truth.exists():
        raise FileNotFoundError(
            f"{name}: not in {cache_folder()}; run PYTHON_WITH_BPY bench/peers/render_solve.py"
            f" --scenes {scene.clip_of or name}"
        )
    return folder / "clip.avi", Truth.read(truth)
