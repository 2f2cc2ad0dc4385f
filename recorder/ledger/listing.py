"""Lists of calls: the newest, page after page, in any order, or all of them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Unpack

from sqlalchemy import Row, Select, or_, select

from ..errors import StoreError
from .access import reading
from .database import Database
from .filters import Filters, filtered_by
from .one_by_one import number_of, one_by_one
from .ordering import Mark, Order, mark_column, mentions, ordered
from .paging import seqs_of_page
from .places import Place, earlier
from .tables import calls
from .views import CALL_COLUMNS

LISTED: Final = (calls.c.seq, *(column.label(name) for name, column in CALL_COLUMNS.items()))
"""The columns of `v_calls`, with their `seq`."""

_PAGE = 1_000
_selectable = {**{column.name: column for column in calls.c}, **CALL_COLUMNS}


def newest_calls(
    database: Database,
    *,
    limit: int | None,
    newest_first: bool,
    after_seq: int | None,
    missing_seqs: Iterable[tuple[int, int]],
    before: Place | None,
    **filters: Unpack[Filters],
) -> list[dict[str, Any]]:
    """Calls in the order of their starts; with `after_seq`, in that in which they came in."""
    query = filtered_by(select(*LISTED), database, filters)
    order = [calls.c.started_us, calls.c.seq]
    if after_seq is not None:
        ranges = [calls.c.seq.between(*bounds) for bounds in missing_seqs]
        query = query.where(or_(calls.c.seq > after_seq, *ranges))
        order = [calls.c.seq]
    if before is not None:
        query = query.where(earlier(before))
    query = query.order_by(*(column.desc() if newest_first else column.asc() for column in order))
    with reading(database) as connection:
        return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]


def page_of_calls(
    database: Database,
    limit: int,
    order: Order,
    *,
    after: Mark | None,
    search: str,
    **filters: Unpack[Filters],
) -> list[dict[str, Any]]:
    """Calls in any order, each with its `mark` in it."""

    def query_of(*columns: Any) -> Select[Any]:
        return filtered_by(select(*columns), database, filters)

    asked = (*LISTED, calls.c.cost_note, calls.c.content, mark_column(order).label("mark"))
    with reading(database) as connection:
        if search or order.sort == "start":
            query = ordered(query_of(*asked), order, after).limit(limit)
            if search:
                query = query.where(mentions(search, sqlite=database.is_sqlite))
        else:
            seqs = seqs_of_page(connection, database, query_of, order, after, limit, filters)
            query = _numbered(select(*asked), seqs, sqlite=database.is_sqlite)
            place = {seq: number for number, seq in enumerate(seqs)}
            rows = connection.execute(query).mappings()
            return sorted(map(dict, rows), key=lambda row: place[row["seq"]])
        return [dict(row) for row in connection.execute(query).mappings()]


def _numbered(query: Select[Any], seqs: Sequence[int], *, sqlite: bool) -> Select[Any]:
    """Of a query the calls that have some numbers."""
    if sqlite:
        return query.where(calls.c.seq.in_(seqs))
    number = number_of(seqs)
    return one_by_one(query.where(calls.c.seq == number), number)


def each_call(database: Database, columns: Sequence[str], **filters: Unpack[Filters]) -> Iterator[Row[Any]]:
    """Some columns of calls, in no particular order, without holding them all."""
    if unknown := [name for name in columns if name not in _selectable]:
        raise StoreError(f"a call has no column {unknown[0]!r}; it has: {', '.join(_selectable)}")
    query = select(*(_selectable[name].label(name) for name in columns))
    query = filtered_by(query, database, filters)
    with reading(database) as connection:
        if database.shared:
            # Its one connection must be free before anyone else can go on.
            yield from connection.execute(query).all()
        else:
            with connection.execution_options(yield_per=_PAGE).execute(query) as rows:
                yield from rows


def seqs(database: Database, after: int, last: int) -> list[int]:
    """The numbers that calls have, from after one to another."""
    query = select(calls.c.seq).where(calls.c.seq > after, calls.c.seq <= last).order_by(calls.c.seq)
    with reading(database) as connection:
        return list(connection.scalars(query))
