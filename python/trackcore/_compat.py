"""What older supported Pythons lack."""

import sys

if sys.version_info >= (3, 11):
    from enum import StrEnum
else:
    from enum import Enum

    class StrEnum(str, Enum):
        """`enum.StrEnum` for Python 3.10."""

        __str__ = str.__str__


__all__ = ["StrEnum"]
