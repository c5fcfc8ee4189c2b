"""Pictures of pitches: strike zone, trajectory, detections; the report of a session."""

from trackcore.pitch_report.picture import write_pitch_picture
from trackcore.pitch_report.session import SessionReport, write_session_report

__all__ = ["SessionReport", "write_pitch_picture", "write_session_report"]
