"""Some calls of a store, read page by page in the order of their starts, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from ..errors import StoreError
from .access import reading
from .copies import CARRIED, CallCopy, read_exchanges, said
from .database import open_database
from .filters import Where, filtered
from .places import Place, earlier, later
from .search.finding import Search
from .search.query import Query
from .tables import calls
from .url import resolved
from .views import CALL_COLUMNS

ViewRow = Mapping[Any, Any]
"""A row of `v_calls`, by the names of its columns."""

_PAGE = 1_000
_EXCHANGES = 25
_c = calls.c


class Selection:
    """The calls that fit; with a limit, the newest of them. What is stored from now on is not among them.

    A `search` needs the index up to date (`Store.index`), and looks through all that may fit before anything is read.
    Each page is a transaction of its own, so that reading for hours keeps no writer and no vacuum waiting.
    """

    def __init__(
        self,
        url: str,
        *,
        since_us: int | None = None,
        until_us: int | None = None,
        where: Where = (),
        tags: Mapping[str, str] = {},
        limit: int | None = None,
        search: Query | None = None,
    ) -> None:
        self._database = open_database(resolved(url))
        self._filters: dict[str, Any] = {
            "since_us": since_us,
            "until_us": until_us,
            "where": where,
            "tags": tags,
            "sqlite": self._database.is_sqlite,
        }
        self._search = None if search is None else Search(self._database, search)
        self._said: frozenset[int] = frozenset()
        self._before_first: Place | None = None
        with reading(self._database) as connection:
            self._newest = connection.scalar(select(func.max(_c.seq))) or 0
            if self._search is None:
                self._before_first = None if limit is None else self._place_before(connection, limit)
                self._number = self._count(connection)
        if self._search is not None:
            self._said = frozenset(islice(self._saying(self._search), limit))
            self._number = len(self._said)

    def __len__(self) -> int:
        """How many calls there are."""
        return self._number

    def rows(self) -> Iterator[ViewRow]:
        """Each call as a row of `v_calls`, oldest first."""
        for page in self._pages([column.label(name) for name, column in CALL_COLUMNS.items()]):
            yield from page

    def exchanges(self) -> Iterator[tuple[ViewRow, CallCopy]]:
        """Each call as a row of `v_calls` and as a copy, oldest first."""
        view = [column.label(name) for name, column in CALL_COLUMNS.items()]
        carried = [said(name).label(f"carried_{name}") for name in CARRIED]
        for page in self._pages([*view, *carried]):
            for start in range(0, len(page), _EXCHANGES):
                yield from zip(page[start:], self._copies(page[start : start + _EXCHANGES]), strict=False)

    def _pages(self, columns: Sequence[ColumnElement[Any]]) -> Iterator[Sequence[ViewRow]]:
        place = self._before_first
        order = _c.started_us.label("page_us"), _c.seq.label("page_seq")
        while True:
            query = self._wanted(select(*order, *columns), place)
            query = query.order_by(_c.started_us, _c.seq).limit(_PAGE)
            with reading(self._database) as connection:
                page = connection.execute(query).mappings().all()
            if not page:
                return
            yield page if self._search is None else [row for row in page if row["page_seq"] in self._said]
            place = (page[-1]["page_us"], page[-1]["page_seq"])

    def _saying(self, search: Search) -> Iterator[int]:
        """The numbers of the calls that say what is searched for, newest first."""
        before: Place | None = None
        while True:
            query = self._wanted(select(_c.started_us, _c.seq), None)
            query = query if before is None else query.where(earlier(before))
            query = query.order_by(_c.started_us.desc(), _c.seq.desc()).limit(_PAGE)
            with reading(self._database) as connection:
                page = connection.execute(query).all()
            if not page:
                return
            yield from (seq for seq, _ in search.check([row.seq for row in page]))
            before = (page[-1].started_us, page[-1].seq)

    def _copies(self, page: Sequence[ViewRow]) -> list[CallCopy]:
        with reading(self._database) as connection:
            exchanges = read_exchanges(connection, [row["carried_id"] for row in page])
        copies = []
        for row in page:
            carried = {name: row[f"carried_{name}"] for name in CARRIED}
            exchange = exchanges.get(carried["id"])
            if isinstance(exchange, StoreError):
                copies.append(CallCopy(carried, None, str(exchange)))
            else:
                copies.append(CallCopy(carried, exchange))
        return copies

    def _place_before(self, connection: Connection, limit: int) -> Place | None:
        """The place of the newest call that is one too many; None where all fit."""
        query = self._wanted(select(_c.started_us, _c.seq), None)
        query = query.order_by(_c.started_us.desc(), _c.seq.desc()).offset(limit).limit(1)
        row = connection.execute(query).first()
        return None if row is None else (row[0], row[1])

    def _count(self, connection: Connection) -> int:
        return int(
            connection.scalar(self._wanted(select(func.count()).select_from(calls), self._before_first)) or 0
        )

    def _wanted(self, query: Select[Any], after: Place | None) -> Select[Any]:
        query = filtered(query, **self._filters).where(_c.seq <= self._newest)
        if self._search is not None:
            query = query.where(self._search.condition())
        return query if after is None else query.where(later(after))
