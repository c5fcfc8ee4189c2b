"""Every filter over the same tracks, into one report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.filters._duplicates import duplicates
from trackcore.filters._rigid import rigid
from trackcore.filters._simple import low_correlation, short
from trackcore.filters._spikes import spikes
from trackcore.filters.report import Evidence, FilterReason, FilterReport, track_flags
from trackcore.options import FilterOptions, require_options
from trackcore.tracks import Tracks

_ALL = FilterOptions()


def find_bad_tracks(
    tracks: Tracks,
    options: FilterOptions = _ALL,
    *,
    protected: ArrayLike | None = None,
    reasons: Iterable[FilterReason | str] | None = None,
) -> FilterReport:
    """Find tracks that would harm a solve, and say why. Nothing is changed.

    Parameters
    ----------
    tracks : Tracks
    options : FilterOptions
        Limits of every filter.
    protected : (n_tracks,) bool, optional
        The user's own tracks: never flagged by any filter, though they take part in judging the
        others.
    reasons : iterable of FilterReason, optional
        Which filters run; all by default.

    Returns
    -------
    FilterReport
        Reasons, numbers and frames per track; its `mute` applies them.

    Raises
    ------
    InputError
        If `protected` is not one boolean per track, or a reason is unknown.

    Notes
    -----
    NOT_RIGID and MOVING_OBJECT ask whether a track fits one rigid scene seen by a moving camera:
    per span of frames, five views are fitted by homographies plus parallax (`_projective`), which
    holds for scenes with depth, flat scenes and turning cameras alike. Parallax is no fault. A
    track is judged on the longest spans it lives through, up to 144 frames, and flagged when it
    fails in `rigid_share` of them. What cannot be seen by any such test: an object that moves as a
    static one at another depth would, such as a car driving along the camera's own path, or one
    sliding evenly before an infinitely far background. For a camera known to turn only, `tripod`
    closes the second gap. The radial distortion of a lens (up to some 15 % at the side of the
    frame as a polynomial, 30 % as a fisheye's) is found and allowed for; with a stronger one, give
    undistorted positions. Fewer than 16 tracks over a span are not judged.
    """
    require_options(options, FilterOptions)
    mine = track_flags("protected", protected, len(tracks))
    wanted = set(FilterReason) if reasons is None else {_reason(r) for r in reasons}
    found: dict[FilterReason, Evidence] = {}
    leaps = spikes(tracks, options)
    of = np.full(len(tracks), -1, np.int64)
    if FilterReason.SHORT in wanted:
        found[FilterReason.SHORT] = short(tracks, options)
    if FilterReason.SPIKE in wanted:
        found[FilterReason.SPIKE] = leaps.evidence
    if FilterReason.DUPLICATE in wanted:
        found[FilterReason.DUPLICATE], of = duplicates(tracks, options, mine)
    if FilterReason.LOW_CORRELATION in wanted:
        found[FilterReason.LOW_CORRELATION] = low_correlation(tracks, options)
    if wanted & {FilterReason.NOT_RIGID, FilterReason.MOVING_OBJECT}:
        not_rigid, moving = rigid(tracks, options, tracks.seen & ~leaps.samples)
        if FilterReason.NOT_RIGID in wanted:
            found[FilterReason.NOT_RIGID] = not_rigid
        if FilterReason.MOVING_OBJECT in wanted:
            found[FilterReason.MOVING_OBJECT] = moving
    found = {r: replace(e, flagged=e.flagged & ~mine) for r, e in found.items()}
    use_spikes = FilterReason.SPIKE in wanted
    whole = leaps.whole_track & ~mine & use_spikes
    samples = leaps.samples & ~mine[:, None] & use_spikes
    return FilterReport(
        tracks.ids, found, samples, of, mine,
        _spared(tracks, found, whole, options.keep_at_least), whole, tuple(tracks.names),
    )  # fmt: skip


def _reason(value: FilterReason | str) -> FilterReason:
    try:
        return FilterReason(value)
    except ValueError:
        names = ", ".join(FilterReason)
        raise InputError(f"reasons: expected some of {names}, got {value!r}") from None


def _spared(
    tracks: Tracks, found: dict[FilterReason, Evidence], whole: NDArray[np.bool_], least: int
) -> NDArray[np.bool_]:
    """Return the bad tracks to be left alone, least bad first, so that `least` remain."""
    gone = whole.copy()
    severity = np.ones(len(tracks))
    for reason, e in found.items():
        if reason != FilterReason.SPIKE:
            gone |= e.flagged
        severity = np.where(e.flagged, np.maximum(severity, e.severity), severity)
    missing = least - int((tracks.seen.any(axis=1) & ~gone).sum())
    spared = np.zeros(len(tracks), bool)
    if missing > 0:
        candidates = np.flatnonzero(gone & tracks.seen.any(axis=1))
        spared[candidates[np.argsort(severity[candidates], kind="stable")][:missing]] = True
    return spared
