"""The footage of `trackcore pitch demo`: two videos, their stamps, the rig, and what is true."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackcore._cv2 import load_cv2, quiet
from trackcore._files import replacing, write_text
from trackcore.cameras.io import save_rig
from trackcore.cli_output import Interrupt, Output
from trackcore.errors import TrackcoreError
from trackcore.pitch import StrikeZone
from trackcore.recording import SIDES

if TYPE_CHECKING:
    from trackcore.cameras import StereoRig
    from trackcore.synth import PitchScene

TRUTH = "truth.json"
_FOLDER = "footage"
_CODEC = "FFV1"  # lossless: the pixels that are replayed are those that were rendered
_COLUMNS = ("camera_id", "frame_index", "t_capture_monotonic_ns")


@dataclass(frozen=True, slots=True)
class Footage:
    """Files of a rendered recording, by side, and its rig."""

    videos: dict[str, Path]
    stamps: dict[str, Path]
    rig: Path


def render(
    scene: PitchScene,
    rig: StereoRig,
    zone: StrikeZone,
    folder: Path,
    output: Output,
    cancelled: Interrupt,
) -> Footage | None:
    """Write a scene as `footage/left.avi` and so on, and its answer as `truth.json` beside.

    Returns
    -------
    Footage or None
        None if the user stopped it half way; what lies there then is no whole video.

    Raises
    ------
    TrackcoreError, OSError
        If a file could not be written.
    """
    place = folder / _FOLDER
    place.mkdir(parents=True, exist_ok=True)
    made = Footage(
        {side: place / f"{side}.avi" for side in SIDES},
        {side: place / f"{side}_timestamps.csv" for side in SIDES},
        place / "rig.json",
    )
    truth = scene.truth()
    for record, flight in zip(truth["pitches"], scene.flights, strict=True):
        touched = zone.margin_m(flight.X_world).min() <= scene.radius_m
        record["is_strike"] = bool(touched)
    write_text(folder / TRUTH, json.dumps(truth, indent=1, allow_nan=False) + "\n")
    save_rig(made.rig, rig)
    total = 2 * len(scene)
    with output.progress("rendering") as progress:
        for which, side in enumerate(SIDES):
            _write_stamps(made.stamps[side], scene, side)
            with replacing(made.videos[side]) as beside:
                writer = _writer(beside, rig.cameras[which].size, scene.fps)
                for i, image in enumerate(scene.frames(side)):
                    writer.write(image)
                    progress(which * len(scene) + i + 1, total)
                    if cancelled():
                        writer.release()
                        beside.unlink(missing_ok=True)
                        return None
                writer.release()
    return made


def _writer(path: Path, size: tuple[int, int], fps: float) -> Any:
    cv2 = load_cv2()
    with quiet(cv2):
        code = cv2.VideoWriter.fourcc(*_CODEC)
        writer = cv2.VideoWriter(str(path), code, fps, size, isColor=False)
    if not writer.isOpened():
        raise TrackcoreError(f"could not write {_CODEC} video: this OpenCV has no encoder for it")
    return writer


def _write_stamps(path: Path, scene: PitchScene, side: str) -> None:
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for i, t_ns in enumerate(scene.films[side].t_ns.tolist(), start=1):
            rows.writerow((f"demo-{side}", i, t_ns))
