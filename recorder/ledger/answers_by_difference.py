"""Figures of most calls: those of all, from rollups, less those of the few that are not asked for, one by one."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace
from sqlalchemy import Connection, and_, case, func, or_, select

from .answers_of_rollups import Asked
from .answers_of_rows import add_rows, condition_of
from .counting_values import number_of_values
from .database import Database
from .dimensions import dimension_of
from .figures import Figures
from .periods import Edge
from .question import Key, Question, fetched, group
from .tables import calls

_FEW: Final = 100_000
"""Up to so many calls are counted one by one in little time."""

_MANY_VALUES: Final = 100_000
"""Of how many values at most all figures fit into memory with ease."""

_MOST: Final = 0.5
_SAMPLES, _SAMPLE = 20, 200
_c = calls.c


def by_difference(
    connection: Connection, database: Database, question: Question
) -> tuple[dict[Key, Figures], Figures] | None:
    """The figures of each group and of all together; None where the calls that are asked for are no more to count."""
    everything = replace(question, where={}, tags={}, conditions=())
    dimension = dimension_of(everything)
    if dimension is None or number_of_values(connection, dimension) > _MANY_VALUES:
        return None
    if share(connection, database, question) < _MOST:
        return None
    asked = Asked(connection, database, everything, dimension)
    groups, total = asked.groups(), Figures()
    if "tag" in question.by:
        # A call has several tags, or none.
        total = asked.total()
    else:
        for figures in groups.values():
            total.add(figures)
    others: dict[Key, Figures] = {}
    none_of_them = Figures()
    whole = Edge(question.since_us, question.until_us)
    add_rows(connection, database, question, whole, others, others=True, total=none_of_them)
    for key, figures in others.items():
        group(groups, key).add(figures, -1)
    total.add(none_of_them, -1)
    return {key: figures for key, figures in groups.items() if not figures.empty}, total


def share(connection: Connection, database: Database, question: Question) -> float:
    """About which share of the calls of the period is asked for, judged by some; 0 where there are few."""
    newest = connection.scalar(select(func.max(_c.seq))) or 0
    if newest <= _FEW:
        return 0.0
    starts = [newest * number // _SAMPLES for number in range(_SAMPLES)]
    query = select(func.count(), func.sum(case((condition_of(database, question), 1), else_=0))).where(
        or_(*(and_(_c.seq > start, _c.seq <= start + _SAMPLE) for start in starts))
    )
    if question.since_us is not None:
        query = query.where(_c.started_us >= question.since_us)
    if question.until_us is not None:
        query = query.where(_c.started_us < question.until_us)
    number, fitting = next(iter(fetched(connection, query)))
    return int(fitting or 0) / number if number >= _SAMPLE else 0.0
