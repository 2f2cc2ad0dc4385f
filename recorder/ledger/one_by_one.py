"""Queries that PostgreSQL runs once for each of some numbers, whatever it takes to be best without statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, bindparam, func, select, true


def number_of(some: Sequence[int]) -> ColumnElement[int]:
    """One of some numbers, for conditions of a query that is to be run `one_by_one`."""
    array = bindparam(None, list(some), type_=ARRAY(BigInteger))
    each = func.unnest(array).table_valued("number", name="each_of_them").render_derived()
    number: ColumnElement[int] = each.c.number
    return number


def one_by_one(query: Select[Any], number: ColumnElement[int]) -> Select[Any]:
    """What a query finds with one number after the other, all together."""
    each = number.table
    # With an offset it is not joined in any other way.
    found = query.offset(0).correlate(each).lateral("found")
    return select(*found.c).select_from(each.join(found, true()))
