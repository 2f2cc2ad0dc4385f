"""Which calls are on a page: their numbers, found in the way that takes the least time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Select

from .database import Database
from .expected import expected
from .extremes import first_seqs
from .filters import Filters, conditions_of
from .ordering import Mark, Order, has_unknown, ordered, unknown
from .tables import calls

_INDEXED: Final = ("id", "operation_id", "session_id", "trace_id", "user_id")


def seqs_of_page(
    connection: Connection,
    database: Database,
    query_of: Callable[..., Select[Any]],
    order: Order,
    after: Mark | None,
    limit: int,
    filters: Filters,
) -> list[int]:
    """The calls of a page, of those that `query_of` asks some columns of, and that filters leave."""
    if after is not None and after[0] is None and has_unknown(order):
        return _numbers(connection, unknown(query_of(calls.c.seq), order, after[1]).limit(limit))
    if limit < 1:
        return []
    expect = cache(lambda: expected(connection, database, order.sort, filters))
    found = None
    if order.sort != "start" and not _by_index(filters):
        found = first_seqs(connection, query_of, order, after, limit, filters, expect)
    if found is None:
        return _numbers(connection, ordered(query_of(calls.c.seq), order, after).limit(limit))
    left = limit - len(found.seqs)
    if not found.all or not left or not has_unknown(order):
        return found.seqs
    known = expect()
    if known is not None and known.calls == known.valued:
        return found.seqs
    return found.seqs + _numbers(connection, unknown(query_of(calls.c.seq), order, None).limit(left))


def _numbers(connection: Connection, query: Select[Any]) -> list[int]:
    return list(connection.scalars(query))


def _by_index(filters: Filters) -> bool:
    """Whether an index finds what is asked for."""
    where = conditions_of(filters.get("where", ()))
    return any(
        (each.name in _INDEXED and each.operator in ("=", "^="))
        or (each.name == "outcome" and each.operator == "=" and each.value != "ok")
        for each in where
    )
