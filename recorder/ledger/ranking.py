"""The values of a dimension that have the most calls in a period, found without a look at any figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    func,
    or_,
    select,
    text,
    union_all,
)

from .edges import Numbers
from .periods import Span
from .question import Question, fetched
from .reading_cells import cells_of
from .tables import rollups

_r = rollups.c

# One parameter, however many values there are.
_EDGES: Final = {
    True: "SELECT json_extract(value, '$[0]') AS value, json_extract(value, '$[1]') AS calls, "
    "json_extract(value, '$[2]') AS replayed FROM json_each(:edges)",
    False: 'SELECT (value->>0) COLLATE "C" AS value, (value->>1)::bigint AS calls, '
    "(value->>2)::bigint AS replayed FROM json_array_elements(CAST(:edges AS json))",
}


def rank_values(
    connection: Connection,
    question: Question,
    dimension: str,
    spans: Sequence[Span],
    edges: Mapping[str, Numbers],
    limit: int,
) -> tuple[dict[str, int], int]:
    """Of the spans and the edges together: the calls of the first values, and how many values have calls at all."""
    parts: list[Any] = [_of_span(question, dimension, span) for span in spans]
    if edges:
        parts.append(_of_edges(edges, sqlite=connection.dialect.name == "sqlite"))
    if not parts:
        return {}, 0
    counted = union_all(*parts).subquery("counted")
    value, live, replayed = counted.c.value, func.sum(counted.c.calls), func.sum(counted.c.replayed)
    query = select(value, live, func.count().over()).group_by(value)
    query = query.having(or_(live != 0, replayed != 0)).order_by(live.desc(), value).limit(max(limit, 1))
    rows = list(fetched(connection, query))
    return {row[0]: int(row[1]) for row in rows[:limit]}, int(rows[0][2]) if rows else 0


def _of_span(question: Question, dimension: str, span: Span) -> Any:
    columns: tuple[ColumnElement[int], ...] = (_r.calls, _r.replayed)
    if span.sign < 0:
        columns = tuple((-column).label(column.name) for column in columns)
    return cells_of(question, dimension, span, _r.value, *columns)


def _of_edges(edges: Mapping[str, Numbers], *, sqlite: bool) -> Any:
    plain = json.dumps([(value, *numbers) for value, numbers in edges.items()], ensure_ascii=False)
    query = text(_EDGES[sqlite]).bindparams(bindparam("edges", plain, type_=Text()))
    columns = query.columns(value=Text(), calls=BigInteger(), replayed=BigInteger())
    return select(*columns.subquery("edges").c)
