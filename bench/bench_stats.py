"""Statistics of tracks against pandas, plain Python and vectorised numpy: same answers, then time.

pytest bench/bench_stats.py          # rates of single calls
python -m bench.bench_stats          # the table of ratios; --quick: a tenth of the samples

Two sets of statistics. "sums": per track and per frame, without fits (lifespan, velocities,
jitter, acceleration, confidence; flow, histograms, entropy, consistency). "all": these and the
robust motion of every frame (similarity, affine, homography), which parallax and zoom are made
from. Ours are the public functions, one thread, with everything they find besides.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bench import _measure
from bench.peers import stats_loops, stats_numpy, stats_pandas
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import trackcore as tc
from trackcore.normalised import diagonal_px
from trackcore.stats import _core_rows
from trackcore.stats.track_stats import from_sums

SIZE = (1920, 1080)
DIAGONAL = diagonal_px(SIZE)
CENTER = _core_rows.center_px(SIZE)


def make_tracks(n_tracks: int, n_frames: int, samples: int, seed: int = 0) -> tc.Tracks:
    """Make ragged tracks of a panning, zooming camera with about so many samples."""
    rng = np.random.default_rng(seed)
    life = np.clip(rng.exponential(samples / n_tracks, n_tracks), 8, n_frames)
    for _ in range(5):  # those alive in the first and last frame are cut: no frame is empty
        start = 8 - life + rng.random(n_tracks) * (n_frames - 16 + life)
        seen = np.clip(start + life, 0, n_frames) - np.clip(start, 0, n_frames)
        life = np.clip(life * samples / seen.sum(), 8, 20 * n_frames)
    t = np.arange(n_frames)
    place = rng.uniform(-1, 1, (n_tracks, 1, 2)) * SIZE / np.array(2)
    xy = place * (1 + 0.1 * np.sin(t / 100))[:, None] + CENTER
    xy = xy + np.stack([40 * np.sin(t / 30), 15 * np.cos(t / 47)], axis=-1)
    xy += rng.normal(0, 0.15, xy.shape)
    xy[(t < start[:, None]) | (t >= (start + life)[:, None])] = np.nan
    plain = tc.Tracks.from_positions(xy, frame_size=SIZE)
    ncc = np.where(plain.seen, rng.uniform(0.7, 1, plain.seen.shape), np.nan).astype(np.float32)
    return tc.Tracks(plain.ids, plain.xy_px, plain.status, ncc, plain.t_ns, SIZE, 24.0, 1)


def as_table(tracks: tc.Tracks) -> pd.DataFrame:
    track, frame = np.nonzero(tracks.seen)
    xy = tracks.xy_px[track, frame]
    return pd.DataFrame({
        "track": track, "frame": frame + 1, "x": xy[:, 0], "y": xy[:, 1],
        "ncc": tracks.ncc[track, frame],
    })  # fmt: skip


def as_lists(tracks: tc.Tracks) -> list[list[tuple[int, float, float, float]]]:
    return [
        [(int(i) + 1, *map(float, tracks.xy_px[k, i]), float(tracks.ncc[k, i]))
         for i in np.flatnonzero(tracks.seen[k])]
        for k in range(len(tracks))
    ]  # fmt: skip


def our_sums(tracks: tc.Tracks) -> tuple[tc.TrackStats, _core_rows.Sums]:
    """Return the statistics that need no fits; `clip_motion` divides these sums by each other."""
    found = _core_rows.sums(tracks, 1)
    nothing = np.full(len(tracks), np.nan)
    return from_sums(tracks, found, nothing, None, nothing), found


def our_all(tracks: tc.Tracks) -> tuple[tc.TrackStats, tc.ClipMotion, tc.ZoomAnalysis]:
    motion = tc.frame_motion(tracks, threads=1)
    return (
        tc.track_stats(tracks, threads=1),
        tc.clip_motion(tracks, motion=motion, threads=1),
        tc.zoom_analysis(tracks, motion=motion, threads=1),
    )


def pandas_motions(table: pd.DataFrame) -> list[dict[str, NDArray[np.float64]]]:
    """Fit each step as a pandas user would: join neighbouring frames, group, fit with numpy."""
    later = table.assign(frame=table["frame"] - 1)
    both = table.merge(later, on=["track", "frame"], suffixes=("", "_next"))
    half = DIAGONAL / 2
    return [
        stats_numpy.motions(
            group[["x", "y", "x_next", "y_next"]].to_numpy().reshape(-1, 2, 2), CENTER, half
        )
        for _, group in both.groupby("frame")
    ]


def numpy_all(tracks: tc.Tracks) -> dict[str, Any]:
    found = stats_numpy.statistics(tracks.xy_px, tracks.ncc, DIAGONAL)
    return found | stats_numpy.motions(tracks.xy_px, CENTER, DIAGONAL / 2)


def check_clip(clip: tc.ClipMotion, theirs: dict[str, Any]) -> None:
    """Assert that the clip's numbers are the same."""
    for name in ("motion_consistency", "motion_magnitude", "direction_entropy"):
        assert_allclose(getattr(clip, name), theirs[name], rtol=1e-7)
    assert_allclose(clip.global_motion_vector, theirs["global_motion_vector"], rtol=1e-7)
    for name, theirs_name in (
        ("flow_direction_histogram", "directions"), ("flow_magnitude_histogram", "magnitudes"),
    ):  # fmt: skip
        counts = np.asarray(theirs[theirs_name])
        assert_allclose(getattr(clip, name), counts / counts.sum(), atol=1e-12)


def check_tracks(stats: tc.TrackStats, theirs: Callable[[str], Any], offset: int = 0) -> None:
    """Assert that the tracks' numbers are the same; `theirs` returns a column by its name."""
    for name in ("lifespan", "n_samples"):
        assert_array_equal(getattr(stats, name), theirs(name))
    assert_array_equal(stats.start_frame, theirs("start_frame") + offset)
    for name in ("avg_velocity", "path_velocity", "jitter_score", "jitter_px"):
        assert_allclose(getattr(stats, name), theirs(name), rtol=1e-6)
    assert_allclose(stats.acceleration, theirs("acceleration"), rtol=1e-4, atol=1e-12)
    assert_allclose(stats.avg_confidence, theirs("confidence"), rtol=1e-5)


def check_motion(tracks: tc.Tracks, theirs: dict[str, Any], step: int | slice) -> None:
    """Assert that the fits are the same."""
    ours = tc.frame_motion(tracks, threads=1).fits.homography
    assert_allclose(ours.rms_px[step], np.squeeze(theirs["homography_rms_px"]), rtol=1e-3)


def check_all(tracks: tc.Tracks) -> None:
    """Assert that everybody finds the same."""
    stats, clip, _ = our_all(tracks)
    by_numpy = numpy_all(tracks)
    check_clip(clip, by_numpy)
    check_tracks(stats, by_numpy["tracks"].__getitem__, offset=1)
    check_motion(tracks, by_numpy, slice(None))
    table = as_table(tracks)
    by_pandas = stats_pandas.statistics(table, DIAGONAL)
    check_clip(clip, by_pandas)
    check_tracks(stats, lambda name: by_pandas["tracks"][name].to_numpy())
    check_motion(tracks, pandas_motions(table)[20], 20)
    by_loops = stats_loops.statistics(as_lists(tracks), DIAGONAL, tracks.n_frames)
    check_clip(clip, by_loops)
    rows = by_loops["tracks"]
    check_tracks(stats, lambda name: np.array([row[name] for row in rows]))


@pytest.fixture(scope="module")
def million() -> tc.Tracks:
    return make_tracks(4000, 1000, 1_000_000)


def test_all_sides_find_the_same() -> None:
    check_all(make_tracks(150, 60, 4000))


@pytest.mark.parametrize("what", ["track_stats", "clip_motion", "frame_motion", "zoom_analysis"])
def bench_a_million_samples(benchmark, million, what):
    check_all(make_tracks(150, 60, 4000))
    call = getattr(tc, what)
    benchmark.pedantic(call, (million,), {"threads": 1}, rounds=5, warmup_rounds=1)
    benchmark.extra_info["samples_per_s"] = round(million.seen.sum() / benchmark.stats.stats.min)


def bench_classify_shot(benchmark):
    tracks = make_tracks(1000, 500, 250_000)
    shot = benchmark.pedantic(tc.classify_shot, (tracks,), rounds=3, warmup_rounds=1)
    assert shot.kind != "UNKNOWN"


def cpu_ms(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


def ratio_row(
    name: str, theirs: Callable[[], object], ours: Callable[[], object], wanted: float, rounds: int
) -> list[object]:
    """Measure both sides in turns; return a row of the table."""
    ours()
    times = np.array([(cpu_ms(theirs), cpu_ms(ours), cpu_ms(ours)) for _ in range(rounds)])
    their_ms, our_ms = np.median(times[:, 0]), np.median(times[:, 1:])
    ratio = np.median(times[:, 0] / times[:, 1:].mean(axis=1))
    return [name, float(their_ms), float(our_ms), f"**{ratio:.1f}**", f"{wanted:g}"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    quick = parser.parse_args().quick
    check_all(make_tracks(150, 60, 4000))
    many = make_tracks(*((400, 1000, 100_000) if quick else (4000, 1000, 1_000_000)))
    square = make_tracks(1000, 500, 250_000)
    full = make_tracks(1000, 500, 10**9)
    table = as_table(many)
    lists = as_lists(many)
    n = f"{many.seen.sum():,} ragged samples"
    rows = [
        ratio_row(f"{n}, sums: pandas", lambda: stats_pandas.statistics(table, DIAGONAL),
                  lambda: our_sums(many), 10, 5),
        ratio_row(f"{n}, all: pandas",
                  lambda: (stats_pandas.statistics(table, DIAGONAL), pandas_motions(table)),
                  lambda: our_all(many), 10, 3),
        ratio_row(f"{n}, sums: plain Python",
                  lambda: stats_loops.statistics(lists, DIAGONAL, many.n_frames),
                  lambda: our_sums(many), 100, 3),
    ]  # fmt: skip
    for tracks in (square, full):
        n = f"1000 x 500, {tracks.seen.mean():.0%} seen"
        rows += [
            ratio_row(f"{n}, sums: numpy",
                      lambda t=tracks: stats_numpy.statistics(t.xy_px, t.ncc, DIAGONAL),
                      lambda t=tracks: our_sums(t), 10, 7),
            ratio_row(f"{n}, all: numpy", lambda t=tracks: numpy_all(t),
                      lambda t=tracks: our_all(t), 10, 5),
        ]  # fmt: skip
    print(_measure.machine())
    print()
    header = ["statistics: peer", "peer ms", "trackcore ms", "times faster", "asked"]
    print(_measure.table(header, rows))


if __name__ == "__main__":
    main()
