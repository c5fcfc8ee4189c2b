"""What the verbs of `trackcore pitch` share: the flags, the rig."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trackcore.cameras import StereoRig
from trackcore.cameras.io import load_rig
from trackcore.errors import InputError

app = typer.Typer(
    name="pitch",
    help="Stereo ball capture: two cameras in; where every pitch went, how fast, and the call out.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 good, 1 error, 2 wrong usage, 3 done but weak, 4 could not (no pitch, no"
    " board), 130 cancelled.",
)

Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]
Rig = Annotated[
    list[Path],
    typer.Option(
        "--rig",
        metavar="FILE",
        help="rig: our JSON, OpenCV's YAML or XML, npz; twice for two files",
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(metavar="UNIT", help="of lengths in a rig that is not ours: m, mm, cm, ft, in"),
]
Size = Annotated[
    str | None,
    typer.Option(metavar="WxH", help="of the pictures, where the rig does not say it"),
]
WriteSession = Annotated[
    bool,
    typer.Option("--write-session/--no-session", help="write the session's folder, with video"),
]


def read_rig(paths: list[Path], unit: str | None, size: str | None) -> StereoRig:
    """Read a rig as the flags name it.

    Raises
    ------
    InputError
        If it cannot be read, or unit or size are missing.
    """
    try:
        return load_rig(paths, unit=unit, size=picture_size(size))
    except InputError as error:
        name, told, said = str(error).partition("path: ")
        raise InputError(f"rig: {said}" if told and not name else str(error)) from error


def out_folder(path: Path) -> Path:
    """Return a folder to write into; it need not be there.

    Raises
    ------
    InputError
        If it is a file, or lies in one.
    """
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise InputError(f"out: expected a folder, {str(there)!r} is a file")
    return path


def picture_size(text: str | None) -> tuple[int, int] | None:
    """Read `WxH`; None is None.

    Raises
    ------
    InputError
        If it is not so.
    """
    if text is None:
        return None
    words = text.lower().replace("*", "x").split("x")
    if len(words) != 2 or not all(word.strip().isdigit() for word in words):
        raise InputError(f"size: expected WxH in pixels, such as 1280x720, got {text!r}")
    return int(words[0]), int(words[1])
