"""Calling the command line as a test does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from trackcore.cli import app


def run(*words: object, code: int | None = 0) -> Result:
    """Call a verb, which has to end with `code`; None: with any."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert code is None or result.exit_code == code, result.output + repr(result.exception)
    return result


def only_json(result: Result) -> dict[str, Any]:
    """Return what stdout holds, which is one object without NaN or infinity."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} in JSON")

    value: dict[str, Any] = json.loads(result.stdout, parse_constant=refuse)
    return value
