"""What the pixels say about candidates: one pass over the clip in order, small cut-outs kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trackcore.healing._candidates import Candidate
from trackcore.healing._motion import Floats
from trackcore.healing._patches import Crop, Match, ambiguity, crop_side, cut, find
from trackcore.options import HealOptions
from trackcore.tracks import Tracks

_RIVAL_RADIUS_PX = 4.0  # below it there is no room for a second place
_TRUSTED_LIFE = 12  # frames; a shorter track has hardly shown which surface it is on


@dataclass(frozen=True, slots=True)
class Look:
    """One comparison of the lost track's patch with a frame of the later one."""

    source: int
    target: int
    match: Match
    offset_px: Floats  # of the lost point from the later track


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one candidate.

    Attributes
    ----------
    candidate : Candidate
    reason : str
        Why it was refused; empty if the pixels agree.
    score : float
        0 .. 1; NaN if the patch was not found.
    offset_px : (2,) float64
        From the later track to the lost point, in the first frame after the gap.
    error_px : float
        Disagreement of the matches of several frames, forwards and backwards, rms.
    patches : tuple
        Of the best look: (index, position, crop) before and after the gap, and the deformation.
    """

    candidate: Candidate
    reason: str
    score: float = np.nan
    offset_px: Floats | None = None
    error_px: float = np.nan
    patches: tuple[tuple[int, Floats, Crop], tuple[int, Floats, Crop], Floats] | None = None


class Examiner:
    """Collects cut-outs frame by frame, and judges each candidate when its last one is there."""

    def __init__(self, tracks: Tracks, candidates: list[Candidate], options: HealOptions) -> None:
        self._xy = tracks.xy_px
        self._life = tracks.seen.sum(axis=1)
        self._options = options
        self._side = crop_side(options)
        self._crops: dict[tuple[int, int, int], Crop] = {}  # (row, other row or -1, index)
        self._users: dict[tuple[int, int, int], int] = {}
        self._wanted: dict[int, list[tuple[tuple[int, int, int], Floats]]] = {}
        self._due: dict[int, list[Candidate]] = {}
        self.verdicts: list[Verdict] = []
        for candidate in candidates:
            for key, center in self._needs(candidate):
                if key not in self._users:
                    self._wanted.setdefault(key[2], []).append((key, center))
                self._users[key] = self._users.get(key, 0) + 1
            self._due.setdefault(max(candidate.after.looks), []).append(candidate)

    @property
    def last_index(self) -> int:
        """Array index of the last frame needed; -1 if none is."""
        return max(self._due, default=-1)

    def needs(self, index: int) -> bool:
        """Return whether a frame is needed at all."""
        return index in self._wanted or index in self._due

    def see(self, index: int, image: NDArray[np.generic]) -> None:
        """Take what is needed of one frame, and judge what can now be judged."""
        for key, center in self._wanted.pop(index, []):
            self._crops[key] = cut(image, center, self._side)
        for candidate in self._due.pop(index, []):
            self.verdicts.append(self._judge(candidate))
            for key, _ in self._needs(candidate):
                self._users[key] -= 1
                if not self._users[key]:
                    self._crops.pop(key, None)

    def _needs(self, c: Candidate) -> list[tuple[tuple[int, int, int], Floats]]:
        before = [((c.lost, -1, i), self._xy[c.lost, i]) for i in c.before.looks]
        return before + [((c.born, c.lost, i), self._expected(c, i)) for i in c.after.looks]

    def _expected(self, c: Candidate, index: int) -> Floats:
        """Return where the lost point should be in a frame of the later track."""
        moved = self._xy[c.born, index] - self._xy[c.born, c.after.calm]
        return np.asarray(c.carried.xy_px + moved)

    def _judge(self, c: Candidate) -> Verdict:
        missing = [key for key, _ in self._needs(c) if key not in self._crops]
        if missing:
            return Verdict(c, "a frame was not in the clip")
        looks = self._looks(c)
        if not looks:
            return Verdict(c, "the patch was not found where it should be")
        best = max(looks, key=lambda look: look.match.ncc)
        agreeing = [
            look for look in looks
            if np.hypot(*(look.offset_px - best.offset_px)) <= self._options.max_disagreement_px
        ]  # fmt: skip
        offsets = np.stack([look.offset_px for look in agreeing])
        offset = np.median(offsets, axis=0)
        back = self._back(c, best)
        error = float(np.sqrt(((offsets - offset) ** 2).sum(axis=1).mean()))
        error = error if back is None else float(np.hypot(error, back) / np.sqrt(2))
        score = self._score(best.match.ncc, offset, error)
        reason = self._refusal(c, looks, agreeing, best, offset, back)
        source, target = (c.lost, -1, best.source), (c.born, c.lost, best.target)
        patches = (
            (best.source, self._xy[c.lost, best.source], self._crops[source]),
            (best.target, best.match.xy_px, self._crops[target]),
            best.match.linear,
        )
        return Verdict(c, reason, score, offset, error, None if reason else patches)

    def _looks(self, c: Candidate) -> list[Look]:
        """Compare each look before the gap with each after it, from the calmest frames on."""
        found: list[Look] = []
        for source, linear in reversed(list(zip(c.before.looks, c.linear, strict=True))):
            for target in reversed(c.after.looks):
                expected = Match(self._expected(c, target), linear, 1.0)
                match = find(
                    self._crops[c.lost, -1, source], self._xy[c.lost, source],
                    self._crops[c.born, c.lost, target], expected, c.radius_px, self._options,
                )  # fmt: skip
                if match is not None:
                    offset = match.xy_px - self._xy[c.born, target]
                    found.append(Look(source, target, match, offset))
        return found

    def _back(self, c: Candidate, best: Look) -> float | None:
        """Return how far from its start the best match leads back; None if it does not [px]."""
        linear = np.asarray(np.linalg.inv(best.match.linear), np.float64)
        start = self._xy[c.lost, best.source]
        found = find(
            self._crops[c.born, c.lost, best.target], best.match.xy_px,
            self._crops[c.lost, -1, best.source], Match(start, linear, 1.0), 3.0, self._options,
        )  # fmt: skip
        return None if found is None else float(np.hypot(*(found.xy_px - start)))

    def _score(self, ncc: float, offset: Floats, error: float) -> float:
        """Return the likeness, less up to a quarter each for the offset and the disagreement."""
        options = self._options
        aside = float(np.hypot(*offset)) / max(options.max_offset_px, 1e-9)
        unrest = error / max(options.max_disagreement_px, 1e-9)
        penalty = (1 - 0.25 * min(aside, 1.0)) * (1 - 0.25 * min(unrest, 1.0))
        return float(np.clip(ncc, 0, 1) * penalty)

    def _refusal(
        self, c: Candidate, looks: list[Look], agreeing: list[Look], best: Look, offset: Floats,
        back: float | None,
    ) -> str:  # fmt: skip
        options = self._options
        if np.hypot(*offset) > options.max_offset_px:
            return "the later track follows another point"
        life = int(min(self._life[c.lost], self._life[c.born]))
        if np.hypot(*offset) > options.max_offset_px * life / _TRUSTED_LIFE:
            return "tracks too short to follow points so far apart"
        if 2 * len(agreeing) < len(looks):
            return "matches of several frames disagree"
        if len(c.before.looks) * len(c.after.looks) > 1 and len(agreeing) < 2:
            return "only one pair of frames matches"
        if back is None or back > options.max_disagreement_px:
            return "the match does not lead back"
        if c.radius_px > _RIVAL_RADIUS_PX:
            worst = ambiguity(
                self._crops[c.lost, -1, best.source], self._xy[c.lost, best.source],
                self._crops[c.born, c.lost, best.target], best.match,
                self._expected(c, best.target), c.radius_px, options,
            )  # fmt: skip
            if worst > options.max_ambiguity:
                return "another place looks the same"
        return ""


def one_to_one(verdicts: list[Verdict]) -> list[Verdict]:
    """Return all verdicts, no track being continued, or continuing another, more than once.

    Best scores choose first: no two tracks left over would rather have each other.
    """
    ends: set[int] = set()
    starts: set[int] = set()
    out = []
    for verdict in sorted(verdicts, key=lambda v: (-np.nan_to_num(v.score), v.candidate.first)):
        c = verdict.candidate
        if not verdict.reason:
            if c.lost in ends or c.born in starts:
                verdict = Verdict(
                    c, "another track fits better", verdict.score, verdict.offset_px,
                    verdict.error_px,
                )  # fmt: skip
            else:
                ends.add(c.lost)
                starts.add(c.born)
        out.append(verdict)
    return sorted(out, key=lambda v: (v.candidate.last, v.candidate.lost, v.candidate.first))
