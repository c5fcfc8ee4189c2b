"""What a data directory keeps for itself: the key of fingerprints, who contributes, consent.

Nothing of this is ever part of a record's export.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from trackcore._files import write_durably
from trackcore.session.home import explained
from trackcore.session.store import SessionStore

_KEY_BYTES = 32
_FINGERPRINT_DIGITS = 16
_CONTRIBUTOR_BYTES = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """The contents of `identity.json`.

    Attributes
    ----------
    key : str
        Secret of this data directory, hexadecimal.
    contributor_id : str or None
        Random name under which exports of this directory belong together; None for no name.
    learn_from_edits : bool
        The user agreed that what they change is recorded. Off until then.
    """

    key: str
    contributor_id: str | None = None
    learn_from_edits: bool = False

    def fingerprint(self, value: str, purpose: str = "clip") -> str:
        """Return 16 hexadecimal digits that only the holder of the key can compute."""
        message = f"{purpose}:{value}".encode()
        digest = hmac.new(bytes.fromhex(self.key), message, hashlib.sha256)
        return digest.hexdigest()[:_FINGERPRINT_DIGITS]


def load_identity(store: SessionStore) -> Identity:
    """Read the identity of a data directory; one that has none, or a damaged one, gets a new one.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    path = _path(store)
    try:
        found = Identity(**json.loads(path.read_text(encoding="utf-8")))
        if len(bytes.fromhex(found.key)) == _KEY_BYTES:
            return found
    except (OSError, ValueError, TypeError):
        pass
    return _save(store, Identity(secrets.token_hex(_KEY_BYTES), _new_contributor()))


def agree(store: SessionStore, *, learn_from_edits: bool = True) -> None:
    """Keep whether the user agrees that edits are recorded."""
    _save(store, replace(load_identity(store), learn_from_edits=learn_from_edits))


def reset_contributor(store: SessionStore, *, anonymous: bool = False) -> str | None:
    """Give exports another random name, or none; return it."""
    name = None if anonymous else _new_contributor()
    _save(store, replace(load_identity(store), contributor_id=name))
    return name


def clip_fingerprint(
    path: str | os.PathLike[str],
    size: tuple[int, int],
    fps: float,
    n_frames: int,
    store: SessionStore | None = None,
) -> str:
    """Return what recognises a clip on this machine, and nowhere else.

    The documented value, `md5("{abspath}:{width}:{height}:{fps}:{frames}")[:16]`, could be looked
    up by whoever guesses paths; it is therefore keyed with a secret of the data directory.

    Parameters
    ----------
    path : path
        File, folder or pattern of the clip.
    size : (w, h)
        Of its frames [px].
    fps : float
    n_frames : int
    store : SessionStore, optional
        Whose key; that of the default data directory otherwise.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  (documented: links are not followed)
    described = f"{absolute}:{size[0]}:{size[1]}:{fps}:{n_frames}"
    documented = hashlib.md5(described.encode(), usedforsecurity=False).hexdigest()
    return load_identity(store or SessionStore()).fingerprint(documented[:_FINGERPRINT_DIGITS])


def _path(store: SessionStore) -> Path:
    return store.root / "identity.json"


def _save(store: SessionStore, identity: Identity) -> Identity:
    store.home.make()
    path = _path(store)
    with explained(store.root):
        before = os.umask(0o077)  # the key is the user's alone
        try:
            write_durably(path, (json.dumps(asdict(identity), indent=2) + "\n").encode())
        finally:
            os.umask(before)
    return identity


def _new_contributor() -> str:
    return secrets.token_hex(_CONTRIBUTOR_BYTES)
