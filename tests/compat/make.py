"""Write the records of this release to `tests/compat/trackcore-<version>/`, once and for ever.

    python -m tests.compat.make

Run it when a release is made. What a release wrote is evidence: a part that exists is not written
again, so delete it by hand only while its release is not out. Beside session and behaviour records
there is `recording/`, a session of one pitch with all that can be written: rendered at 24 frames a
second, found and fitted in pictures of 640 x 360, and written with every 40th pixel of them, so
that it stays small.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import trackcore as tc
from tests.unit.pitch_windows import rig, tiny
from trackcore import synth
from trackcore.ballistics import BALLS
from trackcore.capture import open_source
from trackcore.recording import SIDES
from trackcore.session.models import Behavior

HERE = Path(__file__).parent
DISTORTION: dict[str, dict[str, float]] = {
    "POLYNOMIAL": {"k1": -0.05, "k2": 0.02, "k3": 0.0},
    "DIVISION": {"division_k1": -0.04, "division_k2": 0.01},
    "NUKE": {"nuke_k1": -0.03, "nuke_k2": 0.005},
    "BROWN": {"brown_k1": -0.05, "brown_k2": 0.02, "brown_k3": 0.0, "brown_k4": 0.0,
              "brown_p1": 0.001, "brown_p2": -0.001},
}  # fmt: skip


def tracks() -> list[dict[str, Any]]:
    """Return two tracks with everything the documents name."""
    return [
        {
            "name": f"track_{i:05d}", "lifespan": 100, "start_frame": 1, "end_frame": 101,
            "region": region, "initial_position": [0.5, 0.5], "avg_velocity": 0.002,
            "jitter_score": 0.1, "feature_quality_score": 0.9, "success": True,
            "contributed_to_solve": i == 0, "reprojection_error": 0.4,
            "trajectory": [[0.5, 0.5], [0.51, 0.5]], "trajectory_sample_rate": 5,
        }
        for i, region in enumerate(("center", "top-left"))
    ]  # fmt: skip


def record(recorder: tc.SessionRecorder, model: str) -> str:
    """Record a session with this distortion model and return its id."""
    started = recorder.start_session(
        resolution=(1920, 1080), fps=29.97, frame_count=240, codec="h264", iteration=2,
        footage_type="HANDHELD", clip_fingerprint="a4f3c89b2e71d6f0",
        settings={"pattern_size": 15, "search_size": 71, "correlation": 0.7, "threshold": 0.3,
                  "motion_model": "LocRot"},
    )  # fmt: skip
    for frame, alive in ((1, 27), (11, 25), (21, 24)):
        recorder.record_frame_sample(frame, alive, 0 if frame == 1 else 1, 0.012)
    recorder.record_adaptation(
        iteration=1, survival_rate=0.4, changes=["search_size 71 -> 93"],
        old_settings={"search_size": 71}, new_settings={"search_size": 93},
    )  # fmt: skip
    recorder.record_failure("track_00001", 102, (0.12, 0.85), "DRIFT")
    recorder.record_tracks(tracks())
    recorder.record(
        camera_intrinsics={"focal_length_mm": 35.0, "distortion_model": model, **DISTORTION[model]},
        motion_probe_results={"motion_class": "MEDIUM", "texture_class": "HIGH",
                              "best_regions": ["center"]},
        optical_flow={"velocity_mean": 0.02, "parallax_score": 0.3, "direction_entropy": 0.2},
        zoom_analysis={"is_zoom_detected": True, "zoom_direction": "ZOOM_OUT",
                       "scale_timeline": [1.0, 1.1, None], "focal_change": "LONGER"},
        healing_stats={"candidates_found": 5, "heals_attempted": 3, "heals_successful": 2},
        pre_solve_confidence={"confidence": 0.85, "parallax_score": 0.3},
    )  # fmt: skip
    recorder.end_session(success=True, solve_error=0.42)
    return started


def behavior(session_id: str) -> Behavior:
    """Return a behaviour record with everything the documents name."""
    return Behavior.model_validate({
        "session_id": session_id, "timestamp": "2026-11-27T00:00:00", "iteration": 3,
        "settings_adjustments": {"search_size": {"before": 71, "after": 100, "delta": 29}},
        "re_solve": {"attempted": True, "error_before": 1.8, "error_after": 0.9,
                     "improvement": 0.9, "improved": True},
        "track_additions": [{"track_name": "track_00042", "region": "center"}],
        "track_deletions": [{"track_name": "track_00005", "inferred_reason": "high_error"}],
        "exclusions": [{"track_name": "track_00006", "kind": "mute", "inferred_reason": "jittery"}],
        "marker_refinements": [{"track_name": "track_00008", "frame": 45, "displacement_px": 2.3}],
        "net_track_change": 0, "region_additions": {"center": 1},
    })  # fmt: skip


def recording(folder: Path) -> None:
    """Write a session of one pitch."""
    scene = synth.PitchScene(rig(), 3, n_pitches=1, fps=24.0, noise=0.0, before_s=0.3, after_s=0.3)
    setup = tc.PitchSetup(
        recording=tc.RecordingOptions(
            save_detections=True, save_observations=True, save_training_frames=True,
            pre_roll_ms=60.0, post_roll_ms=60.0,
        ),
        ball=BALLS["softball"], lanes_px={"left": [[0, 0], [639, 0], [639, 359], [0, 359]]},
    )  # fmt: skip
    names = {"left": "L7", "right": "R9"}
    cameras = [
        open_source(np.stack([*scene.frames(side)]), side=side, camera_id=names[side],
                    timestamps=scene.films[side].t_ns) for side in SIDES
    ]  # fmt: skip
    (window,) = tc.replay_pitches(*cameras, scene.rig, setup, session="night").windows
    small = tiny(window, every=40)
    with tc.SessionWriter(
        folder, "night", scene.rig, setup, config_path="default.yaml",
        camera_ids=names, fps=24.0, mode="replay",
    ) as writer:  # fmt: skip
        for frame in small.frames["left"][:3]:
            writer.write_frame(frame)
        writer.write_pitch(small)
    writer.folder.rename(folder / "recording")


def records(folder: Path) -> None:
    """Write session and behaviour records."""
    with tempfile.TemporaryDirectory() as temporary:
        recorder = tc.SessionRecorder(temporary)
        names = [record(recorder, model) for model in DISTORTION]
        store = recorder.store
        store.behavior.save(f"{names[0]}_edit", behavior(names[0]))
        with tc.SessionRecorder(store) as cut_short:
            cut_short.start_session(resolution=(1280, 720), fps=25, frame_count=50)
            cut_short.record_frame_sample(1, 10, 0, None)
        store.write_aggregate_stats()
        for part in ("sessions", "behavior"):
            shutil.copytree(store.root / part, folder / part, dirs_exist_ok=True)
        shutil.copy(store.home.aggregate_stats, folder)


def main() -> None:
    """Write the parts of this release's folder that are not there."""
    folder = HERE / f"trackcore-{importlib.metadata.version('trackcore')}"
    parts = {"sessions": records, "recording": recording}
    missing = [name for name in parts if not (folder / name).exists()]
    if not missing:
        raise SystemExit(f"{folder.name} exists: what a release wrote is not written again")
    for name in missing:
        parts[name](folder)


if __name__ == "__main__":
    main()
