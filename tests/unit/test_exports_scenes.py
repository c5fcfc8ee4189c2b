"""USD, glTF, PLY and 2-D tracks, read back."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.unit.made_solves import LENSES, ideal_px, made_solve, made_tracks
from tests.unit.test_exports_blender import (
    assert_points_are_where_the_solve_has_them,
    in_blender,
    needs_bpy,
    python_with_bpy,
)
from trackcore.errors import DependencyError, InputError
from trackcore.exports import FORMATS, export_solve

CLOSE_PX = 0.01
KINDS = {
    "plain": {},
    "shifted": {"offset": (21.3, -14.7), "fps": 29.97},
    "anamorphic": {"pixel_aspect": 2.0, "offset": (-9.0, 6.5), "size": (1828, 1556)},
    "tall": {"size": (720, 1280), "offset": (5.0, 30.0)},
    "zoom": {"zoom": True, "first": 1001, "fps": 23.976},
}


def in_pixels(ndc, solve):
    """-1 .. 1, y up, to pixels."""
    w, h = solve.frame_size
    return np.column_stack([(ndc[:, 0] + 1) / 2 * w - 0.5, (1 - ndc[:, 1]) / 2 * h - 0.5])


# USD


@pytest.mark.parametrize("kind", KINDS)
def test_usd_camera_sees_points_where_the_solve_does(kind, tmp_path):
    pytest.importorskip("pxr", reason="usd-core reads the layer back")
    from pxr import Gf, Usd, UsdGeom

    solve = made_solve(**KINDS[kind])
    stage = Usd.Stage.Open(str(export_solve(solve, tmp_path, "usd")["usd"]))
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert stage.GetTimeCodesPerSecond() == solve.fps
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == tuple(solve.frame_numbers[[0, -1]])
    camera = UsdGeom.Camera.Get(stage, "/Shot/Camera")
    points = UsdGeom.Points.Get(stage, "/Shot/Points")
    X = [Gf.Vec3d(*map(float, p)) for p in points.GetPointsAttr().Get()]
    assert_array_equal(points.GetIdsAttr().Get(), solve.ids[solve.bundled])
    times = camera.GetPrim().GetAttribute("xformOp:transform").GetTimeSamples()
    assert times == solve.frame_numbers[solve.solved].tolist()
    for i in np.flatnonzero(solve.solved):
        seen = camera.GetCamera(float(solve.frame_numbers[i])).frustum
        view = seen.ComputeViewMatrix() * seen.ComputeProjectionMatrix()
        got = in_pixels(np.array([view.Transform(x) for x in X]), solve)
        truth = ideal_px(solve, i)[solve.bundled]
        near = np.abs(truth).max(axis=1) < 5000
        assert near.sum() > 20
        assert_allclose(got[near], truth[near], atol=CLOSE_PX)


def test_usd_says_which_frames_were_solved_and_names_the_lens(tmp_path):
    pytest.importorskip("pxr", reason="usd-core reads the layer back")
    from pxr import Usd

    solve = made_solve(lens=LENSES["NUKE"])
    stage = Usd.Stage.Open(str(export_solve(solve, tmp_path, "usd")["usd"]))
    prim = stage.GetPrimAtPath("/Shot/Camera")
    solved = [prim.GetAttribute("trackcore:solved").Get(float(n)) for n in solve.frame_numbers]
    assert solved == solve.solved.tolist()
    assert prim.GetAttribute("trackcore:lens:model").Get() == "NUKE"
    assert prim.GetAttribute("trackcore:lens:unit").Get() == solve.lens.unit
    assert any("distortion" in told for told in FORMATS["usd"].lost(solve))


def test_without_usd_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(DependencyError, match=r"pip install 'trackcore\[usd\]'"):
        export_solve(made_solve(), tmp_path, ["json", "usd"])
    assert list(tmp_path.iterdir()) == []


# glTF


def glb(path):
    """Return the object of a .glb, and a function that reads an accessor."""
    data = path.read_bytes()
    magic, version, size, n_text, kind = struct.unpack_from("<4sIII4s", data)
    assert (magic, version, size, kind) == (b"glTF", 2, len(data), b"JSON")
    scene = json.loads(data[20 : 20 + n_text])
    n_block, kind = struct.unpack_from("<I4s", data, 20 + n_text)
    block = data[28 + n_text :]
    assert (n_block, kind) == (len(block), b"BIN\0")
    assert n_text % 4 == n_block % 4 == 0

    def read(index):
        accessor = scene["accessors"][index]
        view = scene["bufferViews"][accessor["bufferView"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        n = accessor["count"] * width
        assert view["byteLength"] == 4 * n
        found = np.frombuffer(block, "<f4", n, view["byteOffset"]).reshape(-1, width)
        assert_array_equal(accessor["min"], found.min(axis=0))
        assert_array_equal(accessor["max"], found.max(axis=0))
        return found.astype(float)

    return scene, read


def rotation(x, y, z, w):
    """Of a unit quaternion."""
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


@pytest.mark.parametrize("kind", ["plain", "anamorphic", "tall"])
def test_gltf_camera_sees_points_where_the_solve_does(kind, tmp_path):
    solve = made_solve(**{**KINDS[kind], "offset": (0, 0)})
    scene, read = glb(export_solve(solve, tmp_path, "gltf")["gltf"])
    (motion,) = scene["animations"]
    reads = {}
    for channel in motion["channels"]:
        sampler = motion["samplers"][channel["sampler"]]
        assert channel["target"]["node"] == 0
        reads[channel["target"]["path"]] = read(sampler["output"])
        seconds = read(sampler["input"])[:, 0]
    frames = np.flatnonzero(solve.solved)
    assert_allclose(seconds, frames / solve.fps, rtol=1e-6)
    X = read(scene["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    lens = scene["cameras"][0]["perspective"]
    for i, t, q in zip(frames, reads["translation"], reads["rotation"], strict=True):
        seen = (X - t) @ rotation(*q)
        up = np.tan(lens["yfov"] / 2) * -seen[:, 2]
        ndc = seen[:, :2] / np.column_stack([up * lens["aspectRatio"], up])
        truth = ideal_px(solve, i)[solve.bundled]
        assert_allclose(in_pixels(ndc, solve), truth, atol=CLOSE_PX)


@needs_bpy
def test_gltf_opens_in_blender(tmp_path):
    solve = made_solve()
    path = export_solve(solve, tmp_path, "gltf")["gltf"]
    # Blender's importer puts second 0 on frame 0
    told = in_blender("gltf", path, solve, first=0)
    assert_points_are_where_the_solve_has_them(told, solve)


def test_gltf_says_what_it_lost():
    told = FORMATS["gltf"].lost(made_solve(zoom=True, offset=(1, 2), lens=LENSES["BROWN"]))
    assert [any(word in t for t in told) for word in ("zoom", "principal", "lens")] == [True] * 3


# PLY


def test_ply_has_points_cameras_and_the_path_between_solved_frames(tmp_path):
    solve = made_solve(first=101)
    text = export_solve(solve, tmp_path, "ply")["ply"].read_text()
    head, body = text.split("end_header\n")
    n, n_edges = (int(line.split()[2]) for line in head.splitlines() if line.startswith("element"))
    rows = np.array([line.split() for line in body.splitlines()[:n]], float)
    edges = np.array([line.split() for line in body.splitlines()[n:]], int)
    points, cameras = rows[: solve.bundled.sum()], rows[solve.bundled.sum() :]
    up = np.array([1, -1, -1])
    assert_array_equal(points[:, :3], solve.points[solve.bundled] * up)
    assert_array_equal(points[:, 6], solve.ids[solve.bundled])
    assert_array_equal(cameras[:, :3], solve.centres[solve.solved] * up)
    assert_array_equal(cameras[:, 6], solve.frame_numbers[solve.solved])
    assert len(edges) == n_edges == 9  # 11 cameras, a gap after the fifth
    numbers = rows[edges][:, :, 6]
    assert (numbers[:, 1] - numbers[:, 0] == 1).all()


@needs_bpy
def test_ply_opens_in_blender(tmp_path):
    path = export_solve(made_solve(), tmp_path, "ply")["ply"]
    script = tmp_path / "look.py"
    script.write_text(
        "import bpy, sys\n"
        "bpy.ops.wm.read_factory_settings(use_empty=True)\n"
        f"bpy.ops.wm.ply_import(filepath={str(path)!r})\n"
        "print('told', len(bpy.data.meshes[0].vertices), len(bpy.data.meshes[0].edges))\n"
    )
    done = subprocess.run([python_with_bpy(), script], capture_output=True, text=True, check=True)
    assert "told 50 9" in done.stdout


# 2-D tracks


@pytest.mark.parametrize("form", ["3de", "syntheyes"])
def test_2d_tracks_are_those_given(form, tmp_path):
    solve = made_solve()
    tracks = made_tracks(solve)
    path = export_solve(solve, tmp_path, form, tracks=tracks)[form]
    (other,) = tracks.to_text(tmp_path / "other.txt", form)
    assert path.read_bytes() == Path(other).read_bytes()
    with pytest.raises(InputError, match=f"the format {form} is made of"):
        export_solve(solve, tmp_path, form)


def test_every_format_is_listed_with_a_title_and_what_it_loses():
    solve = made_solve(lens=LENSES["DIVISION"])
    for name, form in FORMATS.items():
        assert form.title
        assert isinstance(form.lost(solve), list), name
