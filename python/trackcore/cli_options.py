"""Command-line flags made from the options classes: no default, unit or range is typed twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from typing import Annotated, Any

import typer

from trackcore.errors import InputError
from trackcore.options import Knob, Options
from trackcore.solver import CameraPrior

Verb = Callable[..., None]

_CAMERA: dict[str, tuple[Any, str, str]] = {
    "focal_mm": (float | None, "MM", "focal length of the lens; needs --sensor-mm"),
    "sensor_mm": (float | None, "MM", "width of the sensor; needs --focal-mm"),
    "focal_px": (float | None, "PX", "focal length in pixels of the frame's width"),
    "refine_focal": (bool, "", "take the focal length as a start only; else it is believed"),
    "pixel_aspect": (float, "RATIO", "width over height of a pixel; 2 for a 2x anamorphic lens"),
    "zoom": (str, "ZOOM", "whether the focal length changes: auto, fixed or varying"),
}
"""Fields of `CameraPrior` that are flags: type, what stands for the value, help."""


def with_options(
    kind: type[Options],
    *,
    panel: str,
    argument: str = "options",
    without: Sequence[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> Callable[[Verb], Verb]:
    """Give a verb one flag per knob of `kind`; it receives them as one argument `options`.

    Parameters
    ----------
    kind : subclass of Options
        Whose `knobs` become flags: `min_ncc` is `--min-ncc`, with its default, range and unit.
    panel : str
        Heading of these flags in the help.
    argument : str
        Name of the verb's argument.
    without : sequence of str
        Knobs that are no flags.
    renamed : mapping of str to str, optional
        Knobs whose flag has another name.
    """
    names = renamed or {}

    def decorate(verb: Verb) -> Verb:
        knobs = [knob for knob in kind.knobs() if knob.name not in without]
        flags = {k.name: _parameter(k, panel, names.get(k.name, k.name)) for k in knobs}
        return _replacing(verb, argument, flags, kind)

    return decorate


def with_changes(
    kind: type[Options], *, panel: str, argument: str, prefix: str = ""
) -> Callable[[Verb], Verb]:
    """Give a verb one flag per knob of `kind`, without defaults: it receives those that were given.

    For options that come from a file and may be changed on the command line. The argument is a
    dict, fit for `dataclasses.replace`. With a `prefix`, `drag` is `--prefix-drag`.
    """

    def changes(**chosen: Any) -> dict[str, Any]:
        given = {name: value for name, value in chosen.items() if value is not None}
        kind(**given)  # ranges
        return given

    def decorate(verb: Verb) -> Verb:
        before = f"{prefix}_" if prefix else ""
        flags = {
            knob.name: _unset(_parameter(knob, panel, before + knob.name), knob)
            for knob in kind.knobs()
        }
        return _replacing(verb, argument, flags, changes)

    return decorate


def _unset(flag: inspect.Parameter, knob: Knob) -> inspect.Parameter:
    """Return a flag that is None unless it is given, and says what holds then."""
    option = flag.annotation.__metadata__[0]
    said = knob.default.value if isinstance(knob.default, Enum) else knob.default
    if knob.kind is bool:
        name = flag.name.replace("_", "-")
        option.default = f"--{name}/--no-{name}"  # where typer keeps the first of the names
        said = "on" if knob.default else "off"
    option.show_default = str(said)
    return flag.replace(default=None, annotation=Annotated[knob.kind | None, option])


def with_camera_prior(verb: Verb) -> Verb:
    """Give a verb the flags that say what is known of the camera, as one argument `prior`."""
    defaults = {field.name: field.default for field in fields(CameraPrior)}
    flags = {}
    for name, (kind, metavar, text) in _CAMERA.items():
        option = typer.Option(
            "--" + name.replace("_", "-"), help=text, rich_help_panel="Camera",
            metavar=metavar or None,
        )  # fmt: skip
        default = defaults[name]
        flags[name] = inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY,
            default=str(default) if kind is str else default, annotation=Annotated[kind, option],
        )  # fmt: skip
    return _replacing(verb, "prior", flags, CameraPrior)


def _replacing(
    verb: Verb, argument: str, flags: Mapping[str, inspect.Parameter], kind: Callable[..., Any]
) -> Verb:
    """Return the verb with `flags` in the place of one argument, of which they make `kind`."""
    own = inspect.signature(verb, eval_str=True).parameters.values()
    parameters = [p for p in own if p.name != argument] + list(flags.values())

    def run(**given: Any) -> None:
        chosen = {name: given.pop(flag.name) for name, flag in flags.items()}
        try:
            value = kind(**chosen)
        except InputError as error:  # ranges are checked in one place, the options
            raise typer.BadParameter(str(error)) from None
        verb(**given, **{argument: value})

    run.__name__, run.__doc__ = verb.__name__, verb.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _parameter(knob: Knob, panel: str, name: str) -> inspect.Parameter:
    flag = "--" + name.replace("_", "-")
    help_text = knob.doc
    how: dict[str, Any] = {}
    if knob.kind is bool:
        flag += f"/--no-{flag[2:]}" if knob.default else ""  # only what changes something
    elif issubclass(knob.kind, Enum):
        choices = ", ".join(member.value for member in knob.kind)
        help_text += f": {choices}"
        how = {"metavar": name.upper(), "case_sensitive": False}
    else:
        unit = f" {knob.unit}" if knob.unit else ""
        how = {"metavar": f"{knob.lo:.6g}..{knob.hi:.6g}{unit}"}
    option = typer.Option(flag, help=help_text, rich_help_panel=panel, **how)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=knob.default,
        annotation=Annotated[knob.kind, option],
    )  # fmt: skip


def frame_range(text: str | None) -> tuple[int | None, int | None] | None:
    """Read `A:B` (both included), `A:`, `:B` or `A` as (first, last) clip frame numbers.

    Raises
    ------
    typer.BadParameter
        If it is none of these or ends before it begins.
    """
    if text is None:
        return None
    parts = text.split(":")
    try:
        numbers = [int(part) if part.strip() else None for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] is not None:
        return numbers[0], numbers[0]
    if len(numbers) != 2:
        raise typer.BadParameter(f"expected A:B, A:, :B or A in clip frame numbers, got {text!r}")
    first, last = numbers
    if first is not None and last is not None and last < first:
        raise typer.BadParameter(f"expected A:B with A <= B, got {text!r}")
    return first, last


def formats(text: str, known: tuple[str, ...]) -> list[str]:
    """Read a comma-separated list of `known` words, each once, in the order given.

    Raises
    ------
    typer.BadParameter
        If a word is not known.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise typer.BadParameter(f"expected some of {','.join(known)}, got {word!r}")
    return list(dict.fromkeys(words))
