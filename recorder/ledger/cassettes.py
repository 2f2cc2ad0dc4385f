"""Cassettes kept in the store: ordered references to stored calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from zlib import crc32

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from ..cassettes.source import Change, Recorded
from ..errors import CassetteError, StoreError, StoreNotFound
from .access import reading, writing
from .content.reading import Payload, Reader, stored_payloads
from .database import open_database
from .rows import storable
from .tables import cassette_entries, cassettes
from .url import resolved, shown

# SQLite takes so many parameters in one statement in every build.
_PARAMETERS = 500
_LOCKS = 71653


class CassetteSummary(Struct, frozen=True):
    """One cassette of a store: its name, when it was first saved, and how many recordings it has."""

    name: str
    created_us: int
    entries: int


class StoreCassette:
    """A `CassetteSource` in a store; it refers to calls, which must be stored before it is saved.

    Raises CassetteError for a name that no database can hold.
    """

    def __init__(self, url: str, name: str) -> None:
        if storable(name) != name:
            raise CassetteError(f"{name!r} is no name for a cassette: it has signs that no database can hold")
        self._url = url
        self._name = name
        self._database = open_database(resolved(url))

    @property
    def name(self) -> str:
        return self._name

    def load(self) -> tuple[Recorded, ...] | None:
        """The recordings in the order in which they were asked for; None where there is no such cassette."""
        try:
            with reading(self._database) as connection:
                return self._load(connection)
        except StoreNotFound:
            return None

    def save(self, recordings: Sequence[Recorded]) -> None:
        """Replace the cassette by these recordings, as a whole or not at all.

        Raises CassetteError where one of their calls is not stored.
        """
        with writing(self._database) as connection:
            self._lock(connection)
            self._save(connection, recordings)

    def update(self, change: Change) -> None:
        """Load, change and save in one transaction; others who write this cassette wait."""
        with writing(self._database) as connection:
            self._lock(connection)
            self._save(connection, change(self._load(connection)))

    def delete(self) -> None:
        """Forget the cassette; the calls that it refers to stay."""
        with writing(self._database) as connection:
            self._lock(connection)
            connection.execute(delete(cassette_entries).where(cassette_entries.c.cassette == self._name))
            connection.execute(delete(cassettes).where(cassettes.c.name == self._name))

    def _lock(self, connection: Connection) -> None:
        """SQLite has one writer at a time; a server locks by a number that stands for the name."""
        if not self._database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCKS, crc32(self._name.encode()) - 2**31)))

    def _load(self, connection: Connection) -> tuple[Recorded, ...] | None:
        if connection.scalar(select(cassettes.c.name).where(cassettes.c.name == self._name)) is None:
            return None
        e = cassette_entries.c
        query = select(e.call_id, e.lane, e.credential).where(e.cassette == self._name).order_by(e.position)
        entries = connection.execute(query).all()
        found = Reader(connection).read([entry.call_id for entry in entries])
        return tuple([self._recorded(found.get(call_id), call_id, *rest) for call_id, *rest in entries])

    def _save(self, connection: Connection, recordings: Sequence[Recorded]) -> None:
        rows = [
            {
                "cassette": self._name,
                "position": position,
                "lane": recorded.lane,
                "credential": recorded.credential,
                "call_id": recorded.call_id,
            }
            for position, recorded in enumerate(recordings)
        ]
        # First, so that who prunes waits, or has pruned before it is looked what is stored.
        connection.execute(delete(cassette_entries).where(cassette_entries.c.cassette == self._name))
        self._check_stored(connection, [recorded.call_id for recorded in recordings])
        if connection.scalar(select(cassettes.c.name).where(cassettes.c.name == self._name)) is None:
            connection.execute(
                insert(cassettes), [{"name": self._name, "created_us": time.time_ns() // 1000}]
            )
        if rows:
            connection.execute(insert(cassette_entries), rows)

    def _recorded(self, payload: Payload | None, call_id: str, lane: int, credential: int) -> Recorded:
        if payload is None:
            raise CassetteError(f"cassette {self._name!r} needs call {call_id}, whose payload was removed")
        try:
            return Recorded(payload.exchange(), call_id, lane, credential)
        except StoreError as error:
            raise CassetteError(f"cassette {self._name!r} cannot be read: {error}") from error

    def _check_stored(self, connection: Connection, ids: list[str]) -> None:
        for start in range(0, len(ids), _PARAMETERS):
            some = ids[start : start + _PARAMETERS]
            stored = stored_payloads(connection, some)
            for position, id in enumerate(some, start):
                if id not in stored:
                    raise CassetteError(
                        f"cassette {self._name!r} cannot be saved: its recording {position + 1}, "
                        f"call {id}, is not stored in {shown(self._url)}"
                    )


def summaries(connection: Connection) -> list[CassetteSummary]:
    """All cassettes of a store, by name."""
    query = (
        select(cassettes.c.name, cassettes.c.created_us, func.count(cassette_entries.c.call_id))
        .outerjoin(cassette_entries, cassette_entries.c.cassette == cassettes.c.name)
        .group_by(cassettes.c.name, cassettes.c.created_us)
        .order_by(cassettes.c.name)
    )
    return [
        CassetteSummary(name, created_us, entries) for name, created_us, entries in connection.execute(query)
    ]
