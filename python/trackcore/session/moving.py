"""Moving checked records into place, so that a killed process leaves all of the move or nothing.

Records lie in a staging folder first. Once a file `commit` stands beside them the move is promised:
whoever opens the store next ends it. Without it the folder is waste. Every step may be repeated.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trackcore._files import sync_folder, write_durably
from trackcore.errors import StoreError
from trackcore.session.home import Home, explained

_PREFIX = "import-"
_COMMIT, _GONE = "commit", "gone"


@contextmanager
def staging(home: Home) -> Iterator[Path]:
    """Yield an empty folder on the store's own file system; remove it unless a move is promised.

    Call with the lock `store` held.
    """
    folder = home.journals.parent / f"{_PREFIX}{secrets.token_hex(4)}"
    with explained(home.root):
        folder.mkdir()
        try:
            yield folder
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(error.errno, f"cannot import into {home.root}: {error}") from error
        finally:
            if not (folder / _COMMIT).exists():
                shutil.rmtree(folder, ignore_errors=True)


def move(home: Home, folder: Path, *, replace: bool) -> None:
    """Promise to move what is staged in `folder` into place, and do it.

    Parameters
    ----------
    home : Home
    folder : Path
        With `sessions`, `behavior` and perhaps `model.json`.
    replace : bool
        Records and model that are there now go.

    Raises
    ------
    OSError
        If the records that are there cannot be set aside: all is as it was then. If those that
        are staged cannot be moved, the next to open the store goes on with it.
    """
    promise = {"replace": replace, "had_model": home.model.exists()}
    write_durably(folder / _COMMIT, json.dumps(promise).encode())
    try:
        if replace:
            _set_aside(home, folder, promise)
    except OSError:
        _put_back(home, folder)
        raise
    _finish(home, folder, promise)


def interrupted(home: Home) -> list[Path]:
    """Return the staging folders of imports that run, or were killed."""
    return sorted(home.journals.parent.glob(f"{_PREFIX}*"))


def recover(home: Home, *, timeout_s: float = 0.0) -> None:
    """End the moves that killed processes had promised, and remove what they had only staged.

    Does nothing while another process holds the store: its import lives.
    """
    with contextlib.suppress(StoreError), home.lock("store", timeout_s=timeout_s):
        recover_locked(home)


def recover_locked(home: Home) -> None:
    """Do what `recover` does; call with the lock `store` held."""
    for folder in interrupted(home):
        with contextlib.suppress(OSError):  # a full disk: another time
            promise = _promised(folder)
            if promise is not None:
                if promise["replace"]:
                    _set_aside(home, folder, promise)
                _finish(home, folder, promise)
            shutil.rmtree(folder)


def _promised(folder: Path) -> dict[str, Any] | None:
    try:
        promise = json.loads((folder / _COMMIT).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return promise if isinstance(promise, dict) and "replace" in promise else None


def _set_aside(home: Home, folder: Path, promise: dict[str, Any]) -> None:
    """Move all records that were there when the move was promised into the staging folder."""
    gone = folder / _GONE
    gone.mkdir(exist_ok=True)
    for place in (home.sessions, home.behavior):
        aside = gone / place.name
        if not aside.exists():
            place.rename(aside)
        place.mkdir(exist_ok=True)  # a session that ended just now may have made it
    aside = gone / home.model.name
    if promise["had_model"] and not aside.exists():
        home.model.rename(aside)


def _put_back(home: Home, folder: Path) -> None:
    """Undo `_set_aside` after a failure, and the promise."""
    gone = folder / _GONE
    for place in (home.sessions, home.behavior):
        aside = gone / place.name
        if aside.exists():
            for newer in place.glob("*") if place.exists() else ():
                newer.replace(aside / newer.name)
            if place.exists():
                place.rmdir()
            aside.rename(place)
    if (gone / home.model.name).exists():
        (gone / home.model.name).rename(home.model)
    (folder / _COMMIT).unlink()


def _finish(home: Home, folder: Path, promise: dict[str, Any]) -> None:
    for place in (home.sessions, home.behavior):
        for file in sorted((folder / place.name).iterdir()):
            file.replace(place / file.name)
        sync_folder(place)
    model = folder / home.model.name
    if model.exists() and (promise["replace"] or not promise["had_model"]):
        model.replace(home.model)
    (folder / _COMMIT).unlink()
