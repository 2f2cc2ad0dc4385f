"""Which calls a query is about: conditions on the columns of `v_calls`, on tags and on the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict

from sqlalchemy import Select

from ..errors import StoreError
from .columns import COLUMNS, TAG
from .conditions import Condition, clause
from .database import Database
from .tables import calls

Where = Mapping[str, str | int] | Sequence[Condition]
"""What must hold of calls: conditions, or the values that columns must have."""


class Filters(TypedDict, total=False):
    """Which calls: from a start on, before another, and what must hold of columns and tags."""

    since_us: int | None
    until_us: int | None
    where: Where
    tags: Mapping[str, str]


def filtered_by(query: Select[Any], database: Database, filters: Filters) -> Select[Any]:
    """A query over `calls` of a database with what the filters ask for."""
    return filtered(
        query,
        since_us=filters.get("since_us"),
        until_us=filters.get("until_us"),
        where=filters.get("where", ()),
        tags=filters.get("tags", {}),
        sqlite=database.is_sqlite,
    )


def filtered(
    query: Select[Any],
    *,
    since_us: int | None,
    until_us: int | None,
    where: Where,
    tags: Mapping[str, str],
    sqlite: bool,
) -> Select[Any]:
    """A query over `calls` with its conditions: from `since_us` on, before `until_us`, and so on."""
    if since_us is not None:
        query = query.where(calls.c.started_us >= since_us)
    if until_us is not None:
        query = query.where(calls.c.started_us < until_us)
    for condition in (
        *conditions_of(where),
        *(Condition(TAG + key, "=", value) for key, value in tags.items()),
    ):
        query = query.where(clause(condition, sqlite=sqlite))
    return query


def conditions_of(where: Where) -> Iterator[Condition]:
    """What must hold, as conditions. Raises StoreError for a text where a number is asked for."""
    if not isinstance(where, Mapping):
        yield from where
        return
    for name, value in where.items():
        column = COLUMNS.get(name)
        try:
            yield Condition(
                name, "=", Decimal(value) if column is not None and column.numeric else str(value)
            )
        except InvalidOperation:
            raise StoreError(f"{name} is a number, and {value!r} is none") from None
