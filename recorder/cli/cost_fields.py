"""What one call cost, as fields of its page: the amount, how it came about, and what it was before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .calls import UNPRICED
from .money import exact_units, show_exactly
from .page import Page
from .text import styled

if TYPE_CHECKING:
    from .reading import Reading


def print_cost(page: Page, reading: Reading) -> None:
    """Print the cost of a call; for what no store keeps, nothing."""
    row = reading.row
    if row.get("id") is None:
        return
    page.field("cost", styled(_amount(row), "" if row["cost"] is not None else "yellow"))
    page.field("computed", _lines(reading))
    if row["cost"] is not None and row.get("cost_note"):
        page.field("note", styled(row["cost_note"], "yellow"))
    for index, change in enumerate(reading.cost_changes):
        page.field("" if index else "before", _change(change))


def _amount(row: Mapping[str, Any]) -> str:
    if row["cost"] is not None:
        # A float of that size has all digits of the amount that it was made of.
        return f"{show_exactly(Decimal(repr(row['cost'])), row['currency'])} · {row['cost_source']}"
    return row.get("cost_note") or UNPRICED


def _lines(reading: Reading) -> str | None:
    """`input 2,000 × 0.28 + cached 8,000 × 0.028 USD a million tokens`."""
    cost = reading.cost
    if cost is None or not cost.lines:
        return None
    parts = [f"{line.kind} {line.count:,} × {line.rate:f}" for line in cost.lines if line.count]
    return f"{' + '.join(parts)} {cost.currency} a million tokens" if parts else None


def _change(change: Mapping[str, Any]) -> str:
    former, currency = change["former_cost_pico"], change["former_currency"]
    amount = UNPRICED if former is None else show_exactly(exact_units(former), currency)
    until = datetime.fromtimestamp(change["at_us"] / 1e6).astimezone()
    return f"{amount} until {until:%Y-%m-%d %H:%M}: {change['reason']}"
