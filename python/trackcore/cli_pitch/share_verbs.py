"""The verbs of `trackcore pitch` for sessions that exist: verify, package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trackcore._compat import StrEnum
from trackcore.cli_output import Output, interruptible
from trackcore.cli_pitch import check as _check
from trackcore.cli_pitch import share as _share
from trackcore.cli_pitch.common import Json, Quiet, app
from trackcore.cli_pitch.share import PackageJob

_VERIFY_EXAMPLES = """
Examples:\n
  trackcore pitch verify recordings/night_20261127-190000\n
  trackcore pitch verify recordings/night_20261127-190000 --all\n
  trackcore pitch verify ml-submission-20261127-200000.zip\n
Checks values and counts, not only that files are there, and says what training data add to the
videos. Exit code: 0 all is so, 3 nothing is wrong, but the recording was stopped or killed and says
itself what it lacks, 1 something is wrong.
"""
_PACKAGE_EXAMPLES = """
Examples:\n
  trackcore pitch package recordings/night_20261127-190000 -o night.zip --player-consent\n
  trackcore pitch package recordings/night_20261127-190000 --kind telemetry_only
--reason "no consent to pictures"\n
Writes one ZIP with the hash of every file in it; `trackcore pitch verify FILE.zip` checks it.
"""


class Kind(StrEnum):
    """What goes along."""

    FULL = "full"
    TELEMETRY_ONLY = "telemetry_only"


@app.command(epilog=_VERIFY_EXAMPLES)
def verify(
    session: Annotated[
        Path, typer.Argument(metavar="SESSION", help="folder of a session, or a package of one")
    ],
    *,
    every: Annotated[bool, typer.Option("--all", help="show every check, not only failed")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check that a session's files hold what they should and agree with each other."""
    output = Output("pitch verify", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        code, record, shown = _check.verify(session, output, cancelled, every=every)
        output.result(record, *shown)
        raise typer.Exit(code)


@app.command(epilog=_PACKAGE_EXAMPLES)
def package(
    session: Annotated[Path, typer.Argument(metavar="SESSION", help="folder of a session")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="PATH", help="the ZIP, or a folder for it"),
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="with or without pictures", case_sensitive=False)
    ] = Kind.FULL,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="why there are no pictures")
    ] = None,
    location: Annotated[str | None, typer.Option(metavar="TEXT", help="written as it is")] = None,
    pitcher_id: Annotated[str | None, typer.Option(metavar="ID", help="written as it is")] = None,
    operator: Annotated[str | None, typer.Option(metavar="NAME", help="written as it is")] = None,
    player_consent: Annotated[
        bool, typer.Option("--player-consent", help="who is seen has agreed")
    ] = False,
    anonymized: Annotated[
        bool, typer.Option("--anonymized", help="nobody can be recognised")
    ] = False,
    retention_days: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="how long it may be kept")
    ] = 730,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pack a session into one ZIP to submit, with hashes."""
    output = Output("pitch package", as_json=as_json, quiet=quiet)
    with output.errors(), interruptible(output) as cancelled:
        job = PackageJob(
            session=session, out=out, kind=kind.value, reason=reason, location=location,
            pitcher_id=pitcher_id, operator=operator, player_consent=player_consent,
            anonymized=anonymized, retention_days=retention_days,
        )  # fmt: skip
        code, record, shown = _share.run(job, output, cancelled)
        output.result(record, *shown)
        raise typer.Exit(code)
