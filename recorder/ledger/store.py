"""The store as readers see it: calls, their exchanges, cassettes, and its own health."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Unpack

from sqlalchemy import Row, func, select

from ..exchange import Exchange
from .access import check_exists, reading, writing
from .answers import Answer, answer
from .answers_compared import Compared, compared
from .arrivals import Arrivals
from .cassettes import CassetteSummary, StoreCassette, summaries
from .checks import problems
from .content.sizes import Sizes, sizes
from .database import open_database
from .filters import Filters
from .listing import each_call, newest_calls, page_of_calls, seqs
from .one_call import details_of, exchange_of, find_id, place_of
from .ordering import Mark, Order
from .places import Place
from .question import Question
from .rollups import Progress, clear, fill, waiting
from .search.filling import bring_up_to_date
from .search.index import drop
from .search.listing import found_calls
from .search.query import Query
from .tables import calls, losses
from .upgrading import make_current
from .url import resolved


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
        **filters: Unpack[Filters],
    ) -> list[dict[str, Any]]:
        """Rows of `v_calls` with their `seq`, ordered by start; with `after_seq`, by when they came in.

        Besides those after it come those in `missing_seqs`, ranges with both ends. `before` is the place of
        a call, for the page of those that started earlier.
        """
        return newest_calls(
            self._database,
            limit=limit,
            newest_first=newest_first,
            after_seq=after_seq,
            missing_seqs=missing_seqs,
            before=before,
            **filters,
        )

    def page(
        self,
        limit: int,
        order: Order,
        *,
        after: Mark | None = None,
        search: str = "",
        **filters: Unpack[Filters],
    ) -> list[dict[str, Any]]:
        """Rows of `v_calls` with their `seq` and `mark`, in any order; `after` is the mark of the page before.

        `search` is a text that an id, a model, a tag or another column that names something has in it.
        """
        return page_of_calls(self._database, limit, order, after=after, search=search, **filters)

    def search(
        self,
        query: Query,
        *,
        limit: int | None = 50,
        before: Place | None = None,
        **filters: Unpack[Filters],
    ) -> list[dict[str, Any]]:
        """Rows as `calls` gives them, newest first, of calls that say what is searched for; `snippet` is where.

        The index must be up to date (`index`). A call says what its own turn adds to its conversation, and the answer.
        """
        return found_calls(self._database, query, limit, before, **filters)

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
        return place_of(self._database, id)

    def follow(self, seq: int) -> Arrivals:
        """What comes in after the call of that number."""
        return Arrivals(self, seq, late=not self._database.is_sqlite)

    def seqs(self, after: int, last: int) -> list[int]:
        """The numbers that calls have, from after one to another."""
        return seqs(self._database, after, last)

    def iterate_calls(
        self,
        columns: Sequence[str],
        **filters: Unpack[Filters],
    ) -> Iterator[Row[Any]]:
        """Yield narrow rows, in no particular order, without holding them all.

        `columns` are those of `v_calls` and, in exact integers, those of the table behind it
        (`started_us`, `duration_us`, `cost_pico`).
        """
        return each_call(self._database, columns, **filters)

    def find(self, part: str) -> str:
        """The full id that begins or ends so; CallNotFound where there is none, or more than one."""
        return find_id(self._database, part)

    def call(self, id: str) -> dict[str, Any]:
        """One call: its row of `v_calls` with its `seq`, and details such as its error message."""
        return details_of(self._database, id)

    def exchange(self, id: str) -> Exchange:
        """What went over the wire in one call."""
        return exchange_of(self._database, id)

    def figures(self, question: Question, limit: int | None = None) -> Answer:
        """The figures of each group of calls that a question is about; where rollups know them, from these."""
        return answer(self._database, question, limit)

    def compared(self, now: Question, before: Question, limit: int | None = None) -> Compared:
        """The figures of the same groups in two periods, in which alone the questions differ."""
        return compared(self._database, now, before, limit)

    def roll_up(self, progress: Progress = lambda done, total: None, *, rebuild: bool = False) -> int:
        """Count the calls that the rollups lack, or all calls anew; how many they were."""
        if rebuild:
            clear(self._database)
        return fill(self._database, progress)

    def rolled_up(self) -> bool:
        """Whether the rollups have every call."""
        with reading(self._database) as connection:
            return not waiting(connection)

    def number_of_calls(self) -> int:
        """How many calls there are, the replayed ones among them."""
        with reading(self._database) as connection:
            return connection.scalar(select(func.count()).select_from(calls)) or 0

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
