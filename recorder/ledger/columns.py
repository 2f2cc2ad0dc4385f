"""What calls can be filtered by: the columns of `v_calls`, each with what is compared behind it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Integer, SmallInteger, case

from ..call import Outcome
from .tables import calls
from .views import CALL_COLUMNS, model_name

Kind = Literal["text", "id", "number", "flag", "moment"]

_MICRO: Final = 10**6
_PICO: Final = 10**12
_c = calls.c
# From the smallest on: each kind of integer is also one of `Integer`.
_LARGEST = {SmallInteger: 2**15 - 1, BigInteger: 2**63 - 1, Integer: 2**31 - 1}
_FLAGS = ("stream", "replayed")


class Column(Struct, frozen=True):
    """One thing to filter by; `expression` holds numbers in integers, `scale` of them to one of its unit.

    `known` are all values that it can have, where these are few; `optional` ones can be unknown.
    """

    kind: Kind
    expression: ColumnElement[Any]
    scale: int = 1
    optional: bool = False
    known: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether it is compared by size."""
        return self.kind in ("number", "flag", "moment")

    @property
    def largest(self) -> int:
        """The largest integer that it can hold."""
        kind = self.expression.type
        return next((largest for of, largest in _LARGEST.items() if isinstance(kind, of)), _LARGEST[Integer])


# Integers that an index may serve, in place of the fractions that the view makes of them.
_EXACT: Final[Mapping[str, tuple[ColumnElement[Any], int]]] = {
    "started_at": (_c.started_us, _MICRO),
    "duration_s": (_c.duration_us, _MICRO),
    "first_chunk_s": (_c.first_chunk_us, _MICRO),
    "first_token_s": (_c.first_token_us, _MICRO),
    "first_reasoning_s": (_c.first_reasoning_us, _MICRO),
    "cost": (_c.cost_pico, _PICO),
    "cache_saved": (_c.cache_saved_pico, _PICO),
    "cost_usd": (case((_c.currency == "USD", _c.cost_pico)), _PICO),
}


def _column(name: str) -> Column:
    expression, scale = _EXACT.get(name, (CALL_COLUMNS[name], 1))
    optional = bool(getattr(expression, "nullable", True))
    if name == "started_at":
        return Column("moment", expression, scale)
    if name in _FLAGS:
        return Column("flag", expression)
    if isinstance(expression.type, Integer):
        return Column("number", expression, scale, optional)
    known = get_args(Outcome) if name == "outcome" else ()
    return Column("id" if name == "id" else "text", expression, 1, optional, known)


COLUMNS: Final[Mapping[str, Column]] = {
    **{name: _column(name) for name in CALL_COLUMNS},
    "model": Column("text", model_name, optional=True),
}
"""By the names of `v_calls`; `model` is the one that answered, else the one that was asked for."""

TAG: Final = "tag."
"""What the name of a tag stands behind."""


def unknown(name: str) -> str:
    """What to say of a name that is none: the nearest one, and all that there are."""
    near = difflib.get_close_matches(name, COLUMNS, 1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"a call has no column {name!r}{hint}; it has: {', '.join(COLUMNS)}, and {TAG}NAME for each tag"
