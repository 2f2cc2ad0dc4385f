"""Lists of calls: the newest, page after page, in any order, or all of them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Row, Select, or_, select

from ..errors import StoreError
from .access import reading
from .database import Database
from .filters import Filters, filtered_by
from .one_by_one import number_of, one_by_one
from .ordering import Mark, Order, mark_column, mentions, ordered
from .paging import Page, are_all, in_first_look, seqs_of_page
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

    def query_of(*columns: Any) -> Select[Any]:
        return filtered_by(select(*columns), database, filters)

    if limit is not None and after_seq is None and (newest_first or before is None):
        order = Order("start", ascending=not newest_first)
        page = Page(database, query_of, order, before, limit, filters)
        with reading(database) as connection:
            return _on_page(connection, page, LISTED)
    query, columns = query_of(*LISTED), [calls.c.started_us, calls.c.seq]
    if after_seq is not None:
        ranges = [calls.c.seq.between(*bounds) for bounds in missing_seqs]
        query = query.where(or_(calls.c.seq > after_seq, *ranges))
        columns = [calls.c.seq]
    if before is not None:
        query = query.where(earlier(before))
    query = query.order_by(*(column.desc() if newest_first else column.asc() for column in columns))
    with reading(database) as connection:
        return _rows(connection, query.limit(limit))


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
        if not search:
            return _on_page(connection, Page(database, query_of, order, after, limit, filters), asked)
        query = query_of(*asked).where(mentions(search, sqlite=database.is_sqlite))
        return _rows(connection, ordered(query, order, after).limit(limit))


def _on_page(connection: Connection, page: Page, columns: Sequence[Any]) -> list[dict[str, Any]]:
    """Some columns of the calls of a page."""
    if page.order.sort == "start":
        return _on_page_in_time(connection, page, columns)
    if not page.is_short:
        return _rows(connection, page.ordered(*columns))
    return _numbered(connection, columns, seqs_of_page(connection, page))


def _on_page_in_time(connection: Connection, page: Page, columns: Sequence[Any]) -> list[dict[str, Any]]:
    query = page.ordered(*columns)
    if not page.may_be_rare:
        return _rows(connection, query)
    found = _rows(connection, query.where(in_first_look(page)))
    if len(found) == page.limit or are_all(connection, page, len(found)):
        return found
    return _rows(connection, query)


def _numbered(connection: Connection, columns: Sequence[Any], seqs: Sequence[int]) -> list[dict[str, Any]]:
    """Some columns of the calls that have some numbers, in the order of these."""
    query = select(*columns)
    if connection.dialect.name == "sqlite":
        query = query.where(calls.c.seq.in_(seqs))
    else:
        number = number_of(seqs)
        query = one_by_one(query.where(calls.c.seq == number), number)
    place = {seq: number for number, seq in enumerate(seqs)}
    return sorted(_rows(connection, query), key=lambda row: place[row["seq"]])


def _rows(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


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
