"""Keeping tracks clean: find bad ones, merge duplicates, smooth. Nothing of the user's moves."""

from trackcore.filters.find import find_bad_tracks
from trackcore.filters.report import FilterReason, FilterReport, Finding, MutedTracks

__all__ = [
    "FilterReason",
    "FilterReport",
    "Finding",
    "MutedTracks",
    "find_bad_tracks",
]
