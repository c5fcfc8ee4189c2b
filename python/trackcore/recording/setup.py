"""What a session is told, once: its ball and zone, and how pitches are found, fitted and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar, cast

import numpy as np

from trackcore.ballistics import BallPhysics
from trackcore.cameras import StereoRig
from trackcore.errors import InputError
from trackcore.options import BallOptions, Options, require_options
from trackcore.pitch import (
    PitchEventOptions,
    PitchFit,
    PitchFitOptions,
    Sightings,
    StereoTrackOptions,
    StrikeZone,
    fit_pitch,
)
from trackcore.pitch.fit import with_parabola
from trackcore.recording.options import RecordingOptions
from trackcore.recording.window import SIDES

Polygon = Sequence[tuple[float, float]]
Kind = TypeVar("Kind", bound=Options)


def _flags(panel: str, prefix: str = "") -> dict[str, str]:
    """Say the heading of a part among command-line flags, and what their names begin with."""
    return {"panel": panel, "prefix": prefix}


@dataclass(frozen=True, slots=True)
class SetupPart:
    """A part of a `PitchSetup` as the command line sees it."""

    name: str
    kind: type[Options]
    panel: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchSetup:
    """Everything that finding, fitting and recording pitches can be told.

    Attributes
    ----------
    recording : RecordingOptions
        What is written, pre-roll and post-roll.
    detection : BallOptions
        What is a ball in a picture.
    tracking : StereoTrackOptions
        How balls are followed.
    fit : PitchFitOptions
        How a flight is fitted.
    ball : BallPhysics
        The ball and the air. Default: a baseball.
    timing : PitchEventOptions or None
        When pitches begin and end. None: by the documented frame counts of `recording`, where the
        cameras' rate is known.
    zone : StrikeZone
    lanes_px : mapping of side to polygon
        Where balls are looked for, by side [px]. Default: everywhere.
    plates_px : mapping of side to polygon
        Where the plate is, by side [px]: written with the calibration, no more.

    Raises
    ------
    InputError
        If a part is none, or `lanes_px` or `plates_px` have no polygons of known sides.

    Examples
    --------
    >>> import trackcore as tc
    >>> setup = tc.PitchConfig.parse("ball: {type: softball}").setup
    >>> round(setup.ball.radius_m / 0.0254, 2), setup.recording.pre_roll_ms
    (1.88, 500.0)
    >>> tc.PitchSetup.from_dict(setup.to_dict()) == setup
    True
    """

    recording: RecordingOptions = field(
        default_factory=RecordingOptions, metadata=_flags("Recording")
    )
    detection: BallOptions = field(default_factory=BallOptions, metadata=_flags("Detection"))
    tracking: StereoTrackOptions = field(
        default_factory=StereoTrackOptions, metadata=_flags("Tracking")
    )
    fit: PitchFitOptions = field(default_factory=PitchFitOptions, metadata=_flags("Fit", "fit"))
    ball: BallPhysics = field(default_factory=BallPhysics, metadata=_flags("Ball and air", "ball"))
    timing: PitchEventOptions | None = None
    zone: StrikeZone = field(default_factory=StrikeZone.of_batter)
    lanes_px: Mapping[str, Polygon] = field(default_factory=dict)
    plates_px: Mapping[str, Polygon] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the parts."""
        kinds = {part.name: part.kind for part in self.parts()}
        if self.timing is not None:
            kinds["timing"] = PitchEventOptions
        for name, kind in kinds.items():
            require_options(getattr(self, name), kind, name)
        if not isinstance(self.zone, StrikeZone):
            raise InputError(f"zone: expected a StrikeZone, got {type(self.zone).__name__}")
        for name in _POLYGONS:
            object.__setattr__(self, name, _polygons(name, getattr(self, name)))

    @classmethod
    def parts(cls) -> Iterator[SetupPart]:
        """Yield the parts that are options, in declaration order."""
        for f in fields(cls):
            if "panel" in f.metadata:
                yield SetupPart(f.name, cast("type[Options]", f.default_factory), **f.metadata)

    def at_rate(self, fps: float | None) -> PitchSetup:
        """Return it with `timing`: as it is, else by the documented frame counts at a rate [1/s].

        Where the rate is not known either, as usual.
        """
        if self.timing is not None:
            return self
        if not fps:
            return replace(self, timing=PitchEventOptions())
        return replace(self, timing=PitchEventOptions.from_documented(
            session_min_active_frames=self.recording.session_min_active_frames,
            session_end_gap_frames=self.recording.session_end_gap_frames, fps=fps,
        ))  # fmt: skip

    def fitted(
        self, rig: StereoRig, left: Sightings, right: Sightings, *, radar_mph: float | None = None
    ) -> PitchFit:
        """Return `fit_pitch` of this ball and zone; a parabola may be off where it is all there is.

        See `fit_pitch`.
        """
        return fit_pitch(
            rig, left, right, options=with_parabola(self.fit, rig), physics=self.ball,
            zone=self.zone, radar_mph=radar_mph,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, fit for JSON."""
        plain: dict[str, Any] = {part.name: _plain(getattr(self, part.name))
                                 for part in self.parts()}  # fmt: skip
        plain["timing"] = None if self.timing is None else _plain(self.timing)
        plain["zone"] = {"bottom_m": self.zone.bottom_m, "top_m": self.zone.top_m}
        for name in _POLYGONS:
            plain[name] = {side: [list(xy) for xy in polygon]
                           for side, polygon in getattr(self, name).items()}  # fmt: skip
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PitchSetup:
        """Return what `to_dict` was made of; what is not there is default, what is unknown is not.

        Raises
        ------
        InputError
            If a value is none that its option allows.
        """
        given: dict[str, Any] = {
            part.name: _options(part.kind, plain[part.name], part.name)
            for part in cls.parts() if plain.get(part.name) is not None
        }  # fmt: skip
        if plain.get("timing") is not None:
            given["timing"] = _options(PitchEventOptions, plain["timing"], "timing")
        if plain.get("zone") is not None:
            given["zone"] = StrikeZone(**_mapping("zone", plain["zone"]))
        given |= {name: plain[name] for name in _POLYGONS if plain.get(name) is not None}
        return cls(**given)


_POLYGONS = ("lanes_px", "plates_px")


def _polygons(name: str, given: Any) -> dict[str, Polygon]:
    if not isinstance(given, Mapping):
        raise InputError(f"{name}: expected polygons by side, got {given!r}")
    if set(given) - set(SIDES):
        raise InputError(f"{name}: expected sides 'left' and 'right', got {sorted(given)}")
    return {side: corners(f"{name}[{side!r}]", given[side]) for side in SIDES
            if given.get(side) is not None}  # fmt: skip


def corners(name: str, polygon: Any) -> list[tuple[float, float]]:
    """Return the corners of a polygon.

    Raises
    ------
    InputError
        If it has no three, or they are no places.
    """
    try:
        xy = np.asarray(polygon, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected corners (n >= 3, 2) [px]: {error}") from error
    if xy.ndim != 2 or xy.shape[1] != 2 or len(xy) < 3:
        raise InputError(f"{name}: expected corners (n >= 3, 2) [px], got shape {xy.shape}")
    if not np.isfinite(xy).all():
        raise InputError(f"{name}: expected corners without NaN [px], got {xy.tolist()}")
    return [(float(x), float(y)) for x, y in xy]


def _plain(options: Options) -> dict[str, Any]:
    values = {knob.name: getattr(options, knob.name) for knob in options.knobs()}
    return {name: getattr(value, "value", value) for name, value in values.items()}


def _options(kind: type[Kind], plain: Any, name: str) -> Kind:
    """Return options of what a release wrote, which may know others than this one."""
    known = [knob.name for knob in kind.knobs()]
    return kind(**{n: v for n, v in _mapping(name, plain).items() if n in known})


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{name}: expected names and values, got {value!r}")
    return dict(value)
