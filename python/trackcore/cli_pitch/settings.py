"""Settings of a capture: from a configuration file, changed by flags."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from trackcore.cli_options import Verb, with_changes
from trackcore.options import BallOptions
from trackcore.pitch import PitchFitOptions, StereoTrackOptions, StrikeZone
from trackcore.recording import PitchConfig, RecordingOptions

Changes = Mapping[str, Any]

EVERYTHING = RecordingOptions(
    save_detections=True, save_observations=True, save_training_frames=True
)
"""All that the documents ask of a session for training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a capture can be told.

    Attributes
    ----------
    lanes_px : mapping of side to polygon
        Where balls are looked for [px].
    fps : float or None
        Of the cameras [1/s], where nothing else says it.
    config : Path or None
        The file that all of it came from.
    notes : tuple of str
        What of the file does nothing here.
    """

    recording: RecordingOptions = field(default_factory=RecordingOptions)
    detection: BallOptions = field(default_factory=BallOptions)
    tracking: StereoTrackOptions = field(default_factory=StereoTrackOptions)
    fit: PitchFitOptions = field(default_factory=PitchFitOptions)
    zone: StrikeZone = field(default_factory=StrikeZone.of_batter)
    lanes_px: Mapping[str, Any] = field(default_factory=dict)
    fps: float | None = None
    config: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the flags say: a file, and what is to be other than in it."""

    config: Path | None
    batter_in: float | None
    recording: Changes
    detection: Changes
    tracking: Changes

    def settings(self) -> Settings:
        """Return the settings of the file, or the defaults, with what flags change.

        Raises
        ------
        InputError
            If the file is no such configuration, or a value is out of its range.
        """
        base = Settings() if self.config is None else _of_file(self.config)
        zone = base.zone if self.batter_in is None else StrikeZone.of_batter(self.batter_in)
        return replace(
            base, recording=replace(base.recording, **self.recording),
            detection=replace(base.detection, **self.detection),
            tracking=replace(base.tracking, **self.tracking), zone=zone,
        )  # fmt: skip


_FLAGS = {
    "config": Annotated[
        Path | None,
        typer.Option(metavar="YAML", help="configuration with the documented keys; flags win"),
    ],
    "batter_in": Annotated[
        float | None,
        typer.Option(min=20.0, max=100.0, metavar="IN", help="height of the batter [66]"),
    ],
}


def with_settings(verb: Verb) -> Verb:
    """Give a verb the flags of a capture; it receives them as one argument `given`."""

    def gathered(**words: Any) -> None:
        changes = {name: words.pop(name) for name in ("recording", "detection", "tracking")}
        own = {name: words.pop(name) for name in _FLAGS}
        verb(**words, given=Given(**own, **changes))

    parameters = [p for p in inspect.signature(verb, eval_str=True).parameters.values()
                  if p.name != "given"]  # fmt: skip
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters += [inspect.Parameter(name, kind, default=None, annotation=annotation)
                   for name, annotation in _FLAGS.items()]  # fmt: skip
    parameters += [inspect.Parameter(name, kind) for name in ("recording", "detection", "tracking")]
    gathered.__name__, gathered.__doc__ = verb.__name__, verb.__doc__
    gathered.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run: Verb = gathered
    for options, panel, argument in (
        (StereoTrackOptions, "Tracking", "tracking"),
        (BallOptions, "Detection", "detection"),
        (RecordingOptions, "Recording", "recording"),
    ):
        run = with_changes(options, panel=panel, argument=argument)(run)
    return run


def _of_file(path: Path) -> Settings:
    said = PitchConfig.load(path)
    return Settings(
        recording=said.recording, detection=said.detection, tracking=said.tracking, fit=said.fit,
        zone=said.zone, lanes_px=said.lanes_px, fps=said.fps, config=path,
        notes=tuple(said.notes),
    )  # fmt: skip
