"""The documented words of the records, each list in one place."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from trackcore import diagnosis, footage
from trackcore._compat import StrEnum
from trackcore.frame_regions import REGIONS
from trackcore.options import MotionModel
from trackcore.session.models._base import Words
from trackcore.stats import shot, zoom

DISTORTION_MODELS = ("POLYNOMIAL", "DIVISION", "NUKE", "BROWN")
FOOTAGE_TYPES = ("AUTO", "INDOOR", "OUTDOOR", "HANDHELD", "GIMBAL", "DRONE", "ACTION", "VFX")
DELETION_REASONS = ("short_lifespan", "edge_region", "high_error", "jittery", "user_manual")
EXCLUSION_KINDS = ("mute", "zero_weight")
OUTCOMES = ("SUCCESS", "PARTIAL", "FAILURE")


def words(choices: type[StrEnum]) -> tuple[str, ...]:
    """Return the words of choices that are declared where they are made."""
    return tuple(choice.value for choice in choices)


Region: TypeAlias = Annotated[str, Words(REGIONS)]
MotionClass: TypeAlias = Annotated[str, Words(words(footage.MotionClass))]
TextureClass: TypeAlias = Annotated[
    str, Words(words(footage.TextureClass), read_as=(("GOOD", "HIGH"),))
]
FailureType: TypeAlias = Annotated[str, Words(words(diagnosis.FailureType))]
FailurePattern: TypeAlias = Annotated[str, Words(words(diagnosis.FailurePattern))]
ZoomDirection: TypeAlias = Annotated[str, Words(words(zoom.ZoomDirection))]
FocalChange: TypeAlias = Annotated[str, Words(words(zoom.FocalChange))]
ShotKind: TypeAlias = Annotated[str, Words(words(shot.ShotKind))]
Model: TypeAlias = Annotated[str, Words(words(MotionModel))]
DistortionModel: TypeAlias = Annotated[str, Words(DISTORTION_MODELS)]
FootageType: TypeAlias = Annotated[str, Words(FOOTAGE_TYPES)]
DeletionReason: TypeAlias = Annotated[str, Words(DELETION_REASONS)]
ExclusionKind: TypeAlias = Annotated[str, Words(EXCLUSION_KINDS)]
Outcome: TypeAlias = Annotated[str, Words(OUTCOMES)]
