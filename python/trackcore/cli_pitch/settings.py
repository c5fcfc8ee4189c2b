"""Settings of a capture: from a configuration file, changed by flags."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from trackcore.ballistics import BALLS
from trackcore.cli_options import Verb, with_changes
from trackcore.pitch import StrikeZone
from trackcore.recording import PitchConfig, PitchSetup, RecordingOptions

Changes = Mapping[str, Any]

EVERYTHING = RecordingOptions(
    save_detections=True, save_observations=True, save_training_frames=True
)
"""All that the documents ask of a session for training."""

Batter = Annotated[
    float | None,
    typer.Option(min=20.0, max=100.0, metavar="IN", help="height of the batter", show_default="66"),
]


def _known_ball(name: str | None) -> str | None:
    if name is None or name.lower() in BALLS:
        return None if name is None else name.lower()
    raise typer.BadParameter(f"expected one of {', '.join(BALLS)}, got {name!r}")


Ball = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        help=f"the ball: {', '.join(BALLS)}",
        show_default="baseball",
        callback=_known_ball,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a capture can be told.

    Attributes
    ----------
    setup : PitchSetup
    fps : float or None
        That cameras are asked for [1/s].
    output_dir : str or None
        Where sessions go.
    config : Path or None
        The file that all of it came from.
    notes : tuple of str
        What of the file does nothing here.
    """

    setup: PitchSetup = field(default_factory=PitchSetup)
    fps: float | None = None
    output_dir: str | None = None
    config: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the flags say: a file, and what is to be other than in it.

    Attributes
    ----------
    config : Path or None
    batter_in : float or None
    ball : str or None
    changes : mapping
        By part of a `PitchSetup`, the options that were given.
    """

    config: Path | None
    batter_in: float | None
    ball: str | None
    changes: Mapping[str, Changes]

    def settings(self) -> Settings:
        """Return the settings of the file, or the defaults, with what flags change.

        Raises
        ------
        InputError
            If the file is no such configuration, or a value is out of its range.
        """
        base = Settings() if self.config is None else _of_file(self.config)
        return replace(base, setup=self.changed(base.setup))

    def changed(self, setup: PitchSetup) -> PitchSetup:
        """Return a setup with what flags change."""
        if self.batter_in is not None:
            setup = replace(setup, zone=StrikeZone.of_batter(self.batter_in))
        if self.ball is not None:
            setup = replace(setup, ball=BALLS[self.ball])
        return replace(setup, **{
            name: replace(getattr(setup, name), **changes)
            for name, changes in self.changes.items()
        })  # fmt: skip


_CONFIG = Annotated[
    Path | None,
    typer.Option(metavar="YAML", help="configuration with the documented keys; flags win"),
]


def with_settings(verb: Verb, *, only: tuple[str, ...] = ()) -> Verb:
    """Give a verb the flags of a capture; it receives them as one argument `given`.

    Parameters
    ----------
    verb : callable
    only : tuple of str
        Parts of a `PitchSetup` that are flags, whose names have no prefix then; no file. Default:
        all of them.
    """
    parts = [part for part in PitchSetup.parts() if not only or part.name in only]
    own = {"config": _CONFIG, "batter_in": Batter, "ball": Ball}
    own = {name: flag for name, flag in own.items() if not only or name != "config"}

    def gathered(**words: Any) -> None:
        changes = {part.name: words.pop(f"{part.name}_changes") for part in parts}
        mine = {"config": None, **{name: words.pop(name) for name in own}}
        verb(**words, given=Given(**mine, changes=changes))

    parameters = [p for p in inspect.signature(verb, eval_str=True).parameters.values()
                  if p.name != "given"]  # fmt: skip
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters += [inspect.Parameter(name, kind, default=None, annotation=annotation)
                   for name, annotation in own.items()]  # fmt: skip
    parameters += [inspect.Parameter(f"{part.name}_changes", kind) for part in parts]
    gathered.__name__, gathered.__doc__ = verb.__name__, verb.__doc__
    gathered.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run: Verb = gathered
    for part in parts:
        prefix = part.prefix if not only or part.name == "ball" else ""
        argument = f"{part.name}_changes"
        run = with_changes(part.kind, panel=part.panel, argument=argument, prefix=prefix)(run)
    return run


def _of_file(path: Path) -> Settings:
    said = PitchConfig.load(path)
    return Settings(
        setup=said.setup, fps=said.fps, output_dir=said.output_dir, config=path, notes=said.notes
    )
