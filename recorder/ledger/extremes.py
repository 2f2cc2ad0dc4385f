"""The first calls in an order, looked for where the bounds of stretches say that they may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
)

from .bounding import is_bounded, may_fit
from .expected import Expected
from .filters import Filters, conditions_of
from .one_by_one import number_of, one_by_one
from .ordering import SORTS, Mark, Order, in_order, ordered
from .question import fetched
from .rollups import waiting
from .stretches import CALLS
from .tables import calls, stretches

_SOME: Final = 96
"""Into how many stretches to look at first."""

_MORE: Final = 4
_MOST: Final = 0.3
"""To look into more than this share of all stretches takes no less time than into all calls."""

_UNBOUNDED: Final = 512
_c, _s = calls.c, stretches.c

_Found = list[tuple[int, int]]
"""Calls by what they are ordered by, and their `seq`."""


class First(Struct, frozen=True):
    """The first calls in an order by their `seq`, and whether these are all that have a value to be ordered by."""

    seqs: list[int]
    all: bool


class _Looked(Struct, frozen=True):
    """What is looked for in stretches, and how: of `number` of them, the best first."""

    query: Select[Any]
    order: Order
    limit: int
    candidates: Select[Any]
    number: int

    @property
    def most(self) -> int:
        """Into how many it pays to look."""
        return int(self.number * _MOST) + _SOME


def first_seqs(
    connection: Connection,
    query_of: Callable[..., Select[Any]],
    order: Order,
    after: Mark | None,
    limit: int,
    filters: Filters,
    expect: Callable[[], Expected | None] = lambda: None,
) -> First | None:
    """The first calls of those that `query_of` asks some columns of; None where bounds are no help.

    `expect` is asked how many calls there are, where the first look does not find enough.
    """
    unbounded = _unbounded(connection)
    number = connection.scalar(select(func.count(_s.stretch))) or 0
    if unbounded is None or not number:
        return None
    column = SORTS[order.sort]
    query = ordered(query_of(column, _c.seq).where(column.is_not(None)), order, after).limit(limit)
    candidates = _candidates(connection, order, after, filters)
    looked = _Looked(query, order, limit, candidates, number)
    if (
        after is not None
        and after[0] is not None
        and _number_up_to(connection, looked, after[0]) > looked.most
    ):
        return None
    return _search(connection, looked, unbounded, expect, whole=after is None)


def _unbounded(connection: Connection) -> list[int] | None:
    """The stretches whose bounds nobody found yet; None where they are too many, or unknown."""
    if connection.dialect.name != "sqlite":
        return None if waiting(connection) else []
    newest = connection.scalar(select(func.max(_c.seq))) or 0
    known = connection.scalar(select(func.max(_s.stretch)))
    found = range(0 if known is None else known + 1, newest // CALLS + 1)
    return None if len(found) > _UNBOUNDED else list(found)


def _search(
    connection: Connection,
    looked: _Looked,
    unbounded: list[int],
    expect: Callable[[], Expected | None],
    *,
    whole: bool,
) -> First | None:
    """Look into more stretches, until no other can have a call that comes before the last one found.

    `whole` says that no page comes before this one.
    """
    ascending, limit = looked.order.ascending, looked.limit
    found: _Found = []
    done, end = 0, _SOME
    while True:
        some = list(fetched(connection, looked.candidates.limit(end - done + 1).offset(done)))
        following = some[end - done :]
        into = [stretch for stretch, _ in some[: end - done]] + (unbounded if not done else [])
        found = sorted(found + _look(connection, looked, into), reverse=not ascending)[:limit]
        seqs, needed = [seq for _, seq in found], looked.most
        if not following:
            return First(seqs, len(found) < limit)
        if len(found) == limit:
            last, bound = found[-1][0], following[0][1]
            if bound > last if ascending else bound < last:
                return First(seqs, False)
            # What is found then may come before all that others can have.
            needed = min(needed, _number_up_to(connection, looked, last))
        if not done and (known := expect()) is not None:
            if not known.valued or (whole and known.valued == len(found)):
                return First(seqs, True)
            if _share(known.valued, limit) > _MOST:
                return None
        if end >= looked.most:
            return None
        done, end = end, min(end * _MORE, needed)


def _share(number: int, limit: int) -> float:
    """About which share of all stretches has one of the first calls, of a number of calls that are anywhere."""
    return float(1 - (1 - min(1.0, limit / number)) ** CALLS)


def _number_up_to(connection: Connection, looked: _Looked, last: int) -> int:
    """How many stretches may have calls that come before one with a value, or have the same."""
    each = looked.candidates.order_by(None).subquery()
    fits = each.c.value <= last if looked.order.ascending else each.c.value >= last
    return connection.scalar(select(func.count()).select_from(each).where(fits)) or 0


def _candidates(connection: Connection, order: Order, after: Mark | None, filters: Filters) -> Select[Any]:
    """Stretches with the bound of what they may have behind a mark, the best first."""
    name = SORTS[order.sort].name
    bound, other = _s[f"most_{name}"], _s[f"least_{name}"]
    if order.ascending:
        bound, other = other, bound
    value: ColumnElement[Any] = bound
    mark = None if after is None else after[0]
    if mark is not None:
        # What comes before the mark is not asked for.
        value = case((bound < mark if order.ascending else bound > mark, mark), else_=bound)
    oldest = connection.scalar(select(func.min(_c.seq))) or 0
    query = select(_s.stretch, value.label("value")).where(bound.is_not(None), _s.stretch >= oldest // CALLS)
    if (since_us := filters.get("since_us")) is not None:
        query = query.where(_s.most_started_us >= since_us)
    if (until_us := filters.get("until_us")) is not None:
        query = query.where(_s.least_started_us < until_us)
    if mark is not None:
        query = query.where(other >= mark if order.ascending else other <= mark)
    conditions = filter(is_bounded, conditions_of(filters.get("where", ())))
    query = query.where(*map(may_fit, conditions))
    return query.order_by(value.asc() if order.ascending else value.desc(), _s.stretch)


def _look(connection: Connection, looked: _Looked, some: Sequence[int]) -> _Found:
    """What is found in some stretches."""
    if not some:
        return []
    query = _in_sqlite(looked, some) if connection.dialect.name == "sqlite" else _on_server(looked, some)
    return [(value, seq) for value, seq in fetched(connection, query)]


def _in_sqlite(looked: _Looked, some: Sequence[int]) -> Select[Any]:
    each = func.json_each(bindparam("stretches", json.dumps(some), type_=Text())).table_valued("value")
    begins = each.c.value.op("*")(CALLS)
    within = and_(_c.seq >= begins, _c.seq < begins.op("+")(CALLS))
    return looked.query.select_from(each.join(calls, within))


def _on_server(looked: _Looked, some: Sequence[int]) -> Select[Any]:
    number = number_of(some)
    begins = number * literal_column(str(CALLS))
    within = looked.query.where(_c.seq >= begins, _c.seq < begins + literal_column(str(CALLS)))
    found = one_by_one(within.order_by(None).limit(None), number)
    value, seq = found.selected_columns
    return in_order(found, value, seq, looked.order).limit(looked.limit)
