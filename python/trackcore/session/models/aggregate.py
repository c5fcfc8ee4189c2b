"""`aggregate_stats.json`: all sessions in a few numbers."""

from __future__ import annotations

from trackcore.session.models._base import Count, File, Positive, Record, Share, says


class ClassStats(Record):
    """The sessions of one class of footage; null where there is nothing to average."""

    session_count: Count | None = says("sessions")
    success_count: Count | None = says("of these, the successful ones")
    interrupted_count: Count | None = says("of these, the ones whose process died")
    success_rate: Share | None = says("successful sessions over all")
    first_try_success_rate: Share | None = says("the same over first attempts only")
    average_iterations: Positive | None = says("mean attempt of the successful sessions")
    track_success_rate: Share | None = says("tracks that lived at least 5 frames over all")
    track_survival_rate: Share | None = says("tracks that contributed to a solve over all")
    average_solve_error: Positive | None = says("mean of the solve errors", unit="px")


class AggregateStats(File, ClassStats):
    """`aggregate_stats.json`: can be made again from the sessions at any time."""

    footage_classes: dict[str, ClassStats] | None = says("the same by class, e.g. HD_30fps")
