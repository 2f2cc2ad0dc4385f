"""Amounts of time and money as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

UNKNOWN: Final = "–"
_PICO = 10**12


def show_duration(seconds: float | None) -> str:
    """`0.042s`, `4.20s`, `42.0s`, `2m05s`, `1h02m`: about three digits, widest six characters."""
    if seconds is None:
        return UNKNOWN
    if seconds < 99.95:
        return f"{seconds:.{3 if seconds < 0.0995 else 2 if seconds < 9.995 else 1}f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours < 100 else f"{hours // 24}d{hours % 24:02}h"


def show_instant(seconds: float | None) -> str:
    """The same, but what is shorter than a millisecond in its own unit: `50 µs`, `7 ns`."""
    if seconds is None or seconds >= 0.000_999_5 or seconds <= 0:
        return show_duration(seconds)
    amount, unit = (seconds * 1e6, "µs") if seconds >= 1e-6 else (seconds * 1e9, "ns")
    return f"{amount:.0f} {unit}" if amount >= 9.95 else f"{amount:.1f}".removesuffix(".0") + f" {unit}"


def show_money(amount: float | Decimal, currency: str | None) -> str:
    """An amount with the digits that matter: four decimals below one unit, two above; of tiny ones, two digits."""
    if amount < 0:
        return f"-{show_money(-amount, currency)}"
    sign = "$" if currency == "USD" else ""
    text = (
        f"{sign}{amount:.2f}"
        if amount >= 1
        else f"{sign}{amount:.4f}"
        if amount >= 0.0001 or not amount
        else f"{sign}{amount:.{1 - Decimal(amount).adjusted()}f}".rstrip("0")
    )
    return text if sign or not currency else f"{text} {currency}"


def exact_units(pico: int) -> Decimal:
    """Pico-units as units, exactly, without zeros at the end."""
    whole, rest = divmod(abs(pico), _PICO)
    text = f"{whole}.{rest:012}".rstrip("0").rstrip(".")
    return Decimal(f"-{text}" if pico < 0 else text)


def show_exactly(amount: Decimal, currency: str | None) -> str:
    """An amount with all its digits."""
    return f"${amount:f}" if currency == "USD" else f"{amount:f} {currency or ''}".rstrip()
