"""Budgets and how they stand: as rows of tables, and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ..amounts import show_money
from .calls import UNPRICED, counted
from .money import exact_units, maybe_units
from .tables import Cell, Column
from .text import styled
from .times import UNKNOWN

if TYPE_CHECKING:
    from ..audit import Standing
    from ..ledger.budgets import Budget

BUDGET = (
    Column("budget", floor=10, ceiling=40),
    Column("limit", "right"),
    Column("per"),
    Column("of", floor=10, ceiling=60, drop=1),
)
STANDING = (
    Column("budget", floor=10, ceiling=40),
    Column("spent", "right"),
    Column("limit", "right"),
    Column("share", "right"),
    Column("per"),
    Column("projected", "right", drop=3),
    Column("calls", "right", drop=2),
    Column("unpriced", "right", drop=4),
    Column("of", floor=8, ceiling=60, drop=1),
)


def budget_row(budget: Budget) -> list[Cell]:
    """A budget by itself, in the columns of BUDGET."""
    texts = (
        styled(budget.name),
        styled(show_limit(budget)),
        styled(budget.period),
        styled(about(budget) or "all calls"),
    )
    return [(text,) for text in texts]


def standing_row(standing: Standing) -> list[Cell]:
    """What is spent of a budget, in the columns of STANDING."""
    budget, share = standing.budget, standing.share
    over = "bold red" if standing.over else ""
    late = "yellow" if _will_be_over(standing) else ""
    texts = (
        styled(budget.name, over),
        styled(show_money(exact_units(standing.spent_pico), budget.currency), over),
        styled(show_limit(budget)),
        Text(UNKNOWN if share is None else f"{share:.1%}", style=over),
        styled(budget.period),
        Text(UNKNOWN, style="dim")
        if standing.projected_pico is None
        else styled(show_money(exact_units(standing.projected_pico), budget.currency), late),
        Text(f"{standing.calls:,}"),
        Text(f"{standing.unpriced:,}", style="yellow" if standing.unpriced else "dim"),
        styled(about(budget) or "all calls"),
    )
    return [(text,) for text in texts]


def remarks(standings: Sequence[Standing]) -> list[str]:
    """What deserves a word below the table: limits that do not hold, and what the sums leave out."""
    parts = [f"{styled(each.budget.name)} is over its limit" for each in standings if each.over]
    parts += [
        f"{styled(each.budget.name)} will be over its limit by {_day(each.ends_us)}"
        for each in standings
        if not each.over and _will_be_over(each)
    ]
    if unpriced := max((each.unpriced for each in standings), default=0):
        parts.append(f"{counted(unpriced, 'call')} {UNPRICED}, not in what is spent")
    if any(each.elsewhere for each in standings):
        parts.append("other currencies are not in what is spent")
    return parts


def plain_budget(budget: Budget) -> dict[str, Any]:
    """A budget for JSON output."""
    return {
        "name": budget.name,
        "limit": exact_units(budget.limit_pico),
        "currency": budget.currency,
        "per": budget.period,
        "where": dict(budget.where),
        "tags": dict(budget.tags),
    }


def plain_standing(standing: Standing) -> dict[str, Any]:
    """The same with what is spent of it."""
    return {
        **plain_budget(standing.budget),
        "spent": exact_units(standing.spent_pico),
        "share": standing.share,
        "over": standing.over,
        "projected": maybe_units(standing.projected_pico),
        "calls": standing.calls,
        "unpriced": standing.unpriced,
        "elsewhere": {currency: exact_units(pico) for currency, pico in standing.elsewhere},
        "begins": standing.begins_us / 1e6,
        "ends": standing.ends_us / 1e6,
    }


def show_limit(budget: Budget) -> str:
    """How much a budget allows, as people write it."""
    return show_money(exact_units(budget.limit_pico), budget.currency)


def about(budget: Budget, before: str = "") -> str:
    """Which calls a budget is about, after these words; nothing where it is about all."""
    filters: Mapping[str, str] = {**budget.where, **budget.tags}
    parts = [f"{name.removesuffix('_id')}={value}" for name, value in filters.items()]
    return before + ", ".join(parts) if parts else ""


def _will_be_over(standing: Standing) -> bool:
    """Whether a budget is over its limit at the end of its period, if calls go on as they did."""
    projected = standing.projected_pico
    return projected is not None and projected > standing.budget.limit_pico


def _day(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%d}"
