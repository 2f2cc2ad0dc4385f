"""The store as readers see it: calls, their exchanges, cassettes, and its own health."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select

from ..errors import CallNotFound, StoreError
from ..exchange import Exchange
from .access import check_exists, reading, writing
from .answers import Answer, answer
from .arrivals import Arrivals
from .cassettes import CassetteSummary, StoreCassette, summaries
from .checks import problems
from .content.reading import read_exchange
from .content.sizes import Sizes, sizes
from .database import open_database
from .filters import Where, filtered
from .ordering import Mark, Order, mark_column, mentions, ordered
from .places import Place, earlier
from .question import Question
from .retention.missing import why_missing
from .rollups import Progress, clear, fill, waiting
from .rows import storable
from .search.filling import bring_up_to_date
from .search.finding import Search
from .search.index import drop
from .search.query import Query
from .tables import calls, losses
from .upgrading import make_current
from .url import resolved, shown
from .views import CALL_COLUMNS

_FEW = 5
_PAGE = 1_000
_LEAST = 50

_DETAILS = (
    *("dialect", "ending", "error_message", "notes", "redacted"),
    *("total_tokens", "service_tier", "price_id", "cost_note"),
)

_listed = (calls.c.seq, *(column.label(name) for name, column in CALL_COLUMNS.items()))
_more = {
    "first_byte_s": (calls.c.first_byte_us / 1e6).label("first_byte_s"),
    **{name: calls.c[name] for name in _DETAILS},
}
_selectable = {**{column.name: column for column in calls.c}, **CALL_COLUMNS}


class Store:
    """One store, read. Each method opens a connection of its own and closes it.

    Raises StoreNotFound where a SQLite file does not exist. Filters are those of `v_calls`: `where`
    compares its columns, `tags` values of its tags, `since_us` and `until_us` the start.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = open_database(resolved(url))
        check_exists(self._database)

    def calls(
        self,
        *,
        limit: int | None = 50,
        newest_first: bool = True,
        after_seq: int | None = None,
        missing_seqs: Iterable[tuple[int, int]] = (),
        before: Place | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
        where: Where = (),
        tags: Mapping[str, str] = {},
    ) -> list[dict[str, Any]]:
        """Rows of `v_calls` with their `seq`, ordered by start; with `after_seq`, by when they came in.

        Besides those after it come those in `missing_seqs`, ranges with both ends. `before` is the place of
        a call, for the page of those that started earlier.
        """
        query = self._filtered(select(*_listed), since_us, until_us, where, tags)
        order = [calls.c.started_us, calls.c.seq]
        if after_seq is not None:
            ranges = [calls.c.seq.between(*bounds) for bounds in missing_seqs]
            query = query.where(or_(calls.c.seq > after_seq, *ranges))
            order = [calls.c.seq]
        if before is not None:
            query = query.where(earlier(before))
        query = query.order_by(*(column.desc() if newest_first else column.asc() for column in order))
        with reading(self._database) as connection:
            return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]

    def page(
        self,
        limit: int,
        order: Order,
        *,
        after: Mark | None = None,
        search: str = "",
        since_us: int | None = None,
        until_us: int | None = None,
        where: Where = (),
        tags: Mapping[str, str] = {},
    ) -> list[dict[str, Any]]:
        """Rows of `v_calls` with their `seq` and `mark`, in any order; `after` is the mark of the page before.

        `search` is a text that an id, a model, a tag or another column that names something has in it.
        """
        query: Select[Any] = select(
            *_listed, calls.c.cost_note, calls.c.content, mark_column(order).label("mark")
        )
        query = self._filtered(query, since_us, until_us, where, tags)
        if search:
            query = query.where(mentions(search, sqlite=self._database.is_sqlite))
        with reading(self._database) as connection:
            return [
                dict(row) for row in connection.execute(ordered(query, order, after).limit(limit)).mappings()
            ]

    def search(
        self,
        query: Query,
        *,
        limit: int | None = 50,
        before: Place | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
        where: Where = (),
        tags: Mapping[str, str] = {},
    ) -> list[dict[str, Any]]:
        """Rows as `calls` gives them, newest first, of calls that say what is searched for; `snippet` is where.

        The index must be up to date (`index`). A call says what its own turn adds to its conversation, and the answer.
        """
        search = Search(self._database, query)
        found: list[dict[str, Any]] = []
        while limit is None or len(found) < limit:
            statement = self._filtered(select(*_listed), since_us, until_us, where, tags)
            statement = statement.where(search.condition())
            if before is not None:
                statement = statement.where(earlier(before))
            order = calls.c.started_us.desc(), calls.c.seq.desc()
            statement = statement.add_columns(calls.c.started_us.label("page_us")).order_by(*order)
            with reading(self._database) as connection:
                page = (
                    connection.execute(statement.limit(_PAGE if limit is None else max(limit, _LEAST)))
                    .mappings()
                    .all()
                )
            if not page:
                break
            rows = {row["seq"]: {name: row[name] for name in row if name != "page_us"} for row in page}
            found += [{**rows[seq], "snippet": snippet} for seq, snippet in search.check(list(rows))]
            before = (page[-1]["page_us"], page[-1]["seq"])
        return found if limit is None else found[:limit]

    def index(self, progress: Progress = lambda done, total: None, *, rebuild: bool = False) -> int:
        """Bring the index that `search` needs up to date, or make it anew; how many calls were looked through."""
        if rebuild:
            self.drop_index()
        return bring_up_to_date(self._database, progress)

    def drop_index(self) -> None:
        """Remove the index; the next search makes it anew."""
        with writing(self._database) as connection:
            drop(connection)

    def place(self, id: str) -> Place:
        """Where a call stands among all in the order of their starts."""
        query = select(calls.c.started_us, calls.c.seq).where(calls.c.id == id)
        with reading(self._database) as connection:
            row = connection.execute(query).first()
        if row is None:
            raise self._not_found(id)
        return (row[0], row[1])

    def follow(self, seq: int) -> Arrivals:
        """What comes in after the call of that number."""
        return Arrivals(self, seq, late=not self._database.is_sqlite)

    def seqs(self, after: int, last: int) -> list[int]:
        """The numbers that calls have, from after one to another."""
        query = select(calls.c.seq).where(calls.c.seq > after, calls.c.seq <= last).order_by(calls.c.seq)
        with reading(self._database) as connection:
            return list(connection.scalars(query))

    def iterate_calls(
        self,
        columns: Sequence[str],
        *,
        since_us: int | None = None,
        until_us: int | None = None,
        where: Where = (),
        tags: Mapping[str, str] = {},
    ) -> Iterator[Row[Any]]:
        """Yield narrow rows, in no particular order, without holding them all.

        `columns` are those of `v_calls` and, in exact integers, those of the table behind it
        (`started_us`, `duration_us`, `cost_pico`).
        """
        if unknown := [name for name in columns if name not in _selectable]:
            raise StoreError(f"a call has no column {unknown[0]!r}; it has: {', '.join(_selectable)}")
        query = select(*(_selectable[name].label(name) for name in columns))
        query = self._filtered(query, since_us, until_us, where, tags)
        with reading(self._database) as connection:
            if self._database.shared:
                # Its one connection must be free before anyone else can go on.
                yield from connection.execute(query).all()
            else:
                with connection.execution_options(yield_per=_PAGE).execute(query) as rows:
                    yield from rows

    def find(self, part: str) -> str:
        """The full id that begins or ends so; CallNotFound where there is none, or more than one."""
        part = storable(part).strip().lower()
        if not part:
            raise CallNotFound("no id was given; `recorder ls` shows the ids")
        ends = (calls.c.id.startswith(part, autoescape=True), calls.c.id.endswith(part, autoescape=True))
        query = select(calls.c.id).where(or_(*ends))
        with reading(self._database) as connection:
            # A whole id has an index; its ends are looked for in all calls.
            if connection.scalar(select(calls.c.seq).where(calls.c.id == part)) is not None:
                return part
            found = list(connection.scalars(query.order_by(calls.c.id).limit(_FEW + 1)))
        if len(found) == 1:
            return str(found[0])
        if not found:
            raise CallNotFound(f"no call in {shown(self.url)} has an id that begins or ends with {part!r}")
        rest = ", …" if len(found) > _FEW else ""
        raise CallNotFound(
            f"several calls fit {part!r}: {', '.join(found[:_FEW])}{rest}; give more of the id"
        )

    def call(self, id: str) -> dict[str, Any]:
        """One call: its row of `v_calls` with its `seq`, and details such as its error message."""
        query = select(*_listed, *_more.values()).where(calls.c.id == id)
        with reading(self._database) as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise self._not_found(id)
        return dict(row)

    def exchange(self, id: str) -> Exchange:
        """What went over the wire in one call."""
        with reading(self._database) as connection:
            found = read_exchange(connection, id)
            known = (
                found is not None
                or connection.scalar(select(calls.c.seq).where(calls.c.id == id)) is not None
            )
            why = why_missing(connection, id) if found is None else None
        if not known:
            raise self._not_found(id)
        if found is None:
            raise StoreError(why or f"the payload of call {id} was removed from {shown(self.url)}")
        return found

    def figures(self, question: Question, limit: int | None = None) -> Answer:
        """The figures of each group of calls that a question is about; where rollups know them, from these."""
        return answer(self._database, question, limit)

    def roll_up(self, progress: Progress = lambda done, total: None, *, rebuild: bool = False) -> int:
        """Count the calls that the rollups lack, or all calls anew; how many they were."""
        if rebuild:
            clear(self._database)
        return fill(self._database, progress)

    def rolled_up(self) -> bool:
        """Whether the rollups have every call."""
        with reading(self._database) as connection:
            return not waiting(connection)

    def losses(self) -> int:
        """How many calls could not be stored, as far as the store got to know."""
        with reading(self._database) as connection:
            return int(connection.scalar(select(func.coalesce(func.sum(losses.c.calls), 0))) or 0)

    def check(self, progress: Callable[[int, int], None] | None = None) -> list[str]:
        """The problems found, each in a sentence; `progress` gets how many payloads are read, of how many."""
        return problems(self._database, progress)

    def upgrade(self, progress: Progress | None = None) -> tuple[str | None, str]:
        """Bring the store to the current schema, and what is in it to its form; the revisions before and after.

        `progress` gets how many payloads are carried over, of how many.
        """
        return make_current(self.url, progress)

    def sizes(self) -> Sizes:
        """Where the bytes of the store are."""
        with reading(self._database) as connection:
            return sizes(connection)

    def cassette(self, name: str) -> StoreCassette:
        """The cassette of that name, which need not exist yet."""
        return StoreCassette(self.url, name)

    def cassettes(self) -> list[CassetteSummary]:
        """All cassettes, by name."""
        with reading(self._database) as connection:
            return summaries(connection)

    def _filtered(
        self,
        query: Select[Any],
        since_us: int | None,
        until_us: int | None,
        where: Where,
        tags: Mapping[str, str],
    ) -> Select[Any]:
        return filtered(
            query,
            since_us=since_us,
            until_us=until_us,
            where=where,
            tags=tags,
            sqlite=self._database.is_sqlite,
        )

    def _not_found(self, id: str) -> CallNotFound:
        return CallNotFound(f"there is no call {id} in {shown(self.url)}; `recorder ls` shows the ids")
