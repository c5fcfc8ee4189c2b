"""The report of a solve: one HTML file that needs nothing else."""

from trackcore.report.rows import ReportAttempt, ReportSetting
from trackcore.report.write import write_report

__all__ = ["ReportAttempt", "ReportSetting", "write_report"]
