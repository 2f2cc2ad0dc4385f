"""A period beside the one before it, which is as long: what each group had then and has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ..ledger.filters import Where
from .report import Key, ReportRow, report

if TYPE_CHECKING:
    from ..ledger import Store


class Change(Struct, frozen=True):
    """One group in both periods; None where it had no call."""

    key: Key
    now: ReportRow | None
    before: ReportRow | None


class Comparison(Struct, frozen=True):
    """The groups in the order of the report on the later period, then those that are no more; and the totals."""

    rows: tuple[Change, ...]
    more: int
    total: Change
    since_us: int
    until_us: int
    before_us: int
    """When the period before began; it ended at `since_us`."""


def compare(
    store: Store,
    by: Sequence[str],
    since_us: int,
    until_us: int,
    where: Where | None = None,
    tags: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Comparison:
    """Reports on a period and on the one before it. Groups by time have no counterpart: ValueError."""
    if any(name in ("day", "hour") for name in by):
        raise ValueError("the period before has other days and hours: leave them out, or leave out --compare")
    before_us = since_us - max(0, until_us - since_us)
    now = report(store, by, since_us, until_us, where, tags)
    before = report(store, by, before_us, since_us, where, tags)
    known = {row.key: row for row in before.rows}
    changes = [Change(row.key, row, known.pop(row.key, None)) for row in now.rows]
    changes += [Change(key, None, row) for key, row in known.items()]
    shown = changes if limit is None else changes[:limit]
    return Comparison(
        tuple(shown),
        len(changes) - len(shown),
        Change((), now.total, before.total),
        since_us,
        until_us,
        before_us,
    )


def difference(now: float | None, before: float | None) -> tuple[float | None, float | None]:
    """How much more it is, and that in percent; None where that cannot be said."""
    if now is None or before is None:
        return None, None
    return now - before, 100 * (now - before) / before if before else None
