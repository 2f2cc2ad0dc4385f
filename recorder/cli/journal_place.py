"""The journal that a command is about: where it is, and whether what the user named can be one."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from ..errors import StoreError
from ..ledger.journal import journal_directory


def wanted_directory(url: str, journal: Path | None, *, there: bool = True) -> Path | None:
    """The journal of a store, None where it has none.

    A directory that was named must be `there`. Raises StoreError where a file stands in its place.
    """
    if journal is not None and there and not journal.exists():
        raise typer.BadParameter(
            f"there is no directory {str(journal)!r}; name the one that holds the journals",
            param_hint="--journal",
        )
    if journal is not None and journal.exists() and not journal.is_dir():
        raise typer.BadParameter(
            f"{str(journal)!r} is no directory; name the one that holds the journals", param_hint="--journal"
        )
    directory = journal_directory(url, None if journal is None else str(journal))
    if directory is not None and os.path.lexists(directory) and not directory.is_dir():
        raise StoreError(f"{directory} is to be the directory of the journal, and is none; move it away")
    return directory
