"""`trackcore sessions`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import trackcore as tc
from trackcore.cli import app

RUNNER = CliRunner()


def run(*words: str, answer: str | None = None) -> Result:
    return RUNNER.invoke(app, ["sessions", *words], input=answer)


def told(*words: str, code: int = 0) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    value: dict[str, Any] = json.loads(result.stdout)
    return value


@pytest.fixture
def store() -> tc.SessionStore:
    """Two sessions in the data directory of this test."""
    store = tc.SessionStore()
    for i, size in enumerate(((1920, 1080), (640, 360))):
        store.save(
            {
                "timestamp": f"2026-01-0{i + 1}T00:00:00", "resolution": size, "fps": 24,
                "success": bool(i), "clip_name": "clip_1",
                "tracks": [{"region": "center", "lifespan": 9}],
            }
        )  # fmt: skip
    return store


@pytest.mark.usefixtures("store")
def test_sessions_are_listed_and_shown() -> None:
    listed = told("list")
    assert listed["count"] == 2
    assert [s["footage_class"] for s in listed["sessions"]] == ["HD_24fps", "SD_24fps"]
    assert told("list", "--class", "SD_24fps")["count"] == 1
    name = listed["sessions"][0]["name"]
    assert told("show", name)["session"]["resolution"] == [1920, 1080]
    assert "2 sessions in" in run("list").stdout


@pytest.mark.usefixtures("store")
def test_a_session_that_is_not_there_is_an_error() -> None:
    assert told("show", "nothing", code=1)["outcome"] == "error"


def test_a_damaged_file_is_named_and_hides_no_other(store: tc.SessionStore) -> None:
    (store.root / "sessions" / "bad.json").write_text("{")
    assert set(told("list")["problems"]) == {"bad"}
    assert told("verify", code=1)["problems"][0]["file"] == "sessions/bad.json"


@pytest.mark.usefixtures("store")
def test_export_and_import(tmp_path: Path) -> None:
    assert told("verify")["sessions"] == 2
    exported = told("export", "-o", str(tmp_path))
    assert exported["sessions"] == 2
    other = ("--home", str(tmp_path / "other"))
    assert told("import", exported["file"], *other)["added"] == 2
    assert told("import", exported["file"], *other)["already_there"] == 2
    assert told("import", exported["file"], "--replace", "--yes", *other)["replaced"] == 2


def test_an_export_that_tells_too_much_is_refused(store: tc.SessionStore, tmp_path: Path) -> None:
    record = next(store.iterate()).to_dict() | {"session_id": "x", "codec": "/plates/a"}
    store.save(record, strict=False)
    refused = told("export", "-o", str(tmp_path), code=1)
    assert refused["error"]["type"] == "PrivacyError"
    assert "codec" in refused["error"]["message"]
    assert told("export", "-o", str(tmp_path), "--scrub")["dropped"] == ["sessions/x.json: codec"]


def test_nothing_is_removed_without_a_yes(store: tc.SessionStore) -> None:
    for answer in ("n\n", ""):
        result = run("reset", answer=answer)
        assert result.exit_code == 130
        assert len(store.list()) == 2
    assert run("reset", answer="y\n").exit_code == 0
    assert store.list() == []


def test_the_user_agrees_and_takes_it_back(store: tc.SessionStore) -> None:
    assert not tc.BehaviorRecorder(store).agreed
    assert told("agree")["learn_from_edits"]
    assert tc.BehaviorRecorder(store).agreed
    assert not told("agree", "--no")["learn_from_edits"]
    assert not tc.BehaviorRecorder(store).agreed


@pytest.mark.parametrize("verb", ["list", "show", "export", "import", "reset", "verify", "agree"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"trackcore sessions {verb}" in result.stdout
