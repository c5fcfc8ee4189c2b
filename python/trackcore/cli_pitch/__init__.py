"""The verbs of `trackcore pitch`."""

from trackcore.cli_pitch import session_verbs as _session_verbs  # noqa: F401 (registers them)
from trackcore.cli_pitch import share_verbs as _share_verbs  # noqa: F401 (registers them)
from trackcore.cli_pitch import verbs as _verbs  # noqa: F401 (registers them)
from trackcore.cli_pitch.common import app

__all__ = ["app"]
