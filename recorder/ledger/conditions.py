"""Conditions as people write them (`cost>=0.5`, `tag.feature=search`), read into values and into SQL."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, cast, get_args

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, false, func, literal_column, not_, or_, true

from ..errors import StoreError
from .columns import COLUMNS, TAG, Column, unknown
from .moments import parse_moment
from .rows import name_text, storable
from .tables import calls
from .tags import tag_exists

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~", "^="]

NONE = "none"
"""How the unknown is written, where a column can be unknown."""

_EXPRESSION = re.compile(
    r'\s*(?P<name>tag\."[^"]+"|tag\..+?|[\w.-]+?)\s*(?P<operator>!=|!~|\^=|>=|<=|==?|<|>|~)(?P<value>.*)',
    re.DOTALL,
)
_NO_NAMES = ("tags", "finish_reasons")
_OF_TEXT = ("=", "!=", "^=", "~", "!~")
_OF_NUMBER = ("=", "!=", "<", "<=", ">", ">=")
_YES_AND_NO = {"1": 1, "true": 1, "yes": 1, "0": 0, "false": 0, "no": 0}
HUGE: Final = Decimal(10) ** 40
"""No column holds a number of so many digits, and powers of ten beyond would take any memory."""


class Condition(Struct, frozen=True):
    """One comparison: of a column of `v_calls`, of `model`, or of `tag.NAME`, with a text, a number or the unknown.

    Numbers are in the unit of the view: seconds, or units of the currency. `~` is "contains", `!~` "does not
    contain", `^=` "begins with", all as spelled. What is unknown differs from every value.
    """

    name: str
    operator: Operator
    value: str | Decimal | None


def parse_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """The conditions of `--where` options, all of which must hold; raises ValueError for what is none."""
    return tuple(condition for text in texts for condition in _parse(text))


def clause(condition: Condition, *, sqlite: bool) -> ColumnElement[bool]:
    """The condition in SQL, over the table `calls`; raises StoreError for a name that is none."""
    operator, value = condition.operator, condition.value
    if condition.name.startswith(TAG):
        return _tag_clause(condition, sqlite=sqlite)
    column = _known(condition.name)
    if value is None:
        return column.expression.is_(None) if operator == "=" else column.expression.is_not(None)
    if isinstance(value, Decimal) != column.numeric:
        raise StoreError(f"{condition.name} cannot be compared with {value!r}")
    if isinstance(value, Decimal):
        return number_clause(column, operator, value)
    if condition.name == "operation_id" and operator == "=":
        # Most calls keep no operation besides their own id, and the index has the others: it serves this only
        # where it is said again that the operation is not empty.
        kept = and_(calls.c.operation_id == storable(value), calls.c.operation_id != "")
        own = and_(calls.c.operation_id == "", calls.c.id == storable(value))
        return or_(kept, own)
    found = text_clause(
        column.expression, operator, as_stored(condition.name, value, operator), sqlite=sqlite
    )
    if condition.name == "outcome" and operator == "=" and value != "ok":
        # Said again, as the index has the others alone.
        return and_(found, calls.c.outcome != literal_column("'ok'"))
    return found


def as_stored(name: str, value: str, operator: Operator = "=") -> str:
    """What a row has of a value that was given to a call: long names are kept shortened."""
    whole = operator in ("=", "!=") and name not in _NO_NAMES
    return (name_text(value) if whole else None) or storable(value)


def text_clause(
    text: ColumnElement[Any], operator: Operator, value: str, *, sqlite: bool
) -> ColumnElement[bool]:
    """A comparison of any text, the same on both databases: letters count as they are spelled."""
    where = func.instr if sqlite else func.strpos
    if operator == "=":
        return text == value
    if operator == "!=":
        return text.is_distinct_from(value)
    if operator == "~":
        return where(text, value) > 0
    if operator == "!~":
        return or_(text.is_(None), where(text, value) == 0)
    if operator == "^=":
        return _begins(text, value, sqlite=sqlite)
    compared: ColumnElement[bool] = text.op(operator, is_comparison=True)(value)
    return compared


def _begins(text: ColumnElement[Any], value: str, *, sqlite: bool) -> ColumnElement[bool]:
    if not sqlite:
        return text.startswith(value, autoescape=True)
    # LIKE would take small letters for large ones. The bound lets an index serve.
    return and_(text >= value, func.substr(text, 1, len(value)) == value)


def number_clause(column: Column, operator: Operator, value: Decimal) -> ColumnElement[bool]:
    """A comparison of integers with a number that may lie between two of them, or beyond all."""
    number = min(max(value, -HUGE), HUGE) * column.scale
    expression, floor, ceiling = column.expression, math.floor(number), math.ceil(number)
    if abs(number) > column.largest:
        always = operator in (("<", "<=") if number > 0 else (">", ">="))
        return true() if operator == "!=" else expression.is_not(None) if always else false()
    if operator == "<":
        return expression < ceiling
    if operator == "<=":
        return expression <= floor
    if operator == ">":
        return expression > floor
    if operator == ">=":
        return expression >= ceiling
    if operator == "=":
        return expression == floor if floor == ceiling else false()
    return expression.is_distinct_from(floor) if floor == ceiling else true()


def _tag_clause(condition: Condition, *, sqlite: bool) -> ColumnElement[bool]:
    key, operator, value = condition.name.removeprefix(TAG), condition.operator, condition.value
    if value is None:
        there = tag_exists(key, lambda text: text.is_not(None), sqlite=sqlite)
        return not_(there) if operator == "=" else there
    spelled = storable(str(value))
    opposite = {"!=": "=", "!~": "~"}.get(operator)
    plain = cast(Operator, opposite or operator)
    found = tag_exists(
        key,
        lambda text: text_clause(text, plain, spelled, sqlite=sqlite),
        sqlite=sqlite,
        holding=spelled,
    )
    return not_(found) if opposite else found


def _known(name: str) -> Column:
    if (column := COLUMNS.get(name)) is None:
        raise StoreError(unknown(name))
    return column


def _parse(text: str) -> Iterator[Condition]:
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no condition; write COLUMN=VALUE, or another of {', '.join(_operators())}"
        )
    name, written = found["name"], found["value"].strip()
    operator = cast(Operator, found["operator"].replace("==", "="))
    quoted = len(written) > 1 and written[0] == written[-1] == '"'
    value = written[1:-1] if quoted else written
    if name.startswith(TAG):
        name = TAG + name.removeprefix(TAG).strip('"')
        _check_operator(name, "a text", operator, _OF_TEXT)
        yield Condition(name, operator, None if value == NONE and not quoted else value)
        return
    if (column := COLUMNS.get(name)) is None:
        raise ValueError(unknown(name))
    if value == NONE and not quoted and column.optional:
        _check_operator(f"{name} with {NONE}", "the unknown", operator, ("=", "!="))
        yield Condition(name, operator, None)
    elif column.kind == "moment":
        yield from _moments(name, operator, value)
    elif column.numeric:
        _check_operator(name, "a number", operator, _OF_NUMBER)
        yield Condition(name, operator, _number(name, column, value))
    else:
        _check_operator(name, "a text", operator, _operators() if column.kind == "id" else _OF_TEXT)
        _check_known(name, column, operator, value)
        yield Condition(name, operator, value)


def _moments(name: str, operator: Operator, value: str) -> Iterator[Condition]:
    """A date is a whole day: after it is after its end, and on it from its beginning to its end."""
    _check_operator(name, "a time", operator, ("=", "<", "<=", ">", ">="))
    try:
        first = last = _number(name, COLUMNS[name], value)
    except ValueError:
        now = datetime.now().astimezone()
        first, last = (Decimal(parse_moment(value, end=end, now=now)) / 10**6 for end in (False, True))
    if first == last:
        yield Condition(name, operator, first)
        return
    if operator in ("=", ">="):
        yield Condition(name, ">=", first)
    if operator in ("=", "<="):
        yield Condition(name, "<", last)
    if operator == ">":
        yield Condition(name, ">=", last)
    if operator == "<":
        yield Condition(name, "<", first)


def _number(name: str, column: Column, value: str) -> Decimal:
    if column.kind == "flag" and (flag := _YES_AND_NO.get(value.lower())) is not None:
        return Decimal(flag)
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        unknown = f", nor {NONE}, which stands for unknown" if column.optional else ""
        raise ValueError(f"{name} is a number, and {value!r} is none{unknown}")
    return number


def _check_operator(name: str, what: str, operator: str, allowed: tuple[str, ...]) -> None:
    if operator not in allowed:
        raise ValueError(f"{name} is {what}, which {operator} cannot compare; use one of {' '.join(allowed)}")


def _check_known(name: str, column: Column, operator: Operator, value: str) -> None:
    if column.known and operator in ("=", "!=") and value not in column.known:
        raise ValueError(f"{name} is one of {', '.join(column.known)}, and never {value!r}")


def _operators() -> tuple[str, ...]:
    return get_args(Operator)
