"""How many values a dimension has, and how many calls have one, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, literal_column, union_all

from .cells import ALL, ANY, PLAIN, TAG, VALUES
from .dimensions import has_rest
from .periods import Span
from .question import Key, Question, fetched
from .reading_cells import cells_of, read_rest
from .tables import rollups

_r = rollups.c


def number_of_values(connection: Connection, dimension: str) -> int:
    """How many values a dimension, or all tags together, have; they are counted as they come and go."""
    query = cells_of(Question(), VALUES, Span(ALL, None, None), func.sum(_r.calls))
    these = (_r.value >= TAG, _r.value < "tag;") if dimension == "tag" else (_r.value == dimension,)
    query = query.where(*these)
    return int(next(iter(fetched(connection, query)))[0] or 0)


def number_of_cells(connection: Connection, question: Question, dimension: str, span: Span) -> int:
    """How many cells a dimension has in a span."""
    if span.hours == ALL and has_rest(question, dimension):
        return number_of_values(connection, dimension)
    query = cells_of(question, dimension, span, func.count())
    return int(next(iter(fetched(connection, query)))[0] or 0)


def count_values(
    connection: Connection, question: Question, dimension: str, span: Span
) -> Iterator[tuple[Key, int, int]]:
    """How many calls, live ones and replayed ones, each value of a dimension has in a span."""
    query = cells_of(question, dimension, span, _r.value, func.sum(_r.calls), func.sum(_r.replayed))
    for value, live, replayed in fetched(connection, query.group_by(_r.value)):
        yield (value,), span.sign * int(live), span.sign * int(replayed)
    if has_rest(question, dimension):
        for part in read_rest(connection, question, dimension, span):
            yield part.key, part.sign * part.calls, part.sign * part.replayed


def number_without(
    connection: Connection, question: Question, dimension: str, spans: Sequence[Span]
) -> tuple[int, int]:
    """How many calls, live ones and replayed ones, have no value in a dimension; asked of all spans at once."""
    asked = [
        cells_of(
            *(question, of, span, literal_column(str(sign * span.sign)).label("sign")),
            *(func.sum(_r.calls).label("calls"), func.sum(_r.replayed).label("replayed")),
        )
        for span in spans
        for of, sign in ((PLAIN, 1), (ANY + dimension, -1))
    ]
    rows = list(fetched(connection, union_all(*asked))) if asked else []
    live, replayed = (sum(row[0] * int(row[place] or 0) for row in rows) for place in (1, 2))
    return live, replayed


def all_have_values(connection: Connection, question: Question, dimension: str) -> bool:
    """Whether there is no call at all without a value in a dimension."""
    whole = Span(ALL, None, None)
    both = [cells_of(question, of, whole, _r.calls, _r.replayed) for of in (PLAIN, ANY + dimension)]
    rows = list(fetched(connection, union_all(*both)))
    return len(rows) == 2 and rows[0] == rows[1]


def count_rest(connection: Connection, question: Question, dimension: str, span: Span) -> dict[Key, int]:
    """How many calls have no value in a dimension, by group; none where there are none."""
    if not has_rest(question, dimension):
        return {}
    live: Counter[Key] = Counter()
    replayed: Counter[Key] = Counter()
    for part in read_rest(connection, question, dimension, span):
        live[part.key] += part.sign * part.calls
        replayed[part.key] += part.sign * part.replayed
    return {key: number for key, number in live.items() if number or replayed[key]}
