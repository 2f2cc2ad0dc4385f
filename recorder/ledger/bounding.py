"""What the bounds of a stretch of calls say of a condition: whether any of its calls can fit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_

from .columns import COLUMNS
from .conditions import Condition, Operator, number_clause
from .tables import stretches

_BOUNDED: Final[Mapping[str, str]] = {
    "started_at": "started_us",
    "started_us": "started_us",
    "duration_s": "duration_us",
    "first_token_s": "first_token_us",
    "cost": "cost_pico",
    "cost_usd": "cost_pico",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
}
"""The names of the columns that have bounds, and the columns of the table behind them."""

_LEAST: Final[Mapping[Operator, Operator]] = {"<": "<", "<=": "<=", "=": "<="}
_MOST: Final[Mapping[Operator, Operator]] = {">": ">", ">=": ">=", "=": ">="}


def is_bounded(condition: Condition) -> bool:
    """Whether bounds tell of a stretch that no call of it fits."""
    known = condition.operator in _LEAST or condition.operator in _MOST
    return condition.name in _BOUNDED and known and isinstance(condition.value, Decimal)


def may_fit(condition: Condition) -> ColumnElement[bool]:
    """What holds of every stretch with a call that fits a condition, of those for which bounds tell."""
    name, column, value = _BOUNDED[condition.name], COLUMNS[condition.name], condition.value
    assert isinstance(value, Decimal), "what is bounded is a number"
    sides = ((_LEAST, stretches.c[f"least_{name}"]), (_MOST, stretches.c[f"most_{name}"]))
    return and_(
        *(
            number_clause(replace(column, expression=bound), operators[condition.operator], value)
            for operators, bound in sides
            if condition.operator in operators
        )
    )
