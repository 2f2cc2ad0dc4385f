"""A period at a glance: its total beside that of the period before, a series over time, and shares by model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from ..ledger.filters import Where
from .report import ReportRow, report

if TYPE_CHECKING:
    from ..ledger import Store

Step = Literal["hour", "day"]
_DAY_US = 86_400_000_000
_FEW_DAYS = 3


class Overview(Struct, frozen=True):
    """What a page that shows a period begins with.

    `series` has one row for each hour or day (`step`) in which there are calls, in order, with the time as its key;
    `by_model` the same by time and model. `models` come with most calls first.
    """

    since_us: int
    until_us: int
    step: Step
    total: ReportRow
    before: ReportRow
    series: tuple[ReportRow, ...]
    by_model: tuple[ReportRow, ...]
    models: tuple[ReportRow, ...]


def overview(
    store: Store,
    since_us: int,
    until_us: int,
    where: Where | None = None,
    tags: Mapping[str, str] | None = None,
    step: Step | None = None,
) -> Overview:
    """A period at a glance; by the hour up to three days, unless `step` says otherwise."""
    length = max(0, until_us - since_us)
    step = step or ("hour" if length <= _FEW_DAYS * _DAY_US else "day")
    in_time = report(store, (step,), since_us, until_us, where, tags)
    return Overview(
        since_us,
        until_us,
        step,
        in_time.total,
        report(store, (), since_us - length, since_us, where, tags).total,
        in_time.rows,
        report(store, (step, "model"), since_us, until_us, where, tags).rows,
        report(store, ("model",), since_us, until_us, where, tags).rows,
    )
