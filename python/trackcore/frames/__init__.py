"""Video, image sequence or array -> frames with their numbers and times."""

from trackcore.frames._clip import Clip, open_clip
from trackcore.frames._mask import load_mask
from trackcore.frames._prefetch import prefetch
from trackcore.frames._source import ClipInfo, Frame

__all__ = ["Clip", "ClipInfo", "Frame", "load_mask", "open_clip", "prefetch"]
