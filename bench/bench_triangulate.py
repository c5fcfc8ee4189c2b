"""Triangulation against OpenCV, numpy, scipy and COLMAP: same answers, then time.

pytest bench/bench_triangulate.py        # rates of single calls
python -m bench.bench_triangulate        # the table of ratios; --quick: fewer rounds

Ours are the public function with all it finds besides: status, covariance, angle, errors. Two
views: a toed-in rig 4 ft wide, noise 0.3 px. More: cameras on a circle, the same noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from bench import _measure
from numpy.testing import assert_allclose
from numpy.typing import NDArray

import trackcore as tc

NOISE_PX = 0.3
Floats = NDArray[np.float64]


def stereo(n: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return projections of a toed-in rig, n points before it, and where they are seen."""
    K = tc.synth.cameras.intrinsics(1800.0, (1920, 1080))
    eyes = ((-0.6096, 0, 0), (0.6096, 0, 0))
    P = np.stack([K @ tc.synth.cameras.look_at(eye, (0, 0, 15))[:3] for eye in eyes])
    rng = np.random.default_rng(seed)
    X = rng.uniform((-2, -1.5, 3), (2, 1.5, 20), (n, 3))
    return P, X, tc.synth.project(P, X) + rng.normal(0, NOISE_PX, (n, 2, 2))


def ring(n: int, n_cams: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return cameras on a circle, n points within, and where they are seen."""
    P, rng = tc.synth.ring_of_cameras(n_cams), np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, 3))
    return P, X, tc.synth.project(P, X) + rng.normal(0, NOISE_PX, (n, n_cams, 2))


def by_opencv(P: Floats, uv: Floats) -> Floats:
    h = cv2.triangulatePoints(P[0], P[1], uv[:, 0].T, uv[:, 1].T)
    return (h[:3] / h[3]).T


def by_numpy(P: Floats, uv: Floats) -> Floats:
    """Batched singular values: what a numpy user writes."""
    rows = uv[..., None] * P[None, :, None, 2] - P[None, :, :2]
    h = np.linalg.svd(rows.reshape(len(uv), -1, 4))[2][:, -1]
    return h[:, :3] / h[:, 3:]


def by_opencv_optimal(P: Floats, uv: Floats, F: Floats) -> Floats:
    a, b = cv2.correctMatches(F, uv[None, :, 0], uv[None, :, 1])
    return by_opencv(P, np.stack([a[0], b[0]], axis=1))


def fundamental(P: Floats) -> Floats:
    """Return F with (u, v, 1) of view 1 times F times (u, v, 1) of view 0 = 0."""
    center = np.append(-np.linalg.solve(P[0][:, :3], P[0][:, 3]), 1)
    x, y, z = P[1] @ center
    F = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ P[1] @ np.linalg.pinv(P[0])
    return np.asarray(F / np.linalg.norm(F))


def colmap_calls(P: Floats, uv: Floats) -> Callable[[], Floats]:
    """Return one call per point of COLMAP's N-view triangulation, on what it wants prepared."""
    import pycolmap

    K = tc.synth.cameras.intrinsics(1000.0, (1280, 720))
    poses = [np.linalg.inv(K) @ p for p in P]
    rays = np.concatenate([uv, np.ones((*uv.shape[:2], 1))], axis=2) @ np.linalg.inv(K).T
    rays /= np.linalg.norm(rays, axis=2, keepdims=True)
    per_point = [np.ascontiguousarray(one) for one in rays]

    def call() -> Floats:
        return np.array([pycolmap.triangulate_multi_view_point(poses, one) for one in per_point])

    return call


def cost(P: Floats, uv: Floats, X: Floats) -> Floats:
    return np.asarray(((tc.synth.project(P, X) - uv) ** 2).sum(axis=(1, 2)))


def check_two_views() -> None:
    """Assert that everybody finds the same two-view points, and optimal costs no more."""
    P, X, uv = stereo(2000)
    ours = tc.triangulate(P, uv)
    assert ours.ok.all()
    assert_allclose(ours.X_world, by_opencv(P, uv), rtol=1e-9)
    assert_allclose(ours.X_world, by_numpy(P, uv), rtol=1e-9)
    best = tc.triangulate(P, uv, method="optimal")
    theirs = by_opencv_optimal(P, uv, fundamental(P))
    assert (cost(P, uv, best.X_world) <= cost(P, uv, theirs) * (1 + 1e-9)).all()
    error = np.linalg.norm(best.X_world - X, axis=1)
    assert np.median(error) < 0.1


def check_many_views() -> None:
    """Assert that refined costs no more than scipy finds, and little less than COLMAP."""
    optimize = pytest.importorskip("scipy.optimize")
    P, _, uv = ring(50, 5)
    ours = tc.triangulate(P, uv, method="refined")
    costs = cost(P, uv, ours.X_world)
    for k in range(len(uv)):
        theirs = optimize.least_squares(
            lambda x: (tc.synth.project(P, x[None]) - uv[k]).ravel(), ours.X_world[k] + 0.01,  # noqa: B023
            method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15,
        )  # fmt: skip
        assert costs[k] <= 2 * theirs.cost * (1 + 1e-10)
    pytest.importorskip("pycolmap")
    assert_allclose(colmap_calls(P, uv)(), ours.X_world, atol=5e-3)


def test_all_sides_find_the_same() -> None:
    check_two_views()
    check_many_views()


@pytest.mark.parametrize("method", ["dlt", "optimal", "refined"])
@pytest.mark.parametrize("n_cams", [2, 4, 8])
def bench_triangulate_10k(benchmark, n_cams, method):
    if method == "optimal" and n_cams != 2:
        pytest.skip("of two views")
    P, X, uv = stereo(10_000) if n_cams == 2 else ring(10_000, n_cams)
    points = benchmark(tc.triangulate, P, uv, method=method)
    assert np.median(np.linalg.norm(points.X_world - X, axis=1)) < 0.1
    benchmark.extra_info["points_per_s"] = round(len(X) / benchmark.stats.stats.min)


def row(
    name: str, n: int, theirs: Callable[[], object], ours: Callable[[], object], asked: float,
    rounds: int,
) -> list[object]:  # fmt: skip
    """Measure both sides in turns; return a row of the table."""
    race = _measure.race(lambda _: theirs(), lambda _: ours(), rounds=rounds)
    ns = 1e6 / n
    return [
        name, n, round(race.theirs.cpu_ms * ns, 1), round(race.ours.cpu_ms * ns, 1),
        f"**{race.cpu_ratio:.1f}**", f"{asked:g}" if asked else "-",
    ]  # fmt: skip


def two_view_rows(n: int, rounds: int) -> list[list[object]]:
    P, _, uv = stereo(n)
    left, right = (np.ascontiguousarray(uv[:, c].T) for c in (0, 1))
    F = fundamental(P)

    def opencv() -> object:
        return cv2.triangulatePoints(P[0], P[1], left, right)

    def bare() -> object:
        return tc.triangulate(P, uv, covariance=False)

    rows = [
        row("cv2.triangulatePoints: dlt", n, opencv, lambda: tc.triangulate(P, uv), 40, rounds),
        row("the same, covariance=False", n, opencv, bare, 0, rounds),
        row("cv2.triangulatePoints: optimal", n, opencv,
            lambda: tc.triangulate(P, uv, method="optimal"), 30, rounds),
        row("cv2.triangulatePoints: refined", n, opencv,
            lambda: tc.triangulate(P, uv, method="refined"), 0, rounds),
    ]  # fmt: skip
    if n >= 1000:
        rows += [
            row("numpy batched svd: dlt", n, lambda: by_numpy(P, uv),
                lambda: tc.triangulate(P, uv), 20, rounds),
            row("cv2.correctMatches and triangulatePoints: optimal", n,
                lambda: by_opencv_optimal(P, uv, F),
                lambda: tc.triangulate(P, uv, method="optimal"), 0, 3),
        ]  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 5 if parser.parse_args().quick else 15
    cv2.setNumThreads(1)
    check_two_views()
    check_many_views()
    with _measure.on_one_cpu():
        rows = [r for n in (20, 1000, 10_000) for r in two_view_rows(n, rounds)]
        for n_cams in (2, 4, 8):
            P, _, uv = ring(1000, n_cams)
            theirs = colmap_calls(P, uv)
            for method in ("dlt", "refined"):
                rows.append(row(
                    f"pycolmap per point, {n_cams} views: {method}", 1000, theirs,
                    lambda P=P, uv=uv, m=method: tc.triangulate(P, uv, method=m),
                    30 if method == "refined" else 0, max(3, rounds // 3),
                ))  # fmt: skip
    print(_measure.machine())
    print()
    header = ["peer: method", "points", "peer ns a point", "trackcore", "times faster", "asked"]
    print(_measure.table(header, rows))


if __name__ == "__main__":
    main()
