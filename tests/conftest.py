"""Fixtures for every test, and a header that says what is being tested."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from trackcore import _core

Monkey = pytest.MonkeyPatch
PROJECT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Stop a sanitizer run that has loaded the ordinary build: it would pass and mean nothing."""
    if os.environ.get("TRACKCORE_EXPECT_SANITIZED") and not _core.SANITIZED:
        raise pytest.UsageError(f"expected a sanitized build, loaded {_core.__file__}")


def pytest_report_header() -> list[str]:
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    return [
        f"trackcore: {_core.__file__}",
        f"trackcore: version {_core.__version__}, CPU level {_core.cpu_level()}"
        f" (best here {_core.best_cpu_level()}), threads {_core.available_threads()},"
        f" SANITIZED {_core.SANITIZED}, GIL {'on' if gil else 'off'}",
    ]


@pytest.fixture(autouse=True)
def own_data_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: Monkey) -> None:
    """Keep every test, and every process it starts, away from the user's sessions."""
    monkeypatch.setenv("TRACKCORE_HOME", str(tmp_path_factory.mktemp("trackcore-home")))


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return a function from a data set's name to its path; it skips where the data is absent."""
    root = Path(os.environ.get("TRACKCORE_TEST_DATA") or PROJECT.parent / "shared" / "data")

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"real test material is not here: {name} (set TRACKCORE_TEST_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def seed_003() -> str:
    """Return the text of the customer's guide to stereo capture; skip where it is not."""
    found = sorted((PROJECT.parent / "shared" / "seeds").glob("003*"))
    if not found:
        pytest.skip("the customer's documents are not here: ../shared/seeds")
    return found[0].read_text(encoding="utf-8")
