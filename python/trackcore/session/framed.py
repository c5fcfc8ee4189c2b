"""Lines that say how long they are and what they sum to, so that a torn one is never believed.

The journal of a running session and the indices are such files: bytes are only ever appended, and
whoever reads takes what is whole. A line is `<crc32, 8 hex digits> <payload>`, the payload JSON
without line breaks.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

_SUM_BYTES = 8
_TORN = b"null"


def line(value: Any) -> bytes:
    """Return `value` as a line.

    Raises
    ------
    ValueError
        If it holds NaN or infinity.
    """
    payload = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %b\n" % (zlib.crc32(payload), payload)


def values(data: bytes) -> list[Any | None]:
    """Return the value of each line, None for one that is not whole."""
    lines = data.split(b"\n")
    torn_end = [None] if lines.pop() else []
    payloads = [_payload(raw) for raw in lines]
    try:  # one call is much faster than one per line
        return [*json.loads(b"[" + b",".join(payloads) + b"]"), *torn_end]
    except ValueError:  # sums can be right by chance, or made by another program
        return [*map(_value, payloads), *torn_end]


def _payload(raw: bytes) -> bytes:
    payload = raw[_SUM_BYTES + 1 :]
    try:
        whole = int(raw[:_SUM_BYTES], 16) == zlib.crc32(payload)
    except ValueError:
        whole = False
    return payload if whole else _TORN


def _value(payload: bytes) -> Any | None:
    try:
        return json.loads(payload)
    except ValueError:
        return None
