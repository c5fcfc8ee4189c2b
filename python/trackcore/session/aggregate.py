"""`aggregate_stats.json`: all sessions in a few numbers, made from their listing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trackcore.session.entries import SessionEntry
from trackcore.session.models import AggregateStats


def aggregate(entries: Iterable[SessionEntry]) -> AggregateStats:
    """Return the statistics of a listing; files with a problem do not count."""
    by_class: dict[str, list[SessionEntry]] = {}
    every = [entry for entry in entries if entry.problem is None]
    for entry in every:
        by_class.setdefault(str(entry.footage_class), []).append(entry)
    classes = {name: _stats(of_class) for name, of_class in sorted(by_class.items())}
    return AggregateStats.model_validate({**_stats(every), "footage_classes": classes})


def _stats(entries: list[SessionEntry]) -> dict[str, Any]:
    first = [entry for entry in entries if (entry.iteration or 1) == 1]
    good = [entry for entry in entries if entry.success]
    solved = [e for e in entries if e.total_tracks is not None and e.bundle_count is not None]
    errors = [entry.solve_error for entry in entries if entry.solve_error is not None]
    lasted = [e for e in entries if e.total_tracks is not None and e.successful_tracks is not None]
    return {
        "session_count": len(entries),
        "success_count": len(good),
        "interrupted_count": sum(bool(entry.interrupted) for entry in entries),
        "success_rate": _ratio(len(good), len(entries)),
        "first_try_success_rate": _ratio(sum(bool(e.success) for e in first), len(first)),
        "average_iterations": _ratio(sum(e.iteration or 1 for e in good), len(good)),
        "track_success_rate": _ratio(
            sum(e.successful_tracks or 0 for e in lasted), sum(e.total_tracks or 0 for e in lasted)
        ),
        "track_survival_rate": _ratio(
            sum(e.bundle_count or 0 for e in solved), sum(e.total_tracks or 0 for e in solved)
        ),
        "average_solve_error": _ratio(sum(errors), len(errors)),
    }


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None
