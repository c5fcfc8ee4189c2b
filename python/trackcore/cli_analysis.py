"""What the command line says, draws and keeps of a clip's analysis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from trackcore.analysis import ClipAnalysis
from trackcore.cli_output import Output
from trackcore.diagnosis.causes import FEW_BUNDLES
from trackcore.errors import DependencyError, RecordError, SourceError, StoreError
from trackcore.frames import Clip, open_clip
from trackcore.session.losses import track_failures
from trackcore.stats import FocalChange, ShotKind

if TYPE_CHECKING:
    from trackcore.pixels import MotionProbe
    from trackcore.session.recorder import SessionRecorder

PICTURE = "statistics.png"

_SHOTS = {
    ShotKind.STATIC: "static camera",
    ShotKind.PAN_TILT: "pan or tilt",
    ShotKind.ROLL: "roll",
    ShotKind.ZOOM: "zoom",
    ShotKind.DOLLY_PARALLAX: "moving camera, with parallax",
    ShotKind.PLANAR: "moving camera, flat scene",
    ShotKind.HANDHELD_SHAKE: "handheld shake",
    ShotKind.UNKNOWN: "unknown: too little to judge",
}


def table(analysis: ClipAnalysis) -> Table:
    """Return the findings as a table, one line each."""
    rows = Table(show_header=False)
    rows.add_column(style="dim")
    rows.add_column()
    for name, text in _rows(analysis):
        rows.add_row(name, Text(text))
    return rows


def probe_line(probe: MotionProbe) -> str:
    """Say what the probe saw."""
    if probe.motion_class is None:
        return f"probe: no answer ({probe.status.value.lower().replace('_', ' ')})"
    texture = "" if probe.texture_class is None else f", {probe.texture_class.value} texture"
    speed = "" if probe.motion_magnitude is None else f" ({probe.motion_magnitude:.2%} per frame)"
    regions = ", ".join(probe.best_regions) or "nowhere"
    return f"probe: {probe.motion_class.value} motion{speed}{texture}; holds in {regions}"


def draw(
    analysis: ClipAnalysis, path: Path, output: Output, *, clip: str | None, title: str
) -> bool:
    """Write the picture of the statistics; say so and return False where matplotlib is absent."""
    from trackcore.plots import write_statistics

    try:
        write_statistics(
            path, analysis.tracks, zoom=analysis.zoom,
            region_stats=analysis.motion.regions.region_stats, cuts=analysis.cuts,
            background=_middle_frame(analysis, clip), title=title,
        )  # fmt: skip
    except DependencyError as error:
        output.log(f"no {path.name}: {error}")
        return False
    return True


class SessionLog:
    """The session record of one run: kept as it happens, and never a reason to fail.

    Parameters
    ----------
    output : Output
        Where it is said that a session could not be recorded.
    on : bool
        Off: nothing is recorded.
    """

    def __init__(self, output: Output, *, on: bool) -> None:
        self._output, self._on = output, on
        self._recorder: SessionRecorder | None = None

    def __enter__(self) -> SessionLog:
        """Begin; nothing is recorded until `start`."""
        return self

    def __exit__(self, *error: object) -> None:
        """End a session that was not ended, as interrupted."""
        if self._recorder is not None:
            with self._never_fatal():
                self._recorder.__exit__(None, None, None)

    def start(self, clip: Clip, source: str, settings: dict[str, Any], probe: MotionProbe) -> None:
        """Open the session's journal and put down what is known before anything is tracked."""
        if not self._on:
            return
        from trackcore.session.identity import clip_fingerprint
        from trackcore.session.recorder import SessionRecorder

        with self._never_fatal():
            recorder = SessionRecorder()
            length = clip.expected_length
            fingerprint = clip_fingerprint(source, clip.size, clip.fps, length or 0, recorder.store)
            recorder.start_session(
                resolution=clip.size, fps=clip.fps, frame_count=length, settings=settings,
                clip_fingerprint=fingerprint, motion_probe_results=probe,
            )  # fmt: skip
            self._recorder = recorder

    def end(self, clip: Clip, analysis: ClipAnalysis | None, *, stopped: bool) -> str | None:
        """Put down what was found; return the session's name, None where there is none."""
        recorder = self._recorder
        if recorder is None:
            return None
        with self._never_fatal():
            if analysis is not None:
                fields = analysis.session_fields()
                recorder.record(
                    frame_count=analysis.tracks.n_frames, codec=clip.info().codec or None,
                    track_failures=track_failures(analysis.tracks), **fields,
                )  # fmt: skip
            if stopped:
                return recorder.session_id  # leaving the block ends it as interrupted
            tracked = 0 if analysis is None else int(analysis.stats.success.sum())
            recorder.end_session(success=tracked >= FEW_BUNDLES)
            self._recorder = None
            return recorder.session_id
        return None

    @contextmanager
    def _never_fatal(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, RecordError) as error:
            self._recorder = None
            self._output.log(f"note: no session was recorded: {error}")


def _middle_frame(analysis: ClipAnalysis, clip: str | None) -> NDArray[Any] | None:
    if clip is None or not analysis.tracks.n_frames:
        return None
    number = int(analysis.tracks.frame_numbers[analysis.tracks.n_frames // 2])
    try:
        for frame in open_clip(clip, frames=(number, number)):
            return np.asarray(frame.image)
    except SourceError:
        return None  # the picture does without
    return None


def _rows(analysis: ClipAnalysis) -> list[tuple[str, str]]:
    motion = analysis.motion
    rows = [("shot", text) for text in _shots(analysis)]
    rows += _known("speed", motion.motion_magnitude, "{:.2%} of the diagonal per frame")
    rows += _known("consistency", motion.motion_consistency, "{:.2f}")
    rows += _known("parallax", motion.parallax_score, "{:.2f}")
    rows += [("apparent scale", _zoom(analysis))]
    rows += _known("jitter", _median(analysis.stats.jitter_px), "{:.3f} px (median)")
    rows += _known("drop-outs", motion.track_dropout_rate, "{:.1%} of tracks")
    rows += [("suspect tracks", _suspects(analysis)), ("diagnosis", _diagnosis(analysis))]
    return rows


def _shots(analysis: ClipAnalysis) -> list[str]:
    several = len(analysis.shots) > 1
    return [
        (f"{shot.first_frame} to {shot.last_frame}: " if several else "")
        + _SHOTS[shot.kind.kind]
        + (f" ({shot.kind.confidence:.0%} sure)" if shot.kind.kind != ShotKind.UNKNOWN else "")
        for shot in analysis.shots
    ]


def _zoom(analysis: ClipAnalysis) -> str:
    zoom = analysis.zoom
    if not np.isfinite(zoom.apparent_scale_ratio):
        return "not known"
    if not zoom.is_zoom_detected:
        return "constant"
    lens = {
        FocalChange.LONGER: "the lens gets longer",
        FocalChange.SHORTER: "the lens gets shorter",
        FocalChange.NONE: "the camera moves",
    }[zoom.focal_change]
    several = len(analysis.shots) > 1
    where = f" of {zoom.frames[0]} to {zoom.frames[-1]}, the longest shot" if several else ""
    return f"{zoom.apparent_scale_ratio:.3f} at the end{where} ({lens})"


def _suspects(analysis: ClipAnalysis) -> str:
    suspects = analysis.suspects
    if not suspects.bad.any():
        return "none"
    parts = ", ".join(
        f"{n} {str(reason).lower().replace('_', ' ')}" for reason, n in suspects.counts.items() if n
    )
    return f"{int(suspects.bad.sum())} of {len(suspects)}: {parts}"


def _diagnosis(analysis: ClipAnalysis) -> str:
    found = analysis.diagnosis
    if not found.fix_adjustments:
        return "healthy" if found.pattern == "NONE" else str(found.pattern)
    advice = ", ".join(f"{name} {value}" for name, value in found.fix_adjustments.items())
    return f"{found.pattern} ({found.confidence:.0%}): try {advice}"


def _known(name: str, value: float | None, form: str) -> list[tuple[str, str]]:
    if value is None or not np.isfinite(value):
        return []
    return [(name, form.format(value))]


def _median(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
