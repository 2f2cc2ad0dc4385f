"""Collecting nodes and blobs that nothing refers to any more, while others write.

While a collection runs, every writer notes what its rows refer to (`used`), and looks at nothing that it remembers of
an earlier epoch. What is deleted is deleted while no writer has a transaction open, and each such deletion begins a
new epoch: so a writer never refers to what is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, func, select, update

from ..database import Database
from ..tables import blobs, collection, nodes, payloads, used
from .items import unpack_numbers
from .lease import Lease
from .presence import exclusive_lock, portions

Progress = Callable[[int, int], None]

_PAGE = 5_000
_SWEEP = 2_000


class Collected(Struct):
    """What was collected, or what would be: how many nodes and blobs, and how many bytes these take."""

    nodes: int = 0
    blobs: int = 0
    bytes: int = 0


def unreferenced(connection: Connection, going: ColumnElement[bool] | None = None) -> Collected:
    """What a collection would delete now, or after those `payloads` are gone."""
    collected = Collected()
    marks = _Marks(connection, going)
    for table in (nodes, blobs):
        for ids in _pages(connection, table, marks.last[table]):
            _count(connection, table, marks.unused(table, ids), collected)
    return collected


def collect(database: Database, *, progress: Progress | None = None) -> Collected:
    """Delete what nothing refers to, in batches of a short transaction each.

    Others may read, write and remove payloads meanwhile; what they remove is found the next time. A collection that
    was interrupted can be run again; one that begins while another runs takes its place.
    """
    collected, lease = Collected(), Lease()
    with database.write() as connection:
        exclusive_lock(connection)
        lease.take(connection)
    try:
        with database.read() as connection:
            marks = _Marks(connection)
        _sweep(database, lease, marks, collected, progress)
    finally:
        with database.write() as connection:
            exclusive_lock(connection)
            lease.end(connection)
    return collected


def _sweep(
    database: Database, lease: Lease, marks: _Marks, collected: Collected, progress: Progress | None
) -> None:
    total, done = sum(marks.last.values()), 0
    for table in (nodes, blobs):
        first = 1
        while first <= marks.last[table]:
            last = min(first + _SWEEP - 1, marks.last[table])
            with database.read() as connection:
                ids = list(connection.scalars(select(table.c.id).where(table.c.id.between(first, last))))
            if marks.unused(table, ids) and not _delete(database, lease, marks, table, ids, collected):
                return
            done += last - first + 1
            first = last + 1
            if progress is not None:
                progress(done, total)


def _delete(
    database: Database, lease: Lease, marks: _Marks, table: Table, ids: list[int], collected: Collected
) -> bool:
    """Delete those of some rows that are unused, also by who wrote since; false where another collects now."""
    with database.write() as connection:
        exclusive_lock(connection)
        if not lease.renew(connection):
            return False
        marks.add_used(connection)
        unused = marks.unused(table, ids)
        _count(connection, table, unused, collected)
        for some in portions(unused):
            connection.execute(delete(table).where(table.c.id.in_(some)))
        connection.execute(update(collection).values(epoch=collection.c.epoch + 1))
        return True


class _Marks:
    """Which nodes and blobs are used: a byte for each id, as of one state of the store and what was added since."""

    def __init__(self, connection: Connection, going: ColumnElement[bool] | None = None) -> None:
        self.last = {
            table: int(connection.scalar(select(func.max(table.c.id))) or 0) for table in (nodes, blobs)
        }
        self._marks = {table: bytearray(last + 1) for table, last in self.last.items()}
        p = payloads.c
        query = select(p.call_id, p.node, p.pieces)
        for rows in _keyed_pages(connection, query if going is None else query.where(~going), p.call_id):
            self._mark((node for node, _ in rows), (pieces for _, pieces in rows))
        self._mark_ancestors(connection)

    def unused(self, table: Table, ids: Iterable[int]) -> list[int]:
        """Those of some ids that nothing uses."""
        marks = self._marks[table]
        return [id for id in ids if not marks[id]]

    def add_used(self, connection: Connection) -> None:
        """Mark what writers have referred to since the collection began, and take note of it no more."""
        rows = connection.execute(select(used.c.node, used.c.pieces)).all()
        if not rows:
            return
        connection.execute(delete(used))
        self._mark((), (row.pieces for row in rows))
        open = {row.node for row in rows if row.node is not None}
        while open:
            found: list[Row[Any, Any, Any]] = []
            for some in portions(open):
                query = select(nodes.c.id, nodes.c.parent, nodes.c.pieces).where(nodes.c.id.in_(some))
                found.extend(connection.execute(query).all())
            self._mark((row.id for row in found), (row.pieces for row in found))
            open = {row.parent for row in found if row.parent is not None}

    def _mark_ancestors(self, connection: Connection) -> None:
        """Mark all that marked nodes refer to; a parent is always older than its children."""
        marks = self._marks[nodes]
        columns = (nodes.c.id, nodes.c.parent, nodes.c.pieces)
        last = self.last[nodes] + 1
        while last > 1:
            query = select(*columns).where(nodes.c.id < last).order_by(nodes.c.id.desc()).limit(_PAGE)
            rows = connection.execute(query).all()
            if not rows:
                break
            for id, parent, pieces in rows:
                if marks[id]:
                    self._mark((parent,), (pieces,))
            last = rows[-1].id

    def _mark(self, node_ids: Iterable[int | None], packed: Iterable[bytes]) -> None:
        last, marks = self.last[nodes], self._marks[nodes]
        for id in node_ids:
            if id is not None and id <= last:
                marks[id] = 1
        last, marks = self.last[blobs], self._marks[blobs]
        for numbers in packed:
            for id in unpack_numbers(numbers):
                if id <= last:
                    marks[id] = 1


def _pages(connection: Connection, table: Table, last: int) -> Iterator[list[int]]:
    for first in range(1, last + 1, _PAGE):
        query = select(table.c.id).where(table.c.id.between(first, min(last, first + _PAGE - 1)))
        yield list(connection.scalars(query))


def _keyed_pages(
    connection: Connection, query: Select[Any], key: ColumnElement[str]
) -> Iterator[list[tuple[int | None, bytes]]]:
    last = ""
    query = query.order_by(key).limit(_PAGE)
    while rows := connection.execute(query.where(key > last)).all():
        yield [(row.node, row.pieces) for row in rows]
        last = rows[-1][0]


def _count(connection: Connection, table: Table, ids: list[int], collected: Collected) -> None:
    """Add some rows to what is collected."""
    data = table.c.messages if table is nodes else table.c.data
    for some in portions(ids):
        size = select(func.sum(func.length(data) + func.length(table.c.hash))).where(table.c.id.in_(some))
        collected.bytes += connection.scalar(size) or 0
    if table is nodes:
        collected.nodes += len(ids)
    else:
        collected.blobs += len(ids)
