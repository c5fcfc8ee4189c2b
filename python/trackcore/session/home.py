"""Where records are kept, and how several processes share the place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trackcore.errors import StoreError

ENVIRONMENT = "TRACKCORE_HOME"
LOCK_TIMEOUT_S = 60.0


def data_directory(root: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of all records: `root`, else `TRACKCORE_HOME`, else the platform's own.

    The folder need not exist.
    """
    chosen = root if root is not None else os.environ.get(ENVIRONMENT)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_dir

    return Path(user_data_dir("trackcore", appauthor=False))


class Home:
    """The documented folders under the data directory, and a hidden one for what can be rebuilt.

    Attributes
    ----------
    root : Path
        The data directory.
    sessions, behavior, models : Path
        Folders of records.
    model, aggregate_stats : Path
        Files.
    journals : Path
        Sessions being written.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        self.root = data_directory(root)
        self.sessions = self.root / "sessions"
        self.behavior = self.root / "behavior"
        self.models = self.root / "models"
        self.model = self.root / "model.json"
        self.aggregate_stats = self.root / "aggregate_stats.json"
        self._work = self.root / ".trackcore"
        self.journals = self._work / "journals"

    def index(self, folder: str) -> Path:
        """Return the path of the index of a folder of records."""
        return self._work / f"{folder}.index"

    def make(self) -> None:
        """Create the folders that sessions need.

        Raises
        ------
        StoreError
            If they cannot be created.
        """
        with explained(self.root):
            for folder in (self.sessions, self.behavior, self.journals):
                folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def lock(self, name: str = "store", timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
        """Be the only one who holds the lock of this name.

        `store`: whoever changes many records as one, such as an import. `journals`: whoever opens
        or recovers a journal. Saving a record needs no lock.

        Raises
        ------
        StoreError
            If another process holds the lock for longer than `timeout_s`, or it cannot be made.
        """
        from filelock import FileLock, Timeout

        with explained(self.root):
            self._work.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._work / f"{name}.lock", timeout=timeout_s, thread_local=False)
            try:
                lock.acquire()
            except Timeout:
                raise StoreError(
                    f"{self.root}: another process has been at work on it for {timeout_s:g} s"
                ) from None
        try:
            yield
        finally:
            lock.release()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an `OSError` into a `StoreError` that says where, and what can be done."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(
            error.errno,
            f"cannot write the records in {path}: {error.strerror or error}"
            f" (set {ENVIRONMENT} to a folder that can be written)",
        ) from error
