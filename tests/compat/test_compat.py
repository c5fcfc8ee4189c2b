"""What the documents show and what releases wrote is read, and written back as it was."""

import json
import shutil
from pathlib import Path

import pytest

import trackcore as tc
from trackcore.ballistics import BALLS
from trackcore.recording import SIDES, Finding
from trackcore.recording.documents import read_document
from trackcore.recording.schema import KINDS
from trackcore.session import models, text

HERE = Path(__file__).parent
RELEASES = sorted(HERE.glob("trackcore-*"))


def document(name):
    return (HERE / "documents" / f"{name}.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "model"),
    [("session", models.Session), ("behavior", models.Behavior), ("model", models.LearnedModel)],
)
def test_the_documents_examples_come_back_as_they_were(name, model):
    record = text.parse(model, document(name))
    assert record.checked().to_dict() == json.loads(document(name))
    again = text.parse(model, text.render(record))
    assert again == record


def unknown(record, place=""):
    """Yield the places of all fields that the models do not name."""
    for name in record.model_extra:
        yield f"{place}.{name}"
    for name in type(record).model_fields:
        value = getattr(record, name)
        parts = value.values() if isinstance(value, dict) else value
        for part in parts if isinstance(parts, (list, type({}.values()))) else [value]:
            if isinstance(part, models.Record):
                yield from unknown(part, f"{place}.{name}")


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("session", models.Session), ("export", models.Session), ("behavior", models.Behavior),
        ("model", models.LearnedModel),
    ],
)  # fmt: skip
def test_every_field_of_the_documents_is_declared(name, model):
    assert list(unknown(text.parse(model, document(name)))) == []


def test_the_documents_frame_samples_are_a_sessions():
    samples = json.loads(document("frame_samples"))
    session = json.loads(document("session")) | samples
    record = models.Session.model_validate(session).checked()
    assert record.to_dict()["frame_samples"] == samples["frame_samples"]


def test_the_smaller_example_is_read_but_for_the_one_word_that_has_another_name_now():
    wanted = json.loads(document("export"))
    assert wanted["motion_probe_results"]["texture_class"] == "GOOD"
    wanted["motion_probe_results"]["texture_class"] = "HIGH"
    assert text.parse(models.Session, document("export")).checked().to_dict() == wanted


def test_there_are_files_of_a_release():
    assert len(RELEASES) > 0


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_what_a_release_wrote_is_read_and_written_as_it_was(release, tmp_path):
    shutil.copytree(release, tmp_path / "home")
    store = tc.SessionStore(tmp_path / "home")
    entries = [*store.list(), *store.behavior.list()]
    assert len(entries) >= 6
    assert [entry.problem for entry in entries] == [None] * len(entries)
    for folder in (store.sessions, store.behavior):
        for name in folder.names():
            record = folder.load(name)
            assert record.to_dict() == json.loads(folder.file(name).read_bytes())
            assert folder.save(name, record) == record
    assert store.aggregate_stats().to_dict() == json.loads(store.home.aggregate_stats.read_bytes())


RECORDINGS = [path / "recording" for path in RELEASES if (path / "recording").exists()]
RECORDED = pytest.mark.parametrize("folder", RECORDINGS, ids=lambda path: path.parent.name)


def test_there_is_a_recorded_session_of_a_release():
    assert len(RECORDINGS) > 0


def schema_of(path):
    """Return the schema of a document of a recorded session."""
    name = path.stem.removeprefix("left_").removeprefix("right_")
    if name == "manifest":
        name = "session_manifest" if path.parent.name == "recording" else "pitch_manifest"
    return KINDS["intrinsics" if name.startswith("intrinsics") else name]


@RECORDED
def test_every_document_of_a_recorded_session_is_read_and_written_as_it_was(folder):
    documents = [path for path in folder.rglob("*.json") if path.name != "rig.json"]
    assert len(documents) >= 11
    for path in documents:
        record = read_document(path, schema_of(path))
        assert record.to_dict() == json.loads(path.read_bytes()), path.name
        assert list(unknown(record)) == [], path.name


@RECORDED
def test_a_recorded_session_is_opened_whole_and_fitted_to_what_it_said(folder):
    pytest.importorskip("cv2")
    session = tc.open_session(folder)
    assert session.gaps == ()
    assert session.setup.ball == BALLS["softball"]
    assert list(session.setup.lanes_px) == ["left"]
    check = tc.verify_session(folder)
    assert check.finding is Finding.GOOD, check.problems
    (pitch,) = session.pitches
    assert [pitch.timestamps(side)[0].camera_id for side in SIDES] == ["L7", "R9"]
    for side in SIDES:
        frames = list(pitch.frames(side))
        assert len(frames) == len(pitch.timestamps(side)) > 10
        assert len(pitch.key_frames(side)) >= 7
        assert frames[0].image.shape == pitch.frames(side)[0].image.shape
    said, again = pitch.manifest.fit, pitch.fit().documented()
    assert again["is_strike"] == said["is_strike"]
    for name in ("velo_mph", "speed_plate_mph", "iVB_in"):
        assert again[name] == pytest.approx(said[name], abs=1e-3)
    assert again["trajectory"]["plate_crossing_xyz_ft"] == pytest.approx(
        said["trajectory"]["plate_crossing_xyz_ft"], abs=1e-4
    )
