"""Where the journal of a store is kept."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

from ..url import is_memory, resolved, shown, sqlite_path

OFF = ("0", "off", "false", "no")
"""What `$RECORDER_JOURNAL` says where no journal is wanted."""


def journal_directory(url: str, wanted: str | bool | None = None) -> Path | None:
    """The directory of a store's journal; None where there is to be none.

    `wanted` is a directory for the journals of any stores, or False for none; else `$RECORDER_JOURNAL`
    says the same. By default a SQLite file `calls.db` has `calls.db.journal` beside it, and a server a
    directory of its own in the user's `$XDG_STATE_HOME`. A store in memory has none.
    """
    said = os.environ.get("RECORDER_JOURNAL", "")
    if wanted is False or is_memory(url) or (wanted is None and said.lower() in OFF):
        return None
    if isinstance(wanted, str) or (said and said.lower() not in OFF):
        return Path(os.path.abspath(wanted if isinstance(wanted, str) else said), _store_name(url))
    if (path := sqlite_path(resolved(url))) is not None:
        return Path(f"{path}.journal")
    return _state_home() / "recorder" / "journal" / _store_name(url)


def _store_name(url: str) -> str:
    """A name for each store, also under another password."""
    text = shown(resolved(url))
    place = text.partition("?")[0].rstrip("/").rpartition("/")[2]
    word = "".join(character if character.isalnum() else "-" for character in place)[:40]
    return f"{word}-{blake2b(text.encode('utf-8', 'surrogateescape'), digest_size=6).hexdigest()}"


def _state_home() -> Path:
    said = os.environ.get("XDG_STATE_HOME", "")
    return Path(said) if os.path.isabs(said) else Path.home() / ".local" / "state"
