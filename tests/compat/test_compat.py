"""What the documents show and what releases wrote is read, and written back as it was."""

import json
import shutil
from pathlib import Path

import pytest

import trackcore as tc
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
