"""Erasings that have begun and not ended: who was killed in between leaves content that no call shows any more.

Each has a row among the prunings, of what began before the year 1970, which is nothing.
"""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import Connection, delete, func, select

from ..database import Database
from ..tables import prunings

_ERASING: Final = {"before_us": 0, "payloads_only": 0, "calls": 0, "payloads": 0}


def begin_erasing(database: Database) -> int:
    """Note that an erasing begins; its number."""
    row = {"at_us": time.time_ns() // 1000, **_ERASING}
    with database.write() as connection:
        key = connection.execute(prunings.insert().values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def end_erasing(database: Database, number: int) -> None:
    """Note that an erasing has ended, which did what those before it had left."""
    with database.write() as connection:
        connection.execute(delete(prunings).where(prunings.c.before_us == 0, prunings.c.seq <= number))


def erasings_left(connection: Connection) -> bool:
    """Whether erasings were interrupted, or go on now."""
    query = select(func.count()).select_from(prunings).where(prunings.c.before_us == 0)
    return bool(connection.scalar(query))
