"""Triangulation and calibration of what others measured."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import trackcore as tc
from trackcore import Triangulation

Data = Callable[[str], Path]


def test_opencvs_chessboards_have_squares_of_their_size(shared_data: Data):
    cv2 = pytest.importorskip("cv2")
    folder = shared_data("opencv_stereo_chess")
    pairs = [
        [cv2.imread(str(folder / f"{side}{path.stem[-2:]}.jpg"), cv2.IMREAD_GRAYSCALE)
         for side in ("left", "right")] for path in sorted(folder.glob("left*.jpg"))
    ]  # fmt: skip
    board = tc.Chessboard(9, 6, 1.0)
    found = tc.calibrate_stereo(*zip(*pairs, strict=True), board)
    assert found.n_pairs == 13
    assert found.left.rms_px < 0.22
    assert found.right.rms_px < 0.22
    assert found.rms_px < 0.22
    means = []
    for left, right in pairs:
        corners = np.stack([board.find(left).uv_px, board.find(right).uv_px], axis=1)
        X = found.rig.triangulate(corners).X_world.reshape(6, 9, 3)
        sides = [np.linalg.norm(np.diff(X, axis=k), axis=-1).ravel() for k in (0, 1)]
        means.append(np.concatenate(sides).mean())
    assert abs(np.mean(means) - 1.0) <= 0.002
    assert np.std(means) <= 0.002


def test_the_table_tennis_ball_is_where_its_authors_put_it(shared_data: Data):
    folder = shared_data("tabletennis_3cam")
    cameras = json.loads((folder / "cameras.json").read_text())
    P = np.stack([
        np.array(c["K"]) @ np.column_stack([c["R"], c["t"]]) for c in cameras.values()
    ])  # fmt: skip
    behind = 0
    for rally in range(10):
        seen = []
        for camera in (1, 2, 3):
            with (folder / f"CleanData/CAM{camera}-{rally}_cleaned.csv").open() as file:
                seen.append({int(r["frame"]): (float(r["undistort_x"]), float(r["undistort_y"]))
                             for r in csv.DictReader(file)})  # fmt: skip
        frames = sorted(set.intersection(*map(set, seen)))
        points = tc.triangulate(P, [[one[f] for one in seen] for f in frames])
        theirs = np.loadtxt(folder / f"results/3dpts_{rally}.csv", delimiter=",")
        assert len(points) == len(theirs)
        assert np.abs(points.X_world - theirs)[points.ok].max() < 1e-4
        # The rest lie behind a camera that is said to see them: marks that are wrong.
        depth = theirs @ P[:, 2, :3].T + P[:, 2, 3]
        assert (points.status[~points.ok] == Triangulation.BEHIND_CAMERA).all()
        assert ((depth > 0).all(axis=1) == points.ok).all()
        behind += int((~points.ok).sum())
    assert behind == 7


def lund(path: Path) -> tuple[NDArray, NDArray, NDArray]:
    """Return projections, observations with NaN, and the points the authors found."""
    io = pytest.importorskip("scipy.io")
    data = io.loadmat(path)
    P = np.stack(list(data["P"][0]))
    X = (data["U"][:3] / data["U"][3]).T
    tracks = data["u_uncalib"][0, 0]
    uv = np.full((len(X), len(P), 2), np.nan)
    for c in range(len(P)):
        which = tracks["index"].ravel()[c].ravel().astype(int) - 1
        uv[which, c] = tracks["points"].ravel()[c][:2].T
    return P, uv, X


def test_the_lund_door_is_where_its_authors_put_it(shared_data: Data):
    P, uv, X = lund(shared_data("lund_door/data.mat"))
    points = tc.triangulate(P, uv)
    refined = tc.triangulate(P, uv, method="refined")
    assert len(points) == 17650
    assert points.ok.all()
    assert refined.ok.all()
    assert np.median(np.linalg.norm(points.X_world - X, axis=1)) < 0.003
    # They refined too: the same minimum.
    assert np.median(np.linalg.norm(refined.X_world - X, axis=1)) < 1e-5
    assert (refined.reprojection_px <= points.reprojection_px * (1 + 1e-9)).all()
    theirs = np.linalg.norm(tc.synth.project(P, X) - uv, axis=2)
    assert np.nanmedian(refined.view_error_px) <= np.nanmedian(theirs) * 1.001


def test_temple_views_agree_about_what_they_match(shared_data: Data):
    cv2 = pytest.importorskip("cv2")
    folder = shared_data("temple_sparse_ring")
    lines = (folder / "templeSR_par.txt").read_text().split("\n")[1:]
    values = {line.split()[0]: np.array(line.split()[1:], float) for line in lines if line.strip()}
    P = {n: v[:9].reshape(3, 3) @ np.column_stack([v[9:18].reshape(3, 3), v[18:]])
         for n, v in values.items()}  # fmt: skip
    low, high = np.array([[-0.073568, 0.021728, -0.012445], [0.028855, 0.181892, 0.062736]])
    sift, matcher = cv2.SIFT_create(), cv2.BFMatcher()
    for number in (6, 7, 8, 12):  # neighbours that are: 23 degrees apart
        pair = [f"templeSR{k:04d}.png" for k in (number, number + 1)]
        found = [sift.detectAndCompute(cv2.imread(str(folder / n), 0), None) for n in pair]
        best = [m for m, n in matcher.knnMatch(found[0][1], found[1][1], k=2)
                if m.distance < 0.75 * n.distance]  # fmt: skip
        uv = np.array([[found[0][0][m.queryIdx].pt, found[1][0][m.trainIdx].pt] for m in best])
        points = tc.triangulate([P[n] for n in pair], uv, method="optimal")
        good = points.ok & (points.reprojection_px < 2)
        assert len(best) > 100
        assert good.mean() > 0.9
        assert np.median(points.reprojection_px[good]) < 0.2
        inside = ((points.X_world >= low - 0.01) & (points.X_world <= high + 0.01)).all(axis=1)
        assert inside[good].mean() > 0.95


def bal(path: Path) -> tuple[NDArray, NDArray, NDArray]:
    """Return cameras (n, 9), points and observations (camera, point, x, y) of a BAL file."""
    words = np.array(path.read_text().split(), np.float64)
    n_cameras, n_points, n_seen = words[:3].astype(int)
    seen = words[3 : 3 + 4 * n_seen].reshape(-1, 4)
    rest = words[3 + 4 * n_seen :]
    return rest[: 9 * n_cameras].reshape(-1, 9), rest[9 * n_cameras :].reshape(n_points, 3), seen


def bal_camera(parameters: NDArray) -> tc.Camera:
    """Return a camera that is BAL's but for its axes: it looks along -z with y up.

    p = -P / P.z, then f (1 + k1 p^2 + k2 p^4) p about the picture's centre; turning about x by half
    a turn makes it ours, with v the other way.
    """
    from trackcore.cameras._names import _rotation

    T = np.eye(4)
    T[:3, :3], T[:3, 3] = _rotation(parameters[:3]), parameters[3:6]
    f, k1, k2 = parameters[6:]
    K = np.array([[f, 0, 0], [0, f, 0], [0, 0, 1.0]])
    half_turn = np.diag([1.0, -1, -1, 1])
    return tc.Camera(K=K, size=(1, 1), distortion=(k1, k2, 0, 0, 0), T_cam_world=half_turn @ T)


def test_ladybug_costs_what_everybody_finds_it_costs(shared_data: Data):
    cameras, X, seen = bal(shared_data("bal_ladybug49/problem-49-7776-pre.txt"))
    assert (len(cameras), len(X), len(seen)) == (49, 7776, 31843)
    cost, behind, median = 0.0, 0, []
    for c, parameters in enumerate(cameras):
        mine = seen[seen[:, 0] == c]
        camera = bal_camera(parameters)
        h = X[mine[:, 1].astype(int)] @ camera.P_img_world[:, :3].T + camera.P_img_world[:, 3]
        # 31 of them lie behind, at these first guesses: BAL counts their mirror images.
        behind += int((h[:, 2] <= 0).sum())
        off = camera.distort(h[:, :2] / h[:, 2:]) * [1, -1] - mine[:, 2:]
        cost += 0.5 * (off**2).sum()
        median.append(np.linalg.norm(off, axis=1))
    assert behind == 31
    assert cost == pytest.approx(8.509125e05, rel=1e-6)
    assert np.median(np.concatenate(median)) == pytest.approx(1.48, abs=0.01)
