"""The curated book that comes with recorder, and books in files of the same form."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..errors import PriceError
from .book import Book
from .hours import Calendars
from .plain import Holidays, read_holidays, read_prices
from .price import Price


class Pages(Struct, frozen=True):
    """What a book consists of."""

    prices: tuple[Price, ...]
    holidays: tuple[Holidays, ...]


@cache
def curated() -> Pages:
    """The book that comes with this version of recorder."""
    return read_book(Path(__file__).with_name("book.toml"))


@cache
def curated_book() -> Book:
    """The curated book, ready to price calls: for where there is no store."""
    pages = curated()
    return Book(pages.prices, calendars(pages.holidays))


def calendars(holidays: Sequence[Holidays]) -> Calendars:
    """The days by country and year."""
    return {(year.country, year.year): year.days for year in holidays}


def read_book(path: Path) -> Pages:
    """The rows and holidays in a TOML file, or in the JSON that `recorder prices list` prints. Raises PriceError."""
    try:
        text = path.read_text(encoding="utf-8")
        plain = _parsed(path, text)
        looked_up = plain.get("looked_up")
        prices = [
            price
            for row in _tables(plain, "price")
            for price in read_prices(row, None if looked_up is None else str(looked_up))
        ]
        holidays = [
            read_holidays(row, None if looked_up is None else str(looked_up))
            for row in _tables(plain, "holidays")
        ]
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise PriceError(f"{path} is no price book: {error}") from error
    ids = [price.id for price in prices]
    if len(set(ids)) < len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise PriceError(f"{path} is no price book: it has two rows {twice!r}")
    return Pages(tuple(prices), tuple(holidays))


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    if path.suffix.lower() != ".json":
        return tomllib.loads(text, parse_float=Decimal)
    plain = json.loads(text, parse_float=Decimal)
    if isinstance(plain, list):
        return {"price": plain}
    if not isinstance(plain, dict):
        raise ValueError("it is no list of rows")
    return plain


def _tables(plain: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    tables = plain.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError(f"{name} is no list of tables; begin each with [[{name}]]")
    return tables
