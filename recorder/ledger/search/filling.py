"""Bringing the index up to date with what was stored since the last search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from ...errors import StoreError
from ..access import reading, writing
from ..content.presence import exclusive_lock
from ..content.reading import Payload, Reader, stored_payloads
from ..database import Database
from ..failure import diagnose
from ..tables import calls, nodes, payloads
from ..url import argument
from . import index
from .index import Document, looked_through
from .texts import turn_texts
from .words import terms

Progress = Callable[[int, int], None]

_BATCH: Final = 200
_c = calls.c


def bring_up_to_date(database: Database, progress: Progress) -> int:
    """Look through the calls that came since the last time, in batches of a short transaction each; how many.

    Where there is no index yet, it is made. Of several who do this at once, each goes on where another was.
    Raises StoreError, which says what to do where the store cannot be written.
    """
    try:
        return _bring_up_to_date(database, progress)
    except StoreError as error:
        cause = error.__cause__
        if not isinstance(cause, Exception) or diagnose(cause, database.url).kind not in ("readonly", "full"):
            raise
        raise StoreError(
            f"calls that are not in the index of words yet cannot be searched: {error}; or search in a copy: "
            f"recorder db snapshot copy.db --store {argument(database.url)}"
        ) from cause


def _bring_up_to_date(database: Database, progress: Progress) -> int:
    newest, done, total = _newest(database), 0, None
    while True:
        with reading(database) as connection:
            upto = index.upto(connection)
            if upto is None or upto < newest:
                rows = _next(connection, upto or 0, newest)
                documents = _look_through(connection, rows) if upto is not None else []
                total = total or _count(connection, upto or 0, newest)
        if upto is None:
            with writing(database) as connection:
                index.create(connection)
            continue
        if upto >= newest:
            return done
        last = rows[-1].seq if len(rows) == _BATCH else newest
        with writing(database) as connection:
            if index.upto(connection, lock=True) == upto:
                index.add(connection, _still_there(connection, rows, documents), last)
        done += len(rows)
        progress(done, max(total or 0, done))


def _newest(database: Database) -> int:
    """A number up to which no call is still to come."""
    newest = select(func.max(_c.seq))
    with reading(database) as connection:
        found = connection.scalar(newest) or 0
        if database.is_sqlite or found == (index.upto(connection) or 0):
            return int(found)
    with writing(database) as connection:
        # Numbers are given before transactions end: with no writer in one, there are no gaps to be filled.
        exclusive_lock(connection)
        return int(connection.scalar(newest) or 0)


def _next(connection: Connection, upto: int, newest: int) -> Sequence[Row[Any, Any, Any, Any]]:
    query = select(_c.seq, _c.id, _c.provider, payloads.c.node)
    query = query.outerjoin(payloads, payloads.c.call_id == _c.id)
    query = query.where(_c.seq > upto, _c.seq <= newest).order_by(_c.seq).limit(_BATCH)
    return connection.execute(query).all()


def _count(connection: Connection, upto: int, newest: int) -> int:
    query = select(func.count()).select_from(calls).where(_c.seq > upto, _c.seq <= newest)
    return int(connection.scalar(query) or 0)


def _look_through(connection: Connection, rows: Sequence[Row[Any, Any, Any, Any]]) -> list[Document]:
    tops = _tops(connection, [row.node for row in rows if row.node is not None])
    found = Reader(connection).read_turns({row.id: tops.get(row.node) for row in rows})
    documents = []
    for row in rows:
        if (payload := found.get(row.id)) is not None:
            top = tops.get(row.node)
            said = terms(read_texts(payload, top, row.provider))
            documents.append(Document(row.seq, row.node, top, said))
    return documents


def read_texts(payload: Payload, top: int | None, provider: str) -> list[str]:
    """The texts of a call's own turn; none where its payload is damaged."""
    try:
        exchange, messages = payload.turn(top)
    except StoreError:
        return []
    return turn_texts(exchange, messages, provider)


def _tops(connection: Connection, own: Sequence[int]) -> dict[int, int]:
    """For each node the oldest of those before it that belong to no call that was looked through; or itself.

    Mostly itself: but the calls that said the former ones may have been removed.
    """
    known = set(own)
    parents: dict[int, int | None] = {}
    open = set(own)
    while open:
        query = select(nodes.c.id, nodes.c.parent).where(nodes.c.id.in_(open))
        parents.update((row.id, row.parent) for row in connection.execute(query))
        above = {parents.get(id) for id in open} - known - set(parents)
        candidates = {id for id in above if id is not None}
        query = select(looked_through.c.node).where(looked_through.c.node.in_(candidates))
        said = set(connection.scalars(query))
        known |= said
        open = candidates - said
    tops = {}
    for id in own:
        top = id
        while (parent := parents.get(top)) is not None and parent not in known:
            top = parent
        tops[id] = top
    return tops


def _still_there(
    connection: Connection, rows: Sequence[Row[Any, Any, Any, Any]], documents: Sequence[Document]
) -> list[Document]:
    """Without what was removed since it was read."""
    there = stored_payloads(connection, [row.id for row in rows])
    seqs = {row.seq for row in rows if row.id in there}
    return [document for document in documents if document.seq in seqs]
