"""The dictionaries of a store: one to begin with, and better ones learned from what the store holds.

A dictionary holds scraps of what it was learned from. Where content must go for good, `renew_dictionaries` presses
everything anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from ..bulk import insert_new
from ..database import Database
from ..tables import blobs, dictionaries, payloads
from .first_dictionary import FIRST
from .frames import CONTENT, RECORDS, Dictionaries, deflate, train
from .generations import due, first_of

_SAMPLES = 2_000
_RECORD_SAMPLES = 500
_LONGEST_SAMPLE = 8_000
_LARGEST = 112 << 10
# A dictionary can be a quarter of what it is learned from, since one that is too large costs nothing but its own room.
_SHARE = 4


class Pair(Struct, frozen=True):
    """A dictionary for content, one for records, and the number of the pair."""

    number: int
    content: bytes
    records: bytes

    def insert(self, connection: Connection) -> int:
        """Insert both, unless another process was faster; the number of the first."""
        first, made_us = first_of(self.number), time.time_ns() // 1000
        rows = [
            {"id": id, "kind": kind, "made_us": made_us, "data": deflate(data)}
            for id, kind, data in (
                (first, CONTENT, self.content),
                (first + 1, RECORDS, self.records),
            )
        ]
        insert_new(connection, dictionaries, "id", rows)
        return first


def fill_dictionaries(connection: Connection) -> None:
    """Give a new store the dictionaries that it begins with."""
    if connection.scalar(select(func.count()).select_from(dictionaries)) == 0:
        Pair(1, FIRST, FIRST).insert(connection)


def learn(database: Database) -> bool:
    """Learn the next dictionaries if it is time for them; whether there are new ones. What fails is tried again."""
    try:
        with database.read() as connection:
            pair = due(connection.scalar(select(func.max(blobs.c.id))) or 0)
            if pair <= _newest_pair(connection):
                # Another process was faster.
                return True
            learned = learn_pair(connection, pair)
        with database.write() as connection:
            learned.insert(connection)
    except SQLAlchemyError:
        return False
    return True


def learn_pair(connection: Connection, number: int | None = None) -> Pair:
    """Learn a pair of dictionaries from what a store holds; without a number it is the next one."""
    number = number or _newest_pair(connection) + 1
    return Pair(number, _train(list(_content(connection))), _train(list(_records(connection))))


def has_learned(connection: Connection) -> bool:
    """Whether a store has dictionaries besides those that it began with."""
    return _newest_pair(connection) > 1


def _newest_pair(connection: Connection) -> int:
    return (connection.scalar(select(func.max(dictionaries.c.id))) or 0) // 2


def _content(connection: Connection) -> Iterator[bytes]:
    """The newest blobs, as they were."""
    opened = Dictionaries(connection)
    b = blobs.c
    query = select(b.form, b.data).where(b.size <= _LONGEST_SAMPLE).order_by(b.id.desc()).limit(_SAMPLES)
    for form, data in connection.execute(query):
        with suppress(ValueError):
            yield opened.open(form, data)


def _records(connection: Connection) -> Iterator[bytes]:
    """The newest records, as they were."""
    opened = Dictionaries(connection)
    p = payloads.c
    query = select(p.form, p.record).where(p.record.is_not(None)).order_by(p.call_id.desc())
    for form, data in connection.execute(query.limit(_RECORD_SAMPLES)):
        with suppress(ValueError):
            yield opened.open(form, data)


def _train(samples: list[bytes]) -> bytes:
    """A dictionary for such samples; the first one where they give none."""
    size = min(_LARGEST, sum(map(len, samples)) // _SHARE)
    # It is learned from those in front, and tried on those at the end.
    random.Random(0).shuffle(samples)
    return train(samples, size) or FIRST
