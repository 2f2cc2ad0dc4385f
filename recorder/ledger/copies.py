"""Calls as they are stored, to carry them from one store into another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Connection, select

from ..errors import StoreError, StoreNotFound
from ..exchange import Exchange
from .access import reading
from .content.reading import Reader
from .database import Database
from .tables import calls
from .views import CALL_COLUMNS

CARRIED: Final[dict[str, Column[Any]]] = {
    str(column.name): column for column in calls.c if column.name != "seq"
}
"""The columns of `calls` that mean the same in every store."""


def said(name: str) -> ColumnElement[Any]:
    """What a column of `calls` says; an operation that has the id of its call says so only there."""
    return CALL_COLUMNS[name] if name == "operation_id" else CARRIED[name]


class CallCopy(Struct, frozen=True):
    """A row of `calls` in its own columns, without `seq`, and the exchange of that call.

    Of one that cannot be read, `damage` says why.
    """

    row: dict[str, Any]
    exchange: Exchange | None
    damage: str | None = None


def read_exchanges(connection: Connection, ids: Sequence[str]) -> dict[str, Exchange | StoreError]:
    """The exchanges of calls by their ids; of those that cannot be read, why. Others are left out."""
    found: dict[str, Exchange | StoreError] = {}
    for id, payload in Reader(connection).read(ids).items():
        try:
            found[id] = payload.exchange()
        except StoreError as error:
            found[id] = error
    return found


def known_ids(database: Database, ids: Sequence[str]) -> set[str]:
    """Those of the ids that a store has; none where there is no store yet."""
    try:
        with reading(database) as connection:
            return set(connection.scalars(select(calls.c.id).where(calls.c.id.in_(ids))))
    except StoreNotFound:
        return set()
