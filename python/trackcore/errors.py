"""Every exception trackcore raises on purpose.

TrackcoreError
├── InputError (also a ValueError)      a wrong argument: which one, what was expected, what came
│   ├── SourceError (also an OSError)   a clip that cannot be opened or read
│   ├── RecordError                     a record that is not what the schema says
│   ├── PrivacyError                    a record that would give away more than numbers
│   └── ArchiveError                    an archive that may not be imported
├── CancelledError                  the caller ended the work before it had a result
├── StoreError (also an OSError)    the data directory cannot be read or written
└── DependencyError (also an ImportError)   a package that is missing or cannot be loaded
"""


class TrackcoreError(Exception):
    """Base of all exceptions trackcore raises on purpose."""


class InputError(TrackcoreError, ValueError):
    """An argument has the wrong shape, dtype, range or unit."""


class SourceError(InputError, OSError):
    """A clip, image or mask cannot be found, opened or decoded."""


class RecordError(InputError):
    """A record, or a file that should hold one, is not what the schema says."""


class PrivacyError(InputError):
    """A record holds what may not leave this machine."""


class ArchiveError(InputError):
    """A file is no archive of records, or one that could do harm."""


class CancelledError(TrackcoreError):
    """The caller's `cancel` ended the work before there was a result."""


class StoreError(TrackcoreError, OSError):
    """The data directory cannot be read or written."""


class DependencyError(TrackcoreError, ImportError):
    """A package trackcore needs is missing or cannot be loaded."""
