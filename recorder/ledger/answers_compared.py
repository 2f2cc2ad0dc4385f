"""Answers to a question about two periods: the same groups in both."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from .access import reading
from .answers import Answer, answer
from .answers_of_rollups import Asked
from .choosing import choose_of_both, first
from .database import Database
from .dimensions import dimension_of
from .figures import Figures
from .question import Key, Question, check
from .rollups import waiting


class Compared(Struct):
    """The figures of some groups in both periods, in order, with the totals of all, and how many were left out."""

    keys: list[Key]
    now: Answer
    before: Answer
    more: int


def compared(database: Database, now: Question, before: Question, limit: int | None) -> Compared:
    """The groups of the later period that come first, then those that are in the earlier one alone.

    The questions differ in their periods only. Raises ValueError.
    """
    check(now.by)
    dimension = dimension_of(now)
    if limit is not None and dimension is not None:
        with reading(database) as connection:
            if not waiting(connection):
                return _from_rollups(connection, database, now, before, dimension, limit)
    answers = answer(database, now), answer(database, before)
    counts = [{key: figures.calls for key, figures in each.groups.items()} for each in answers]
    keys, more = _chosen(now, counts[0], counts[1], limit)
    return Compared(keys, *answers, more)


def _from_rollups(
    connection: Connection, database: Database, now: Question, before: Question, dimension: str, limit: int
) -> Compared:
    """The same, where the figures of groups that are not shown are not looked at."""
    asked = [Asked(connection, database, each, dimension) for each in (now, before)]
    if limit and (found := _from_numbers(connection, now, dimension, asked, limit)):
        return found
    keys, more = _chosen(now, asked[0].counts(), asked[1].counts(), limit)
    answers = [Answer(_there(each.of(keys)), each.total()) for each in asked]
    return Compared(keys, answers[0], answers[1], more)


def _from_numbers(
    connection: Connection, question: Question, dimension: str, asked: Sequence[Asked], limit: int
) -> Compared | None:
    """The same, where groups go by values that have numbers, so that nothing is asked of those that are not shown."""
    now, before = (each.numbered() for each in asked)
    if now is None or before is None:
        return None
    found = choose_of_both(connection, question, dimension, now, before, limit)
    if found is None:
        return None
    keys, number, chosen = found
    here, then = (
        Answer(_there(each.chosen(some)), each.total()) for each, some in zip(asked, chosen, strict=True)
    )
    return Compared(keys, here, then, number - len(keys))


def _chosen(
    question: Question, now: dict[Key, int], before: dict[Key, int], limit: int | None
) -> tuple[list[Key], int]:
    """The keys of the groups that are shown, and how many others there are."""
    gone = {key: number for key, number in before.items() if key not in now}
    number = len(now) + len(gone)
    most = number if limit is None else limit
    keys = first(now, question, most)
    keys += first(gone, question, most - len(keys))
    return keys, number - len(keys)


def _there(groups: dict[Key, Figures]) -> dict[Key, Figures]:
    return {key: figures for key, figures in groups.items() if not figures.empty}
