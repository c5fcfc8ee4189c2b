"""What a check comes to, and what recordings may lack because they say so themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trackcore._compat import StrEnum
from trackcore.recording.models import PitchManifest
from trackcore.recording.reader import RecordedPitch, RecordedSession
from trackcore.recording.timestamps import Stamp
from trackcore.recording.window import SIDES, RecordingStatus

_SPARE = 1.5  # periods: the last frame of a window lies up to one before its end
_WHY = {
    RecordingStatus.TRUNCATED: "stopped in the middle, or still going on",
    RecordingStatus.RECOVERED: "its process died, what came last is not there",
}


class Finding(StrEnum):
    """What came of a check.

    `GOOD`: it is so. `LACKING`: it is not, and the files say so themselves: what was stopped in the
    middle, or rebuilt after its process died, has not all it should have. `WRONG`: it is not so.
    """

    GOOD = "good"
    LACKING = "lacking"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    where : str
        `session`, or the pitch.
    what : str
        What should be so.
    ok : bool
    said : str
        The figures.
    owned : bool
        Whether the files say themselves that it is not so.
    """

    where: str
    what: str
    ok: bool
    said: str
    owned: bool = False

    @property
    def finding(self) -> Finding:
        """Good, lacking or wrong."""
        if self.ok:
            return Finding.GOOD
        return Finding.LACKING if self.owned else Finding.WRONG


def session_complete(session: RecordedSession) -> Check:
    """Return whether a session has all it should have, by what its manifest says."""
    status, manifest = session.status, session.manifest
    said = [_WHY[status]] if status in _WHY else []
    said += [] if manifest is None else manifest.problems or []
    return Check("session", "the session is complete", status is RecordingStatus.COMPLETE,
                 _words(status.value, said), owned=manifest is not None)  # fmt: skip


def is_whole(manifest: PitchManifest) -> bool:
    """Return whether a pitch says that all of it is there."""
    return manifest.status in (None, RecordingStatus.COMPLETE.value)


def pitch_complete(
    pitch: RecordedPitch, manifest: PitchManifest, stamps: Mapping[str, Sequence[Stamp]]
) -> Check:
    """Return whether a pitch has all it should have; one that was rebuilt whole has."""
    missing = [] if is_whole(manifest) else [*_missing(pitch, manifest, stamps)]
    rebuilt = manifest.status == RecordingStatus.RECOVERED.value
    ok = is_whole(manifest) or (rebuilt and not missing)
    said = missing or (["nothing is missing"] if rebuilt else [])
    return Check(pitch.folder.name, "the pitch is complete", ok,
                 _words(manifest.status or "not said", said), owned=True)  # fmt: skip


def _words(status: str, said: Sequence[str]) -> str:
    return f"{status}: {'; '.join(said)}" if said else status


def _missing(
    pitch: RecordedPitch, manifest: PitchManifest, stamps: Mapping[str, Sequence[Stamp]]
) -> Iterator[str]:
    yield from manifest.problems or ()
    for side in SIDES:
        n = len(lost_frames(manifest, side))
        if n:
            yield f"{n} {side} frames are lost"
        early = _ends_early_ms(pitch, manifest, side, stamps[side])
        if early > 0:
            yield f"{side} ends {early:.0f} ms before the post-roll is over"


def _ends_early_ms(
    pitch: RecordedPitch, manifest: PitchManifest, side: str, stamps: Sequence[Stamp]
) -> float:
    """Return by how much a camera's last frame lies before the end of the window [ms]."""
    if pitch.rig is None or len(stamps) < 2:
        return 0.0
    camera = pitch.rig.cameras[SIDES.index(side)]
    t = np.array([s.t_capture_monotonic_ns for s in stamps], np.int64)
    end = manifest.t_end_ns + round(1e6 * pitch.setup.recording.post_roll_ms)
    early = (end - int(camera.common_time_ns(int(t[-1])))) * 1e-6
    return early if early > _SPARE * float(np.median(np.diff(t))) * 1e-6 else 0.0


def lost_frames(manifest: PitchManifest, side: str) -> set[int]:
    """Return the frames of a camera that a pitch says it has lost."""
    return {f.frame_index for f in manifest.lost_frames or () if f.side == side}


def said_lost(manifest: PitchManifest, side: str) -> set[int]:
    """Return the lost frames whose balls are known all the same: of a pitch that is not whole."""
    return set() if is_whole(manifest) else lost_frames(manifest, side)


def gaps_said(manifest: PitchManifest | None) -> set[str]:
    """Return the files that a pitch which is not whole says it has not."""
    if manifest is None or is_whole(manifest):
        return set()
    videos = {f"{s}.avi" for s in SIDES if getattr(manifest, f"{s}_video") is None}
    empty = {f"{s}_timestamps.csv" for s in SIDES if (manifest.frames or {}).get(s) == 0}
    return videos | empty


def check_rows(
    where: str, side: str, frames: int, stamps: Sequence[Stamp], said: Mapping[str, int] | None, *,
    whole: bool,
) -> Check:  # fmt: skip
    """Return the check of a video against its table; what is not whole may say that it has less."""
    there = f"{frames} frames, {len(stamps)} rows"
    return Check(where, f"the {side} video has a frame for each row", frames == len(stamps), there,
                 owned=not whole and said is not None and said.get(side) == frames)  # fmt: skip
