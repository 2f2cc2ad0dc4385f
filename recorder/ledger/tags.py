"""Tags of calls in SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, and_, case, cast, func, or_, select, true

from .rows import storable
from .tables import calls

# Signs that JSON writes as they are, unless its writer chose to escape what need not be.
_AS_IT_IS = re.compile(r"[A-Za-z0-9_.:/@-]+")
_LETTER = re.compile(r"[A-Za-z]")


def tag_exists(
    key: str,
    test: Callable[[ColumnElement[Any]], ColumnElement[bool]],
    *,
    sqlite: bool,
    holding: str = "",
) -> ColumnElement[bool]:
    """Whether a call has a tag of that name whose value, as text, passes a test.

    Values that do not have `holding` in them are known not to pass.
    """
    key = storable(key)
    # Most calls are told without reading their JSON, which takes ten times as long.
    hints = [text for text in (key, holding) if _AS_IT_IS.fullmatch(text) and _LETTER.search(text)]
    return and_(*(_mentions(text, sqlite=sqlite) for text in hints), _exists(key, test, sqlite=sqlite))


def _mentions(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    position = func.instr if sqlite else func.strpos
    return or_(position(calls.c.tags, text) > 0, position(calls.c.tags, "\\u") > 0)


def _exists(
    key: str, test: Callable[[ColumnElement[Any]], ColumnElement[bool]], *, sqlite: bool
) -> ColumnElement[bool]:
    if not sqlite:
        # Not JSONB, which writes numbers and objects anew, and refuses some.
        pairs = func.json_each_text(cast(calls.c.tags, JSON)).table_valued("key", "value")
        wanted = pairs.c.key == key, test(pairs.c.value)
        return select(true()).select_from(pairs).where(*wanted).exists()
    each = func.json_each(calls.c.tags).table_valued("key", "value", "type")
    # SQLite gives the values true and false as 1 and 0.
    text = case((each.c.type.in_(("true", "false")), each.c.type), else_=cast(each.c.value, Text))
    return select(true()).select_from(each).where(each.c.key == key, test(text)).exists()
