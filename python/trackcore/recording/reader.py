"""Sessions read back: one reader for everything that is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from trackcore.cameras import WORLD, StereoRig, WorldFrame
from trackcore.errors import InputError, RecordError
from trackcore.pitch import (
    PitchFit,
    PitchFitOptions,
    Sightings,
    StereoObservation,
    StrikeZone,
    TrackedPitch,
)
from trackcore.recording import models
from trackcore.recording.calibration import read_calibration, read_rois
from trackcore.recording.documents import (
    DETECTIONS,
    MANIFEST,
    OBSERVATIONS,
    SIGHTINGS,
    TIMESTAMPS,
    read_document,
)
from trackcore.recording.key_frames import FOLDER as MOMENTS
from trackcore.recording.recorded_frames import COLOR, RecordedFrames
from trackcore.recording.remade import lost_from, observation_from, remade_balls, sightings_from
from trackcore.recording.setup import PitchSetup
from trackcore.recording.summary import SUMMARY
from trackcore.recording.timestamps import Stamp, read_timestamps
from trackcore.recording.window import (
    SIDES,
    FrameDetections,
    PitchWindow,
    RecordingStatus,
)

SETUP = ("detection", "tracking", "timing", "fit", "ball")
"""What a session's manifest says of its `PitchSetup`; the rest is where the documents have it."""


def open_session(folder: str | Path) -> RecordedSession:
    """Open the folder of a session.

    Parameters
    ----------
    folder : path

    Returns
    -------
    RecordedSession
        Files are read when they are asked for.

    Raises
    ------
    InputError
        If there is no such folder, or no session in it.

    Examples
    --------
    >>> session = open_session("recordings/night_20261127-190000")  # doctest: +SKIP
    >>> for pitch in session.pitches:  # doctest: +SKIP
    ...     print(pitch.pitch_id, pitch.manifest.measured_speed_mph)
    """
    path = Path(folder)
    if not path.is_dir():
        raise InputError(
            f"folder: expected the folder of a session, there is none at {path.name!r}"
        )
    session = RecordedSession(path)
    if not (path / MANIFEST).is_file() and not session.pitches:
        raise InputError(f"folder: expected a session, {path.name!r} has no {MANIFEST}, no pitches")
    return session


class RecordedSession:
    """A session on disk. What is not there is None or empty, and named in `gaps`.

    Attributes
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def manifest(self) -> models.SessionManifest | None:
        """The manifest; None if there is none, as of a session that died at once."""
        return read_document(self.folder / MANIFEST, models.SessionManifest)

    @cached_property
    def summary(self) -> models.SessionSummary | None:
        """The documented summary."""
        return read_document(self.folder / SUMMARY, models.SessionSummary)

    @property
    def status(self) -> RecordingStatus:
        """Whether all of it is there; truncated where nothing says."""
        said = None if self.manifest is None else self.manifest.status
        return RecordingStatus(said) if said else RecordingStatus.TRUNCATED

    @cached_property
    def _calibration(self) -> tuple[StereoRig | None, StrikeZone | None]:
        return read_calibration(self.folder)

    @property
    def rig(self) -> StereoRig | None:
        """The cameras; None in sessions of other programs, whose files do not say."""
        return self._calibration[0]

    @property
    def zone(self) -> StrikeZone | None:
        """The strike zone."""
        return self._calibration[1]

    @cached_property
    def setup(self) -> PitchSetup:
        """How pitches were found, fitted and recorded; what the files do not say is default.

        Raises
        ------
        RecordError
            If they say what no setup has.
        """
        said = self.manifest
        parts = {} if said is None else {**(said.setup or {}), "recording": said.recording}
        rois = read_rois(self.folder)
        polygons = {} if rois is None else {"lanes_px": rois.lanes, "plates_px": rois.plates}
        try:
            setup = PitchSetup.from_dict({**parts, **polygons})
        except InputError as error:
            raise RecordError(f"{MANIFEST}, setup: {error}") from error
        return setup if self.zone is None else replace(setup, zone=self.zone)

    @cached_property
    def pitches(self) -> tuple[RecordedPitch, ...]:
        """The pitches, in the order of their names."""
        folders = sorted(p for p in self.folder.glob("*-pitch-*") if p.is_dir())
        return tuple(RecordedPitch(p, self.rig, self.setup) for p in folders)

    @property
    def gaps(self) -> tuple[str, ...]:
        """What should be there and is not, in words."""
        found = [] if self.manifest else [f"{MANIFEST} of the session"]
        found += [] if self.summary else [SUMMARY]
        found += [] if self.rig else ["calibration/rig.json"]
        return (*found, *(f"{p.folder.name}: {gap}" for p in self.pitches for gap in p.gaps))


class RecordedPitch:
    """A pitch on disk.

    Attributes
    ----------
    folder : Path
    rig, setup
        Of the session.
    """

    def __init__(self, folder: Path, rig: StereoRig | None, setup: PitchSetup) -> None:
        self.folder, self.rig, self.setup = folder, rig, setup
        self._found: dict[str, models.Detections | None] = {}
        self._stamps: dict[str, tuple[Stamp, ...]] = {}

    @property
    def pitch_id(self) -> str:
        """As the manifest says, else the folder's name."""
        return self.folder.name if self.manifest is None else self.manifest.pitch_id

    @cached_property
    def manifest(self) -> models.PitchManifest | None:
        """The manifest."""
        return read_document(self.folder / MANIFEST, models.PitchManifest)

    @cached_property
    def _seen(self) -> models.SeenBalls | None:
        return read_document(self.folder / SIGHTINGS, models.SeenBalls)

    @property
    def left(self) -> Sightings:
        """Where the left camera saw the ball, on its own clock."""
        return sightings_from([] if self._seen is None else self._seen.left)

    @property
    def right(self) -> Sightings:
        """Where the right camera saw the ball, on its own clock."""
        return sightings_from([] if self._seen is None else self._seen.right)

    @cached_property
    def observations_document(self) -> models.Observations | None:
        """The documented file of observations."""
        return read_document(self.folder / OBSERVATIONS, models.Observations)

    @property
    def observations(self) -> tuple[StereoObservation, ...]:
        """Where both cameras saw the ball, in metres of the rig's world."""
        document = self.observations_document
        if document is None:
            return ()
        return tuple(observation_from(o, self._frame) for o in document.observations)

    def detections_document(self, side: str) -> models.Detections | None:
        """Return the documented file of a camera's detections."""
        if _side(side) not in self._found:
            path = self.folder / DETECTIONS.format(side=side)
            self._found[side] = read_document(path, models.Detections)
        return self._found[side]

    def timestamps(self, side: str) -> tuple[Stamp, ...]:
        """Return the frames of the window, a row each."""
        if _side(side) not in self._stamps:
            path = self.folder / TIMESTAMPS.format(side=side)
            self._stamps[side] = read_timestamps(path) if path.is_file() else ()
        return self._stamps[side]

    def detections(self, side: str) -> tuple[FrameDetections, ...]:
        """Return what was found in each frame of the window; empty where none was written."""
        document = self.detections_document(side)
        if document is None:
            return ()
        by_frame: dict[int, list[models.Detection]] = {}
        for found in document.detections:
            by_frame.setdefault(found.frame_index, []).append(found)
        return tuple(
            FrameDetections(
                side=side, frame_index=row.frame_index,
                balls=remade_balls(row.t_capture_monotonic_ns, by_frame.get(row.frame_index, [])),
            )
            for row in self.timestamps(side)
        )  # fmt: skip

    def video(self, side: str) -> Path | None:
        """Return the video of a camera, if it is there."""
        named = None if self.manifest is None else getattr(self.manifest, f"{_side(side)}_video")
        for name in (named, f"{side}.avi", f"{side}.mp4"):
            if name and (self.folder / name).is_file():
                return self.folder / name
        return None

    def frames(self, side: str) -> RecordedFrames:
        """Return the pictures of the window; they are decoded when they are asked for."""
        said = None if self.manifest is None else self.manifest.pixfmt
        color = (said or {}).get(side) == COLOR
        return RecordedFrames(side, self.video(side), self.timestamps(side), color=color)

    def key_frames(self, side: str) -> Sequence[Path]:
        """Return the pictures that were written for training."""
        return sorted((self.folder / MOMENTS / _side(side)).glob("*.png"))

    def fit(self, options: PitchFitOptions | None = None) -> PitchFit | None:
        """Fit the pitch anew to what was seen; None without a rig or sightings.

        By default as the session was set up to, with its ball and its zone.
        """
        if self.rig is None or self._seen is None:
            return None
        how = self.setup if options is None else replace(self.setup, fit=options)
        return how.fitted(self.rig, self.left, self.right)

    def window(self, fit: PitchFit | None = None) -> PitchWindow:
        """Return the pitch as it was handed to the recorder.

        Parameters
        ----------
        fit : PitchFit, optional
            Default: `self.fit()`.

        Raises
        ------
        RecordError
            If the manifest or the sightings are not there.
        """
        if self.manifest is None or self._seen is None:
            raise RecordError(f"{self.folder.name}: expected {MANIFEST} and {SIGHTINGS}")
        m = self.manifest
        pitch = TrackedPitch(
            self._seen.index, m.t_start_ns, m.t_end_ns, self.left, self.right, self.observations,
            tuple(self._seen.track_ids or ()),
        )  # fmt: skip
        return PitchWindow(
            pitch_id=m.pitch_id, index=self._seen.index, pitch=pitch,
            fit=self.fit() if fit is None else fit,
            frames={side: self.frames(side) for side in SIDES},
            detections={side: self.detections(side) for side in SIDES},
            lost=lost_from(m.lost_frames),
            status=RecordingStatus(m.status) if m.status else RecordingStatus.COMPLETE,
        )  # fmt: skip

    @property
    def gaps(self) -> tuple[str, ...]:
        """What should be there and is not."""
        found = [] if self.manifest else [MANIFEST]
        found += [] if self._seen else [SIGHTINGS]
        found += [f"{s}_timestamps.csv" for s in SIDES if not self.timestamps(s)]
        return (*found, *(f"{s}.avi" for s in SIDES if self.video(s) is None))

    @property
    def _frame(self) -> WorldFrame:
        return WORLD if self.rig is None else self.rig.frame


def _side(side: str) -> str:
    if side not in SIDES:
        raise InputError(f"side: expected 'left' or 'right', got {side!r}")
    return side
