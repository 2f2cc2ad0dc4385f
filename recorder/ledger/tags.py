"""Tags of calls in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, case, cast, func, select, true

from .rows import storable
from .tables import calls


def tag_exists(
    key: str, test: Callable[[ColumnElement[Any]], ColumnElement[bool]], *, sqlite: bool
) -> ColumnElement[bool]:
    """Whether a call has a tag of that name whose value, as text, passes a test."""
    if not sqlite:
        # Not JSONB, which writes numbers and objects anew, and refuses some.
        pairs = func.json_each_text(cast(calls.c.tags, JSON)).table_valued("key", "value")
        wanted = pairs.c.key == storable(key), test(pairs.c.value)
        return select(true()).select_from(pairs).where(*wanted).exists()
    each = func.json_each(calls.c.tags).table_valued("key", "value", "type")
    # SQLite gives the values true and false as 1 and 0.
    text = case((each.c.type.in_(("true", "false")), each.c.type), else_=cast(each.c.value, Text))
    return select(true()).select_from(each).where(each.c.key == storable(key), test(text)).exists()
