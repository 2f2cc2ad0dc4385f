"""Which calls a query is about: conditions on the columns of `v_calls`, on tags and on the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Select,
    SmallInteger,
    Text,
    case,
    cast,
    false,
    func,
    select,
    true,
)

from ..errors import StoreError
from .rows import storable
from .tables import calls
from .views import CALL_COLUMNS

# From the smallest on: each kind of integer is also one of `Integer`.
_LARGEST = {SmallInteger: 2**15 - 1, BigInteger: 2**63 - 1, Integer: 2**31 - 1}


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
        wanted = _converted(column, value)
    except ValueError:
        raise StoreError(f"{name} is a number, and {value!r} is none") from None
    return false() if wanted is None else column == wanted


def _converted(column: ColumnElement[Any], value: str | int) -> str | int | float | None:
    """The value as the column holds it; None for a number that it cannot hold."""
    for kind, largest in _LARGEST.items():
        if isinstance(column.type, kind):
            return number if abs(number := int(value)) <= largest else None
    return float(value) if isinstance(column.type, Double) else storable(str(value))


def _has_tag(key: str, value: str, *, sqlite: bool) -> ColumnElement[bool]:
    key, value = storable(key), storable(value)
    if not sqlite:
        # Not JSONB, which writes numbers and objects anew, and refuses some.
        pairs = func.json_each_text(cast(calls.c.tags, JSON)).table_valued("key", "value")
        return select(true()).select_from(pairs).where(pairs.c.key == key, pairs.c.value == value).exists()
    each = func.json_each(calls.c.tags).table_valued("key", "value", "type")
    # SQLite gives the values true and false as 1 and 0.
    text = case((each.c.type.in_(("true", "false")), each.c.type), else_=cast(each.c.value, Text))
    return select(true()).select_from(each).where(each.c.key == key, text == value).exists()
