"""The single checks of `verify_session`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trackcore._cv2 import load_cv2, quiet
from trackcore.cameras import WORLD, StereoRig
from trackcore.recording.calibration import FOLDER as CALIBRATION
from trackcore.recording.calibration import (
    GEOMETRY,
    INTRINSICS,
    ROIS,
    ZONE,
    geometry,
    intrinsics,
    read_geometry,
    read_intrinsics,
)
from trackcore.recording.documents import metrics
from trackcore.recording.findings import (
    Check,
    check_rows,
    gaps_said,
    is_whole,
    lost_frames,
    pitch_complete,
    said_lost,
    session_complete,
)
from trackcore.recording.models import (
    Detections,
    PitchManifest,
    PitchSummary,
    SessionSummary,
)
from trackcore.recording.reader import RecordedPitch, RecordedSession
from trackcore.recording.session_writer import SESSION_TIMESTAMPS, SESSION_VIDEO
from trackcore.recording.summary import SUMMARY_CSV, session_summary, summary_table
from trackcore.recording.timestamps import Stamp, read_timestamps
from trackcore.recording.video import decoded_frames
from trackcore.recording.window import SIDES, RecordingStatus

_NEAR_PX = 3.0
_SAME = 1e-6


def session_checks(session: RecordedSession) -> Iterator[Check]:
    """Yield the checks of what is said of all pitches."""
    manifest, summary = session.manifest, session.summary
    yield Check("session", "the manifest is there", manifest is not None, "manifest.json")
    yield session_complete(session)
    yield from _calibration(session)
    if summary is None:
        yield Check("session", "the summary is there", ok=False, said="session_summary.json")
    else:
        yield from _summary(session, summary)
    for side in SIDES:
        video = session.folder / SESSION_VIDEO.format(side=side)
        table = session.folder / SESSION_TIMESTAMPS.format(side=side)
        if video.is_file() or table.is_file():
            stamps = read_timestamps(table) if table.is_file() else ()
            said = None if manifest is None else manifest.video_frames
            whole = session.status is RecordingStatus.COMPLETE
            yield check_rows("session", side, decoded_frames(video), stamps, said, whole=whole)
            yield _growing("session", side, stamps)


def pitch_checks(pitch: RecordedPitch) -> Iterator[Check]:
    """Yield the checks of one pitch."""
    where, manifest = pitch.folder.name, pitch.manifest
    yield Check(where, "all files are there", not pitch.gaps, ", ".join(pitch.gaps) or "yes",
                owned=set(pitch.gaps) <= gaps_said(manifest))  # fmt: skip
    if manifest is None:
        return
    stamps = {side: pitch.timestamps(side) for side in SIDES}
    yield pitch_complete(pitch, manifest, stamps)
    for side in SIDES:
        yield from _frames(pitch, manifest, side, stamps[side])
        document = pitch.detections_document(side)
        if document is not None:
            yield from _detections(manifest, side, document, stamps[side], where)
        yield _sightings(pitch, manifest, side, stamps[side])
    yield from _observations(pitch, manifest)
    yield from _metrics(pitch, manifest, stamps)
    yield from _key_frames(pitch, manifest)


def _calibration(session: RecordedSession) -> Iterator[Check]:
    rig = session.rig
    yield Check("session", "the calibration is there", rig is not None, "calibration/rig.json")
    if rig is None:
        return
    yield _calibration_files(session, rig)
    said = read_intrinsics(session.folder)
    same = all(
        s in said and intrinsics(c, said[s].camera_id).to_dict() == said[s].to_dict()
        for s, c in zip(SIDES, rig.cameras, strict=True)
    )
    yield Check("session", "intrinsics are those of the rig", same, f"{len(said)} files")
    told, counted = read_geometry(session.folder), geometry(rig)
    same = told is not None and all(
        _same(getattr(told, name), getattr(counted, name)) for name in type(counted).model_fields
        if name.endswith(("_ft", "_deg"))
    )  # fmt: skip
    yield Check("session", "the geometry is that of the rig", same,
                f"a baseline of {counted.baseline_ft:.4f} ft")  # fmt: skip


def _calibration_files(session: RecordedSession, rig: StereoRig) -> Check:
    names = [GEOMETRY, ROIS, *(INTRINSICS.format(side=side) for side in SIDES)]
    names += [ZONE] if rig.has_plate else []
    folder = session.folder / CALIBRATION
    missing = [f"{name}.json" for name in names if not (folder / f"{name}.json").is_file()]
    return Check("session", "the documented calibration files are there", not missing,
                 ", ".join(missing) or f"{len(names)} files")  # fmt: skip


def _summary(session: RecordedSession, summary: SessionSummary) -> Iterator[Check]:
    names = [p.pitch_id for p in session.pitches]
    said = [p.pitch_id for p in summary.pitches]
    yield Check("session", "the summary names the pitches that are there",
                sorted(said) == sorted(names) and summary.pitch_count == len(names),
                f"{summary.pitch_count} in the summary, {len(names)} folders")  # fmt: skip
    frame = WORLD if session.rig is None else session.rig.frame
    again = session_summary(summary.session_id, summary.pitches, frame)
    same = all(
        getattr(summary, name) == getattr(again, name) for name in ("strikes", "balls", "heatmap")
    )
    yield Check("session", "strikes, balls and heatmap are those of the pitches", same,
                f"{summary.strikes} and {summary.balls}")  # fmt: skip
    path = session.folder / SUMMARY_CSV
    table = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    yield Check("session", "the table says what the summary says",
                table == summary_table(summary.pitches).splitlines(),
                f"{max(len(table) - 1, 0)} lines")  # fmt: skip
    told = {p.pitch_id: p for p in summary.pitches}
    wrong = [
        f"{pitch.pitch_id}, {name}"
        for pitch in session.pitches if pitch.manifest is not None and pitch.pitch_id in told
        for name in _differing(told[pitch.pitch_id], pitch.manifest)
    ]  # fmt: skip
    yield Check("session", "the summary says of each pitch what its manifest says", not wrong,
                "; ".join(wrong) or f"{len(said)} pitches")  # fmt: skip


def _differing(told: PitchSummary, manifest: PitchManifest) -> Iterator[str]:
    same = ("t_start_ns", "t_end_ns", "is_strike", "zone_row", "zone_col", "run_in", "rise_in")
    pairs = {name: (getattr(told, name), getattr(manifest, name)) for name in same}
    pairs["speed_mph"] = (told.speed_mph, manifest.measured_speed_mph)
    if manifest.trajectory is not None:
        crossing = manifest.trajectory.plate_crossing_xyz_ft
        for axis, value in zip("xyz", crossing, strict=True):
            name = f"trajectory_plate_{axis}_ft"
            pairs[name] = (getattr(told, name), value)
    return (name for name, (a, b) in pairs.items() if not _same(a, b))


def _frames(
    pitch: RecordedPitch, manifest: PitchManifest, side: str, stamps: Sequence[Stamp]
) -> Iterator[Check]:
    where, video = pitch.folder.name, pitch.video(side)
    frames = 0 if video is None else decoded_frames(video)
    yield check_rows(where, side, frames, stamps, manifest.video_frames, whole=is_whole(manifest))
    said = (manifest.frames or {}).get(side, len(stamps))
    yield Check(where, f"the manifest says how many {side} frames there are",
                said == len(stamps), f"{said} said, {len(stamps)} rows")  # fmt: skip
    yield _growing(where, side, stamps)
    i = np.array([s.frame_index for s in stamps], np.int64)
    lost = lost_frames(manifest, side)
    missing = set(range(int(i[0]), int(i[-1]) + 1)) - set(i.tolist()) if len(i) else set()
    yield Check(where, f"each {side} frame that is not there is named as lost",
                missing <= lost, f"{len(missing)} missing, {len(lost)} named")  # fmt: skip


def _growing(where: str, side: str, stamps: Sequence[Stamp]) -> Check:
    t = np.array([s.t_capture_monotonic_ns for s in stamps], np.int64)
    i = np.array([s.frame_index for s in stamps], np.int64)
    ordered = bool((np.diff(t) > 0).all() and (np.diff(i) > 0).all())
    return Check(where, f"{side} stamps and numbers grow", ordered, f"{len(t)} rows")


def _detections(
    manifest: PitchManifest, side: str, document: Detections, stamps: Sequence[Stamp], where: str
) -> Iterator[Check]:
    found = document.detections
    yield Check(where, f"{side} detections are as many as they say",
                document.detection_count == len(found) > 0 and document.camera == side,
                f"{document.detection_count} said, {len(found)} there")  # fmt: skip
    rows = {s.frame_index: s.t_capture_monotonic_ns for s in stamps}
    strange = [d.frame_index for d in found if rows.get(d.frame_index) != d.timestamp_ns]
    yield Check(where, f"{side} detections are of frames of the window",
                not strange, f"{len(strange)} of {len(found)} are not",
                owned=set(strange) <= said_lost(manifest, side))  # fmt: skip


def _sightings(
    pitch: RecordedPitch, manifest: PitchManifest, side: str, stamps: Sequence[Stamp]
) -> Check:
    seen = getattr(pitch, side)
    known = {s.t_capture_monotonic_ns for s in stamps}
    strange = sum(int(t) not in known for t in seen.t_ns)
    sound = bool(np.isfinite(seen.xy_px).all()) and len(seen) > 0
    return Check(pitch.folder.name, f"{side} sightings are of frames of the window",
                 strange == 0 and sound, f"{strange} of {len(seen)} are not",
                 owned=sound and strange <= len(said_lost(manifest, side)))  # fmt: skip


def _observations(pitch: RecordedPitch, manifest: PitchManifest) -> Iterator[Check]:
    document = pitch.observations_document
    if document is None:
        return
    where, seen = pitch.folder.name, pitch.observations
    yield Check(where, "observations are as many as they say",
                document.observation_count == len(seen) > 0,
                f"{document.observation_count} said, {len(seen)} there")  # fmt: skip
    found = {
        (side, d.timestamp_ns, d.u_px, d.v_px)
        for side in SIDES
        for d in getattr(pitch.detections_document(side), "detections", ())
    }
    used = [("left", o.t_ns, *o.left_px.tolist()) for o in seen]
    used += [("right", o.right_t_ns, *o.right_px.tolist()) for o in seen]
    strange = sum(one not in found for one in used) if found else 0
    yield Check(where, "observations are of detections", strange == 0,
                f"{strange} of {len(used)} are not" if found else "not saved")  # fmt: skip
    if pitch.rig is not None and all(np.isfinite(o.V_world).all() for o in seen):
        off = _projected_off_px(pitch, pitch.rig, manifest)
        yield Check(where, "observations lie where both pictures saw them",
                    off <= _NEAR_PX, f"at most {off:.3f} px off")  # fmt: skip


def _projected_off_px(pitch: RecordedPitch, rig: StereoRig, manifest: PitchManifest) -> float:
    """Return how far projections of the observations are from what was seen, at most [px]."""
    clock_ms = ((manifest.fit or {}).get("diagnostics") or {}).get("clock_offset_ms") or 0.0  # type: ignore[union-attr]
    worst = 0.0
    for o in pitch.observations:
        t_left = int(rig.left.common_time_ns(o.t_ns))
        t_right = int(rig.right.common_time_ns(o.right_t_ns)) + round(float(clock_ms) * 1e6)  # type: ignore[arg-type]
        later = o.X_world + o.V_world * (t_right - t_left) * 1e-9
        for camera, X, uv in ((rig.left, o.X_world, o.left_px), (rig.right, later, o.right_px)):
            off = float(np.linalg.norm(camera.project(X[None])[0] - uv))
            worst = max(worst, off if np.isfinite(off) else np.inf)
    return worst


def _metrics(
    pitch: RecordedPitch, manifest: PitchManifest, stamps: dict[str, tuple[Stamp, ...]]
) -> Iterator[Check]:
    said, where = manifest.performance_metrics, pitch.folder.name
    yield Check(where, "the manifest has performance metrics", said is not None, "")
    if said is None or pitch.rig is None:
        return
    found = {s: pitch.detections_document(s) for s in SIDES}
    seen = pitch.observations_document
    saved = seen is not None and all(found.values())
    again = metrics(
        start_ns=manifest.t_start_ns, end_ns=manifest.t_end_ns,
        frames={
            s: [(r.frame_index, int(c.common_time_ns(r.t_capture_monotonic_ns)))
                for r in stamps[s]]
            for s, c in zip(SIDES, pitch.rig.cameras, strict=True)
        },
        detected={s: [d.frame_index for d in one.detections] if one else []
                  for s, one in found.items()},
        observations=len(seen.observations) if seen else 0,
    ).to_dict()  # fmt: skip
    wrong = [
        f"{group}.{name}: {values.get(name)} said, {value} counted"
        for group, values in ((g, said.to_dict()[g]) for g in again)
        if saved or group == "timing_accuracy"  # what was not saved cannot be counted
        for name, value in again[group].items()
        if not _same(values.get(name), value)
    ]
    yield Check(where, "performance metrics are what the files hold", not wrong,
                "; ".join(wrong) or f"{sum(len(g) for g in again.values())} figures")  # fmt: skip


def _same(said: object, counted: object) -> bool:
    if isinstance(said, float) and isinstance(counted, (int, float)):
        return abs(said - counted) <= _SAME * max(1.0, abs(counted))
    if isinstance(said, dict) and isinstance(counted, dict):
        return said.keys() == counted.keys() and all(_same(said[k], counted[k]) for k in counted)
    return said == counted


def _key_frames(pitch: RecordedPitch, manifest: PitchManifest) -> Iterator[Check]:
    if manifest.key_frames is None:
        return
    cv2 = load_cv2()
    for side in SIDES:
        named = [n for n in manifest.key_frames.get(side, {}).values() if n is not None]
        there = {p.name: p for p in pitch.key_frames(side)}
        moments = {n for n in there if not n.startswith("uniform_")}
        with quiet(cv2):
            broken = [n for n, p in there.items() if cv2.imread(str(p)) is None]
        yield Check(pitch.folder.name, f"each {side} moment has its picture, once",
                    sorted(named) == sorted(moments) and not broken,
                    f"{len(named)} named, {len(moments)} there, {len(there) - len(moments)} more"
                    + (f", broken: {', '.join(broken)}" if broken else ""))  # fmt: skip
