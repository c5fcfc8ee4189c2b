"""Sessions of pitches on disk: the documented files, what writes them and what reads them."""

from trackcore.recording.calibration import (
    export_calibration_metadata as export_calibration_metadata,
)
from trackcore.recording.config import PitchConfig as PitchConfig
from trackcore.recording.findings import Check as Check
from trackcore.recording.findings import Finding as Finding
from trackcore.recording.key_frames import FrameExtractor as FrameExtractor
from trackcore.recording.key_frames import KeyFrame as KeyFrame
from trackcore.recording.options import RecordingOptions as RecordingOptions
from trackcore.recording.package import PackagedSession as PackagedSession
from trackcore.recording.package import package_session as package_session
from trackcore.recording.package_check import verify_package as verify_package
from trackcore.recording.pitch_files import WrittenPitch as WrittenPitch
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
from trackcore.recording.window import SIDES as SIDES
from trackcore.recording.window import CapturedFrame as CapturedFrame
from trackcore.recording.window import FrameDetections as FrameDetections
from trackcore.recording.window import LostFrame as LostFrame
from trackcore.recording.window import PitchWindow as PitchWindow
from trackcore.recording.window import RecordingStatus as RecordingStatus
