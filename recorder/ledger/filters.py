"""Which calls a query is about: conditions on the columns of `v_calls`, on tags and on the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Select,
    SmallInteger,
    Text,
    case,
    cast,
    func,
    select,
    true,
)

from ..errors import StoreError
from .tables import calls
from .views import CALL_COLUMNS


def filtered(
    query: Select[Any],
    *,
    since_us: int | None,
    until_us: int | None,
    where: Mapping[str, str | int],
    tags: Mapping[str, str],
    sqlite: bool,
) -> Select[Any]:
    """A query over `calls` with its conditions: from `since_us` on, before `until_us`, and so on."""
    if since_us is not None:
        query = query.where(calls.c.started_us >= since_us)
    if until_us is not None:
        query = query.where(calls.c.started_us < until_us)
    for name, value in where.items():
        query = query.where(_equals(name, value))
    for key, value in tags.items():
        query = query.where(_has_tag(key, value, sqlite=sqlite))
    return query


def _equals(name: str, value: str | int) -> ColumnElement[bool]:
    if (column := CALL_COLUMNS.get(name)) is None:
        raise StoreError(f"a call has no column {name!r}; it has: {', '.join(CALL_COLUMNS)}")
    try:
        return column == _converted(column, value)
    except ValueError:
        raise StoreError(f"{name} is a number, and {value!r} is none") from None


def _converted(column: ColumnElement[Any], value: str | int) -> str | int | float:
    if isinstance(column.type, (Integer, BigInteger, SmallInteger)):
        return int(value)
    return float(value) if isinstance(column.type, Double) else str(value)


def _has_tag(key: str, value: str, *, sqlite: bool) -> ColumnElement[bool]:
    if not sqlite:
        pairs = func.jsonb_each_text(cast(calls.c.tags, _jsonb())).table_valued("key", "value")
        return select(true()).select_from(pairs).where(pairs.c.key == key, pairs.c.value == value).exists()
    each = func.json_each(calls.c.tags).table_valued("key", "value", "type")
    # SQLite gives the values true and false as 1 and 0.
    text = case((each.c.type.in_(("true", "false")), each.c.type), else_=cast(each.c.value, Text))
    return select(true()).select_from(each).where(each.c.key == key, text == value).exists()


def _jsonb() -> Any:
    from sqlalchemy.dialects.postgresql import JSONB

    return JSONB
