"""Finding calls: the index says which may fit, and their texts say which do, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, select

from ..access import reading
from ..content.reading import Reader
from ..database import Database
from ..tables import calls
from . import index
from .filling import read_texts
from .index import looked_through
from .query import Query, Snippet, match

_PAGE: Final = 50


class Search(Struct, frozen=True):
    """A query against one store, whose index is up to date."""

    database: Database
    query: Query

    def condition(self) -> ColumnElement[bool]:
        """What holds of all calls that may fit, and perhaps of some more."""
        return calls.c.seq.in_(
            index.with_terms(self.query.terms, self.query.unwanted_terms, sqlite=self.database.is_sqlite)
        )

    def check(self, seqs: Sequence[int]) -> Iterator[tuple[int, Snippet]]:
        """Those of some calls that do fit, each with what was found; in their order."""
        for start in range(0, len(seqs), _PAGE):
            with reading(self.database) as connection:
                found = self._texts(connection, seqs[start : start + _PAGE])
            for seq in seqs[start : start + _PAGE]:
                if seq in found and (snippet := match(self.query, found[seq])) is not None:
                    yield seq, snippet

    def _texts(self, connection: Connection, seqs: Sequence[int]) -> dict[int, list[str]]:
        query = select(calls.c.seq, calls.c.id, calls.c.provider, looked_through.c.top)
        query = query.join(looked_through, looked_through.c.seq == calls.c.seq).where(calls.c.seq.in_(seqs))
        rows = connection.execute(query).all()
        read = Reader(connection).read_turns({row.id: row.top for row in rows})
        return {row.seq: read_texts(read[row.id], row.top, row.provider) for row in rows if row.id in read}
