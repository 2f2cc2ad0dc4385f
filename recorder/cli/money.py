"""Amounts of money for people and for programs: rounded for the ones, exact for the others."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_PICO = 10**12


def exact_units(pico: int) -> Decimal:
    """Pico-units as units, exactly, without zeros at the end."""
    whole, rest = divmod(abs(pico), _PICO)
    text = f"{whole}.{rest:012}".rstrip("0").rstrip(".")
    return Decimal(f"-{text}" if pico < 0 else text)


def maybe_units(pico: int | None) -> Decimal | None:
    """The same, where there is an amount."""
    return None if pico is None else exact_units(pico)


def show_exactly(amount: Decimal, currency: str | None) -> str:
    """An amount with all its digits."""
    return f"${amount:f}" if currency == "USD" else f"{amount:f} {currency or ''}".rstrip()


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
