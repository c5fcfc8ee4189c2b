"""What Blender makes of an export: run in Blender itself, which the `bpy` package is.

`bpy` wants its own Python: TRACKCORE_BLENDER may name one that has it.
"""

import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.unit.made_solves import LENSES, ideal_px, made_solve, made_tracks
from trackcore.errors import DependencyError
from trackcore.exports import FORMATS, blender, export_solve
from trackcore.solver import Lens
from trackcore.solver.lens import nuke_unit

CLOSE_PX = 0.01
HERE = Path(__file__).parent
KINDS = {
    "plain": {},
    "shifted": {"offset": (21.3, -14.7), "fps": 29.97},
    "anamorphic": {"pixel_aspect": 2.0, "offset": (-9.0, 6.5), "size": (1828, 1556)},
    "narrow": {"pixel_aspect": 0.9, "size": (720, 576)},
    "tall": {"size": (720, 1280), "offset": (5.0, 30.0)},
    "zoom": {"zoom": True, "first": 1001, "fps": 23.976},
}


def python_with_bpy():
    given = os.environ.get(blender.BLENDER, "")
    if importlib.util.find_spec("bpy") is not None:
        return sys.executable
    return given if Path(given).name.startswith("python") else None


needs_bpy = pytest.mark.skipif(python_with_bpy() is None, reason="bpy is not installed")


def in_blender(kind, file, solve, *, first=None):
    """Open an export in Blender; return what tests/unit/in_blender.py says about it.

    `first` is Blender's number of the solve's first frame; the same unless given.
    """
    out = Path(file).with_suffix(".told.json")
    first = int(solve.frame_numbers[0]) if first is None else first
    first, last = str(first), str(first + solve.n_frames - 1)
    words = [python_with_bpy(), HERE / "in_blender.py", kind, file, out, first, last]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def seen_px(views, solve):
    """Views of Blender (0 .. 1, y up) as our pixels; NaN behind the camera."""
    x, y, depth = np.array(views).T
    w, h = solve.frame_size
    px = np.column_stack([x * w - 0.5, (1 - y) * h - 0.5])
    return np.where(depth[:, None] > 0, px, np.nan)


def assert_points_are_where_the_solve_has_them(told, solve, atol=CLOSE_PX):
    views = list(told["views"].values())  # one a frame
    assert len(views) == solve.n_frames
    for i in np.flatnonzero(solve.solved):
        got = seen_px(views[i], solve)
        truth = ideal_px(solve, i)[solve.bundled]
        near = np.abs(truth - np.array(solve.frame_size) / 2).max(axis=1) < max(solve.frame_size)
        assert near.sum() > 10
        assert_allclose(got[near], truth[near], atol=atol)


@pytest.fixture
def movie(tmp_path):
    """A movie of 14 frames of a solve's size."""

    def made(size):
        path = tmp_path / "shot.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 24, size)
        for i in range(14):
            writer.write(np.full((size[1], size[0], 3), 10 * i, np.uint8))
        writer.release()
        return path

    return made


@needs_bpy
@pytest.mark.parametrize("kind", KINDS)
def test_blender_sees_points_where_the_solve_does(kind, tmp_path):
    solve = made_solve(**KINDS[kind])
    told = in_blender("script", export_solve(solve, tmp_path, "blender")["blender"], solve)
    assert_points_are_where_the_solve_has_them(told, solve)
    numbers = solve.frame_numbers
    assert told["frames"] == [numbers[0], numbers[-1]]
    assert told["keys"] == numbers[solve.solved].tolist()
    assert told["timeline"] == [[f"unsolved {numbers[5]}", numbers[5]]]
    assert told["fps"] == pytest.approx(solve.fps, rel=1e-6)
    assert told["size"] == list(solve.frame_size)
    assert told["aspect"][0] / told["aspect"][1] == pytest.approx(solve.pixel_aspect)
    names = [f"track_{n:05d}" for n in solve.ids[solve.bundled]]
    assert sorted(told["empties"]) == sorted(names)


@needs_bpy
@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("kind", ["plain", "shifted"])
def test_blender_undistorts_tracks_as_the_solve_does(lens, kind, tmp_path, movie):
    # With non-square pixels the constraint that tells us leaves the centre where it is not
    # (Blender 4.5: it divides the principal point by the aspect, but not the marker).
    solve = made_solve(lens=LENSES[lens], **KINDS[kind])
    tracks, clip = made_tracks(solve), movie(solve.frame_size)
    path = export_solve(solve, tmp_path, "blender", tracks=tracks, clip=clip)["blender"]
    told = in_blender("script", path, solve)
    assert told["clip"][:3] == [str(clip), 1, "MOVIE"]
    w, h = solve.frame_size
    at = {name: k for k, name in enumerate(tracks.names)}
    for name, k in at.items():
        seen = tracks.seen[k]
        if not seen.any():
            assert name not in told["tracks"]
            continue
        frames, x, y = np.array(told["tracks"][name]).T
        assert frames.tolist() == tracks.frame_numbers[seen].tolist()
        got = np.column_stack([x * w - 0.5, (1 - y) * h - 0.5])
        assert_allclose(got, tracks.xy_px[k, seen], atol=1e-3)
    for i in np.flatnonzero(solve.solved):
        rows = told["undistorted"][str(solve.frame_numbers[i])]
        assert len(rows) == tracks.seen[:, i].sum()
        truth = ideal_px(solve, i)[[at[name] for name, *_ in rows]]
        got = seen_px([view for _, *view in rows], solve)
        assert_allclose(got, truth, atol=CLOSE_PX)


@needs_bpy
@pytest.mark.parametrize("lens", LENSES)
def test_blender_solves_our_tracks_with_our_lens_to_nothing(lens, tmp_path, movie):
    # Blender's solver takes lens, centre and pixel aspect into account, all at once
    solve = made_solve(lens=LENSES[lens], **KINDS["anamorphic"])
    if lens == "NUKE":
        unit = nuke_unit(solve.focal_px, solve.frame_size, pixel_aspect=2.0)
        solve = dataclasses.replace(solve, lens=Lens("NUKE", (-0.03, 0.004), unit))
    tracks, clip = made_tracks(solve), movie(solve.frame_size)

    def error_px(lens):
        known = dataclasses.replace(solve, lens=lens)
        path = export_solve(known, tmp_path, "blender", tracks=tracks, clip=clip)["blender"]
        return in_blender("solve", path, known)["solver_error_px"]

    assert error_px(solve.lens) < 1e-3
    if lens != "NONE":  # and another lens would not do
        assert error_px(Lens()) > 0.05


@needs_bpy
def test_a_blend_file_is_the_script_saved_and_knows_its_clip_by_a_relative_path(
    tmp_path, movie, monkeypatch
):
    monkeypatch.setenv(blender.BLENDER, python_with_bpy())
    monkeypatch.chdir(tmp_path)
    solve = made_solve(offset=(4.0, 2.0))
    movie(solve.frame_size)
    path = export_solve(solve, "out", "blend", tracks=made_tracks(solve), clip="shot.avi")["blend"]
    assert [p.name for p in Path("out").iterdir()] == ["scene.blend"]
    told = in_blender("blend", path.resolve(), solve)
    assert_points_are_where_the_solve_has_them(told, solve)
    assert told["clip"] == ["//../shot.avi", 1, "MOVIE", [1280, 720]]
    assert told["shown"] == ["//../shot.avi"]


@needs_bpy
@pytest.mark.parametrize("clip", ["plates.v2", "plates.v2/a.####.png"])
def test_an_image_sequence_is_shown_at_its_own_numbers(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solve = made_solve(first=1001)
    tracks, folder = made_tracks(solve), Path("plates.v2")
    folder.mkdir()
    for number in range(1000, 1013):
        cv2.imwrite(str(folder / f"a.{number}.png"), np.zeros((720, 1280), np.uint8))
    path = export_solve(solve, "out", "blender", tracks=tracks, clip=clip)["blender"]
    assert str(tmp_path) not in path.read_text()
    told = in_blender("script", path, solve)
    file, *how = told["clip"]
    assert Path(file).resolve() == (folder / "a.1000.png").resolve()
    assert how == [1000, "SEQUENCE", [1280, 720]]
    for name, seen in zip(tracks.names, tracks.seen, strict=True):
        frames = [f for f, *_ in told["tracks"].get(name, [])]
        assert frames == (tracks.frame_numbers[seen] - 999).tolist()


@needs_bpy
def test_a_script_without_its_clip_still_makes_the_scene(tmp_path):
    solve = made_solve()
    path = export_solve(solve, tmp_path, "blender", clip=tmp_path / "gone.mp4")["blender"]
    told = in_blender("script", path, solve)
    assert told["clip"] is None
    assert_points_are_where_the_solve_has_them(told, solve)


@needs_bpy
def test_alembic_reads_back_in_blender(tmp_path, monkeypatch):
    monkeypatch.setenv(blender.BLENDER, python_with_bpy())
    solve = made_solve(offset=(21.3, -14.7), first=1001)
    told = in_blender("alembic", export_solve(solve, tmp_path, "alembic")["alembic"], solve)
    assert_points_are_where_the_solve_has_them(told, solve)


@needs_bpy
@pytest.mark.parametrize("kind", KINDS)
def test_alembic_reads_back_in_its_own_library(kind, tmp_path, monkeypatch):
    # also what Blender 4.5 writes but does not read: a focal length that changes
    pytest.importorskip("alembic3d", reason="reads .abc files")
    from alembic3d import Abc, AbcGeom

    monkeypatch.setenv(blender.BLENDER, python_with_bpy())
    solve = made_solve(**KINDS[kind])
    top = Abc.IArchive(str(export_solve(solve, tmp_path, "alembic")["alembic"])).getTop()
    placed = AbcGeom.IXform(top, "Camera")
    lens = AbcGeom.ICamera(placed, "Camera").getSchema()
    cloud = AbcGeom.IXform(top, "Points")
    X = np.array(
        [tuple(p) for p in AbcGeom.IPolyMesh(cloud, "Points").getSchema().getValue().getPositions()]
    )
    to_world = np.array(cloud.getSchema().getValue().getMatrix()).reshape(4, 4)
    X = np.column_stack([X, np.ones(len(X))]) @ to_world
    (w, h), motion = solve.frame_size, placed.getSchema()
    for i in np.flatnonzero(solve.solved):
        when = Abc.ISampleSelector(float(solve.frame_numbers[i]) / blender_rate(solve))
        view = np.linalg.inv(np.array(motion.getValue(when).getMatrix()).reshape(4, 4))
        x, y, z, _ = (X @ view).T
        s = lens.getValue(when)
        wide, high = (10 * a for a in (s.getHorizontalAperture(), s.getVerticalAperture()))
        right, up = (10 * a for a in (s.getHorizontalFilmOffset(), s.getVerticalFilmOffset()))
        u = (s.getFocalLength() * x / -z - right) / wide
        v = (s.getFocalLength() * y / -z - up) / high
        got = np.column_stack([(u + 0.5) * w - 0.5, (0.5 - v) * h - 0.5])
        truth = ideal_px(solve, i)[solve.bundled]
        near = np.abs(truth).max(axis=1) < 5000
        assert near.sum() > 20
        assert_allclose(got[near], truth[near], atol=CLOSE_PX)


def blender_rate(solve):
    """Frames per second as Blender holds them: two single numbers."""
    whole = round(solve.fps)
    return whole / float(np.float32(whole / solve.fps))


def test_without_blender_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.delenv(blender.BLENDER, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(DependencyError, match=r"pip install 'trackcore\[blend\]'"):
        export_solve(made_solve(), tmp_path, "blend")
    assert list(tmp_path.iterdir()) == []


def test_the_script_outside_of_blender_says_where_it_belongs(tmp_path):
    if importlib.util.find_spec("bpy") is not None:
        pytest.skip("this Python has bpy")
    path = export_solve(made_solve(), tmp_path, "blender")["blender"]
    done = subprocess.run([sys.executable, path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "This is a script for Blender" in done.stderr


def test_blender_is_told_what_it_cannot_have():
    zooming = made_solve(lens=LENSES["BROWN"], zoom=True)
    assert any("lens that changes" in told for told in FORMATS["blender"].lost(zooming))
    assert any("lens" in told for told in FORMATS["alembic"].lost(zooming))
