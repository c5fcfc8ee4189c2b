"""The documented configuration: a YAML file, read as options."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from trackcore.ballistics import BALLS, FOOT_M, INCH_M, OUNCE_KG, BallPhysics
from trackcore.errors import DependencyError, InputError
from trackcore.options import BallOptions, Options
from trackcore.pitch import PitchFitOptions, StereoTrackOptions, StrikeZone
from trackcore.recording.options import RecordingOptions
from trackcore.recording.setup import PitchSetup, Polygon, corners
from trackcore.recording.window import SIDES

Kind = TypeVar("Kind", bound=Options)

ROIS, LANES = "roi.json", "lane_roi.json"
"""The documented files of polygons beside the configuration: of both cameras, and by camera."""

_SECTIONS = (
    "camera", "stereo", "tracking", "metrics", "recording", "ui", "telemetry", "detector",
    "strike_zone", "ball", "upload",
)  # fmt: skip


def _radius_px(area_px: float) -> float:
    return math.sqrt(max(area_px, 0.0) / math.pi)


def _scaled(by: float) -> Callable[[float], float]:
    return lambda value: value * by


def _same(value: float) -> float:
    return value


_TRACKING: dict[str, tuple[str, Callable[[float], float]]] = {
    "stereo.pairing_tolerance_ms": ("pairing_s", _scaled(1e-3)),
    "stereo.epipolar_epsilon_px": ("epipolar_px", _same),
    "stereo.z_min_ft": ("min_depth_m", _scaled(FOOT_M)),
    "stereo.z_max_ft": ("max_depth_m", _scaled(FOOT_M)),
    "stereo.max_jump_in": ("max_jump_m", _scaled(INCH_M)),
}
_FIT: dict[str, tuple[str, Callable[[float], float]]] = {
    "metrics.plate_plane_z_ft": ("plate_plane_z_ft", _same),
    "metrics.release_plane_z_ft": ("release_plane_z_ft", _same),
    "metrics.approach_window_ft": ("approach_window_ft", _same),
}
_DETECTION: dict[str, tuple[str, Callable[[float], float]]] = {
    "detector.filters.min_area": ("min_radius_px", _radius_px),
    "detector.filters.max_area": ("max_radius_px", _radius_px),
    "detector.filters.min_circularity": ("min_circularity", _same),
    "detector.crop_padding_px": ("lane_margin", _same),
}
_BALL_KEYS = {"ball.radius_in": ("radius_m", INCH_M), "ball.mass_oz": ("mass_kg", OUNCE_KG)}
_ZONE = ("batter_height_in", "top_ratio", "bottom_ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchConfig:
    """The documented configuration of a pitch recorder.

    Attributes
    ----------
    values : mapping
        Everything the file says, by section, unknown keys included.
    path : Path or None
        Of the file.
    lanes_px, plates_px : mapping of side to polygon
        The documented `lane` and `plate` of the `roi.json` beside the file, which are one for both
        cameras; a `lane_roi.json` beside it has a lane of its own for `left` or `right`.

    Notes
    -----
    Keys that are absent have our defaults, and the `save_*` keys are off. Keys that do nothing here
    are kept, and named in `notes`.

    Examples
    --------
    >>> config = PitchConfig.parse("recording: {pre_roll_ms: 250, save_detections: true}")
    >>> config.recording.pre_roll_ms, config.recording.save_observations
    (250.0, False)
    >>> PitchConfig.parse("recording: {pre_roll_ms: soon}").recording
    Traceback (most recent call last):
        ...
    trackcore.errors.InputError: recording.pre_roll_ms = 'soon': expected a number
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    lanes_px: Mapping[str, Polygon] = field(default_factory=dict)
    plates_px: Mapping[str, Polygon] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    """Cameras of the `lane_roi.json` that are neither left nor right."""

    @classmethod
    def load(cls, path: str | Path) -> PitchConfig:
        """Read a file.

        Raises
        ------
        InputError
            If it is none, is no YAML, or has a value that its key does not allow.
        DependencyError
            If PyYAML is missing.
        """
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"config: cannot read {file.name!r}: {error}") from error
        return cls.parse(text, path=file)

    @classmethod
    def parse(cls, text: str, *, path: Path | None = None) -> PitchConfig:
        """Read the text of a file; see `load`."""
        values = _yaml(text, "config" if path is None else path.name)
        polygons = {} if path is None else _polygons_beside(path)
        config = cls(values=values, path=path, **polygons)
        config.check()
        return config

    def check(self) -> None:
        """Raise if a value is none that its key allows."""
        for section in _SECTIONS:
            if not isinstance(self.values.get(section, {}) or {}, Mapping):
                raise InputError(f"{section}: expected keys and values")
        _ = self.output_dir
        self.setup.at_rate(60.0 if self.fps is None else self.fps)

    def get(self, key: str) -> Any:
        """Return the value of a dotted key, None where there is none."""
        value: Any = self.values
        for name in key.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @property
    def fps(self) -> float | None:
        """Of the cameras [1/s], if the file says."""
        rate = self.get("camera.fps")
        if rate is not None and _number("camera.fps", rate) <= 0:
            raise InputError(f"camera.fps = {rate!r}: expected a number above 0")
        return None if rate is None else float(rate)

    @property
    def output_dir(self) -> str | None:
        """Where sessions go, if the file says."""
        where = self.get("recording.output_dir")
        if where is not None and not isinstance(where, str):
            raise InputError(f"recording.output_dir = {where!r}: expected a path")
        return where

    @property
    def recording(self) -> RecordingOptions:
        """The section `recording`."""
        knobs = {k.name: k for k in RecordingOptions.knobs()}
        given = {}
        for name, knob in knobs.items():
            key = f"recording.{name}"
            value = self.get(key)
            if value is None:
                continue
            if knob.kind in (int, float):
                value = knob.kind(_number(key, value)) if knob.kind is float else value
            given[name] = value
        return _made(RecordingOptions, given, {name: f"recording.{name}" for name in knobs})

    @property
    def detection(self) -> BallOptions:
        """What is a ball."""
        options = self._options(BallOptions, _DETECTION, whole=("lane_margin",))
        self._ordered(
            "detector.filters.min_area", "detector.filters.max_area",
            options.min_radius_px, options.max_radius_px,
        )  # fmt: skip
        return options

    @property
    def tracking(self) -> StereoTrackOptions:
        """How balls are followed."""
        options = self._options(StereoTrackOptions, _TRACKING)
        self._ordered(
            "stereo.z_min_ft", "stereo.z_max_ft", options.min_depth_m, options.max_depth_m
        )
        return options

    @property
    def fit(self) -> PitchFitOptions:
        """How a flight is fitted."""
        return self._options(PitchFitOptions, _FIT)

    @property
    def zone(self) -> StrikeZone:
        """The batter's strike zone."""
        given = {n: self.get(f"strike_zone.{n}") for n in _ZONE}
        known = {n: _number(f"strike_zone.{n}", v) for n, v in given.items() if v is not None}
        try:
            return StrikeZone.of_batter(**known)
        except InputError as error:
            told = ", ".join(f"strike_zone.{n} = {v!r}" for n, v in known.items())
            raise InputError(f"{told}: {error}") from error

    @property
    def ball(self) -> BallPhysics:
        """The documented `ball.type`, of the documented `ball.radius_in` if that is there.

        `radius_in` is a number, or one for each type; `mass_oz` beside it is ours.
        """
        kind = self.get("ball.type") or "baseball"
        if not isinstance(kind, str) or kind not in BALLS:
            raise InputError(f"ball.type = {kind!r}: expected one of {', '.join(BALLS)}")
        given: dict[str, float] = {}
        keys: dict[str, str] = {}
        for key, (name, unit) in _BALL_KEYS.items():
            keys[name] = f"{key}.{kind}" if isinstance(self.get(key), Mapping) else key
            if (value := self.get(keys[name])) is not None:
                given[name] = unit * _number(keys[name], value)
        return _made(BallPhysics, {**asdict(BALLS[kind]), **given}, keys)

    @property
    def setup(self) -> PitchSetup:
        """All of it that finding, fitting and recording pitches can be told."""
        return PitchSetup(
            recording=self.recording, detection=self.detection, tracking=self.tracking,
            fit=self.fit, ball=self.ball, zone=self.zone, lanes_px=self.lanes_px,
            plates_px=self.plates_px,
        )  # fmt: skip

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file says that does nothing here."""
        used = {*_TRACKING, *_FIT, *_DETECTION, "camera.fps", "recording.output_dir"}
        used |= {
            "ball.type",
            *_BALL_KEYS,
            *(f"{key}.{ball}" for key in _BALL_KEYS for ball in BALLS),
        }
        used |= {f"recording.{k.name}" for k in RecordingOptions.knobs()}
        used |= {f"strike_zone.{name}" for name in _ZONE}
        keys = [key for key in _keys(self.values) if key not in used]
        said = [f"{key}: kept, does nothing here" for key in keys]
        lanes = [f"{LANES}, {n}: no lane is set, expected left or right" for n in self.strangers]
        return (*said, *lanes)

    def _ordered(self, lower: str, upper: str, lo: float, hi: float) -> None:
        """Raise unless one key is below the other, defaults included."""
        if lo >= hi:
            told = [f"{k} = {self.get(k)!r}" for k in (lower, upper) if self.get(k) is not None]
            raise InputError(f"{', '.join(told)}: expected {lower} below {upper}")

    def _options(
        self,
        kind: type[Kind],
        table: Mapping[str, tuple[str, Callable[[float], float]]],
        whole: tuple[str, ...] = (),
    ) -> Kind:
        given: dict[str, Any] = {}
        for key, (name, convert) in table.items():
            value = self.get(key)
            if value is not None:
                number = convert(_number(key, value))
                given[name] = round(number) if name in whole else number
        return _made(kind, given, {name: key for key, (name, _) in table.items()})


def _made(kind: type[Kind], given: Mapping[str, Any], keys: Mapping[str, str]) -> Kind:
    """Return options, or raise with the file's key in place of the option's name."""
    for name, value in given.items():
        try:
            kind(**{name: value})
        except InputError as error:
            said = str(error).removeprefix(f"{kind.__name__}.{name}")
            raise InputError(f"{keys[name]}{said}") from error
    return kind(**given)


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{key} = {value!r}: expected a number")
    return float(value)


def _yaml(text: str, name: str) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise DependencyError(f"PyYAML cannot be imported ({error}): install pyyaml") from error
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{name}: expected YAML: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{name}: expected sections with keys, got {type(values).__name__}")
    return values


def _polygons_beside(path: Path) -> dict[str, Any]:
    """Return the polygons of the documented files beside a configuration."""
    both = _json(path.with_name(ROIS))
    lane, plate = (_corners(ROIS, name, both.get(name)) for name in ("lane", "plate"))
    single = _json(path.with_name(LANES))
    lanes = dict.fromkeys(SIDES, lane) if lane else {}
    own = {side: _corners(LANES, side, single.get(side)) for side in SIDES}
    lanes |= {side: polygon for side, polygon in own.items() if polygon}
    return {
        "lanes_px": lanes, "plates_px": dict.fromkeys(SIDES, plate) if plate else {},
        "strangers": tuple(name for name in single if name not in SIDES),
    }  # fmt: skip


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name}: expected JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path.name}: expected polygons by name, got {type(values).__name__}")
    return values


def _corners(file: str, name: str, polygon: Any) -> list[tuple[float, float]] | None:
    return corners(f"{file}: {name}", polygon) if polygon else None


def _keys(values: Any, prefix: str = "") -> list[str]:
    """Return the dotted keys of all values."""
    if not isinstance(values, Mapping):
        return [prefix[:-1]]
    return [key for name, value in values.items() for key in _keys(value, f"{prefix}{name}.")]
