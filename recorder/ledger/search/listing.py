"""Lists of calls that say what is searched for, newest first."""

from __future__ import annotations

from typing import Any, Unpack

from sqlalchemy import select

from ..access import reading
from ..database import Database
from ..filters import Filters, filtered_by
from ..listing import LISTED
from ..places import Place, earlier
from ..tables import calls
from .finding import Search
from .query import Query

_PAGE = 1_000
_LEAST = 50


def found_calls(
    database: Database, query: Query, limit: int | None, before: Place | None, **filters: Unpack[Filters]
) -> list[dict[str, Any]]:
    """Calls that fit, each with the `snippet` that was found; the index must be up to date."""
    search = Search(database, query)
    found: list[dict[str, Any]] = []
    order = calls.c.started_us.desc(), calls.c.seq.desc()
    while limit is None or len(found) < limit:
        statement = filtered_by(select(*LISTED), database, filters).where(search.condition())
        if before is not None:
            statement = statement.where(earlier(before))
        statement = statement.add_columns(calls.c.started_us.label("page_us")).order_by(*order)
        statement = statement.limit(_PAGE if limit is None else max(limit, _LEAST))
        with reading(database) as connection:
            page = connection.execute(statement).mappings().all()
        if not page:
            break
        rows = {row["seq"]: {name: row[name] for name in row if name != "page_us"} for row in page}
        found += [{**rows[seq], "snippet": snippet} for seq, snippet in search.check(list(rows))]
        before = (page[-1]["page_us"], page[-1]["seq"])
    return found if limit is None else found[:limit]
