"""What a pruning would remove: calls and bytes of payloads by month, and what cassettes keep."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    LargeBinary,
    Select,
    case,
    exists,
    func,
    literal,
    literal_column,
    select,
)

from ..content.collecting import Collected, unreferenced
from ..tables import calls, cassette_entries, former_payloads, losses, payloads
from ..whole_units import whole

_BODIES: Final = [
    column
    for table in (payloads, former_payloads)
    for column in table.c
    if isinstance(column.type, LargeBinary)
]
_DIGITS = 7


class Month(Struct, frozen=True):
    """One month (UTC, `2026-08`): how many of its calls and payloads would go, and the bytes of these."""

    month: str
    calls: int
    payloads: int
    payload_bytes: int


class Plan(Struct, frozen=True):
    """What began before a moment, without what a cassette of the store refers to: that is `kept`.

    `content` is what nothing would refer to any more; None where nobody asked.
    """

    before_us: int
    payloads_only: bool
    months: tuple[Month, ...]
    kept: int = 0
    losses: int = 0
    content: Collected | None = None

    @property
    def calls(self) -> int:
        """How many calls would go, or stay without their payload."""
        return sum(month.calls for month in self.months)

    @property
    def payloads(self) -> int:
        """How many payloads would go."""
        return sum(month.payloads for month in self.months)

    @property
    def payload_bytes(self) -> int:
        """What these payloads take, as they are stored."""
        return sum(month.payload_bytes for month in self.months)

    @property
    def total(self) -> int:
        """How much is to be done."""
        return self.payloads if self.payloads_only else self.calls


def in_cassette() -> ColumnElement[bool]:
    """Whether a cassette of the store refers to a call, which must not be removed then."""
    return exists().where(cassette_entries.c.call_id == calls.c.id).correlate(calls)


def make_plan(
    connection: Connection, before_us: int, *, payloads_only: bool, with_content: bool = False
) -> Plan:
    """Count what a pruning would remove now; what it would leave unreferenced takes longer to say."""
    months: dict[str, Month] = {}
    kept = 0
    for name, is_kept, number, with_payload, size in connection.execute(
        _counts(connection.dialect, before_us)
    ):
        if is_kept:
            kept += with_payload if payloads_only else number
        elif with_payload or not payloads_only:
            months[name] = Month(
                name, with_payload if payloads_only else number, with_payload, int(size or 0)
            )
    lost = select(func.count()).select_from(losses).where(losses.c.at_us < before_us)
    return Plan(
        before_us,
        payloads_only,
        tuple(months[name] for name in sorted(months)),
        kept,
        0 if payloads_only else int(connection.scalar(lost) or 0),
        unreferenced(connection, _goes(before_us)) if with_content else None,
    )


def _goes(before_us: int) -> ColumnElement[bool]:
    """Whether a payload would go."""
    old = exists().where(calls.c.id == payloads.c.call_id, calls.c.started_us < before_us)
    named = exists().where(cassette_entries.c.call_id == payloads.c.call_id)
    return old.correlate(payloads) & ~named.correlate(payloads)


def with_payloads() -> FromClause:
    """Calls beside their payloads, of the present form and of the former one."""
    return calls.outerjoin(payloads, payloads.c.call_id == calls.c.id).outerjoin(
        former_payloads, former_payloads.c.call_id == calls.c.id
    )


def number_of_payloads() -> ColumnElement[int]:
    """How many of some calls have a payload."""
    return func.count(func.coalesce(payloads.c.call_id, former_payloads.c.call_id))


def payload_bytes() -> ColumnElement[int]:
    """What one payload takes, but for its few short texts."""
    sizes: list[ColumnElement[int]] = [func.coalesce(func.length(column), 0) for column in _BODIES]
    return reduce(add, sizes)


def _counts(dialect: Dialect, before_us: int) -> Select[Any]:
    return (
        select(
            _month(dialect).label("month"),
            case((in_cassette(), 1), else_=0).label("kept"),
            func.count(),
            number_of_payloads(),
            func.sum(payload_bytes()),
        )
        .select_from(with_payloads())
        .where(calls.c.started_us < before_us)
        .group_by(literal_column("1"), literal_column("2"))
    )


def _month(dialect: Dialect) -> ColumnElement[str]:
    seconds = whole(calls.c.started_us, 1_000_000)
    if dialect.name == "sqlite":
        return func.substr(func.date(seconds, literal("unixepoch")), 1, _DIGITS)
    return func.to_char(func.timezone("UTC", func.to_timestamp(seconds)), literal("YYYY-MM"))
