"""Where records wait for the store: the seam between callers and the writer."""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice
from typing import Protocol

from ..call import Call
from ..exchange import Exchange

_BATCH_BYTES = 16 * 1024 * 1024


class Record(Protocol):
    """One call on its way to the store; `size` is about what it takes in memory, in bytes.

    `exchange` and `call` may do their work when they are asked for, and fail.
    """

    @property
    def exchange(self) -> Exchange: ...

    @property
    def call(self) -> Call: ...

    @property
    def size(self) -> int: ...


class Intake(Protocol):
    """Takes records from any thread and gives them to one writer, which settles them when they are stored.

    Every record put is counted once: as `accepted` and some time later as `settled`, or as `refused`.
    """

    @property
    def accepted(self) -> int: ...

    @property
    def settled(self) -> int: ...

    @property
    def refused(self) -> int: ...

    def put(self, record: Record) -> bool:
        """Add a record; false where there is no room for it."""

    def take(self, limit: int) -> list[Record]:
        """The oldest records, at most so many; they stay until they are settled."""

    def settle(self, count: int) -> None:
        """Forget the oldest records: they are stored, or given up."""

    def shut(self) -> None:
        """Refuse all records from now on."""


class MemoryIntake:
    """An intake in memory, bounded by the size of its records."""

    def __init__(self, limit_bytes: int) -> None:
        self.settled = 0
        self.refused = 0
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._records: deque[Record] = deque()
        # Reentrant: a signal or the garbage collector may end a capture inside any of these methods.
        self._lock = threading.RLock()

    @property
    def accepted(self) -> int:
        """How many records were taken in so far."""
        with self._lock:
            return self.settled + len(self._records)

    def put(self, record: Record) -> bool:
        """Add a record; false where there is no room for it."""
        with self._lock:
            size = self._bytes + record.size
            if size > self._limit_bytes:
                self.refused += 1
                return False
            self._bytes = size
            self._records.append(record)
            return True

    def take(self, limit: int) -> list[Record]:
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

    def shut(self) -> None:
        """Refuse all records from now on."""
        self._limit_bytes = -1
