"""The intake of a process that leaves its journal to another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...attempt import Attempt
from ...ended import Ended
from ...exchange import Request
from ..intake import MemoryIntake, Record, nothing
from .journal import Journal


class AppendingIntake:
    """Writes to the journal and leaves it to another process to store that; keeps what cannot be written."""

    _writes_replays = True

    def __init__(self, directory: Path, limit_bytes: int, *, synced: bool = False) -> None:
        self.journal = Journal(directory, limit_bytes, synced=synced)
        self._memory = MemoryIntake(limit_bytes)
        self._shut = False

    @property
    def refused(self) -> int:
        """How many records there was no room for."""
        return self.journal.refused + self._memory.refused

    @property
    def lost(self) -> int:
        """How many records will not be stored."""
        return self.refused

    @property
    def reason(self) -> str:
        """Why records are lost."""
        return self._memory.reason

    @property
    def waiting(self) -> int:
        """How many records are to be stored by this process; about so many, but 0 only where there are none."""
        return self._memory.waiting

    @property
    def volatile(self) -> int:
        """How many records would be lost if the process ended now."""
        return self._memory.volatile

    @property
    def kept(self) -> int:
        """How many records this process leaves for others to store, where it should have done so itself."""
        return 0

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None:
        """Write down a call that is about to be sent."""
        if not self._shut:
            self.journal.start(attempt, request, started_us, redacted=redacted)

    def drop(self, attempt: Attempt) -> None:
        """Forget a call that was written down as started."""
        self.journal.drop(attempt)

    def put(self, record: Record) -> bool:
        """Add a record; false where there is no room for it."""
        if type(record) is Ended and not self._shut and (self._writes_replays or not record.attempt.replayed):
            written = self.journal.end(record)
            if written != "failed":
                return written == "written"
        return self._memory.put(record)

    def take(self, limit: int, between: Callable[[], None] = nothing) -> list[Any]:
        """The oldest records, at most so many; they stay until they are settled."""
        return self._memory.take(limit)

    def settle(self, count: int) -> None:
        """Forget the oldest records: they are stored, or given up."""
        self._memory.settle(count)

    def give_up(self) -> None:
        """Forget the oldest record: it is lost."""
        self._memory.give_up()

    def mark(self) -> Callable[[], bool]:
        """A question to ask later: whether all that was put before is settled."""
        return self._memory.mark()

    def shut(self) -> None:
        """Refuse all records from now on."""
        self._shut = True
        self._memory.shut()

    def close(self) -> None:
        """Let go of the files."""
        if not self._memory.waiting:
            self.journal.drop_elsewhere()
        self.journal.log.close()

    def forsake(self) -> None:
        """In a forked child: the files are the parent's."""
        self.journal.log.release()
