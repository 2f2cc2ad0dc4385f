"""What ended programs left in the journal: stored before somebody looks, so that the last calls are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..ledger.journal import journal_directory
from ..ledger.journal.files import names
from ..ledger.journal.locks import is_locked
from .calls import counted
from .console import say
from .store import command_for

_PATIENCE_S: Final = 10.0


def store_leftovers(url: str) -> None:
    """Store what is left of programs that ended, and say so; where that fails, say what to do, and go on."""
    directory = journal_directory(url, None)
    if directory is None or not _has_leftovers(directory):
        return
    from ..ledger.journal.draining import Draining

    draining = Draining(url, directory, every=False)
    try:
        done = draining.run(_PATIENCE_S)
    finally:
        draining.close()
    if draining.stored:
        say(f"{counted(draining.stored, 'call')} of ended programs stored, from the journal", "dim")
    if not done:
        reason = f": {draining.failure}" if draining.failure else ""
        say(f"not all calls of ended programs could be stored{reason}; see: {command_for('db status', url)}")


def _has_leftovers(directory: Path) -> bool:
    try:
        return any(not is_locked(directory / f"{name}.live") for name in names(directory))
    except OSError:
        return False
