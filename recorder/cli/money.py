"""Amounts of money for people and for programs: rounded for the ones, exact for the others."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..amounts import exact_units, show_exactly

__all__ = ["exact_units", "maybe_units", "plain_cost_change", "show_exactly"]


def maybe_units(pico: int | None) -> Decimal | None:
    """The same, where there is an amount."""
    return None if pico is None else exact_units(pico)


def plain_cost_change(change: Mapping[str, Any]) -> dict[str, Any]:
    """A change of a call's cost for JSON output."""
    return {
        "at": change["at_us"] / 1e6,
        "reason": change["reason"],
        "former_cost": maybe_units(change["former_cost_pico"]),
        "former_currency": change["former_currency"],
        "former_cost_source": change["former_cost_source"],
        "cost": maybe_units(change["cost_pico"]),
        "currency": change["currency"],
        "cost_source": change["cost_source"],
    }
