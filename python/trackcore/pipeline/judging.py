"""What is done with the tracks of an attempt, one function for each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackcore.analysis import analyze
from trackcore.diagnosis import diagnose
from trackcore.filters import find_bad_tracks
from trackcore.frames import Clip
from trackcore.healing import heal
from trackcore.options import FilterOptions, SolveOptions, SolveWith
from trackcore.pipeline.attempt import Attempt
from trackcore.pipeline.events import Stage
from trackcore.pipeline.options import HealWhen, SmartTrackerOptions
from trackcore.pipeline.watch import Adaptation, Watcher
from trackcore.pixels import FrameMeter, MotionProbe, PixelFeatures, pixel_features
from trackcore.settings import settings_used
from trackcore.settings_policy import Quality
from trackcore.solver.confidence import pre_solve_confidence
from trackcore.stats import ShotType
from trackcore.tracks import Tracks

Cancel = Callable[[], bool]


def used(watcher: Watcher) -> dict[str, int | float | str]:
    """Return the documented settings that the tracker used in the end."""
    return settings_used(watcher.options)


def adaptations(records: Iterable[dict[str, Any]]) -> tuple[Adaptation, ...]:
    """Return what `Adaptation.to_dict` wrote."""
    return tuple(Adaptation(**{**one, "changes": tuple(one["changes"])}) for one in records)


def pixels(clip: Clip, meter: FrameMeter, tracks: Tracks, threads: int) -> PixelFeatures:
    """Return what the frames showed."""
    return pixel_features(clip, meter=meter, tracks=tracks, threads=threads)


def measured(
    attempt: Attempt,
    probe: MotionProbe | None,
    seen: PixelFeatures | None,
    quality: NDArray[np.float64],
    options: SmartTrackerOptions,
) -> Attempt:
    """Measure all that tracks and pixels tell; choose the longest shot."""
    raw = attempt.raw_tracks
    unknown = np.full(len(attempt.protected_ids), np.nan)
    analysis = analyze(
        raw, probe=probe, pixels=seen, settings=attempt.settings, protected=attempt.protected,
        feature_quality_score=np.concatenate([quality, unknown]), threads=options.threads,
    )  # fmt: skip
    found = replace(attempt, analysis=analysis, diagnosis=analysis.diagnosis)
    if len(analysis.shots) == 1:
        return found
    shot = max(analysis.shots, key=lambda s: s.last_frame - s.first_frame)
    first, last = np.searchsorted(raw.frame_numbers, [shot.first_frame, shot.last_frame]).tolist()
    return replace(
        found, tracks=raw.between(first, last + 1), shot_frames=(shot.first_frame, shot.last_frame)
    )


def untreated_cuts(attempt: Attempt) -> list[int]:
    """Return the first frames of new shots at which the tracker did not start anew."""
    cuts = [] if attempt.analysis is None else attempt.analysis.cuts
    return [cut for cut in cuts if cut not in attempt.plan.redetect_frames]


def healed(
    attempt: Attempt, clip: Clip, options: SmartTrackerOptions, cancel: Cancel | None
) -> Attempt:
    """Join lost tracks with later ones, if that is wanted."""
    wanted = options.heal is HealWhen.ON or (
        options.heal is HealWhen.AUTO and options.quality is Quality.QUALITY
    )
    if not wanted:
        return attempt
    found = heal(
        attempt.tracks, clip, protected=attempt.protected, cancel=cancel, threads=options.threads
    )
    return replace(attempt, tracks=found.tracks, healing=found)


def filtered(
    attempt: Attempt, options: SmartTrackerOptions, shot: ShotType | None = None
) -> Attempt:
    """Leave out the tracks that would harm a solve; say how likely there will be one."""
    untouched = attempt.tracks is attempt.raw_tracks and not options.tripod
    if untouched and attempt.analysis is not None:
        report = attempt.analysis.suspects
    else:
        limits = FilterOptions(tripod=options.tripod, seed=options.seed)
        report = find_bad_tracks(attempt.tracks, limits, protected=attempt.protected)
    good = report.mute(attempt.tracks).delete()
    if shot is None and attempt.analysis is not None:
        shot = attempt.analysis.shot
    chance = pre_solve_confidence(good, shot) if good.n_frames else 0.0
    return replace(attempt, tracks=good, confidence=round(chance, 4))


def solve_options(options: SmartTrackerOptions, asked: SolveOptions) -> SolveOptions:
    """Return how the solver is asked."""
    turns = options.tripod and asked.kind is SolveWith.AUTO
    return replace(asked, kind=SolveWith.TRIPOD if turns else asked.kind, seed=options.seed)


def diagnosed(attempt: Attempt, seen: PixelFeatures | None) -> Attempt:
    """Say what went wrong, if it did, now that the bundles are known."""
    tracks = attempt.raw_tracks
    if attempt.shot_frames is not None:
        a, b = np.searchsorted(tracks.frame_numbers, attempt.shot_frames).tolist()
        tracks = tracks.between(a, b + 1)
    bundles = 0 if attempt.solve is None else int(attempt.solve.bundled.sum())
    whole = attempt.analysis is not None and tracks is attempt.raw_tracks
    found = diagnose(
        tracks, settings=attempt.settings, pixels=seen, bundle_count=bundles,
        motion=attempt.analysis.motion if whole and attempt.analysis is not None else None,
    )  # fmt: skip
    return replace(attempt, diagnosis=found)


def shot_words(attempt: Attempt) -> str:
    """Say what kind of shot it is."""
    if attempt.analysis is None:
        return ""
    shots = len(attempt.analysis.shots)
    words = f"{attempt.analysis.shot.kind.value} shot"
    return words if shots == 1 else f"{shots} shots, the longest: {words}"


def cut_words(attempt: Attempt) -> str:
    """Say which frames are not solved, because the clip has cuts."""
    parts = attempt.frames_left_out
    n = sum(
        int(
            (
                (attempt.raw_tracks.frame_numbers >= a) & (attempt.raw_tracks.frame_numbers <= b)
            ).sum()
        )
        for a, b in parts
    )
    first, last = attempt.shot_frames or (0, 0)
    left = " and ".join(f"{a} .. {b}" for a, b in parts)
    return (
        f"the clip has cuts: only its longest shot, frames {first} .. {last}, is solved; {n} of"
        f" {attempt.raw_tracks.n_frames} frames are left out: {left} (solve each shot by itself)"
    )


def words(stage: Stage, attempt: Attempt) -> str:
    """Say what a stage did."""
    if stage is Stage.HEAL and attempt.healing is not None:
        stats = attempt.healing.healing_stats
        return f"healed {stats.heals_successful} of {stats.candidates_found} gaps"
    if stage is Stage.FILTER:
        good = f"{len(attempt.tracks)} of {len(attempt.raw_tracks)} tracks are good"
        return f"{good}; chance of a camera {attempt.confidence or 0.0:.0%}"
    if stage is Stage.SOLVE and attempt.solve is not None:
        return f"grade {attempt.solve.grade.value}: {attempt.solve.reasons[0]}"
    if stage is Stage.JUDGE and attempt.diagnosis is not None:
        return f"diagnosis: {attempt.diagnosis.pattern.value}"
    return ""
