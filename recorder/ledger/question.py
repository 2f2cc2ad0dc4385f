"""What reports ask of the ledger: what to group calls by, within which period, and which calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, CursorResult

from .cells import TAG
from .conditions import HUGE, Condition, as_stored
from .figures import Figures
from .filters import Where, conditions_of
from .rows import storable

Key = tuple[str | None, ...]

GROUPS: Final[Mapping[str, str]] = {
    "model": "",
    "provider": "provider",
    "host": "host",
    "day": "",
    "hour": "",
    "user": "user_id",
    "session": "session_id",
    "outcome": "outcome",
    "error": "error_type",
    "status": "http_status",
    "operation": "operation",
    "tag": "",
}
"""What can be grouped by, besides `tag:<name>`, and the column that it is. `tag` stands for every tag and value."""


_ALIASES = {"user": "user_id", "session": "session_id", "error": "error_type", "status": "http_status"}


class Question(Struct, frozen=True):
    """What to group by, from when on, before when, and which calls.

    `where` compares columns of `v_calls`, and `model`, which is the one that answered, else the one that was asked
    for. `tags` compares the values of tags. `conditions` are all others, which rollups cannot tell.
    """

    by: tuple[str, ...] = ()
    since_us: int | None = None
    until_us: int | None = None
    where: Mapping[str, str | int] = {}
    tags: Mapping[str, str] = {}
    conditions: tuple[Condition, ...] = ()


def question(
    by: Sequence[str],
    since_us: int | None = None,
    until_us: int | None = None,
    where: Where = (),
    tags: Mapping[str, str] = {},
) -> Question:
    """A question with its conditions sorted out: those that a column or tag has one value are apart."""
    if isinstance(where, Mapping):
        where = {_ALIASES.get(name, name): value for name, value in where.items()}
    values: dict[str, str | int] = {}
    named = {storable(name): storable(value) for name, value in tags.items()}
    others = []
    for condition in conditions_of(where):
        name, value = condition.name, condition.value
        known = named if name.startswith("tag.") else values
        name = storable(name.removeprefix("tag."))
        whole = value is not None and (
            isinstance(value, str) or (-HUGE < value < HUGE and value == int(value))
        )
        if condition.operator != "=" or not whole or name in known:
            others.append(condition)
        elif known is named:
            named[name] = storable(str(value))
        else:
            values[name] = as_stored(name, value) if isinstance(value, str) else int(value or 0)
    return Question(tuple(map(storable, by)), since_us, until_us, values, named, tuple(others))


def check(by: Sequence[str]) -> None:
    """Raise ValueError where something cannot be grouped by."""
    for name in by:
        if name not in GROUPS and not (name.startswith(TAG) and len(name) > len(TAG)):
            raise ValueError(f"cannot group by {name!r}; known are {', '.join(GROUPS)}, tag:<name>")


def in_order(key: Key) -> tuple[tuple[bool, str], ...]:
    """What keys are sorted by: the unknown comes last."""
    return tuple((value is None, value or "") for value in key)


@lru_cache(maxsize=65536)
def day_text(hour: int) -> str:
    """The day in UTC of an hour since 1970."""
    return _calendar(hour, "%Y-%m-%d")


@lru_cache(maxsize=65536)
def hour_text(hour: int) -> str:
    """The hour in UTC, counted since 1970."""
    return _calendar(hour, "%Y-%m-%d %H:00")


def _calendar(hour: int, spelling: str) -> str:
    """An hour as calendars have it; those of a clock that was set too far stay a number."""
    try:
        return format(datetime.fromtimestamp(hour * 3600, UTC), spelling)
    except (ValueError, OverflowError, OSError):
        return f"hour {hour}"


def group(found: dict[Key, Figures], key: Key) -> Figures:
    """The figures of a group, which begin with nothing."""
    known = found.get(key)
    if known is None:
        known = found[key] = Figures()
    return known


def fetched(connection: Connection, query: Any) -> Iterator[Any]:
    """Rows as the driver gives them, for a third of the time."""
    yield from _rows_of(connection.execute(query))


def fetched_text(connection: Connection, query: str, values: Sequence[Any]) -> Iterator[Any]:
    """The same of a query that is text, with `?` for each value."""
    if connection.dialect.name != "sqlite":
        query = query.replace("?", "%s")
    yield from _rows_of(connection.exec_driver_sql(query, tuple(values)))


def _rows_of(result: CursorResult[Any]) -> Iterator[Any]:
    cursor = result.cursor
    assert cursor is not None, "a query has rows"
    while rows := cursor.fetchmany(2_000):
        yield from rows
