"""Running a script at every CPU level that this machine and this build have."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trackcore import _core

LEVELS = ["baseline", "v3", "v4"]
HERE = LEVELS[: LEVELS.index(_core.best_cpu_level()) + 1]


def at_level(
    script: str, level: str, *words: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        env={**os.environ, "TRACKCORE_CPU": level, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def outputs(script: str) -> dict[str, str]:
    """Return what the script prints, by level; skip where there is one level only.

    The first word it prints is the level that was used.
    """
    if len(HERE) < 2:
        pytest.skip("this CPU or build has one level")
    printed = {}
    for level in HERE:
        done = at_level(script, level)
        assert done.returncode == 0, done.stderr
        used, printed[level] = done.stdout.split(maxsplit=1)
        assert used == level
    return printed
