"""The first calls in an order, looked for where the bounds of stretches say that they may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Select, Text, and_, bindparam, func, select

from .filters import Filters, conditions_of
from .ordering import SORTS, Mark, Order, ordered
from .stretches import CALLS
from .tables import calls, stretches

_SOME: Final = 64
"""Into how many stretches to look at first."""

_MORE: Final = 2
_MOST: Final = 0.3
"""To look into more than this share of all stretches takes no less time than into all calls."""

_INDEXED: Final = ("id", "operation_id", "session_id", "trace_id", "user_id")
_c, _s = calls.c, stretches.c

_Found = list[tuple[int, int]]
"""Calls by what they are ordered by, and their `seq`."""


def first_seqs(
    connection: Connection,
    query_of: Callable[..., Select[Any]],
    order: Order,
    after: Mark | None,
    limit: int,
    filters: Filters,
) -> list[int] | None:
    """The numbers of the first calls of those that `query_of` asks some columns of; None where bounds are no help."""
    if connection.dialect.name != "sqlite" or order.sort == "start" or limit < 1 or _by_index(filters):
        return None
    if after is not None and after[0] is None:
        return None
    number, newest = (connection.scalar(select(of)) or 0 for of in (func.count(_s.stretch), func.max(_c.seq)))
    known = connection.scalar(select(func.max(_s.stretch)))
    unbounded = range(0 if known is None else known + 1, newest // CALLS + 1)
    if len(unbounded) > _SOME or not number:
        return None
    bounded = _in_order(connection, order, after, filters)
    query = query_of(SORTS[order.sort], _c.seq).where(SORTS[order.sort].is_not(None))
    query = ordered(query, order, after).limit(limit)
    return _search(connection, query, order, limit, bounded, list(unbounded), int(number * _MOST) + _SOME)


def _search(
    connection: Connection,
    query: Select[Any],
    order: Order,
    limit: int,
    bounded: Sequence[tuple[int, int]],
    unbounded: list[int],
    most: int,
) -> list[int] | None:
    """Look into more stretches, until no other can have a call that comes before the last one found."""
    found: _Found = []
    done, end = 0, min(_SOME, len(bounded))
    while end <= most:
        some = [stretch for stretch, _ in bounded[done:end]] + (unbounded if not done else [])
        found = sorted(found + _look(connection, query, some), reverse=not order.ascending)[:limit]
        done = end
        if len(found) < limit:
            needed = len(bounded)
            if done == needed:
                return None
        else:
            last = found[-1][0]
            needed = sum(1 for _, bound in bounded if (bound <= last if order.ascending else bound >= last))
            if done >= needed:
                return [seq for _, seq in found]
        # What is found then may come before all that others can have.
        end = min(done * _MORE, needed)
    return None


def _in_order(
    connection: Connection, order: Order, after: Mark | None, filters: Filters
) -> list[tuple[int, int]]:
    """Stretches with the bound of what they may have behind a mark, the best first."""
    name = SORTS[order.sort].name
    bound, other, nearer = _s[f"most_{name}"], _s[f"least_{name}"], min
    if order.ascending:
        bound, other, nearer = other, bound, max
    oldest = select(func.min(_c.seq)).scalar_subquery().op("/")(CALLS)
    query = select(_s.stretch, bound).where(bound.is_not(None), _s.stretch >= oldest)
    if (since_us := filters.get("since_us")) is not None:
        query = query.where(_s.most_started_us >= since_us)
    if (until_us := filters.get("until_us")) is not None:
        query = query.where(_s.least_started_us < until_us)
    mark = None if after is None else after[0]
    if mark is not None:
        query = query.where(other >= mark if order.ascending else other <= mark)
    rows = [
        (stretch, value if mark is None else nearer(value, mark))
        for stretch, value in connection.execute(query)
    ]
    return sorted(rows, key=itemgetter(1), reverse=not order.ascending)


def _look(connection: Connection, query: Select[Any], some: Sequence[int]) -> _Found:
    """What a query finds in some stretches."""
    each = func.json_each(bindparam("stretches", json.dumps(some), type_=Text())).table_valued("value")
    begins = each.c.value.op("*")(CALLS)
    within = and_(_c.seq >= begins, _c.seq < begins.op("+")(CALLS))
    return [(value, seq) for value, seq in connection.execute(query.select_from(each.join(calls, within)))]


def _by_index(filters: Filters) -> bool:
    """Whether an index finds what is asked for."""
    where = conditions_of(filters.get("where", ()))
    return any(each.name in _INDEXED and each.operator in ("=", "^=") for each in where)
