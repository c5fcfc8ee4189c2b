"""Pitches and sessions in a few lines: summaries, manifests, the table of a session."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from trackcore.cameras import WorldFrame
from trackcore.pitch import PitchFit
from trackcore.recording import models
from trackcore.recording.documents import APP_VERSION, placed
from trackcore.recording.models.pitch import PerformanceMetrics, Trajectory
from trackcore.session.models._base import Record

SUMMARY, SUMMARY_CSV = "session_summary.json", "session_summary.csv"

_DECIMALS = {"run_in": 3, "rise_in": 3, "speed_mph": 3, "rotation_rpm": 3,
             "trajectory_plate_x_ft": 4, "trajectory_plate_y_ft": 4, "trajectory_plate_z_ft": 4,
             "trajectory_expected_error_ft": 4, "trajectory_confidence": 3}  # fmt: skip


def utc(moment: datetime | None = None) -> str:
    """Return a moment, or now, as documents write it."""
    when = datetime.now(timezone.utc) if moment is None else moment
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def pitch_summary(
    pitch_id: str, start_ns: int, end_ns: int, n_observations: int, fit: PitchFit | None
) -> models.PitchSummary:
    """Return the documented line of a pitch; what no fit says is None."""
    found: dict[str, Any] = {} if fit is None else fit.documented()
    path = found.get("trajectory") or {}
    x, y, z = path.get("plate_crossing_xyz_ft") or (None, None, None)
    return models.PitchSummary(
        pitch_id=pitch_id, t_start_ns=start_ns, t_end_ns=end_ns,
        is_strike=found.get("is_strike"), zone_row=found.get("zone_row"),
        zone_col=found.get("zone_col"), run_in=found.get("run_in"), rise_in=found.get("rise_in"),
        speed_mph=found.get("velo_mph"), rotation_rpm=None, sample_count=n_observations,
        trajectory_plate_x_ft=x, trajectory_plate_y_ft=y, trajectory_plate_z_ft=z,
        trajectory_plate_t_ns=path.get("plate_crossing_t_ns"), trajectory_model=path.get("model"),
        trajectory_expected_error_ft=path.get("expected_error_ft"),
        trajectory_confidence=path.get("confidence"),
    )  # fmt: skip


def create_pitch_manifest(
    summary: Any,
    config_path: str | None = None,
    performance_metrics: PerformanceMetrics | dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the documented manifest of a pitch, ready for JSON.

    Parameters
    ----------
    summary : PitchSummary, or anything with its attributes
        What it lacks is null.
    config_path : str, optional
        Of the configuration; only its name is written.
    performance_metrics : PerformanceMetrics or dict, optional
        The documented figures.
    **more
        Further fields of `models.PitchManifest`.

    Raises
    ------
    pydantic.ValidationError
        If a value is none that the schema allows.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> seen = SimpleNamespace(pitch_id="night-pitch-001", t_start_ns=0, t_end_ns=400_000_000)
    >>> create_pitch_manifest(seen, "configs/default.yaml")["config_path"]
    'default.yaml'
    """

    def of(name: str) -> Any:
        return getattr(summary, name, None)

    place = [of(f"trajectory_plate_{axis}_ft") for axis in "xyz"]
    manifest = models.PitchManifest(
        app_version=APP_VERSION, rig_id=None, created_utc=utc(), pitch_id=of("pitch_id"),
        t_start_ns=of("t_start_ns"), t_end_ns=of("t_end_ns"), is_strike=of("is_strike"),
        zone_row=of("zone_row"), zone_col=of("zone_col"), run_in=of("run_in"),
        rise_in=of("rise_in"), measured_speed_mph=of("speed_mph"),
        rotation_rpm=of("rotation_rpm"),
        trajectory=Trajectory(
            plate_crossing_xyz_ft=(place[0], place[1], place[2]),
            plate_crossing_t_ns=of("trajectory_plate_t_ns"), model=of("trajectory_model"),
            expected_error_ft=of("trajectory_expected_error_ft"),
            confidence=of("trajectory_confidence"),
        ),
        config_path=None if config_path is None else Path(config_path).name,
        performance_metrics=_metrics(performance_metrics), **more,
    )  # fmt: skip
    return manifest.checked().to_dict()


def _metrics(given: PerformanceMetrics | dict[str, Any] | None) -> PerformanceMetrics | None:
    if given is None or isinstance(given, Record):
        return given
    return PerformanceMetrics.model_validate(given)


def session_summary(
    session: str, pitches: Sequence[models.PitchSummary], frame: WorldFrame
) -> models.SessionSummary:
    """Return the documented summary of a session."""
    heat = [[0, 0, 0] for _ in range(3)]
    for pitch in pitches:
        if pitch.zone_row is not None and pitch.zone_col is not None:
            heat[3 - pitch.zone_row][pitch.zone_col - 1] += 1
    called = [pitch.is_strike for pitch in pitches]
    return models.SessionSummary(
        app_version=APP_VERSION, session_id=session, pitch_count=len(pitches),
        strikes=called.count(True), balls=called.count(False), unknown=called.count(None),
        heatmap=heat, pitches=list(pitches), **placed(frame),
    )  # fmt: skip


def summary_table(pitches: Sequence[models.PitchSummary]) -> str:
    """Return the documented table: a line for each pitch, blank where something is not known."""
    names = list(models.PitchSummary.model_fields)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    for pitch in pitches:
        table.writerow([_cell(name, getattr(pitch, name)) for name in names])
    return text.getvalue()


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    return f"{value:.{_DECIMALS[name]}f}" if name in _DECIMALS else value
