"""What was removed, taken out of the index of the search as well."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from ..database import Database
from ..search import index
from ..search.index import looked_through
from ..tables import calls
from .removing import has_payload

_BATCH: Final = 200
_AT_ONCE: Final = 20_000


def remove_from_index(database: Database) -> int:
    """Take calls out whose payloads were removed before this; how many these were.

    Where these are most of it, the index is dropped: to make it anew is less work, and left to the next search.
    """
    with database.read() as connection:
        if not index.exists(connection):
            return 0
        there = select(calls.c.seq).where(calls.c.seq == looked_through.c.seq, has_payload()).exists()
        gone = list(connection.scalars(select(looked_through.c.seq).where(~there)))
        total = connection.scalar(select(func.count()).select_from(looked_through)) or 0
    if gone and len(gone) * 2 > total:
        with database.write() as connection:
            index.leave_no_bytes(connection)
            index.drop(connection)
        return len(gone)
    for start in range(0, len(gone), _AT_ONCE):
        with database.read() as connection:
            kept = list(index.kept(connection, gone[start : start + _AT_ONCE]).items())
        for first in range(0, len(kept), _BATCH):
            with database.write() as connection:
                index.leave_no_bytes(connection)
                # Waits for who fills the index just now, and may have seen what was there before.
                if index.upto(connection, lock=True) is not None:
                    index.remove(connection, dict(kept[first : first + _BATCH]))
    return len(gone)


def purge_index(database: Database) -> None:
    """Leave none of the words in it that were taken out."""
    with database.write() as connection:
        index.leave_no_bytes(connection)
        if index.upto(connection, lock=True) is not None:
            index.purge(connection)
