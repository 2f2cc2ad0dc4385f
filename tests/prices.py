"""Calls to be priced, and price rows, for the tests of prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from recorder.call import Usage
from recorder.pricing import Book, Price, Subject, read_price

USAGE = Usage(10_000, 8_000, None, 2_000)
CN_2026 = {("CN", 2026): frozenset({date(2026, 10, 1)})}


def us(text: str) -> int:
    """Epoch microseconds of an ISO 8601 text; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


def a_subject(model: str | None = "deepseek-flash", at: str = "2026-11-20T12:00", **changes: Any) -> Subject:
    """A call of DeepSeek's cloud with usage, and whatever is to be different."""
    values: dict[str, Any] = {
        "provider": "deepseek",
        "host": "api.deepseek.com",
        "served_model": model,
        "usage": USAGE,
        "started_us": us(at),
        "ended_us": us(at),
    }
    return Subject(**{**values, **changes})


def a_price(id: str = "row", **plain: Any) -> Price:
    """A row for `small` at `corp`, one unit for a million tokens of input and two for output."""
    return read_price({"id": id, "model": "small", "provider": "corp", "input": 1, "output": 2, **plain})


def a_book(*prices: Price) -> Book:
    return Book(prices, CN_2026)


def winner(prices: Sequence[Price], **subject: Any) -> str | None:
    """The id of the row that prices a call of `small` at `corp`."""
    call = {"model": "small", "provider": "corp", "host": "llm.corp.local", **subject}
    return Book(prices, CN_2026).cost(a_subject(**call)).price_id
