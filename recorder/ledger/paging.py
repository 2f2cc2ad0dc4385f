"""Which calls are on a page: their numbers, found in the way that takes the least time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, func, select

from .database import Database
from .expected import Expected, expected
from .extremes import first_seqs
from .filters import Filters, conditions_of, filtered_by
from .ordering import Mark, Order, has_unknown, ordered, unknown
from .tables import calls

_INDEXED: Final = ("id", "operation_id", "session_id", "trace_id", "user_id")
_LONGEST: Final = 1_000
"""The longest page whose calls are looked for one by one."""

_FIRST_LOOK: Final = 8_000
"""How many calls are looked at before anything is asked about all others."""

_LARGEST: Final = 2**63 - 1


class Page(Struct, frozen=True):
    """What a page is to have: so many calls in an order from behind a mark on, that filters leave."""

    database: Database
    query_of: Callable[..., Select[Any]]
    order: Order
    after: Mark | None
    limit: int
    filters: Filters

    def ordered(self, *columns: Any) -> Select[Any]:
        """A query for some columns of its calls."""
        return ordered(self.query_of(*columns), self.order, self.after).limit(self.limit)

    @property
    def is_short(self) -> bool:
        """Whether its calls can be named one by one."""
        return self.limit <= _LONGEST

    @property
    def by_index(self) -> bool:
        """Whether an index finds what is asked for, in whatever order."""
        return self._named or any(
            each.name == "outcome" and each.operator == "=" and each.value != "ok"
            for each in conditions_of(self.filters.get("where", ()))
        )

    @property
    def may_be_rare(self) -> bool:
        """Whether all calls might be looked at in the order of their starts to find it, though it is short."""
        asked = self.filters.get("where") or self.filters.get("tags")
        return self.is_short and self.limit > 0 and bool(asked) and not self._named

    @property
    def _named(self) -> bool:
        where = conditions_of(self.filters.get("where", ()))
        return any(each.name in _INDEXED and each.operator in ("=", "^=") for each in where)


def seqs_of_page(connection: Connection, page: Page) -> list[int]:
    """The calls of a page that is in any order."""
    order, after, limit = page.order, page.after, page.limit
    if limit < 1:
        return []
    if after is not None and after[0] is None and has_unknown(order):
        return _numbers(connection, unknown(page.query_of(calls.c.seq), order, after[1]).limit(limit))
    expect = _expecting(connection, page)
    found = None
    if not page.by_index:
        found = first_seqs(connection, page.query_of, order, after, limit, page.filters, expect)
    if found is None:
        return _numbers(connection, page.ordered(calls.c.seq))
    left = limit - len(found.seqs)
    if not found.all or not left or not has_unknown(order):
        return found.seqs
    known = expect()
    if known is not None and known.calls == known.valued:
        return found.seqs
    return found.seqs + _numbers(connection, unknown(page.query_of(calls.c.seq), order, None).limit(left))


def in_first_look(page: Page) -> ColumnElement[bool]:
    """Whether a call is one of the first in the order of their starts, in which most pages are found."""
    period = Filters(since_us=page.filters.get("since_us"), until_us=page.filters.get("until_us"))
    started = calls.c.started_us
    query, ascending = filtered_by(select(started), page.database, period), page.order.ascending
    if page.after is not None:
        query = query.where(started >= page.after[0] if ascending else started <= page.after[0])
    query = query.order_by(started.asc() if ascending else started.desc())
    end = query.offset(_FIRST_LOOK).limit(1).scalar_subquery()
    return started <= func.coalesce(end, _LARGEST) if ascending else started >= func.coalesce(end, -_LARGEST)


def are_all(connection: Connection, page: Page, number: int) -> bool:
    """Whether so many calls, which the first look found, are known to be all of a page."""
    known = _expecting(connection, page)()
    return known is not None and (not known.calls or (page.after is None and known.calls == number))


def _expecting(connection: Connection, page: Page) -> Callable[[], Expected | None]:
    return cache(lambda: expected(connection, page.database, page.order.sort, page.filters))


def _numbers(connection: Connection, query: Select[Any]) -> list[int]:
    return list(connection.scalars(query))
