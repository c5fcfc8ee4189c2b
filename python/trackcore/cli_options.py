"""Command-line flags made from the options classes: no default, unit or range is typed twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import typer

from trackcore.errors import InputError
from trackcore.options import Knob, Options


def with_options(
    kind: type[Options], *, panel: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb one flag per knob of `kind`; it receives them as one argument `options`.

    Parameters
    ----------
    kind : subclass of Options
        Whose `knobs` become flags: `min_ncc` is `--min-ncc`, with its default, range and unit.
    panel : str
        Heading of these flags in the help.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        flags = [_parameter(knob, panel) for knob in kind.knobs()]
        own = inspect.signature(verb, eval_str=True).parameters.values()
        parameters = [p for p in own if p.name != "options"] + flags

        def run(**given: Any) -> None:
            chosen = {flag.name: given.pop(flag.name) for flag in flags}
            try:
                options = kind(**chosen)
            except InputError as error:  # ranges are checked in one place, the options
                raise typer.BadParameter(str(error)) from None
            verb(**given, options=options)

        run.__name__, run.__doc__ = verb.__name__, verb.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def _parameter(knob: Knob, panel: str) -> inspect.Parameter:
    flag = "--" + knob.name.replace("_", "-")
    help_text = knob.doc
    how: dict[str, Any] = {}
    if knob.kind is bool:
        flag += f"/--no-{flag[2:]}" if knob.default else ""  # only what changes something
    elif issubclass(knob.kind, Enum):
        choices = ", ".join(member.value for member in knob.kind)
        help_text += f": {choices}"
        how = {"metavar": knob.name.upper(), "case_sensitive": False}
    else:
        unit = f" {knob.unit}" if knob.unit else ""
        how = {"metavar": f"{knob.lo:.6g}..{knob.hi:.6g}{unit}"}
    option = typer.Option(flag, help=help_text, rich_help_panel=panel, **how)
    return inspect.Parameter(
        knob.name, inspect.Parameter.KEYWORD_ONLY, default=knob.default,
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
