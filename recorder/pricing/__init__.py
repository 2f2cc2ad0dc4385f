"""Rules of price: what a call cost, given rows of a price book; the curated book as data."""

from __future__ import annotations

from .book import Book
from .charge import PICO, Line
from .cost import IMPORTED, Cost, not_spent, unpriced
from .curated import Pages, calendars, curated, curated_book, read_book
from .hours import Hours, read_hours
from .plain import Holidays, plain_price, read_price
from .price import RATES, Price
from .reported import Reported
from .subject import Subject, subject_of

__all__ = [
    "IMPORTED",
    "PICO",
    "RATES",
    "Book",
    "Cost",
    "Holidays",
    "Hours",
    "Line",
    "Pages",
    "Price",
    "Reported",
    "Subject",
    "calendars",
    "curated",
    "curated_book",
    "not_spent",
    "plain_price",
    "read_book",
    "read_hours",
    "read_price",
    "subject_of",
    "unpriced",
]
