"""Payloads of the former form carried into the present one, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select

from ...errors import StoreError
from ...exchange import Exchange
from .. import former
from ..bulk import insert_new
from ..database import Database
from ..tables import former_payloads, payloads
from .keeping import Keeper
from .learning import learn
from .reading import Reader

Progress = Callable[[int, int], None]

_BATCH = 200


def carry_over(database: Database, progress: Progress | None = None) -> int:
    """Carry all payloads of the former form over, in batches of a short transaction each; how many these were.

    Others can read and write meanwhile, and what was interrupted can be run again. What is damaged, or whose bodies
    were removed, stays as it is.
    """
    keeper = Keeper()
    last, done, carried = "", 0, 0
    with database.read() as connection:
        total = connection.scalar(select(func.count()).select_from(former_payloads)) or 0
    while done < total:
        with database.read() as connection:
            rows = _page(connection, former_payloads, last)
            exchanges = list(_readable(rows))
            batch = keeper.prepare(connection, exchanges) if exchanges else None
        if not rows:
            break
        if batch is not None:
            with database.write() as connection:
                insert_new(connection, payloads, "call_id", keeper.insert(connection, batch))
                ids = [id for id, _ in exchanges]
                connection.execute(delete(former_payloads).where(former_payloads.c.call_id.in_(ids)))
            keeper.settle(batch)
            carried += len(exchanges)
            if keeper.may_learn and learn(database):
                keeper.renew()
        last, done = rows[-1]["call_id"], done + len(rows)
        if progress is not None:
            progress(min(done, total), total)
    return carried


def carry_back(connection: Connection) -> None:
    """Write all payloads in the former form, for who goes back to an older version."""
    last = ""
    reader = Reader(connection)
    while ids := [row["call_id"] for row in _page(connection, payloads, last)]:
        found = reader.read(ids)
        rows = [{"call_id": id, **former.pack(found[id].exchange())} for id in ids]
        insert_new(connection, former_payloads, "call_id", rows)
        last = ids[-1]


def _page(connection: Connection, table: Table, last: str) -> list[dict[str, Any]]:
    query = select(table).where(table.c.call_id > last).order_by(table.c.call_id).limit(_BATCH)
    return [dict(row) for row in connection.execute(query).mappings()]


def _readable(rows: list[dict[str, Any]]) -> Iterator[tuple[str, Exchange]]:
    for row in rows:
        try:
            yield row["call_id"], former.unpack(row)
        except StoreError:
            continue
