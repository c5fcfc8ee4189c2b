"""Lines that say how long they are and what they sum to, so that a torn one is never believed.

The journal of a running session and the indices are such files: bytes are only ever appended, and
whoever reads takes what is whole. A line is `<crc32, 8 hex digits> <payload>`, the payload JSON
without line breaks.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

_SUM_BYTES = 8


def line(value: Any) -> bytes:
    """Return `value` as a line.

    Raises
    ------
    ValueError
        If it holds NaN or infinity.
    """
    payload = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %b\n" % (zlib.crc32(payload), payload)


def values(data: bytes) -> Iterator[Any | None]:
    """Yield the value of each line, None for one that is not whole."""
    for raw in data.split(b"\n")[:-1]:
        yield _value(raw)
    if data and not data.endswith(b"\n"):
        yield None


def _value(raw: bytes) -> Any | None:
    payload = raw[_SUM_BYTES + 1 :]
    try:
        if int(raw[:_SUM_BYTES], 16) != zlib.crc32(payload):
            return None
        return json.loads(payload)
    except ValueError:
        return None
