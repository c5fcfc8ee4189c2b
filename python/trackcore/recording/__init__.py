"""Sessions of pitches on disk: the documented files, what writes them and what reads them."""

from trackcore.recording.options import RecordingOptions as RecordingOptions
from trackcore.recording.window import SIDES as SIDES
from trackcore.recording.window import CapturedFrame as CapturedFrame
from trackcore.recording.window import FrameDetections as FrameDetections
from trackcore.recording.window import LostFrame as LostFrame
from trackcore.recording.window import PitchWindow as PitchWindow
from trackcore.recording.window import RecordingStatus as RecordingStatus
