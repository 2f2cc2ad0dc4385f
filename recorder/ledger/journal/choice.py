"""Which intake a recorder's settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...errors import SettingsError
from ...settings import Settings
from ..intake import Intake
from . import locks
from .appending import AppendingIntake
from .intake import JournalIntake
from .place import journal_directory


def chosen_intake(settings: Settings) -> Callable[[], Intake] | None:
    """What makes the journal's intake; None where calls are to wait in memory.

    Raises SettingsError for values that there are not.
    """
    if settings.durability not in ("process", "power"):
        raise SettingsError(f"durability is 'process' or 'power', not {settings.durability!r}")
    if settings.drain not in ("thread", "external"):
        raise SettingsError(f"drain is 'thread' or 'external', not {settings.drain!r}")
    directory = journal_directory(settings.store, settings.journal) if locks.AVAILABLE else None
    if directory is None:
        if settings.drain == "external":
            raise SettingsError("drain='external' needs a journal, and there is none")
        return None
    kind = AppendingIntake if settings.drain == "external" else JournalIntake
    return partial(kind, directory, settings.queue_bytes, synced=settings.durability == "power")
