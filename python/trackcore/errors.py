"""Every exception trackcore raises on purpose.

TrackcoreError
├── InputError (also a ValueError)      a wrong argument: which one, what was expected, what came
│   └── SourceError (also an OSError)   a clip that cannot be opened or read
└── DependencyError (also an ImportError)   a package that is missing or cannot be loaded
"""


class TrackcoreError(Exception):
    """Base of all exceptions trackcore raises on purpose."""


class InputError(TrackcoreError, ValueError):
    """An argument has the wrong shape, dtype, range or unit."""


class SourceError(InputError, OSError):
    """A clip, image or mask cannot be found, opened or decoded."""


class DependencyError(TrackcoreError, ImportError):
    """A package trackcore needs is missing or cannot be loaded."""
