"""A pitch with its surroundings -> its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trackcore.cameras import StereoRig
from trackcore.recording import models
from trackcore.recording.documents import (
    MANIFEST,
    SIGHTINGS,
    TIMESTAMPS,
    VIDEO,
    detections_of,
    lost_records,
    metrics,
    observation,
    phase,
    placed,
    seen_balls,
    write_detections,
    write_document,
    write_observations,
)
from trackcore.recording.key_frames import FrameExtractor, KeyFrame
from trackcore.recording.models.pitch import Detection
from trackcore.recording.options import RecordingOptions
from trackcore.recording.recorded_frames import COLOR, GREY
from trackcore.recording.summary import create_pitch_manifest, pitch_summary
from trackcore.recording.timestamps import stamp_of, write_timestamps
from trackcore.recording.video import VideoFile, nominal_fps
from trackcore.recording.window import SIDES, CapturedFrame, PitchWindow, RecordingStatus


@dataclass(frozen=True, slots=True)
class WrittenPitch:
    """What came of writing a pitch.

    Attributes
    ----------
    folder : Path
    summary : PitchSummary
    problems : tuple of str
        What could not be written, and why.
    """

    folder: Path
    summary: models.PitchSummary
    problems: tuple[str, ...]


class PitchFiles:
    """Writes one window. The order is that of worth: what was seen, the manifest, then pictures.

    Parameters
    ----------
    folder : Path
        Of the pitch; made if it is not there.
    window : PitchWindow
    rig : StereoRig
    options : RecordingOptions
    config_path : str, optional
        Named in the manifest.
    """

    def __init__(
        self,
        folder: Path,
        window: PitchWindow,
        rig: StereoRig,
        options: RecordingOptions,
        config_path: str | None = None,
    ) -> None:
        self._folder, self._window, self._rig = folder, window, rig
        self._options, self._config = options, config_path
        self._problems: list[str] = []
        self._video_frames: dict[str, int] = {}
        self._start, self._end = window.pitch.start_ns, window.pitch.end_ns
        self._cameras = dict(zip(SIDES, rig.cameras, strict=True))
        self._found: dict[str, list[Detection]] = {
            side: detections_of(
                window.detections[side], getattr(window.pitch, side), self._start, self._end,
                self._cameras[side].common_time_ns,
            )
            for side in SIDES
        }  # fmt: skip
        # once: pictures may be read from a file for each of these
        self._stamps = {side: [stamp_of(f) for f in window.frames[side]] for side in SIDES}
        self._times = {
            side: [int(self._cameras[side].common_time_ns(s.t_capture_monotonic_ns))
                   for s in self._stamps[side]]
            for side in SIDES
        }  # fmt: skip
        self._summary = pitch_summary(
            window.pitch_id, self._start, self._end, len(window.pitch.observations), window.fit
        )

    def write(self) -> WrittenPitch:
        """Write everything; what cannot be written is a problem, and the rest goes on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._what_was_seen()
        self._manifest(RecordingStatus.TRUNCATED, {})
        for side in SIDES:
            write_timestamps(self._folder / TIMESTAMPS.format(side=side), self._stamps[side])
        key_frames = self._pictures()
        status = self._window.status
        if self._problems and status is RecordingStatus.COMPLETE:
            status = RecordingStatus.TRUNCATED
        self._manifest(status, key_frames)
        return WrittenPitch(self._folder, self._summary, tuple(self._problems))

    def _what_was_seen(self) -> None:
        pitch, pitch_id = self._window.pitch, self._window.pitch_id
        write_document(self._folder / SIGHTINGS, seen_balls(pitch_id, pitch))
        if self._options.save_detections:
            write_detections(self._folder, pitch_id, self._found)
        if self._options.save_observations:
            seen = [observation(o, self._rig.frame) for o in pitch.observations]
            write_observations(self._folder, pitch_id, seen, self._rig.frame)

    def _manifest(
        self,
        status: RecordingStatus,
        key_frames: dict[str, dict[str, str | None]],
    ) -> None:
        window = self._window
        figures = metrics(
            start_ns=self._start, end_ns=self._end,
            frames={s: [(stamp.frame_index, t) for stamp, t in
                        zip(self._stamps[s], self._times[s], strict=True)] for s in SIDES},
            detected={s: [d.frame_index for d in self._found[s]] for s in SIDES},
            observations=len(window.pitch.observations),
        )  # fmt: skip
        manifest = create_pitch_manifest(
            self._summary, self._config, figures, status=status.value,
            left_video=self._video("left"), right_video=self._video("right"),
            left_timestamps=TIMESTAMPS.format(side="left"),
            right_timestamps=TIMESTAMPS.format(side="right"),
            speed_source=None if self._summary.speed_mph is None else "track",
            lost_frames=lost_records(window.lost), key_frames=key_frames or None,
            frames={s: len(self._stamps[s]) for s in SIDES},
            video_frames=self._video_frames or None,
            pixfmt={s: _pixfmt(window.frames[s][0]) for s in SIDES if window.frames[s]},
            fit=None if window.fit is None else window.fit.documented(),
            problems=self._problems, **placed(self._rig.frame),
        )  # fmt: skip
        write_document(self._folder / MANIFEST, models.PitchManifest.model_validate(manifest))

    def _video(self, side: str) -> str | None:
        """Return the name of a video that was written."""
        return VIDEO.format(side=side) if self._video_frames.get(side) else None

    def _pictures(self) -> dict[str, dict[str, str | None]]:
        """Write videos and key frames in one pass over the pictures; return the latter's names."""
        enabled = self._options.save_training_frames
        extractor = FrameExtractor(self._folder, enabled=enabled)
        for side in SIDES:
            frames = self._window.frames[side]
            fps = nominal_fps([s.t_capture_monotonic_ns for s in self._stamps[side]])
            video = VideoFile(
                self._folder / VIDEO.format(side=side), fps=fps, codec=self._options.video_codec
            )
            moments = self._moments(side) if enabled else {}
            for number, frame in enumerate(frames):
                video.write(frame.image)
                if enabled:
                    extractor.save_uniform(side, frame, self._options.frame_save_interval)
                for kind in moments.get(number, ()):
                    self._tried(lambda: extractor.save(kind, side, frame))  # noqa: B023 - called now
            problem = video.close()
            if problem:
                self._problems.append(problem)
            self._video_frames[side] = video.written
        self._tried(extractor.close)
        return extractor.key_frames() if enabled else {}

    def _tried(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            self._problems.append(f"frames: {error.strerror or error}")

    def _moments(self, side: str) -> dict[int, list[KeyFrame]]:
        """Return which frames of the window are moments that count, by their place in it."""
        times, fit = np.array(self._times[side], np.int64), self._window.fit
        phases = [phase(t, self._start, self._end) for t in times.tolist()]
        ball = {d.frame_index for d in self._found[side] if d.in_pitch}
        seen = [k for k, s in enumerate(self._stamps[side]) if s.frame_index in ball]
        before = [k for k, p in enumerate(phases) if p == "pre_roll"]
        after = [k for k, p in enumerate(phases) if p == "post_roll"]
        places: dict[KeyFrame, int | None] = {
            KeyFrame.PRE_ROLL_FIRST: before[0] if before else None,
            KeyFrame.PRE_ROLL_LAST: before[-1] if before else None,
            KeyFrame.FIRST_DETECTION: seen[0] if seen else None,
            KeyFrame.LAST_DETECTION: seen[-1] if seen else None,
            KeyFrame.POST_ROLL_LAST: after[-1] if after else None,
        }
        crossings = () if fit is None else (
            (KeyFrame.RELEASE_POINT, fit.release), (KeyFrame.PLATE_CROSSING, fit.plate)
        )  # fmt: skip
        for kind, crossing in crossings:
            inside = crossing and len(times) and times[0] <= crossing.t_ns <= times[-1]
            places[kind] = int(np.argmin(np.abs(times - crossing.t_ns))) if inside else None
        moments: dict[int, list[KeyFrame]] = {}
        for kind, place in places.items():
            if place is not None:
                moments.setdefault(place, []).append(kind)
        return moments


def _pixfmt(frame: CapturedFrame) -> str:
    return COLOR if frame.image.ndim == 3 else GREY
