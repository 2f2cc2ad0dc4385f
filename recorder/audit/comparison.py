"""A period beside the one before it, which is as long: what each group had then and has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ..ledger.figures import Figures
from ..ledger.filters import Where
from ..ledger.question import question
from .report import Key, ReportRow, row_of
from .uncollected import uncollected

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


@uncollected()
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
    now, before = (
        question(by, begins, ends, where or (), tags or {})
        for begins, ends in ((since_us, until_us), (before_us, since_us))
    )
    found = store.compared(now, before, limit)
    return Comparison(
        tuple(Change(key, _row(key, found.now.groups), _row(key, found.before.groups)) for key in found.keys),
        found.more,
        Change((), row_of((), found.now.total, total=True), row_of((), found.before.total, total=True)),
        since_us,
        until_us,
        before_us,
    )


def _row(key: Key, groups: Mapping[Key, Figures]) -> ReportRow | None:
    return row_of(key, groups[key]) if key in groups else None


def difference(now: float | None, before: float | None) -> tuple[float | None, float | None]:
    """How much more it is, and that in percent; None where that cannot be said."""
    if now is None or before is None:
        return None, None
    return now - before, 100 * (now - before) / before if before else None
