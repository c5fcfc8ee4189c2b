"""trackcore: sub-pixel point tracking, numpy in, numpy out."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from trackcore import synth as synth
from trackcore.analysis import ClipAnalysis as ClipAnalysis
from trackcore.analysis import analyze as analyze
from trackcore.balls import BallDetector as BallDetector
from trackcore.balls import BallRule as BallRule
from trackcore.balls import Candidates as Candidates
from trackcore.blobs import Blobs as Blobs
from trackcore.blobs import detect_blobs as detect_blobs
from trackcore.clip_tracker import track_clip as track_clip
from trackcore.detect import detect_features as detect_features
from trackcore.diagnosis import Diagnosis as Diagnosis
from trackcore.diagnosis import DiagnosisResult as DiagnosisResult
from trackcore.diagnosis import FailureDiagnostics as FailureDiagnostics
from trackcore.diagnosis import FailurePattern as FailurePattern
from trackcore.diagnosis import apply_fix as apply_fix
from trackcore.diagnosis import diagnose as diagnose
from trackcore.errors import ArchiveError as ArchiveError
from trackcore.errors import CancelledError as CancelledError
from trackcore.errors import DependencyError as DependencyError
from trackcore.errors import InputError as InputError
from trackcore.errors import PrivacyError as PrivacyError
from trackcore.errors import RecordError as RecordError
from trackcore.errors import SourceError as SourceError
from trackcore.errors import StoreError as StoreError
from trackcore.errors import TrackcoreError as TrackcoreError
from trackcore.filters import FilterReason as FilterReason
from trackcore.filters import FilterReport as FilterReport
from trackcore.filters import MergedTracks as MergedTracks
from trackcore.filters import MutedTracks as MutedTracks
from trackcore.filters import find_bad_tracks as find_bad_tracks
from trackcore.filters import merge_duplicates as merge_duplicates
from trackcore.filters import smooth_tracks as smooth_tracks
from trackcore.footage import MotionClass as MotionClass
from trackcore.footage import TextureClass as TextureClass
from trackcore.footage import footage_class as footage_class
from trackcore.footage import fps_class as fps_class
from trackcore.footage import resolution_class as resolution_class
from trackcore.frames import Clip as Clip
from trackcore.frames import Frame as Frame
from trackcore.frames import open_clip as open_clip
from trackcore.healing import Healing as Healing
from trackcore.healing import heal as heal
from trackcore.options import Anchor as Anchor
from trackcore.options import BallOptions as BallOptions
from trackcore.options import BlobOptions as BlobOptions
from trackcore.options import FeatureOptions as FeatureOptions
from trackcore.options import Fill as Fill
from trackcore.options import FilterOptions as FilterOptions
from trackcore.options import HealOptions as HealOptions
from trackcore.options import MotionModel as MotionModel
from trackcore.options import Photometric as Photometric
from trackcore.options import Polarity as Polarity
from trackcore.options import RegionOptions as RegionOptions
from trackcore.options import SolveOptions as SolveOptions
from trackcore.options import SolveWith as SolveWith
from trackcore.options import TrackerOptions as TrackerOptions
from trackcore.options import TrackOptions as TrackOptions
from trackcore.overlay import contact_sheet as contact_sheet
from trackcore.overlay import write_overlay as write_overlay
from trackcore.pixels import ContrastStats as ContrastStats
from trackcore.pixels import FrameMeter as FrameMeter
from trackcore.pixels import FrameSeries as FrameSeries
from trackcore.pixels import MotionProbe as MotionProbe
from trackcore.pixels import PixelFeatures as PixelFeatures
from trackcore.pixels import ProbeStatus as ProbeStatus
from trackcore.pixels import TrackQuality as TrackQuality
from trackcore.pixels import motion_probe as motion_probe
from trackcore.pixels import pixel_features as pixel_features
from trackcore.pixels import track_quality as track_quality
from trackcore.pyramid import FramePyramid as FramePyramid
from trackcore.regions import track_regions as track_regions
from trackcore.settings import Settings as Settings
from trackcore.settings_policy import Choice as Choice
from trackcore.settings_policy import ClipFacts as ClipFacts
from trackcore.settings_policy import ColdStart as ColdStart
from trackcore.settings_policy import FootageType as FootageType
from trackcore.settings_policy import Quality as Quality
from trackcore.settings_policy import SettingsPolicy as SettingsPolicy
from trackcore.settings_policy import Wishes as Wishes
from trackcore.solver import CameraPrior as CameraPrior
from trackcore.solver import Grade as Grade
from trackcore.solver import Lens as Lens
from trackcore.solver import LensFit as LensFit
from trackcore.solver import LensModel as LensModel
from trackcore.solver import Solve as Solve
from trackcore.solver import SolveKind as SolveKind
from trackcore.solver import TrackRole as TrackRole
from trackcore.solver import Zoom as Zoom
from trackcore.solver import pre_solve_confidence as pre_solve_confidence
from trackcore.solver import solve as solve
from trackcore.stats import ClipMotion as ClipMotion
from trackcore.stats import FocalChange as FocalChange
from trackcore.stats import FrameMotion as FrameMotion
from trackcore.stats import FrameSample as FrameSample
from trackcore.stats import RegionStats as RegionStats
from trackcore.stats import ShotKind as ShotKind
from trackcore.stats import ShotType as ShotType
from trackcore.stats import TrackStats as TrackStats
from trackcore.stats import ZoomAnalysis as ZoomAnalysis
from trackcore.stats import ZoomDirection as ZoomDirection
from trackcore.stats import classify_shot as classify_shot
from trackcore.stats import clip_motion as clip_motion
from trackcore.stats import frame_motion as frame_motion
from trackcore.stats import region_stats as region_stats
from trackcore.stats import track_stats as track_stats
from trackcore.stats import zoom_analysis as zoom_analysis
from trackcore.summary import TrackSummary as TrackSummary
from trackcore.summary import summarize as summarize
from trackcore.track import track_points as track_points
from trackcore.tracker import Tracker as Tracker
from trackcore.tracker import TrackState as TrackState
from trackcore.tracks import Tracks as Tracks
from trackcore.triangulate import TriangulationMethod as TriangulationMethod
from trackcore.triangulate import triangulate as triangulate  # eager: a module has that name too
from trackcore.types import Features as Features
from trackcore.types import PointMatches as PointMatches
from trackcore.types import Points as Points
from trackcore.types import PointStatus as PointStatus
from trackcore.types import RegionMatches as RegionMatches
from trackcore.types import Triangulation as Triangulation

if _TYPE_CHECKING:
    # the names of _LAZY, for type checkers
    from trackcore.ballistics import BallPhysics as BallPhysics
    from trackcore.cameras.boards import CharucoBoard as CharucoBoard
    from trackcore.cameras.boards import Chessboard as Chessboard
    from trackcore.cameras.calibrate import CameraCalibration as CameraCalibration
    from trackcore.cameras.calibrate import StereoCalibration as StereoCalibration
    from trackcore.cameras.calibrate import calibrate_camera as calibrate_camera
    from trackcore.cameras.calibrate import calibrate_stereo as calibrate_stereo
    from trackcore.cameras.camera import Camera as Camera
    from trackcore.cameras.frame import PITCH_FRAME as PITCH_FRAME
    from trackcore.cameras.frame import WorldFrame as WorldFrame
    from trackcore.cameras.frame import home_plate_ft as home_plate_ft
    from trackcore.cameras.io import load_rig as load_rig
    from trackcore.cameras.io import save_rig as save_rig
    from trackcore.cameras.rig import StereoRig as StereoRig
    from trackcore.cameras.world import WorldFit as WorldFit
    from trackcore.cameras.world import solve_world as solve_world
    from trackcore.capture.engine import PitchEngine as PitchEngine
    from trackcore.capture.host import CaptureHost as CaptureHost
    from trackcore.capture.options import CaptureOptions as CaptureOptions
    from trackcore.capture.recover import recover_session as recover_session
    from trackcore.capture.replay import ReplayResult as ReplayResult
    from trackcore.capture.replay import replay_pitches as replay_pitches
    from trackcore.exports import export_solve as export_solve
    from trackcore.exports import load_solve as load_solve
    from trackcore.pipeline import PipelineResult as PipelineResult
    from trackcore.pipeline import SmartTracker as SmartTracker
    from trackcore.pipeline import SmartTrackerOptions as SmartTrackerOptions
    from trackcore.pitch._views import Sightings as Sightings
    from trackcore.pitch.events import PitchEvent as PitchEvent
    from trackcore.pitch.events import PitchEventKind as PitchEventKind
    from trackcore.pitch.events import PitchPhase as PitchPhase
    from trackcore.pitch.events import PitchStateMachine as PitchStateMachine
    from trackcore.pitch.fit import fit_pitch as fit_pitch
    from trackcore.pitch.lane import lane_rig as lane_rig
    from trackcore.pitch.options import FlightModel as FlightModel
    from trackcore.pitch.options import PitchEventOptions as PitchEventOptions
    from trackcore.pitch.options import PitchFitOptions as PitchFitOptions
    from trackcore.pitch.options import StereoTrackOptions as StereoTrackOptions
    from trackcore.pitch.pitches import PitchTracker as PitchTracker
    from trackcore.pitch.pitches import TrackedPitch as TrackedPitch
    from trackcore.pitch.result import PitchFit as PitchFit
    from trackcore.pitch.result import PitchStatus as PitchStatus
    from trackcore.pitch.sightings import BallTrack as BallTrack
    from trackcore.pitch.sightings import FrameBalls as FrameBalls
    from trackcore.pitch.sightings import StereoObservation as StereoObservation
    from trackcore.pitch.tracker import StereoTracker as StereoTracker
    from trackcore.pitch.zone import StrikeCall as StrikeCall
    from trackcore.pitch.zone import StrikeZone as StrikeZone
    from trackcore.recording.calibration import (
        export_calibration_metadata as export_calibration_metadata,
    )
    from trackcore.recording.config import PitchConfig as PitchConfig
    from trackcore.recording.key_frames import FrameExtractor as FrameExtractor
    from trackcore.recording.options import RecordingOptions as RecordingOptions
    from trackcore.recording.package import PackagedSession as PackagedSession
    from trackcore.recording.package import package_session as package_session
    from trackcore.recording.package_check import verify_package as verify_package
    from trackcore.recording.pitch_recorder import PitchRecorder as PitchRecorder
    from trackcore.recording.reader import RecordedPitch as RecordedPitch
    from trackcore.recording.reader import RecordedSession as RecordedSession
    from trackcore.recording.reader import open_session as open_session
    from trackcore.recording.session_writer import SessionWriter as SessionWriter
    from trackcore.recording.setup import PitchSetup as PitchSetup
    from trackcore.recording.summary import create_pitch_manifest as create_pitch_manifest
    from trackcore.recording.verify import SessionCheck as SessionCheck
    from trackcore.recording.verify import verify_session as verify_session
    from trackcore.recording.video import VideoCodec as VideoCodec
    from trackcore.recording.window import CapturedFrame as CapturedFrame
    from trackcore.recording.window import FrameDetections as FrameDetections
    from trackcore.recording.window import LostFrame as LostFrame
    from trackcore.recording.window import PitchWindow as PitchWindow
    from trackcore.recording.window import RecordingStatus as RecordingStatus
    from trackcore.report import ReportAttempt as ReportAttempt
    from trackcore.report import ReportSetting as ReportSetting
    from trackcore.report import write_report as write_report
    from trackcore.session.behavior import BehaviorRecorder as BehaviorRecorder
    from trackcore.session.exporting import export_sessions as export_sessions
    from trackcore.session.identity import clip_fingerprint as clip_fingerprint
    from trackcore.session.importing import import_sessions as import_sessions
    from trackcore.session.losses import track_failures as track_failures
    from trackcore.session.recorder import SessionRecorder as SessionRecorder
    from trackcore.session.store import SessionStore as SessionStore
    from trackcore.session.store import load_sessions as load_sessions
    from trackcore.session.store import save_session as save_session

# Names whose modules import more than numpy, or which not every program needs: loaded when first
# asked for.
_LAZY: dict[str, str] = {
    "PitchStateMachine": "trackcore.pitch.events",
    "PitchEvent": "trackcore.pitch.events",
    "PitchEventKind": "trackcore.pitch.events",
    "PitchPhase": "trackcore.pitch.events",
    "PitchTracker": "trackcore.pitch.pitches",
    "TrackedPitch": "trackcore.pitch.pitches",
    "StereoTracker": "trackcore.pitch.tracker",
    "FrameBalls": "trackcore.pitch.sightings",
    "BallTrack": "trackcore.pitch.sightings",
    "StereoObservation": "trackcore.pitch.sightings",
    "fit_pitch": "trackcore.pitch.fit",
    "PitchFit": "trackcore.pitch.result",
    "PitchStatus": "trackcore.pitch.result",
    "Sightings": "trackcore.pitch._views",
    "StrikeZone": "trackcore.pitch.zone",
    "StrikeCall": "trackcore.pitch.zone",
    "PitchFitOptions": "trackcore.pitch.options",
    "StereoTrackOptions": "trackcore.pitch.options",
    "PitchEventOptions": "trackcore.pitch.options",
    "FlightModel": "trackcore.pitch.options",
    "lane_rig": "trackcore.pitch.lane",
    "CaptureHost": "trackcore.capture.host",
    "CaptureOptions": "trackcore.capture.options",
    "recover_session": "trackcore.capture.recover",
    "PitchEngine": "trackcore.capture.engine",
    "ReplayResult": "trackcore.capture.replay",
    "replay_pitches": "trackcore.capture.replay",
    "BallPhysics": "trackcore.ballistics",
    "Camera": "trackcore.cameras.camera",
    "StereoRig": "trackcore.cameras.rig",
    "WorldFrame": "trackcore.cameras.frame",
    "PITCH_FRAME": "trackcore.cameras.frame",
    "home_plate_ft": "trackcore.cameras.frame",
    "WorldFit": "trackcore.cameras.world",
    "solve_world": "trackcore.cameras.world",
    "Chessboard": "trackcore.cameras.boards",
    "CharucoBoard": "trackcore.cameras.boards",
    "calibrate_camera": "trackcore.cameras.calibrate",
    "calibrate_stereo": "trackcore.cameras.calibrate",
    "CameraCalibration": "trackcore.cameras.calibrate",
    "StereoCalibration": "trackcore.cameras.calibrate",
    "load_rig": "trackcore.cameras.io",
    "save_rig": "trackcore.cameras.io",
    "ReportAttempt": "trackcore.report",
    "ReportSetting": "trackcore.report",
    "write_report": "trackcore.report",
    "PipelineResult": "trackcore.pipeline",
    "SmartTracker": "trackcore.pipeline",
    "SmartTrackerOptions": "trackcore.pipeline",
    "export_solve": "trackcore.exports",
    "load_solve": "trackcore.exports",
    "import_sessions": "trackcore.session.importing",
    "export_sessions": "trackcore.session.exporting",
    "clip_fingerprint": "trackcore.session.identity",
    "BehaviorRecorder": "trackcore.session.behavior",
    "SessionRecorder": "trackcore.session.recorder",
    "SessionStore": "trackcore.session.store",
    "load_sessions": "trackcore.session.store",
    "save_session": "trackcore.session.store",
    "track_failures": "trackcore.session.losses",
    "CapturedFrame": "trackcore.recording.window",
    "FrameDetections": "trackcore.recording.window",
    "FrameExtractor": "trackcore.recording.key_frames",
    "LostFrame": "trackcore.recording.window",
    "PackagedSession": "trackcore.recording.package",
    "PitchConfig": "trackcore.recording.config",
    "PitchRecorder": "trackcore.recording.pitch_recorder",
    "PitchSetup": "trackcore.recording.setup",
    "PitchWindow": "trackcore.recording.window",
    "RecordedPitch": "trackcore.recording.reader",
    "RecordedSession": "trackcore.recording.reader",
    "RecordingOptions": "trackcore.recording.options",
    "RecordingStatus": "trackcore.recording.window",
    "SessionWriter": "trackcore.recording.session_writer",
    "VideoCodec": "trackcore.recording.video",
    "create_pitch_manifest": "trackcore.recording.summary",
    "export_calibration_metadata": "trackcore.recording.calibration",
    "open_session": "trackcore.recording.reader",
    "package_session": "trackcore.recording.package",
    "SessionCheck": "trackcore.recording.verify",
    "verify_package": "trackcore.recording.package_check",
    "verify_session": "trackcore.recording.verify",
}


def __getattr__(name: str) -> _Any:
    """Load a name of `_LAZY`."""
    if name not in _LAZY:
        raise AttributeError(f"module 'trackcore' has no attribute {name!r}")
    return getattr(_import_module(_LAZY[name]), name)


__all__ = sorted(
    name for name, value in vars().items() if hasattr(value, "__qualname__") and name[0] != "_"
)
__all__ += ["synth", *_LAZY]
