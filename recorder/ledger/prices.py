"""The price book in its tables: read, changed, and filled from the curated book."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Table, func, select

from ..pricing import RATES, Book, Holidays, Pages, Price, calendars, curated, read_price
from ..pricing.plain import read_holidays, show_days
from .tables import holidays, prices

_logger = logging.getLogger("recorder")
Version = tuple[int, ...]


class Import(Struct, frozen=True):
    """What an import did to the rows: how many are new, other than before, gone, and kept as the user wants them."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0


def version(connection: Connection) -> Version:
    """What is another one whenever any row is."""
    counts = (func.count(), func.coalesce(func.max(prices.c.changed_us), 0))
    years = (func.count(), func.coalesce(func.max(holidays.c.changed_us), 0))
    rows = (*connection.execute(select(*counts)).one(), *connection.execute(select(*years)).one())
    return tuple(int(number) for number in rows)


def load_book(connection: Connection) -> Book:
    """The book as it is in the store. A row that cannot be used is left out, with a warning."""
    found, problems = load_pages(connection)
    for problem in problems:
        _logger.warning("left out of the price book: %s", problem)
    return Book(found.prices, calendars(found.holidays))


def load_pages(connection: Connection) -> tuple[Pages, list[str]]:
    """All rows and holidays that can be used, by id, and what is wrong with the others."""
    problems: list[str] = []
    rows: list[Price] = []
    years: list[Holidays] = []
    for row in connection.execute(select(prices).order_by(prices.c.id)).mappings():
        try:
            rows.append(_price(row))
        except ValueError as error:
            problems.append(str(error))
    for row in connection.execute(select(holidays).order_by(holidays.c.country, holidays.c.year)).mappings():
        try:
            years.append(read_holidays({**row, "days": json.loads(row["days"])}))
        except ValueError as error:
            problems.append(str(error))
    return Pages(tuple(rows), tuple(years)), problems


def fill_prices(connection: Connection, *, reset: bool = False) -> Import:
    """Bring the curated rows to those of this version of recorder; the user's stay, but for `reset`.

    A row that was switched on or off stays so, and a new one follows those of its provider and currency.
    """
    pages = curated()
    stored = {price.id: price for price in load_pages(connection)[0].prices}
    own = {} if reset else {id: price for id, price in stored.items() if price.own}
    wanted = [
        price if reset else replace(price, enabled=_switch(price, stored))
        for price in pages.prices
        if price.id not in own
    ]
    names = {price.id for price in pages.prices}
    gone = [id for id, price in stored.items() if id not in names and not price.own]
    changed = [price for price in wanted if price.id in stored and stored[price.id] != price]
    added = [price for price in wanted if price.id not in stored]
    _delete(connection, prices, [*gone, *(price.id for price in changed)])
    put_prices(connection, [*added, *changed])
    _fill_holidays(connection, pages.holidays, reset=reset)
    return Import(len(added), len(changed), len(gone), len(own.keys() & names))


def put_prices(connection: Connection, rows: Sequence[Price]) -> None:
    """Write rows, in the place of those with the same id."""
    _delete(connection, prices, [row.id for row in rows])
    if rows:
        at_us = _now(connection, prices)
        connection.execute(prices.insert(), [{**_columns(row), "changed_us": at_us} for row in rows])


def remove_price(connection: Connection, id: str) -> None:
    """Remove a row; a curated one that it stood for comes back."""
    _delete(connection, prices, [id])
    put_prices(connection, [price for price in curated().prices if price.id == id])


def put_holidays(connection: Connection, years: Iterable[Holidays]) -> None:
    """Write the holidays of years, in the place of those there are."""
    at_us = _now(connection, holidays)
    for year in years:
        connection.execute(
            holidays.delete().where(holidays.c.country == year.country, holidays.c.year == year.year)
        )
        row = {
            "country": year.country,
            "year": year.year,
            "days": json.dumps(show_days(year.days)),
            "source": year.source,
            "looked_up": year.looked_up,
            "own": int(year.own),
            "changed_us": at_us,
        }
        connection.execute(holidays.insert(), [row])


def _fill_holidays(connection: Connection, years: Sequence[Holidays], *, reset: bool) -> None:
    stored = {(year.country, year.year): year for year in load_pages(connection)[0].holidays}
    put_holidays(
        connection,
        [
            year
            for year in years
            if (known := stored.get((year.country, year.year))) is None
            or (known != year and (reset or not known.own))
        ],
    )


def _switch(price: Price, stored: dict[str, Price]) -> bool:
    if (known := stored.get(price.id)) is not None:
        return known.enabled
    alike = [
        other.enabled
        for other in stored.values()
        if (other.provider, other.currency, other.own) == (price.provider, price.currency, False)
    ]
    return any(alike) if alike else price.enabled


def _price(row: Any) -> Price:
    plain = {
        name: value
        for name, value in row.items()
        if name not in ("valid_from_us", "valid_to_us", "changed_us")
    }
    return read_price({**plain, "from": row["valid_from_us"], "to": row["valid_to_us"]})


def _columns(price: Price) -> dict[str, Any]:
    rates = {name: getattr(price, name) for name in RATES}
    return {
        "id": price.id,
        "model": price.model,
        "provider": price.provider,
        "host": price.host,
        "currency": price.currency,
        "valid_from_us": price.valid_from_us,
        "valid_to_us": price.valid_to_us,
        "hours": None if price.hours is None else str(price.hours),
        **{name: None if rate is None else str(rate) for name, rate in rates.items()},
        "source": price.source,
        "looked_up": price.looked_up,
        "note": price.note,
        "own": int(price.own),
        "enabled": int(price.enabled),
    }


def _delete(connection: Connection, table: Table, ids: Sequence[str]) -> None:
    if ids:
        connection.execute(table.delete().where(table.c.id.in_(ids)))


def _now(connection: Connection, table: Table) -> int:
    """A moment later than that of every row, also when the clock went back."""
    latest = connection.scalar(select(func.coalesce(func.max(table.c.changed_us), 0))) or 0
    return max(time.time_ns() // 1000, int(latest) + 1)
