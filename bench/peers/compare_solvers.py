"""The same tracks through COLMAP's own mappers and through `trackcore.solve`.

    python -m bench.peers.compare_solvers [--scenes walk_room,...] [--engines PATTERN] [-o FILE]

Tracks are `track_clip` of rendered scenes (bench/solve_scenes.py) without what `find_bad_tracks`
finds. COLMAP gets them as keypoints and, for pairs of frames 1, 2, 4, 8, ... apart, as matches with
verified two-view geometries: nothing is detected or matched anew. Focal length: the true one, held;
or 1.2 frame widths, refined (the global mapper's view graph is calibrated first, as its
documentation asks). `trackcore.solve` gets the true one as its prior, or nothing. All engines run
with one thread and a fixed seed; the lens is a pinhole, as the scenes are. The incremental mapper
runs as it comes and, because it then finds no first pair in short shots, with starts that suit
tracks: 30 common points, 2 degrees, forward motion allowed, resection from 15.

Columns: share of the frames with a camera; rms error of the path after a similarity [% of its
extent]; focal error [%]; CPU seconds, for COLMAP with its two-view geometries.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from bench._measure import machine, table
from bench.solve_metrics import CameraError, camera_error
from bench.solve_scenes import load
from numpy.typing import NDArray

import trackcore as tc

F64 = NDArray[np.float64]
Camera = tuple[F64, F64 | float]
"""T_cam_world (n, 4, 4) and the focal length [px]."""
NAMES = "walk_room,drone_city,orbit_table,wall_walk,traffic_street,blur_room"
HEADER = ("scene", "engine", "focal", "frames", "path %", "focal %", "cpu s", "note")
GUESS = 1.2
LEAST_MATCHES = 15


def main() -> None:
    """Run all engines on all scenes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", default=NAMES)
    parser.add_argument("--engines", default="*", help="shell pattern")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    for name in args.scenes.split(","):
        clip, truth = load(name)
        tracks = tc.track_clip(str(clip))
        tracks = tc.find_bad_tracks(tracks).mute(tracks).visible
        true = float(truth.focal_px[0])
        for engine in fnmatch.filter(ENGINES, args.engines):
            solve = ENGINES[engine]
            for told, focal in (("true", true), ("unknown", None)):
                began, note = time.process_time(), ""
                try:
                    found = solve(tracks, focal)
                    error = camera_error(*found, truth)
                except (RuntimeError, ValueError) as problem:
                    error, note = CameraError.none(), str(problem).splitlines()[0]
                cpu_s = time.process_time() - began
                rows.append(
                    (
                        name, engine, told, f"{100 * error.registered:.0f} %",
                        f"{error.path_rms_pct:.2f}", f"{error.focal_pct:.2f}", f"{cpu_s:.1f}", note,
                    )
                )  # fmt: skip
                print(*rows[-1], sep=" | ", flush=True)
    print(table(HEADER, rows))
    print(machine())
    if args.output:
        args.output.write_text(json.dumps([dict(zip(HEADER, r, strict=True)) for r in rows]))


def trackcore(tracks: tc.Tracks, focal: float | None) -> Camera:
    """Ours, as it comes."""
    solve = tc.solve(tracks, tc.CameraPrior(focal_px=focal) if focal else None, threads=1)
    return solve.T_cam_world, solve.focal_px_per_frame


def incremental(tracks: tc.Tracks, focal: float | None, *, eager: bool = False) -> Camera:
    """COLMAP's incremental mapper, as it comes or with starts that suit tracks."""
    import pycolmap as pc

    how = pc.IncrementalPipelineOptions()
    how.num_threads, how.random_seed, how.extract_colors = 1, 0, False
    how.ba_refine_focal_length = focal is None
    if eager:
        how.mapper.init_min_num_inliers, how.mapper.abs_pose_min_num_inliers = 30, 15
        how.mapper.init_min_tri_angle, how.mapper.init_max_forward_motion = 2.0, 1.0
    return _mapped(tracks, focal, lambda path, out: pc.incremental_mapping(path, ".", out, how))


def global_(tracks: tc.Tracks, focal: float | None) -> Camera:
    """COLMAP's global mapper (GLOMAP), as it comes."""
    import pycolmap as pc

    how = pc.GlobalPipelineOptions()
    how.num_threads, how.random_seed = 1, 0
    how.mapper.num_threads, how.mapper.random_seed = 1, 0
    how.mapper.bundle_adjustment.refine_focal_length = focal is None

    def run(path: Path, out: Path) -> Any:
        if focal is None:
            pc.calibrate_view_graph(path)
        return pc.global_mapping(path, ".", out, how)

    return _mapped(tracks, focal, run)


ENGINES: dict[str, Callable[[tc.Tracks, float | None], Camera]] = {
    "COLMAP incremental": incremental,
    "COLMAP incremental, eager": partial(incremental, eager=True),
    "COLMAP global": global_,
    "trackcore": trackcore,
}


def _mapped(tracks: tc.Tracks, focal: float | None, run: Callable[[Path, Path], Any]) -> Camera:
    """Run a mapper on a database of the tracks; return the largest model it makes."""
    import pycolmap as pc

    pc.logging.minloglevel = pc.logging.FATAL.value
    with TemporaryDirectory() as name:
        path = Path(name) / "tracks.db"
        fill_database(path, tracks, focal)
        (Path(name) / "out").mkdir()
        models = run(path, Path(name) / "out")
        if not models:
            raise RuntimeError("no model")
        model = max(models.values(), key=lambda m: m.num_reg_images())
    T = np.full((tracks.n_frames, 4, 4), np.nan)
    for image in model.images.values():
        if image.has_pose:
            T[int(image.name)] = np.eye(4)
            T[int(image.name), :3] = image.cam_from_world().matrix()
    return T, float(model.cameras[1].params[0])


def fill_database(path: Path, tracks: tc.Tracks, focal: float | None) -> None:
    """Write keypoints, matches and two-view geometries of tracks; pixel centres at half."""
    import pycolmap as pc

    w, h = tracks.frame_size
    params = [focal or GUESS * w, w / 2, h / 2]
    camera = pc.Camera(camera_id=1, model="SIMPLE_PINHOLE", width=w, height=h, params=params)
    camera.has_prior_focal_length = focal is not None
    database = pc.Database.open(path)
    database.write_camera(camera, use_camera_id=True)
    rig = pc.Rig(rig_id=1)
    rig.add_ref_sensor(camera.sensor_id)
    database.write_rig(rig, use_rig_id=True)
    seen = tracks.seen
    row = np.cumsum(seen, axis=0) - 1
    for frame in range(tracks.n_frames):
        image = pc.Image(name=f"{frame:06d}", camera_id=1, image_id=frame + 1)
        database.write_image(image, use_image_id=True)
        moment = pc.Frame(frame_id=frame + 1, rig_id=1)
        moment.add_data_id(image.data_id)
        database.write_frame(moment, use_frame_id=True)
        xy = tracks.xy_px[seen[:, frame], frame] + 0.5
        database.write_keypoints(frame + 1, np.ascontiguousarray(xy, np.float32))
    estimate = pc.estimate_calibrated_two_view_geometry if focal else pc.estimate_two_view_geometry
    how = pc.TwoViewGeometryOptions()
    how.ransac.random_seed = 0
    for a, b in pairs(tracks.n_frames):
        both = seen[:, a] & seen[:, b]
        if both.sum() < LEAST_MATCHES:
            continue
        matches = np.stack([row[both, a], row[both, b]], axis=1).astype(np.uint32)
        database.write_matches(a + 1, b + 1, matches)
        xy_a, xy_b = (tracks.xy_px[seen[:, f], f] + 0.5 for f in (a, b))
        found = estimate(camera, xy_a, camera, xy_b, matches, how)
        database.write_two_view_geometry(a + 1, b + 1, found)
    database.close()


def pairs(n_frames: int) -> list[tuple[int, int]]:
    """Frames 1, 2, 4, 8, ... apart."""
    steps = [2**i for i in range(max(n_frames - 1, 1).bit_length())]
    return [(a, a + step) for step in steps for a in range(n_frames - step)]


if __name__ == "__main__":
    main()
