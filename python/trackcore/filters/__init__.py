"""Keeping tracks clean: find bad ones, merge duplicates, smooth. Nothing of the user's moves."""

from trackcore.filters.find import find_bad_tracks
from trackcore.filters.merge import MergedTracks, merge_duplicates
from trackcore.filters.report import FilterReason, FilterReport, Finding, MutedTracks
from trackcore.filters.smooth import smooth_tracks

__all__ = [
    "FilterReason",
    "FilterReport",
    "Finding",
    "MergedTracks",
    "MutedTracks",
    "find_bad_tracks",
    "merge_duplicates",
    "smooth_tracks",
]
