"""Where records wait for the store: the seam between callers and the writer."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from ..attempt import Attempt
from ..call import Call
from ..exchange import Exchange, Request
from ..sampling import Content

_BATCH_BYTES = 16 * 1024 * 1024


class Record(Protocol):
    """One call on its way to the store; `size` is about what it takes in memory, in bytes.

    `exchange`, `call` and `content` may do their work when they are asked for, and fail.
    """

    @property
    def exchange(self) -> Exchange: ...

    @property
    def call(self) -> Call: ...

    @property
    def content(self) -> Content: ...

    @property
    def size(self) -> int: ...


def nothing() -> None:
    """What is done between pieces where nobody waits."""


class Intake(Protocol):
    """Takes records from any thread and gives them to one writer, which settles them when they are stored.

    `refused` are those for which there was no room, `lost` all that will not be stored, `reason` says why.
    `waiting` is about how many are to be stored, 0 only where there are none; `volatile` how many of them
    would be lost with the process, `kept` how many of its own it would leave to others.
    """

    @property
    def refused(self) -> int: ...

    @property
    def lost(self) -> int: ...

    @property
    def reason(self) -> str: ...

    @property
    def waiting(self) -> int: ...

    @property
    def volatile(self) -> int: ...

    @property
    def kept(self) -> int: ...

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None:
        """Learn that a call is about to be sent; `request` is without secrets."""

    def drop(self, attempt: Attempt) -> None:
        """Learn that a call which started will not be put."""

    def put(self, record: Record) -> bool:
        """Add a record; false where there is no room for it."""

    def take(self, limit: int, between: Callable[[], None] = nothing) -> list[Record]:
        """The oldest records, at most so many; they stay until they are settled.

        What takes long is done in pieces, with `between` called between them.
        """

    def settle(self, count: int) -> None:
        """Forget the oldest records: they are stored, or given up."""

    def give_up(self) -> None:
        """Forget the oldest record, which the store refuses; one that is on disk is kept aside there."""

    def mark(self) -> Callable[[], bool]:
        """A question to ask later: whether all that was put before is settled."""

    def shut(self) -> None:
        """Refuse all records from now on."""

    def close(self) -> None:
        """Let go of whatever is open; may come more than once."""

    def forsake(self) -> None:
        """In a forked child: what is open is the parent's."""


class MemoryIntake:
    """An intake in memory, bounded by the size of its records.

    Every record put is counted once: as `accepted` and some time later as `settled`, or as `refused`.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.settled = 0
        self.refused = 0
        self.limit_bytes = limit_bytes
        self._shut = False
        self._bytes = 0
        self._records: deque[Record] = deque()
        # Reentrant: a signal or the garbage collector may end a capture inside any of these methods.
        self._lock = threading.RLock()

    @property
    def accepted(self) -> int:
        """How many records were taken in so far."""
        with self._lock:
            return self.settled + len(self._records)

    @property
    def lost(self) -> int:
        """How many records will not be stored."""
        return self.refused

    @property
    def reason(self) -> str:
        """Why records are lost."""
        return f"more than {self.limit_bytes} bytes were waiting to be stored"

    @property
    def waiting(self) -> int:
        """How many records are to be stored."""
        return len(self._records)

    @property
    def volatile(self) -> int:
        """The same: none of them outlives the process."""
        return len(self._records)

    @property
    def kept(self) -> int:
        """None outlives the process."""
        return 0

    def start(self, attempt: Attempt, request: Request, started_us: int, *, redacted: bool) -> None:
        """Nothing is kept of a call before its end."""

    def drop(self, attempt: Attempt) -> None:
        """Nothing was kept."""

    def put(self, record: Record) -> bool:
        """Add a record; false where there is no room for it."""
        with self._lock:
            size = self._bytes + record.size
            if self._shut or size > self.limit_bytes:
                self.refused += 1
                return False
            self._bytes = size
            self._records.append(record)
            return True

    def take(self, limit: int, between: Callable[[], None] = nothing) -> list[Record]:
        """The oldest records: at most so many, and not more bytes than one transaction should have."""
        with self._lock:
            records = list(islice(self._records, limit))
        size = 0
        for count, record in enumerate(records):
            size += record.size
            if size > _BATCH_BYTES and count:
                return records[:count]
        return records

    def settle(self, count: int) -> None:
        """Forget the oldest records: they are stored, or given up."""
        with self._lock:
            for _ in range(count):
                self._bytes -= self._records.popleft().size
            self.settled += count
            if not self._records:
                self._bytes = 0  # a put inside a put may have miscounted

    def give_up(self) -> None:
        """Forget the oldest record: it is lost."""
        self.settle(1)

    def mark(self) -> Callable[[], bool]:
        """A question to ask later: whether all that was put before is settled."""
        target = self.accepted
        return lambda: self.settled >= target

    def shut(self) -> None:
        """Refuse all records from now on."""
        self._shut = True

    def close(self) -> None:
        """Nothing is open."""

    def forsake(self) -> None:
        """The records are the parent's."""
