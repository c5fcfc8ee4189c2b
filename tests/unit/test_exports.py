"""What leaves a solve, read back by each program's own conventions."""

import csv
import dataclasses
import importlib.util
import json
import locale
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.unit.made_solves import LENSES, H, W, ideal_px, made_solve, made_tracks
from trackcore.errors import InputError, SourceError
from trackcore.exports import FORMATS, export_solve, load_solve
from trackcore.solver import CameraPrior, Lens, Solve, TrackRole
from trackcore.solver import solve as solve_camera

CLOSE_PX = 0.01
KINDS = {
    "plain": {},
    "shifted": {"offset": (21.3, -14.7)},
    "anamorphic": {"pixel_aspect": 2.0, "offset": (-9.0, 6.5), "size": (1828, 1556)},
    "zoom": {"zoom": True, "first": 1001, "fps": 23.976},
}


def solved(solve):
    return np.flatnonzero(solve.solved).tolist()


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(params=KINDS, ids=str)
def solve(request):
    return made_solve(**KINDS[request.param])


# json


@pytest.mark.parametrize("lens", LENSES)
def test_json_reads_back_bit_for_bit(lens, tmp_path):
    solve = made_solve(lens=LENSES[lens], offset=(3.0, 1 / 3), zoom=True)
    path = export_solve(solve, tmp_path, "json")["json"]
    back = load_solve(path)
    for field in dataclasses.fields(Solve):
        was, now = getattr(solve, field.name), getattr(back, field.name)
        if isinstance(was, np.ndarray):
            assert_array_equal(now, was, strict=True)
        elif field.name in ("evidence", "shot"):
            assert repr(now) == repr(was)  # NaN is in them
        else:
            assert type(now) is type(was)
            assert now == was or np.isnan(was)


def test_json_without_a_single_camera_reads_back(tmp_path):
    solve = made_solve()
    none = dataclasses.replace(
        solve, T_cam_world=np.full_like(solve.T_cam_world, np.nan), shot=None, keyframes=None,
        points=np.full_like(solve.points, np.nan),
    )  # fmt: skip
    back = load_solve(export_solve(none, tmp_path, ["json"])["json"])
    assert not back.solved.any()
    assert back.T_cam_world.shape == none.T_cam_world.shape
    assert (back.shot, back.keyframes) == (None, None)


def test_json_of_a_camera_that_was_really_solved_reads_back(tmp_path):
    truth = made_solve(n_frames=30)
    found = solve_camera(made_tracks(truth), CameraPrior(focal_px=1400.0))
    assert found.solved.sum() > 25
    back = load_solve(export_solve(found, tmp_path, "json")["json"])
    assert back.to_dict() == found.to_dict()
    assert_array_equal(back.T_cam_world, found.T_cam_world)
    assert_array_equal(back.points, found.points)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "trackcore.tracks"}', '{"format": "trackcore.solve"}']
)
def test_what_is_no_solve_is_refused(text, tmp_path):
    (tmp_path / "solve.json").write_text(text)
    with pytest.raises(InputError, match=r"path: expected a solve"):
        load_solve(tmp_path / "solve.json")


def test_damaged_newer_and_missing_solves_are_told_apart(tmp_path):
    path = export_solve(made_solve(), tmp_path, "json")["json"]
    plain = json.loads(path.read_text())
    path.write_text(json.dumps({**plain, "version": 99}))
    with pytest.raises(InputError, match="version 99"):
        load_solve(path)
    path.write_text(json.dumps({**plain, "frames": 3}))
    with pytest.raises(InputError, match="damaged"):
        load_solve(path)
    with pytest.raises(SourceError, match="found none"):
        load_solve(tmp_path / "other.json")


# csv


def test_csv_cameras_project_points_to_where_the_solve_does(solve, tmp_path):
    folder = export_solve(solve, tmp_path, "csv")["csv"]
    points = table(folder / "points.csv")
    X = np.array([[float(p[a] or "nan") for a in "xyz"] for p in points])
    rows = table(folder / "cameras.csv")
    assert [int(r["frame"]) for r in rows] == solve.frame_numbers.tolist()
    assert [TrackRole[p["role"]] for p in points] == solve.role.tolist()
    cx, cy = solve.principal_point_px
    for i, row in enumerate(rows):
        if i == 5:
            assert row["r11"] == row["x"] == ""
            continue
        P = np.array(
            [[float(row[f"r{a}{b}"]) for b in "123"] + [float(row[f"t{a}"])] for a in "123"]
        )
        f = float(row["focal_px"])
        x, y, z = P @ np.column_stack([X, np.ones(len(X))]).T
        got = np.column_stack([f * x / z + cx, f * solve.pixel_aspect * y / z + cy])
        assert_allclose(got, ideal_px(solve, i), atol=1e-9)
        assert_allclose([float(row[a]) for a in "xyz"], solve.centres[i], atol=1e-12)


# COLMAP


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("kind", KINDS)
def test_colmap_projects_points_to_where_the_solve_does(lens, kind, tmp_path):
    pycolmap = pytest.importorskip("pycolmap", reason="reads the model back")
    solve = made_solve(lens=LENSES[lens], **KINDS[kind])
    tracks = made_tracks(solve)
    model = pycolmap.Reconstruction(
        export_solve(solve, tmp_path, "colmap", tracks=tracks)["colmap"]
    )
    assert model.num_images() == len(solved(solve))
    assert model.num_cameras() == (len(solved(solve)) if kind == "zoom" else 1)
    assert model.num_points3D() == solve.bundled.sum()
    by_name = {image.name: image for image in model.images.values()}
    for i in solved(solve):
        image = by_name[f"frame_{solve.frame_numbers[i]:06d}.png"]
        camera = model.cameras[image.camera_id]
        X = solve.points[solve.bundled]
        pose = image.cam_from_world() if callable(image.cam_from_world) else image.cam_from_world
        got = camera.img_from_cam(np.array([pose * x for x in X])) - 0.5
        inside = ((got > 0) & (got < solve.frame_size)).all(axis=1)
        assert inside.sum() > 10
        fit = 0.1 if lens in ("DIVISION", "NUKE") else CLOSE_PX
        assert_allclose(got[inside], solve.project(i)[solve.bundled][inside], atol=fit)
        # what the model says was observed is the track, and refers to its own point
        for point in image.points2D:
            X = model.points3D[point.point3D_id].xyz
            track = np.flatnonzero((solve.points == X).all(axis=1))[0]
            assert_allclose(point.xy - 0.5, tracks.xy_px[track, i], atol=1e-9)
    assert_allclose(
        model.compute_mean_reprojection_error(), np.nanmean(solve.track_error_px), rtol=1e-6
    )
    for point in model.points3D.values():
        for element in point.track.elements:
            assert by_name  # every element exists and refers back
            seen = model.images[element.image_id].points2D[element.point2D_idx]
            assert model.points3D[seen.point3D_id].xyz.tolist() == point.xyz.tolist()


def test_colmap_without_tracks_is_cameras_and_points(tmp_path):
    pycolmap = pytest.importorskip("pycolmap", reason="reads the model back")
    solve = made_solve()
    model = pycolmap.Reconstruction(export_solve(solve, tmp_path, "colmap")["colmap"])
    assert (model.num_images(), model.num_points3D()) == (11, 39)
    assert model.compute_num_observations() == 0


def test_colmap_refuses_a_lens_it_cannot_hold(tmp_path):
    with pytest.raises(InputError, match=r"BROWN follows DIVISION .* px at worst"):
        export_solve(made_solve(lens=Lens("DIVISION", (0.9, -0.9))), tmp_path, "colmap")


# Nuke


def zxy(degrees):
    """Turn about z first, then x, then y: Nuke's default order."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    Rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    Ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    Rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return Ry @ Rx @ Rz


def nuke_camera_points(solve, translate, rotate):
    """Points in a Nuke camera: y up, looking along -z."""
    return (solve.points * (1, -1, -1) - translate) @ zxy(rotate)


def test_chan_cameras_see_points_where_the_solve_does(solve, tmp_path):
    path = export_solve(solve, tmp_path, "nuke_chan")["nuke_chan"]
    rows = np.loadtxt(path)
    assert rows[:, 0].tolist() == solve.frame_numbers[solve.solved].tolist()
    w, h = solve.frame_size
    for i, row in zip(solved(solve), rows, strict=True):
        X = nuke_camera_points(solve, row[1:4], row[4:7])
        half = np.tan(np.radians(row[7] / 2)) * -X[:, 2]  # of what is seen, upwards
        x = w / 2 * (1 + X[:, 0] / (half * w * solve.pixel_aspect / h))
        y = h / 2 * (1 + X[:, 1] / half)
        got = np.column_stack([x - 0.5, h - y - 0.5])
        centre = np.array([(w - 1) / 2, (h - 1) / 2])  # a .chan has no other
        assert_allclose(got - centre, ideal_px(solve, i) - solve.principal_point_px, atol=CLOSE_PX)
    told = FORMATS["nuke_chan"].lost(solve)
    assert any("principal" in t for t in told) == (solve.principal_point_px != tuple(centre))


def knobs(text, kind):
    """Return a node's knobs as lists of numbers or of {frame: number}."""
    node = re.search(rf"^{kind} {{\n(.*?)^}}", text, re.M | re.S)[1]
    found = {}
    for line in node.splitlines():
        name, value = line.strip().split(" ", 1)
        curves = re.findall(r"\{curve ([^}]*)\}", value)
        if curves:
            found[name] = [
                {int(k[1:]): float(v) for k, v in zip(*[iter(c.split())] * 2, strict=True)}
                for c in curves
            ]
        else:
            found[name] = value
    return found


def numbers(text):
    return [float(n) for n in text.strip("{}").split()]


def at(knob, frame):
    return knob[0][frame] if isinstance(knob, list) else float(knob)


@pytest.mark.parametrize("lens", LENSES)
def test_nuke_script_shows_points_where_the_solve_does(solve, lens, tmp_path):
    solve = dataclasses.replace(solve, lens=LENSES[lens])
    text = export_solve(solve, tmp_path, "nuke")["nuke"].read_text()
    camera = knobs(text, "Camera2")
    (w, h), aspect = solve.frame_size, solve.pixel_aspect
    u, v = numbers(camera["win_translate"])
    assert camera["rot_order"] == "ZXY"
    for i in solved(solve):
        frame = int(solve.frame_numbers[i])
        translate, rotate = ([c[frame] for c in camera[k]] for k in ("translate", "rotate"))
        X = nuke_camera_points(solve, translate, rotate)
        lens_ratio = at(camera["focal"], frame) / float(camera["haperture"])
        x = w / 2 * (1 + 2 * lens_ratio * X[:, 0] / -X[:, 2] - u)
        y = h / 2 + w / 2 * aspect * (2 * lens_ratio * X[:, 1] / -X[:, 2] - v)
        got = np.column_stack([x - 0.5, h - y - 0.5])
        assert_allclose(got, ideal_px(solve, i), atol=CLOSE_PX)
        if lens in ("NONE", "BROWN"):  # BROWN's tangential part has no place in Nuke's model
            assert "LensDistortion" not in text
            continue
        # Nuke's formula takes what the solve's lens distorts back to the ideal
        node = knobs(text, "LensDistortion2")
        half = max(w, h / aspect) / 2
        middle = np.array([w / 2, h / 2]) - 0.5
        centre = np.array(numbers(node["centre"])) * (1, -1) * half * (1, aspect) + middle
        seen = solve.project(i)
        inside = ((seen > 0) & (seen < solve.frame_size)).all(axis=1)
        d = (seen[inside] - centre) / (half, half * aspect)
        s = (d**2).sum(axis=1, keepdims=True)
        k1, k2 = (at(node[f"distortionDenominator{k}"], frame) for k in "01")
        back = d / (1 + k1 * s + k2 * s * s) * (half, half * aspect) + centre
        fit = 0.5 if lens == "POLYNOMIAL" else CLOSE_PX
        assert_allclose(back, ideal_px(solve, i)[inside], atol=fit)


def test_nuke_script_says_that_a_lens_is_not_in_it(tmp_path):
    solve = made_solve(lens=Lens("BROWN", (0, 0, 0.02, 0)))
    text = export_solve(solve, tmp_path, "nuke")["nuke"].read_text()
    assert "LensDistortion" not in text
    assert "not in here" in knobs(text, "StickyNote")["label"]
    assert any("NUKE follows BROWN" in told for told in FORMATS["nuke"].lost(solve))


def test_nuke_angles_do_not_jump(tmp_path):
    solve = made_solve(n_frames=40)
    spin = np.linspace(0, 9, 40)
    for i in solved(solve):
        c, s = np.cos(spin[i]), np.sin(spin[i])
        solve.T_cam_world[i, :3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    rows = np.loadtxt(export_solve(solve, tmp_path, "nuke_chan")["nuke_chan"])
    assert np.abs(np.diff(rows[:, 5])).max() < 30


# all of them


def test_an_export_is_checked_before_anything_is_written(tmp_path):
    solve = made_solve()
    with pytest.raises(InputError, match=r"formats: expected some of json, csv,.* got 'fbx'"):
        export_solve(solve, tmp_path / "out", ["json", "fbx"])
    none = dataclasses.replace(solve, T_cam_world=np.full_like(solve.T_cam_world, np.nan))
    with pytest.raises(InputError, match="solve: expected at least one solved camera"):
        export_solve(none, tmp_path / "out", ["csv"])
    other = made_tracks(made_solve(size=(640, 360)))
    with pytest.raises(InputError, match=r"tracks: expected frames of \(1280, 720\) px as in"):
        export_solve(solve, tmp_path / "out", ["csv"], tracks=other)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("only", ["no points", "one frame"])
def test_little_is_exported_as_well(only, tmp_path):
    solve, names = made_solve(), sorted(set(FORMATS) - {"blend", "alembic"})
    if importlib.util.find_spec("pxr") is None:
        names.remove("usd")
    if only == "no points":
        solve = dataclasses.replace(solve, points=np.full_like(solve.points, np.nan))
    else:
        solve.T_cam_world[1:] = np.nan
    paths = export_solve(solve, tmp_path, names, tracks=made_tracks(made_solve()))
    assert all(path.exists() for path in paths.values())
    assert load_solve(paths["json"]).to_dict() == solve.to_dict()
    assert len(np.atleast_2d(np.loadtxt(paths["nuke_chan"]))) == solve.solved.sum()


def test_a_second_export_writes_the_same_over_the_first(tmp_path):
    solve, names = (
        made_solve(lens=LENSES["POLYNOMIAL"]),
        sorted(set(FORMATS) - {"blend", "alembic"}),
    )
    if importlib.util.find_spec("pxr") is None:
        names.remove("usd")
    read = []
    for _ in range(2):
        paths = export_solve(solve, tmp_path, names, tracks=made_tracks(solve))
        assert list(paths) == names
        files = [p for p in sorted(tmp_path.rglob("*")) if p.is_file()]
        read.append({p: p.read_bytes() for p in files})
    assert read[0] == read[1]
    assert all(path.exists() for path in paths.values())
    assert all(str(tmp_path).encode() not in data for data in read[0].values())


def test_numbers_are_written_the_same_in_every_locale(tmp_path):
    solve, names = made_solve(), ["json", "csv", "colmap", "nuke_chan", "nuke"]
    export_solve(solve, tmp_path / "a", names)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        break
    try:
        export_solve(solve, tmp_path / "b", names)
    finally:
        locale.setlocale(locale.LC_ALL, "C")
    files = [p for p in sorted((tmp_path / "a").rglob("*")) if p.is_file()]
    assert len(files) == 8
    for path in files:
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_a_clip_is_named_as_given_or_as_seen_from_the_export(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    solve = made_solve()
    text = export_solve(solve, "out", "nuke", clip="shots/a.mp4")["nuke"].read_text()
    assert 'file "../shots/a.mp4"' in text
    assert str(tmp_path) not in text
    text = export_solve(solve, "out", "nuke", clip="/shots/b [1].mov")["nuke"].read_text()
    assert r'file "/shots/b \[1\].mov"' in text


def test_constants_agree_with_the_scenes():
    assert made_solve().frame_size == (W, H)
