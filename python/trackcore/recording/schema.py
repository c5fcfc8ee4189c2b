"""The published form of a session of pitches: `docs/schema/pitch`, by `.ci/schema.py`."""

from __future__ import annotations

from trackcore.recording import models
from trackcore.session.models._base import Record
from trackcore.session.schema import published

KINDS: dict[str, type[Record]] = {
    "session_manifest": models.SessionManifest,
    "session_summary": models.SessionSummary,
    "pitch_manifest": models.PitchManifest,
    "detections": models.Detections,
    "stereo_observations": models.Observations,
    "sightings": models.SeenBalls,
    "stereo_geometry": models.StereoGeometry,
    "intrinsics": models.Intrinsics,
    "roi_annotations": models.RoiAnnotations,
    "strike_zone_definition": models.ZoneDefinition,
    "submission_manifest": models.SubmissionManifest,
}
"""Files of a session, by the name of their schema."""

_HEAD = """\
# The files of a pitch session

Generated from the models in `trackcore.recording.models` by `python .ci/schema.py`; do not edit.

| file | holds |
|---|---|
| `manifest.json` | the session: [manifest](#sessionmanifest) |
| `session_summary.json`, `.csv` | its pitches in a line each: [summary](#sessionsummary) |
| `session_{left,right}.avi`, `session_{left,right}_timestamps.csv` | all of it, if it was kept |
| `calibration/rig.json` | the cameras, whole: `trackcore.cameras.load_rig` |
| `calibration/stereo_geometry.json` | [geometry](#stereogeometry) |
| `calibration/intrinsics_{left,right}.json` | [intrinsics](#intrinsics) |
| `calibration/roi_annotations.json` | [where balls are looked for](#roiannotations) |
| `calibration/strike_zone_definition.json` | [the zone](#zonedefinition) |
| `{pitch_id}/manifest.json` | one pitch: [manifest](#pitchmanifest) |
| `{pitch_id}/sightings.json` | what it was fitted to: [sightings](#seenballs) |
| `{pitch_id}/{left,right}.avi`, `{left,right}_timestamps.csv` | its pictures, a row for each |
| `{pitch_id}/detections/{left,right}_detections.json` | [detections](#detections) |
| `{pitch_id}/observations/stereo_observations.json` | [observations](#observations) |
| `{pitch_id}/frames/{left,right}/*.png` | the moments that count |
| `submission_manifest.json` | a package of a session: [manifest](#submissionmanifest) |

- **Asked for.** Detections, observations and the moments are written with `save_detections`,
  `save_observations` and `save_training_frames`, which are off by default.
- **Names and units** are those of the PitchTracker documents, version 1.2.0; what is added is
  additive. Feet, inches and mph are of these files only. `X, Y, Z` are of the frame that the file
  names.
- **Time.** Stamps of frames are on their own camera's clock; `t_start_ns` and all other times of a
  pitch are on the rig's common clock, which `calibration/rig.json` defines. `clock` in the
  session's manifest gives one moment by the monotonic clock and by UTC.
- **Missing.** Null: it is not known. Fields marked * are required. There is no NaN in any file. A
  file of detections or observations is absent where there are none.
- **Moments** (`frames/`): `pre_roll_00001`, `pre_roll_last`, `pitch_{n}_first`,
  `pitch_{n}_release`, `pitch_{n}_plate`, `pitch_{n}_last`, `post_roll_last`, each once for each
  camera if there was such a moment, and `uniform_{n}`; n counts the frames of the window from 1.
- **Zone.** `zone_row` 1 .. 3 from the bottom, `zone_col` 1 .. 3 from the catcher's left; row 0 of
  `heatmap` is the top.
- **Packages** are ZIP files: `session/` as the session's folder, with `calibration/`, and
  `pitches/{pitch_id}/` as the pitches', and `submission_manifest.json`, which says what is there.
- **Status.** `complete`; `truncated`: stopped, or something could not be written (`problems`);
  `recovered`: its process died, and this is what the journal held.
"""


def files() -> dict[str, str]:
    """Return the text of each file of `docs/schema/pitch`, by name."""
    return published(KINDS, _HEAD)
