"""The documented recorder: frames, detections and observations of one pitch as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trackcore.cameras import PITCH_FRAME
from trackcore.errors import InputError
from trackcore.pitch import StereoObservation
from trackcore.recording import models
from trackcore.recording.documents import (
    MANIFEST,
    TIMESTAMPS,
    VIDEO,
    metrics,
    observation,
    placed,
    write_detections,
    write_document,
    write_observations,
)
from trackcore.recording.key_frames import FrameExtractor
from trackcore.recording.models.pitch import Detection, Observation, PerformanceMetrics
from trackcore.recording.options import RecordingOptions
from trackcore.recording.summary import create_pitch_manifest
from trackcore.recording.timestamps import Stamp, write_timestamps
from trackcore.recording.video import NOMINAL_FPS, VideoFile
from trackcore.recording.window import SIDES


class PitchRecorder:
    """Writes a pitch frame by frame, by the documented methods.

    Parameters
    ----------
    config : RecordingOptions, mapping, or object with `recording`
        The documented `save_*` keys and `frame_save_interval`; keys that are not there are default.
    session_dir : path
        The session's folder; the pitch's folder is made in it.
    pitch_id : str
    fps : float
        Nominal rate of the videos [1/s].

    Notes
    -----
    Frames before `start_pitch` are the pre-roll, those after `end_pitch` the post-roll. Each frame
    is written once, whether it has detections or not. Frames are those of `CapturedFrame` or any
    with `camera_id, frame_index, t_capture_monotonic_ns, image`; detections those of
    `FrameDetections` or any with `u, v, radius_px, confidence`; observations are those of the
    tracker, in the rig's world, or any with the documented `t_ns, left, right, X, Y, Z` in feet.
    `SessionWriter` writes a whole `PitchWindow` at once, with more in it; this is for programs that
    have their own loop.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import trackcore as tc
    >>> folder = tempfile.TemporaryDirectory()
    >>> recorder = tc.PitchRecorder({"save_detections": True}, folder.name, "night-pitch-001")
    >>> recorder.start_pitch()
    >>> frame = tc.CapturedFrame(side="left", camera_id="7", frame_index=1,
    ...     t_capture_monotonic_ns=0, image=np.zeros((48, 64), np.uint8))
    >>> recorder.write_frame_with_detections("left", frame, [])
    >>> recorder.end_pitch(0)
    >>> recorder.close()
    >>> sorted(path.name for path in recorder.pitch_dir.iterdir())
    ['left.avi', 'left_timestamps.csv']
    >>> folder.cleanup()
    """

    def __init__(
        self, config: Any, session_dir: str | Path, pitch_id: str, *, fps: float = NOMINAL_FPS
    ) -> None:
        self.options = _options(config)
        self.pitch_id = pitch_id
        self.pitch_dir = Path(session_dir) / pitch_id
        self.pitch_dir.mkdir(parents=True, exist_ok=True)
        self._videos = {
            side: VideoFile(
                self.pitch_dir / VIDEO.format(side=side), fps=fps, codec=self.options.video_codec
            )
            for side in SIDES
        }
        self._keys = FrameExtractor(self.pitch_dir, enabled=self.options.save_training_frames)
        self._stamps: dict[str, list[Stamp]] = {side: [] for side in SIDES}
        self._detections: dict[str, list[Detection]] = {side: [] for side in SIDES}
        self._observations: list[Observation] = []
        self._phase, self._closed = "pre_roll", False
        self._start_ns: int | None = None
        self._end_ns: int | None = None
        self.problems: list[str] = []
        """What could not be written, after `close`."""

    @property
    def is_active(self) -> bool:
        """Whether frames are taken."""
        return not self._closed

    def start_pitch(self, start_ns: int | None = None) -> None:
        """Begin the pitch with the next frame, or at a time [ns]."""
        self._phase, self._start_ns = "pitch", start_ns

    def end_pitch(self, end_ns: int | None = None) -> None:
        """End the pitch, at a time [ns]; what comes is the post-roll."""
        self._phase, self._end_ns = "post_roll", end_ns

    def write_frame(self, label: str, frame: Any) -> None:
        """Write a frame."""
        self.write_frame_with_detections(label, frame)

    def write_frame_with_detections(self, label: str, frame: Any, detections: Any = None) -> None:
        """Write a frame, once, and what was found in it.

        Raises
        ------
        InputError
            If `label` is neither left nor right, or the recorder is closed.
        """
        if label not in SIDES:
            raise InputError(f"label: expected 'left' or 'right', got {label!r}")
        if self._closed:
            raise InputError("write_frame: expected an open recorder, this one is closed")
        t_ns = int(frame.t_capture_monotonic_ns)
        found = list(_found(detections, frame, self._phase))
        self._videos[label].write(frame.image)
        self._stamps[label].append(Stamp(str(frame.camera_id), int(frame.frame_index), t_ns))
        self._detections[label] += found
        if self._phase == "pitch":
            self._start_ns = t_ns if self._start_ns is None else self._start_ns
            if found:
                self._end_ns = t_ns
        self._keys.save_uniform(label, frame, self.options.frame_save_interval)
        if self._phase == "pre_roll":
            self._keys.save_pre_roll_first(label, frame)
            self._keys.save_pre_roll_last(label, frame)
        elif self._phase == "post_roll":
            self._keys.save_post_roll_last(label, frame)
        elif found:
            self._keys.save_first_detection(label, frame)
            self._keys.save_last_detection(label, frame)

    def save_release_point(self, label: str, frame: Any) -> None:
        """Save the frame nearest to the release, once it is known which that is."""
        self._keys.save_release_point(label, frame)

    def save_plate_crossing(self, label: str, frame: Any) -> None:
        """Save the frame nearest to the plate, once it is known which that is."""
        self._keys.save_plate_crossing(label, frame)

    def add_observation(self, obs: Any) -> None:
        """Add a place where both cameras saw the ball."""
        self._observations.append(_observation(obs))

    def performance_metrics(self) -> PerformanceMetrics:
        """Return the documented figures of what was written so far."""
        stamps = [s.t_capture_monotonic_ns for side in SIDES for s in self._stamps[side]]
        start = self._start_ns if self._start_ns is not None else min(stamps, default=0)
        end = self._end_ns if self._end_ns is not None else max(stamps, default=start)
        return metrics(
            start_ns=start, end_ns=max(start, end),
            frames={s: [(r.frame_index, r.t_capture_monotonic_ns) for r in self._stamps[s]]
                    for s in SIDES},
            detected={s: [d.frame_index for d in self._detections[s]] for s in SIDES},
            observations=len(self._observations),
        )  # fmt: skip

    def write_manifest(
        self, summary: Any, config_path: str | None = None, performance_metrics: Any = None
    ) -> None:
        """Write the manifest; without `performance_metrics`, with those that were counted here."""
        figures = self.performance_metrics() if performance_metrics is None else performance_metrics
        there = {
            s: VIDEO.format(side=s) if self._videos[s].count or self._videos[s].path.is_file()
            else None for s in SIDES
        }  # fmt: skip
        manifest = create_pitch_manifest(
            summary, config_path, figures, left_video=there["left"], right_video=there["right"],
            left_timestamps=TIMESTAMPS.format(side="left"),
            right_timestamps=TIMESTAMPS.format(side="right"),
            key_frames=self._keys.key_frames() if self.options.save_training_frames else None,
            **placed(PITCH_FRAME),
        )  # fmt: skip
        write_document(self.pitch_dir / MANIFEST, models.PitchManifest.model_validate(manifest))

    def close(self) -> None:
        """Write what was kept and finish the videos. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self.options.save_detections:
            write_detections(self.pitch_dir, self.pitch_id, self._detections)
        if self.options.save_observations:
            write_observations(self.pitch_dir, self.pitch_id, self._observations, PITCH_FRAME)
        for side in SIDES:
            if self._stamps[side]:
                write_timestamps(self.pitch_dir / TIMESTAMPS.format(side=side), self._stamps[side])
            self.problems += [p for p in [self._videos[side].close()] if p]
        self._keys.close()


def _options(config: Any) -> RecordingOptions:
    """Return the options in a documented configuration."""
    section = getattr(config, "recording", config)
    if isinstance(section, Mapping):
        section = section.get("recording", section)
    if isinstance(section, RecordingOptions):
        return section
    names = [knob.name for knob in RecordingOptions.knobs()]
    if isinstance(section, Mapping):
        named = {name: section.get(name) for name in names}
    else:
        named = {name: getattr(section, name, None) for name in names}
    return RecordingOptions(**{k: v for k, v in named.items() if v is not None})


def _found(detections: Any, frame: Any, phase: str) -> Iterable[Detection]:
    """Yield detections, whichever of the ways they are given in."""
    balls = getattr(detections, "balls", detections)
    if balls is None:
        return
    if hasattr(balls, "u"):
        good = np.flatnonzero(balls.rule == 0).tolist()
        rows = [(balls.u[k], balls.v[k], balls.radius_px[k], balls.confidence[k]) for k in good]
    else:
        rows = [(d.u, d.v, d.radius_px, d.confidence) for d in balls]
    for u, v, radius, confidence in rows:
        yield Detection(
            frame_index=int(frame.frame_index), timestamp_ns=int(frame.t_capture_monotonic_ns),
            u_px=float(u), v_px=float(v), radius_px=float(radius), confidence=float(confidence),
            phase=phase,
        )  # fmt: skip


def _observation(obs: Any) -> Observation:
    if isinstance(obs, StereoObservation):
        return observation(obs, PITCH_FRAME)
    return Observation(
        timestamp_ns=int(obs.t_ns), left_px=(float(obs.left[0]), float(obs.left[1])),
        right_px=(float(obs.right[0]), float(obs.right[1])), X_ft=float(obs.X), Y_ft=float(obs.Y),
        Z_ft=float(obs.Z), quality=float(obs.quality), confidence=float(obs.confidence),
    )  # fmt: skip
