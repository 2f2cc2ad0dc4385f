"""How a budget stands: what was spent of it, and what that comes to by the end of its period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from .report import report

if TYPE_CHECKING:
    from ..ledger import Store
    from ..ledger.budgets import Budget

_EARLY = 0.01


class Standing(Struct, frozen=True):
    """A budget in the period that is running: money in pico-units of its currency, the period in microseconds.

    `projected_pico` is what is spent by its end if spending goes on as it did; None in its first hundredth.
    `unpriced` calls cost nobody knows what, and `elsewhere` is what was spent in other currencies: both are not in
    `spent_pico`.
    """

    budget: Budget
    spent_pico: int
    projected_pico: int | None
    calls: int
    unpriced: int
    elsewhere: tuple[tuple[str, int], ...]
    begins_us: int
    ends_us: int

    @property
    def over(self) -> bool:
        """Whether more was spent than there is."""
        return self.spent_pico > self.budget.limit_pico

    @property
    def share(self) -> float | None:
        """How much of the budget is spent; None of a budget of nothing."""
        return self.spent_pico / self.budget.limit_pico if self.budget.limit_pico else None


def standing(store: Store, budget: Budget, now_us: int) -> Standing:
    """How a budget stands at a moment."""
    begins_us, ends_us = period_of(budget.period, now_us)
    total = report(store, (), begins_us, ends_us, budget.where, budget.tags).total
    costs = dict(total.cost_pico)
    spent = costs.pop(budget.currency, 0)
    return Standing(
        budget,
        spent,
        _projected(spent, begins_us, ends_us, now_us),
        total.calls,
        total.without_cost,
        tuple(costs.items()),
        begins_us,
        ends_us,
    )


def period_of(period: str, now_us: int) -> tuple[int, int]:
    """The day or month of UTC that a moment is in: its first microsecond, and the first one after it."""
    day = datetime.fromtimestamp(now_us // 1_000_000, UTC).replace(hour=0, minute=0, second=0)
    if period == "day":
        return _us(day), _us(day + timedelta(days=1))
    first = day.replace(day=1)
    return _us(first), _us((first + timedelta(days=32)).replace(day=1))


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def _projected(spent: int, begins_us: int, ends_us: int, now_us: int) -> int | None:
    elapsed = now_us - begins_us
    if elapsed < (ends_us - begins_us) * _EARLY:
        return None
    return spent * (ends_us - begins_us) // elapsed
