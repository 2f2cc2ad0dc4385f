"""Price rows as lines of a table, and one as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .tables import Cell, Column
from .text import styled
from .times import UNKNOWN

if TYPE_CHECKING:
    from ..pricing import Holidays, Price
    from .page import Page

_RATES = (
    ("input", "in"),
    ("cached", "cached"),
    ("cache_write", "cache write"),
    ("output", "out"),
    ("reasoning", "reasoning"),
    ("request", "a request"),
)
_ALWAYS = ("input", "cached", "output")


def price_columns(prices: Sequence[Price]) -> tuple[Column, ...]:
    """The columns of these rows; rates that no row has are left out."""
    return (
        Column("id", floor=20, ceiling=60),
        Column("model", floor=14, ceiling=40),
        Column("at", floor=8, ceiling=30, drop=2),
        *(Column(title, "right") for _, title in _rates(prices)),
        Column("currency"),
        Column("from (UTC)", floor=10, drop=4),
        Column("to (UTC)", floor=10, drop=3),
        Column("hours", floor=8, ceiling=70, drop=1),
    )


def price_cells(price: Price, prices: Sequence[Price]) -> list[Cell]:
    """One cell a column."""
    dim = "" if price.enabled else "dim"
    rates = (getattr(price, name) for name, _ in _rates(prices))
    return [
        (styled(price.id, "cyan" if price.enabled else "dim"),),
        (styled(price.model, dim),),
        (styled(price.host or price.provider or "any cloud", "dim"),),
        *((Text(UNKNOWN, style="dim") if rate is None else Text(f"{rate:f}", style=dim),) for rate in rates),
        (styled(price.currency, dim),),
        _moment(price.valid_from_us),
        _moment(price.valid_to_us),
        (styled(price.hours or "", "dim"),),
    ]


def print_price(page: Page, price: Price, holidays: Sequence[Holidays]) -> None:
    """Print one row in full, with the holidays on which its hours do not hold."""
    from ..pricing.plain import show_days, show_utc

    state = " · ".join(("your own" if price.own else "curated", "on" if price.enabled else "off"))
    page.line(Text("Price ", "bold").append_text(styled(price.id, "cyan")).append(f"  {state}", "dim"))
    page.field("model", price.model)
    page.field("provider", price.provider)
    page.field("host", price.host)
    page.field("from", None if price.valid_from_us is None else show_utc(price.valid_from_us))
    page.field("to", None if price.valid_to_us is None else f"{show_utc(price.valid_to_us)}, no longer then")
    page.field("hours", None if price.hours is None else str(price.hours))
    for year in holidays:
        if price.hours is not None and price.hours.holidays == year.country:
            page.field(f"{year.country} {year.year}", f"{', '.join(show_days(year.days))} ({year.source})")
    page.heading("Rates", f"{price.currency} for a million tokens")
    for name, title in _RATES:
        rate = getattr(price, name)
        page.field(title, None if rate is None else f"{rate:f}")
    page.heading("Source", f"looked up on {price.looked_up}" if price.looked_up else "")
    page.line(styled(f"  {price.source or 'not given'}"))
    page.field("note", styled(price.note, "yellow") if price.note else None)


def _rates(prices: Sequence[Price]) -> list[tuple[str, str]]:
    return [
        (name, title)
        for name, title in _RATES
        if name in _ALWAYS or any(getattr(price, name) is not None for price in prices)
    ]


def _moment(at_us: int | None) -> Cell:
    if at_us is None:
        return (Text(UNKNOWN, style="dim"),)
    from ..pricing.plain import show_utc

    text: Any = show_utc(at_us)
    day = text[:10]
    return (Text(day),) if text.endswith("T00:00:00Z") else (Text(f"{day} {text[11:16]}"), Text(day))
