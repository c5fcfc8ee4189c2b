"""What follows from the rest of a session, and need not be recorded by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trackcore.footage import fps_class, resolution_class
from trackcore.frame_regions import REGIONS
from trackcore.session.entries import known_fps
from trackcore.stats import regions as rules
from trackcore.stats.track_stats import SUCCESS_FRAMES


def derived(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that follow from a session's own, but for those it has already.

    `region_stats` counts as documented (lifespan). `dead_zones`, `sweet_spots` and
    `region_confidence` ask more where there is a solve: that the track contributed to it.
    The rules are those of `trackcore.stats.regions`, for who has track records but no tracks.
    """
    tracks = record.get("tracks") or []
    found: dict[str, Any] = {
        "solve_error": None,
        "frame_of_failure": None,
        "footage_features": _footage(record),
    }
    frames, fps = record.get("frame_count"), record.get("fps")
    if frames and fps:
        found["clip_duration_seconds"] = frames / fps
    probe = record.get("motion_probe_results") or {}
    if probe.get("motion_class"):
        found["motion_class"] = probe["motion_class"]
    if tracks:
        found |= _counts(tracks) | _regions(tracks)
    if record.get("success"):
        found["failure_type"] = "NONE"
    known = {name: value for name, value in record.items() if name != "footage_features"}
    return {name: value for name, value in found.items() if name not in known}


def succeeded(track: Mapping[str, Any]) -> bool:
    """Return whether a track is a success by the documented measure."""
    if track.get("success") is not None:
        return bool(track["success"])
    return (track.get("lifespan") or 0) >= SUCCESS_FRAMES


def _counts(tracks: list[dict[str, Any]]) -> dict[str, Any]:
    counts = {"total_tracks": len(tracks), "successful_tracks": sum(map(succeeded, tracks))}
    contributed = [track.get("contributed_to_solve") for track in tracks]
    if any(contributed):
        counts["bundle_count"] = sum(map(bool, contributed))
    return counts


def _regions(tracks: list[dict[str, Any]]) -> dict[str, Any]:
    solved = any(track.get("contributed_to_solve") for track in tracks)
    stats, dead, sweet, confidence = {}, [], [], {}
    for region in REGIONS:
        here = [track for track in tracks if track.get("region") == region]
        lifespans = [track["lifespan"] for track in here if track.get("lifespan") is not None]
        good = sum(bool(t.get("contributed_to_solve")) if solved else succeeded(t) for t in here)
        confidence[region] = rules.CONFIDENCE_START
        if len(here) >= rules.CONFIDENCE_TRACKS:
            new = (1 - rules.CONFIDENCE_KEPT) * good / len(here)
            confidence[region] = rules.CONFIDENCE_KEPT * rules.CONFIDENCE_START + new
        if not here:
            continue
        stats[region] = {"total_tracks": len(here), "successful_tracks": sum(map(succeeded, here))}
        if lifespans:
            stats[region]["avg_lifespan"] = sum(lifespans) / len(lifespans)
        if len(here) >= rules.LEAST_TRACKS:
            dead += [region] if good / len(here) < rules.DEAD_BELOW else []
            sweet += [region] if good / len(here) > rules.SWEET_ABOVE else []
    return {
        "region_stats": stats,
        "dead_zones": dead,
        "sweet_spots": sweet,
        "region_confidence": confidence,
    }


def _footage(record: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resolution_class": resolution_class(record["resolution"]),
        "fps_class": fps_class(known_fps(record["fps"])),
    }
    stats = record.get("region_stats") or _regions(record.get("tracks") or [])["region_stats"]
    good = {region: one.get("successful_tracks") or 0 for region, one in stats.items()}
    best = max(good, key=lambda region: good[region], default=None)
    if best in REGIONS and good[best]:
        found["dominant_region"] = REGIONS.index(best)
    return {**found, **(record.get("footage_features") or {})}
