"""What a user changed between two solves: from two snapshots of the tracks, whatever the host."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackcore.errors import InputError
from trackcore.frame_regions import EDGE_REGIONS
from trackcore.normalised import normalised
from trackcore.session.identity import load_identity
from trackcore.session.plain import plain
from trackcore.session.store import SessionStore, now, record_name
from trackcore.stats.track_stats import track_stats
from trackcore.tracks import Tracks

if TYPE_CHECKING:
    from trackcore.session.models import Behavior

Floats = NDArray[np.float64]

REFINED_PX = 0.5
"""A position moved by more than this was refined, as documented."""
SHORT_FRAMES, HIGH_ERROR_PX, JITTERY_PX = 10, 2.0, 0.5
"""Why a track was taken out, as far as can be told: the documented limits of lifespan and error;
jitter in pixels, as the documented score calls every locked-off shot jittery."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Tracks, settings and solve as they are at one moment.

    Parameters
    ----------
    tracks : Tracks
    settings : mapping, optional
        The documented settings.
    solve_error : float, optional
        Mean reprojection error [px]; None if nothing was solved, or the solve failed.
    solved : bool, optional
        Whether a solve was tried. Default: `solve_error` was given.
    has_bundle : (n_tracks,) bool, optional
        Which tracks have a 3-D point.
    reprojection_error_px : (n_tracks,) float, optional
        Of each track [px], NaN where there is none.
    muted : (n_tracks,) bool, optional
        Tracks the user hides from the solve.
    weight : (n_tracks,) float, optional
        Weight of each track in the solve; 0 takes it out.

    Raises
    ------
    InputError
        If an array does not fit the tracks.
    """

    tracks: Tracks
    settings: Mapping[str, Any] = field(default_factory=dict)
    solve_error: float | None = None
    solved: bool | None = None
    has_bundle: ArrayLike | None = None
    reprojection_error_px: ArrayLike | None = None
    muted: ArrayLike | None = None
    weight: ArrayLike | None = None

    def __post_init__(self) -> None:
        """Check the arrays."""
        if not isinstance(self.tracks, Tracks):
            raise InputError(f"tracks: expected Tracks, got {type(self.tracks).__name__}")
        n = len(self.tracks)
        for name in ("has_bundle", "reprojection_error_px", "muted", "weight"):
            value = getattr(self, name)
            if value is not None and np.shape(value) != (n,):
                raise InputError(f"{name}: expected shape ({n},), got {np.shape(value)}")

    @property
    def tried(self) -> bool:
        """Whether a solve was tried."""
        return self.solve_error is not None if self.solved is None else self.solved

    def excluded(self) -> dict[int, str]:
        """Return why the solve leaves tracks out, by id: `mute` or `zero_weight`."""
        found: dict[int, str] = {}
        for values, word in ((self.weight, "zero_weight"), (self.muted, "mute")):
            if values is not None:
                out = np.asarray(values)
                out = out == 0 if word == "zero_weight" else out.astype(bool)
                found |= dict.fromkeys(self.tracks.ids[out].tolist(), word)
        return found


class BehaviorRecorder:
    """Records what a user changes between two solves, once they have agreed to it.

    Nothing is written unless `trackcore.session.identity.agree(store)` was called for this data
    directory: learning from edits is off until the user says so.

    Parameters
    ----------
    store : SessionStore or path, optional
        Where records go; as for `SessionStore`.

    Examples
    --------
    >>> import numpy as np, tempfile, trackcore as tc
    >>> xy_px = np.cumsum(np.ones((3, 30, 2)), axis=1) + [[[10.0, 20.0]], [[50, 60]], [[90, 30]]]
    >>> tracks = tc.Tracks.from_positions(xy_px, frame_size=(160, 120))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recorder = tc.BehaviorRecorder(folder)
    ...     recorder.before(tracks, session_id="a", settings={"search_size": 71}, solve_error=1.8)
    ...     edited = tracks.select([0, 1])
    ...     record = recorder.after(edited, settings={"search_size": 101}, solve_error=0.9)
    >>> record.settings_adjustments["search_size"].delta, len(record.track_deletions)
    (30, 1)
    """

    def __init__(self, store: Any = None) -> None:
        self.store = store if isinstance(store, SessionStore) else SessionStore(store)
        self._before: Snapshot | None = None
        self._since = 0.0
        self._link: dict[str, Any] = {}

    @property
    def agreed(self) -> bool:
        """Whether the user agreed that edits are recorded."""
        return load_identity(self.store).learn_from_edits

    def before(
        self,
        tracks: Tracks,
        *,
        session_id: str,
        clip_fingerprint: str | None = None,
        previous_session_id: str | None = None,
        iteration: int = 1,
        **state: Any,
    ) -> None:
        """Note how things are when the user begins to edit.

        Parameters
        ----------
        tracks : Tracks
        session_id : str
            The session whose tracks these are.
        clip_fingerprint, previous_session_id, iteration
            Of that session, to join attempts on one clip.
        **state
            Anything else of `Snapshot`: `settings`, `solve_error`, `has_bundle`, `muted`, ...
        """
        self._before = Snapshot(tracks, **state)
        self._since = time.monotonic()
        self._link = {
            "session_id": session_id,
            "clip_fingerprint": clip_fingerprint,
            "previous_session_id": previous_session_id,
            "iteration": iteration,
        }

    def after(self, tracks: Tracks, **state: Any) -> Behavior:
        """Compare with what `before` noted; write the record if the user agreed, and return it.

        Parameters
        ----------
        tracks : Tracks
            As they are now; a track is the same if its id is.
        **state
            Anything else of `Snapshot`. With `solved=True` and no `solve_error` the solve failed.

        Raises
        ------
        InputError
            If `before` was not called, or something does not fit.
        StoreError
            If the record cannot be written.
        """
        if self._before is None:
            raise InputError("after: expected before() to have been called")
        identity = load_identity(self.store) if self.agreed else None
        record = behavior_between(
            self._before,
            Snapshot(tracks, **state),
            editing_duration_seconds=round(time.monotonic() - self._since, 3),
            contributor_id=identity.contributor_id if identity else None,
            **self._link,
        )
        self._before = None
        if identity is not None:
            self.store.behavior.save(record_name(record.timestamp), record)
        return record


def behavior_between(before: Snapshot, after: Snapshot, **link: Any) -> Behavior:
    """Return the record of what changed between two snapshots.

    Parameters
    ----------
    before, after : Snapshot
    **link
        Fields of the record that join it to others: `session_id`, `iteration`, ...

    Returns
    -------
    Behavior

    Raises
    ------
    InputError
        If the two are of frames of different sizes; `RecordError`, which is one, if a field of
        `link` or a setting is wrong.
    """
    from trackcore.session import text
    from trackcore.session.models import Behavior

    if before.tracks.frame_size != after.tracks.frame_size:
        raise InputError(
            f"tracks: expected frames of {before.tracks.frame_size} px as before,"
            f" got {after.tracks.frame_size}"
        )
    ids = set(before.tracks.ids.tolist()), set(after.tracks.ids.tolist())
    added = [_addition(t) for t in _told(after, ids[1] - ids[0])]
    deleted = [_deletion(t) for t in _told(before, ids[0] - ids[1])]
    fresh = after.excluded()
    newly_out = {i: kind for i, kind in fresh.items() if i in ids[0] and i not in before.excluded()}
    fields = {
        "timestamp": now(),
        "settings_adjustments": _adjustments(before.settings, after.settings),
        "re_solve": _re_solve(before, after),
        "track_additions": added,
        "track_deletions": deleted,
        "exclusions": [
            {**_deletion(t), "kind": newly_out[t["id"]]} for t in _told(after, set(newly_out))
        ],
        "marker_refinements": _refinements(before.tracks, after.tracks),
        "net_track_change": len(added) - len(deleted),
        "region_additions": dict(Counter(t["region"] for t in added if t["region"])),
        **{name: value for name, value in link.items() if value is not None},
    }
    return text.checked(Behavior, plain(fields, "behavior"))


def _told(snapshot: Snapshot, ids: set[int]) -> list[dict[str, Any]]:
    """Return what is known of tracks; those without a position are none."""
    tracks = snapshot.tracks.select(np.isin(snapshot.tracks.ids, sorted(ids)))
    rows = np.flatnonzero(np.isin(snapshot.tracks.ids, sorted(ids)))
    stats = track_stats(tracks)
    told = []
    for i in np.flatnonzero(stats.n_samples > 0).tolist():
        error = _at(snapshot.reprojection_error_px, rows[i])
        bundle = _at(snapshot.has_bundle, rows[i])
        told.append(
            {
                "id": int(tracks.ids[i]),
                "name": stats.name[i],
                "region": stats.region[i],
                "lifespan": int(stats.lifespan[i]),
                "start_frame": int(stats.start_frame[i]),
                "position": stats.initial_position[i].tolist(),
                "had_bundle": None if bundle is None else bool(bundle),
                "error": None if error is None or not np.isfinite(error) else float(error),
                "jitter_px": float(stats.jitter_px[i]),
            }
        )
    return told


def _at(values: ArrayLike | None, row: Any) -> Any:
    return None if values is None else np.asarray(values)[row]


def _addition(track: dict[str, Any]) -> dict[str, Any]:
    return {
        "track_name": track["name"],
        "region": track["region"],
        "initial_frame": track["start_frame"],
        "position": track["position"],
        "lifespan_achieved": track["lifespan"],
        "had_bundle": track["had_bundle"],
        "reprojection_error": track["error"],
    }


def _deletion(track: dict[str, Any]) -> dict[str, Any]:
    return {
        "track_name": track["name"],
        "region": track["region"],
        "lifespan": track["lifespan"],
        "had_bundle": track["had_bundle"],
        "reprojection_error": track["error"],
        "inferred_reason": _reason(track),
    }


def _reason(track: dict[str, Any]) -> str:
    """Return the first documented reason that applies."""
    if track["lifespan"] < SHORT_FRAMES:
        return "short_lifespan"
    if track["region"] in EDGE_REGIONS:
        return "edge_region"
    if track["error"] is not None and track["error"] > HIGH_ERROR_PX:
        return "high_error"
    return "jittery" if track["jitter_px"] > JITTERY_PX else "user_manual"


def _refinements(before: Tracks, after: Tracks) -> list[dict[str, Any]]:
    """Return the samples both have and that were moved."""
    _, i, j = np.intersect1d(before.ids, after.ids, return_indices=True)
    numbers, p, q = np.intersect1d(before.frame_numbers, after.frame_numbers, return_indices=True)
    old, new = before.xy_px[np.ix_(i, p)], after.xy_px[np.ix_(j, q)]
    moved_px = np.linalg.norm(new - old, axis=-1)
    names, size = before.names, before.frame_size
    return [
        {
            "track_name": names[i[track]],
            "frame": int(numbers[frame]),
            "old_position": normalised(old[track, frame], size).round(6).tolist(),
            "new_position": normalised(new[track, frame], size).round(6).tolist(),
            "displacement_px": round(float(moved_px[track, frame]), 4),
        }
        for track, frame in np.argwhere(moved_px > REFINED_PX).tolist()
    ]


def _adjustments(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    old, new = plain(before, "settings"), plain(after, "settings")
    return {
        name: {"before": old[name], "after": new[name], "delta": _delta(old[name], new[name])}
        for name in old
        if name in new and old[name] != new[name]
    }


def _delta(old: Any, new: Any) -> float | None:
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (old, new))
    return round(new - old, 9) if numbers else None


def _re_solve(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """Return what solving again brought; a failed solve has no error, and did not improve."""
    if not after.tried:
        return {"attempted": False, "error_before": before.solve_error}
    gain = None
    if before.solve_error is not None and after.solve_error is not None:
        gain = round(before.solve_error - after.solve_error, 6)
    known = before.tried or after.solve_error is not None
    better = gain > 0 if gain is not None else after.solve_error is not None and before.tried
    return {
        "attempted": True,
        "error_before": before.solve_error,
        "error_after": after.solve_error,
        "improvement": gain,
        "improved": better if known else None,
    }
