"""Pitches: from what two cameras see of a ball to where it went, how fast, and what to call it."""

from trackcore.pitch._views import Sightings
from trackcore.pitch.events import (
    PitchEvent,
    PitchEventKind,
    PitchPhase,
    PitchState,
    PitchStateMachine,
    advance,
)
from trackcore.pitch.fit import fit_pitch
from trackcore.pitch.flight import Break, Crossing
from trackcore.pitch.lane import lane_rig
from trackcore.pitch.options import (
    FlightModel,
    PitchEventOptions,
    PitchFitOptions,
    StereoTrackOptions,
)
from trackcore.pitch.pitches import PitchStep, PitchTracker, TrackedPitch
from trackcore.pitch.result import FlightFit, PitchFit, PitchStatus, Residuals
from trackcore.pitch.sightings import BallTrack, FrameBalls, StereoObservation
from trackcore.pitch.tracker import StereoTracker
from trackcore.pitch.zone import StrikeCall, StrikeZone

__all__ = [
    "BallTrack",
    "Break",
    "Crossing",
    "FlightFit",
    "FlightModel",
    "FrameBalls",
    "PitchEvent",
    "PitchEventKind",
    "PitchEventOptions",
    "PitchFit",
    "PitchFitOptions",
    "PitchPhase",
    "PitchState",
    "PitchStateMachine",
    "PitchStatus",
    "PitchStep",
    "PitchTracker",
    "Residuals",
    "Sightings",
    "StereoObservation",
    "StereoTrackOptions",
    "StereoTracker",
    "StrikeCall",
    "StrikeZone",
    "TrackedPitch",
    "advance",
    "fit_pitch",
    "lane_rig",
]
