"""`trackcore sessions list | show | export | import | reset | verify | agree`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from trackcore.cli_output import Exit, Output

if TYPE_CHECKING:
    from trackcore.session.entries import SessionEntry
    from trackcore.session.store import SessionStore

app = typer.Typer(
    name="sessions",
    help="Records of past sessions: look at them, share them, remove them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]
Home = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="data directory; default: TRACKCORE_HOME, else the platform's own"
    ),
]
_SHOWN = 20


def _store(home: Path | None) -> SessionStore:
    from trackcore.session.store import SessionStore

    return SessionStore(home)


@app.command("list", epilog="Example: trackcore sessions list --class HD_30fps")
def list_(
    *,
    footage: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="only footage such as HD_30fps")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="all of them, not the latest 20")] = False,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List sessions, oldest first."""
    output = Output("sessions list", as_json=as_json, quiet=quiet)
    with output.errors():
        store = _store(home)
        entries = store.list(footage_class=footage)
        good = [entry for entry in entries if entry.problem is None]
        problems = [entry for entry in entries if entry.problem is not None]
        shown = good if every else good[-_SHOWN:]
        record = {
            "outcome": "done",
            "home": str(store.root),
            "count": len(good),
            "sessions": [_entry(entry) for entry in good],
            "problems": {entry.name: entry.problem for entry in problems},
        }
        output.result(record, _table(shown), Text(_counted(len(shown), len(good), store)))
        for entry in problems:
            output.log(f"note: {entry.name}.json is no session: {entry.problem}")


@app.command(epilog="Example: trackcore sessions show 2026-01-31T12-00-00_1a2b3c4d")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="as `sessions list` names it")],
    *,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show one session, whole."""
    output = Output("sessions show", as_json=as_json, quiet=quiet)
    with output.errors():
        record = _store(home).load(name).to_dict()
        text = json.dumps(record, indent=2, allow_nan=False)
        output.result({"outcome": "done", "session": record}, Text(text))


@app.command(epilog="Example: trackcore sessions export -o shared/ --scrub")
def export(
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="PATH",
            help="archive or folder; default: autosolve_training_YYYYMMDD.zip, right here",
        ),
    ] = None,
    scrub: Annotated[
        bool, typer.Option("--scrub", help="leave telling fields out instead of refusing")
    ] = False,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Write all records to one ZIP that holds numbers only: no path, name, user or pixel.

    Refuses, and names the field, if a record holds more than that.
    """
    from trackcore.session.exporting import export_sessions

    output = Output("sessions export", as_json=as_json, quiet=quiet)
    with output.errors():
        with output.progress("exporting") as progress:
            done = export_sessions(_store(home), out, scrub=scrub, progress=progress)
        for file, why in done.skipped:
            output.log(f"note: {file} was left out: {why}")
        for file, field in done.dropped:
            output.log(f"note: {file}: dropped what {field}")
        record = {
            "outcome": "done",
            "file": str(done.path),
            "sessions": done.session_count,
            "behavior": done.behavior_count,
            "tracks": done.total_tracks,
            "dropped": [f"{file}: {field.field}" for file, field in done.dropped],
            "skipped": dict(done.skipped),
        }
        counts = f"{done.session_count} sessions, {done.behavior_count} behaviour records"
        output.result(record, Text(f"wrote {done.path}: {counts}"))


@app.command("import", epilog="Example: trackcore sessions import autosolve_training_20260131.zip")
def import_(
    archive: Annotated[
        Path, typer.Argument(metavar="ARCHIVE", help="ours, or the AutoSolve add-on's")
    ],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="remove the records that are there already")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add the records of an archive to yours; doing so twice changes nothing.

    The archive is checked whole first: if anything in it is wrong, nothing is imported.
    """
    from trackcore.session.importing import ImportMode, import_sessions

    output = Output("sessions import", as_json=as_json, quiet=quiet)
    with output.errors():
        store = _store(home)
        if replace and not yes:
            _ask(f"Remove all records in {store.root} first?")
        mode = ImportMode.REPLACE if replace else ImportMode.MERGE
        with output.progress("importing") as progress:
            done = import_sessions(store, archive, mode=mode, progress=progress)
        if done.kept_model:
            output.log("note: model.json was left aside: there is one already")
        record = {
            "outcome": "done",
            "added": done.added,
            "already_there": done.already_there,
            "replaced": done.replaced,
            "kept_model": done.kept_model,
        }
        gone = f", {done.replaced} removed" if replace else ""
        output.result(record, Text(f"{done.added} added, {done.already_there} were there{gone}"))


@app.command(epilog="Example: trackcore sessions reset --yes")
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Remove every record and all that was learned. There is no way back: export first."""
    from trackcore.session.upkeep import reset as empty

    output = Output("sessions reset", as_json=as_json, quiet=quiet)
    with output.errors():
        store = _store(home)
        if not yes:
            _ask(f"Remove all records in {store.root}?")
        count = empty(store)
        output.result({"outcome": "done", "removed": count}, Text(f"{count} records removed"))


@app.command(epilog="Example: trackcore sessions verify --json")
def verify(*, home: Home = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Read every record and say which is damaged, says too much, or is listed wrongly."""
    from trackcore.session.upkeep import verify as check

    output = Output("sessions verify", as_json=as_json, quiet=quiet)
    with output.errors():
        store = _store(home)
        with output.progress("verifying") as progress:
            found = check(store, progress=progress)
        for file, why in found.problems:
            output.error(f"{file}: {why}")
        counts = f"{found.session_count} sessions, {found.behavior_count} behaviour records"
        verdict = "all well" if found.ok else f"{len(found.problems)} problems"
        record = {
            "outcome": "done" if found.ok else "problems",
            "sessions": found.session_count,
            "behavior": found.behavior_count,
            "problems": [{"file": file, "problem": why} for file, why in found.problems],
        }
        output.result(record, Text(f"{counts}: {verdict}"))
        raise typer.Exit(Exit.GOOD if found.ok else Exit.ERROR)


@app.command(epilog="Example: trackcore sessions agree")
def agree(
    *,
    no: Annotated[bool, typer.Option("--no", help="take it back")] = False,
    home: Home = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Agree that what you change between two solves is recorded; off until you do."""
    from trackcore.session import identity

    output = Output("sessions agree", as_json=as_json, quiet=quiet)
    with output.errors():
        identity.agree(_store(home), learn_from_edits=not no)
        said = "edits are not recorded" if no else "edits are recorded, on this machine only"
        output.result({"outcome": "done", "learn_from_edits": not no}, Text(said))


def _ask(question: str) -> None:
    """Go on only if the user says yes; no answer is none."""
    try:
        sure = typer.confirm(question, err=True)
    except typer.Abort:
        sure = False
    if not sure:
        raise KeyboardInterrupt


def _entry(entry: SessionEntry) -> dict[str, Any]:
    names = [name for name in entry.__slots__ if name != "problem"]
    return {name: getattr(entry, name) for name in names} | {"footage_class": entry.footage_class}


def _table(entries: list[SessionEntry]) -> Table:
    table = Table()
    for heading in ("session", "footage", "frames", "tracks", "outcome", "error"):
        right = heading in ("frames", "tracks")
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=heading == "session"
        )
    for entry in entries:
        kept = f"{_shown(entry.successful_tracks)} of {_shown(entry.total_tracks)}"
        outcome = "interrupted" if entry.interrupted else "good" if entry.success else "failed"
        if entry.failure_type not in (None, "NONE"):
            outcome += f" ({entry.failure_type})"
        error = "-" if entry.solve_error is None else f"{entry.solve_error:.2f} px"
        table.add_row(
            entry.name, entry.footage_class or "-", _shown(entry.frame_count), kept, outcome, error
        )
    return table


def _counted(shown: int, count: int, store: SessionStore) -> str:
    what = f"{count} sessions" if shown == count else f"the latest {shown} of {count} sessions"
    return f"{what} in {store.root}"


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)
