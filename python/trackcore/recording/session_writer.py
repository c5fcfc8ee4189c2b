"""The folder of a session: pitches as they come, and what is said of all of them."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from trackcore._files import write_text
from trackcore.cameras import StereoRig
from trackcore.errors import InputError
from trackcore.recording import models
from trackcore.recording.calibration import export_calibration_metadata
from trackcore.recording.documents import (
    APP_VERSION,
    MANIFEST,
    lost_records,
    placed,
    write_document,
)
from trackcore.recording.models.session import ClockMap
from trackcore.recording.pitch_files import PitchFiles, WrittenPitch
from trackcore.recording.reader import SETUP, open_session
from trackcore.recording.remade import lost_from
from trackcore.recording.setup import PitchSetup
from trackcore.recording.summary import (
    SUMMARY,
    SUMMARY_CSV,
    session_summary,
    summary_table,
    utc,
)
from trackcore.recording.timestamps import GrowingTable, salvage_timestamps, stamp_of
from trackcore.recording.video import NOMINAL_FPS, VideoFile, salvage
from trackcore.recording.window import (
    SIDES,
    CapturedFrame,
    LostFrame,
    PitchWindow,
    RecordingStatus,
)

if TYPE_CHECKING:
    from typing_extensions import Self

SESSION_VIDEO, SESSION_TIMESTAMPS = "session_{side}.avi", "session_{side}_timestamps.csv"


def safe_name(name: str) -> str:
    """Return a name as folders have it: letters, digits, - and _."""
    return re.sub(r"[^0-9A-Za-z_-]", "_", name)


class SessionWriter:
    """Writes a session as documented, and as it happens: at any moment its folder can be opened.

    Parameters
    ----------
    output_dir : path
        The session's folder is made in it: `{session}_{UTC yyyymmdd-HHMMSS}`.
    session : str
        Name of the session.
    rig : StereoRig
    setup : PitchSetup, optional
        Of it, `recording` says what is written; all of it is said in the manifest, zone and
        polygons in the calibration.
    config_path : str, optional
        Of the configuration; its name is written.
    camera_ids : mapping of side to str, optional
    fps : float, optional
        Nominal rate of the session's videos [1/s].
    mode : str
        `live` or `replay`.

    Notes
    -----
    One thread at a time. It is a sink of `replay_pitches` and `CaptureHost`. As a context manager,
    it closes as truncated if the block raises.
    """

    def __init__(
        self,
        output_dir: str | Path,
        session: str,
        rig: StereoRig,
        setup: PitchSetup | None = None,
        *,
        config_path: str | None = None,
        camera_ids: Mapping[str, str] | None = None,
        fps: float | None = None,
        mode: str = "live",
    ) -> None:
        if not isinstance(session, str) or not session:
            raise InputError(f"session: expected a name, got {session!r}")
        if not isinstance(rig, StereoRig):
            raise InputError(f"rig: expected a StereoRig, got {type(rig).__name__}")
        chosen = PitchSetup() if setup is None else setup
        if not isinstance(chosen, PitchSetup):
            raise InputError(f"setup: expected a PitchSetup, got {type(chosen).__name__}")
        self._start(_new_folder(Path(output_dir), session), session, rig, chosen)
        self._config, self._mode = config_path, mode
        rate = NOMINAL_FPS if fps is None else fps
        for side in SIDES:
            path = self.folder / SESSION_VIDEO.format(side=side)
            self._videos[side] = VideoFile(path, fps=rate)
        names = dict(camera_ids or {})
        export_calibration_metadata(
            self.folder, rig, names.get("left", rig.left.name), names.get("right", rig.right.name),
            lane_gate=chosen.lanes_px, plate_gate=chosen.plates_px, strike_zone=chosen.zone,
        )  # fmt: skip
        self._write_session(RecordingStatus.TRUNCATED)

    @classmethod
    def resume(cls, folder: str | Path) -> Self:
        """Return a writer that goes on with a session whose own is gone, by what its folder says.

        Pitches are added; one that is there already is written anew. Frames of the session's video
        are not taken: they have been written, or are lost.

        Raises
        ------
        InputError
            If the folder is no session, or lacks its rig.
        """
        found = open_session(folder)
        was = found.manifest
        if was is None or found.rig is None:
            raise InputError(
                "folder: expected a session with its manifest and calibration/rig.json"
            )
        writer = cls.__new__(cls)
        writer._start(found.folder, was.session, found.rig, found.setup)
        writer._config, writer._mode = was.config_path, was.mode or "live"
        writer._started = was.started_utc or was.created_utc
        writer._clock = was.clock or writer._clock
        writer._summaries = [] if found.summary is None else list(found.summary.pitches)
        writer._lost = list(lost_from(was.lost_frames))
        writer._frames.update(was.frames or {})
        writer._shed.update(was.shed_frames or {})
        writer._problems = list(was.problems or ())
        writer._video_frames.update(was.video_frames or {})
        for side in SIDES:
            writer._salvage(side)
        return writer

    _config: str | None = None
    _mode = "live"

    def _start(self, folder: Path, session: str, rig: StereoRig, setup: PitchSetup) -> None:
        self.folder, self.session, self.rig, self.setup = folder, session, rig, setup
        self._summaries: list[models.PitchSummary] = []
        self._lost: list[LostFrame] = []
        self._problems: list[str] = []
        self._started, self._closed = utc(), False
        self._clock = ClockMap(monotonic_ns=time.monotonic_ns(), utc_ns=time.time_ns())
        self._videos: dict[str, VideoFile] = {}
        self._tables = {
            side: GrowingTable(folder / SESSION_TIMESTAMPS.format(side=side)) for side in SIDES
        }
        self._frames, self._shed = dict.fromkeys(SIDES, 0), dict.fromkeys(SIDES, 0)
        self._video_frames: dict[str, int] = {}

    def _salvage(self, side: str) -> None:
        """Take over the session's video of a writer that died, and its table."""
        name = SESSION_VIDEO.format(side=side)
        count = salvage(self.folder / name)
        if count is None:
            return
        rows = salvage_timestamps(self._tables[side].path, count)
        self._video_frames[side] = count
        stamped = "" if rows == count else f", {rows} with their stamps"
        self._problems.append(
            f"{name}: its process died, {count} frames of it can be read{stamped}"
        )

    def write_pitch(self, window: PitchWindow) -> WrittenPitch:
        """Write a pitch: its folder, and it is part of the session's summary from here on.

        A folder of the same pitch is replaced. Pictures that could not be written (a full disk) are
        named in the returned `problems`, in the pitch's manifest and in the session's.

        Raises
        ------
        OSError
            If not even what was seen could be written; the call may be repeated.
        """
        folder = self.folder / safe_name(window.pitch_id)
        if folder.exists():
            shutil.rmtree(folder)
        written = PitchFiles(
            folder, window, self.rig, self.setup.recording, self._config
        ).write()  # fmt: skip
        others = [s for s in self._summaries if s.pitch_id != window.pitch_id]
        self._summaries = sorted(
            [*others, written.summary], key=lambda s: (s.t_start_ns, s.pitch_id)
        )
        self._problems += [f"{window.pitch_id}: {p}" for p in written.problems]
        self._lost += window.lost
        self._write_session(RecordingStatus.TRUNCATED)
        return written

    def write_frame(self, frame: CapturedFrame) -> None:
        """Add a frame to the session's video; one that cannot be is counted as shed."""
        side = frame.side
        self._frames[side] += 1
        if side in self._videos and self._videos[side].write(frame.image):
            self._tables[side].append(stamp_of(frame))
        else:
            self._shed[side] += 1

    def shed(self, lost: LostFrame) -> None:
        """Say that a frame was left out of the session's video so that nothing else had to be."""
        self._frames[lost.side] += 1
        self._shed[lost.side] += 1

    def close(
        self,
        status: RecordingStatus = RecordingStatus.COMPLETE,
        lost: Sequence[LostFrame] = (),
        frames: Mapping[str, int] | None = None,
    ) -> None:
        """Finish videos, summaries and the manifest. A second call does nothing.

        Parameters
        ----------
        status : RecordingStatus
            A complete session in which something could not be written becomes a truncated one.
        lost : sequence of LostFrame
            Frames that never came, or that no pitch has.
        frames : mapping of side to int, optional
            How many came, where not all were handed in, as of a session whose own writer died;
            those that are in no video count as shed.
        """
        if self._closed:
            return
        self._closed = True
        self._lost += lost
        for side in SIDES:
            if side in self._videos:
                self._problems += filter(None, [self._videos[side].close()])
                self._video_frames[side] = self._videos[side].written
            self._problems += filter(None, [self._tables[side].close()])
        for side, count in (frames or {}).items():
            self._frames[side] = count
            self._shed[side] = count - self._video_frames.get(side, 0)
        if self._problems and status is RecordingStatus.COMPLETE:
            status = RecordingStatus.TRUNCATED
        self._write_session(status, ended=utc())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(RecordingStatus.COMPLETE if error is None else RecordingStatus.TRUNCATED)

    def _write_session(self, status: RecordingStatus, ended: str | None = None) -> None:
        pitches = list(self._summaries)
        try:
            write_document(
                self.folder / SUMMARY, session_summary(self.session, pitches, self.rig.frame)
            )
            write_text(self.folder / SUMMARY_CSV, summary_table(pitches))
            write_document(self.folder / MANIFEST, self._manifest(status, ended))
        except OSError as error:  # a full disk: what is there stays, and may be mended later
            self._problems.append(f"{MANIFEST}: {error.strerror or error}")

    def _manifest(self, status: RecordingStatus, ended: str | None) -> models.SessionManifest:
        last = self._summaries[-1] if self._summaries else None
        there = {
            s: name if (self.folder / name).is_file() else None
            for s in SIDES for name in [SESSION_VIDEO.format(side=s)]
        }  # fmt: skip
        tables = {
            s: name if (self.folder / name).is_file() else None
            for s in SIDES for name in [SESSION_TIMESTAMPS.format(side=s)]
        }  # fmt: skip
        how = self.setup.to_dict()
        return models.SessionManifest(
            app_version=APP_VERSION, rig_id=None, created_utc=utc(),
            pitch_id=None if last is None else last.pitch_id, session=self.session,
            mode=self._mode, measured_speed_mph=None if last is None else last.speed_mph,
            config_path=None if self._config is None else Path(self._config).name,
            calibration_profile_id=None, session_summary=SUMMARY, session_summary_csv=SUMMARY_CSV,
            session_left_video=there["left"], session_right_video=there["right"],
            session_left_timestamps=tables["left"], session_right_timestamps=tables["right"],
            status=status.value, started_utc=self._started, ended_utc=ended,
            pitches=[safe_name(s.pitch_id) for s in self._summaries],
            frames=dict(self._frames), shed_frames=dict(self._shed),
            video_frames=dict(self._video_frames) or None,
            lost_frames=lost_records(dict.fromkeys(self._lost)),
            clock=self._clock, recording=how["recording"],
            setup={name: how[name] for name in SETUP}, problems=list(self._problems),
            **placed(self.rig.frame),
        )  # fmt: skip


def _new_folder(output_dir: Path, session: str) -> Path:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    name = f"{safe_name(session)}_{stamp}"
    for number in range(1, 1000):
        folder = output_dir / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise InputError(f"output_dir: a thousand sessions began in it in this second: {name}")
