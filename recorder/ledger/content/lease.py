"""Who collects: one process at a time, by a lease that lapses where its holder has died."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, delete, select, update

from ..tables import collection, used

LEASE_S: Final = 900
"""How long a collector may be silent. One that lives on for longer finds its lease gone, and stops."""

Clock = Callable[[], float]


class Lease:
    """The right to collect, as the store has it in `collection.collector`: when it was renewed, and by whom."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._holder = uuid.uuid4().hex

    def take(self, connection: Connection) -> None:
        """Collect from now on, in the place of whoever did so far; needs the exclusive lock."""
        self._write(connection)
        connection.execute(delete(used))

    def renew(self, connection: Connection) -> bool:
        """Say that this collector lives; false where another took its place, or it was taken for dead."""
        if not self._held(connection):
            return False
        self._write(connection)
        return True

    def end(self, connection: Connection) -> None:
        """Collect no more, unless another does."""
        if self._held(connection):
            forget(connection)

    def _held(self, connection: Connection) -> bool:
        found = connection.scalar(select(collection.c.collector))
        return found is not None and found.partition("-")[2] == self._holder

    def _write(self, connection: Connection) -> None:
        value = f"{int(self._clock())}-{self._holder}"
        connection.execute(update(collection).values(collector=value))


def is_dead(collector: str, now_s: float) -> bool:
    """Whether a collector has been silent for so long that it must have died."""
    renewed = collector.partition("-")[0]
    return not renewed.isdecimal() or int(renewed) + LEASE_S < now_s


def forget(connection: Connection) -> None:
    """Nobody collects: writers need not say any more what they refer to."""
    connection.execute(update(collection).values(collector=None))
    connection.execute(delete(used))
