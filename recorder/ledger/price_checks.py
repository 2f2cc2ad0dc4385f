"""What is missing in a price book, contradicts itself, or is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, groupby
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Select, func, select

from ..call import Usage
from ..pricing import Book, Holidays, Price, Subject, calendars, curated
from ..pricing.fallback import installed, may_know
from .prices import load_pages
from .tables import calls
from .views import model_name

_SOON = timedelta(days=60)
_WEEK_US = 7 * 86_400_000_000
_STEP_US = 15 * 60 * 1_000_000
_MANY = 50

Kind = Literal["unusable", "unpriced", "repriceable", "overlap", "expired", "holidays", "outdated"]


class Finding(Struct, frozen=True):
    """Something about the book that its user should know.

    `problem` tells what makes costs wrong or unknown already from what only will, or might.
    """

    kind: Kind
    text: str
    problem: bool = True


def findings(connection: Connection, now_us: int) -> list[Finding]:
    """All of them: rows that cannot be used, unpriced models, overlaps, rows and lists that ended."""
    pages, unusable = load_pages(connection)
    book = Book(pages.prices, calendars(pages.holidays))
    return [
        *(Finding("unusable", text) for text in unusable),
        *_unpriced(connection, book),
        *_overlaps(book.prices),
        *_expired(connection, book.prices, now_us),
        *_ending_holidays(book.prices, pages.holidays, now_us),
        *_outdated(pages.prices),
    ]


def _unpriced(connection: Connection, book: Book) -> Iterator[Finding]:
    """Models that had usage and got no cost: whether there is a row by now, and what to do."""
    for provider, host, served, requested, count, first_us, last_us in connection.execute(_without_cost()):
        subject = Subject(
            provider=provider,
            host=host,
            served_model=served,
            requested_model=requested,
            usage=Usage(1, None, None, 1),
            started_us=last_us,
            ended_us=last_us,
        )
        what = f"{_calls(count)} of {served or requested} at {_place(provider, host)}"
        have = "has" if count == 1 else "have"
        if book.cost(subject).pico is not None:
            yield Finding(
                "repriceable", f"{what} can be priced now: recorder reprice --since {_day(first_us)}"
            )
        else:
            yield Finding("unpriced", f"{what} {have} no price, the last on {_day(last_us)}{_hint(provider)}")


def _without_cost() -> Select[Any]:
    """Where and by which models calls were made that had usage and got no cost: how many, the first and the last."""
    c = calls.c
    moments = (func.min(c.started_us), func.max(c.started_us))
    return (
        select(c.provider, c.host, c.response_model, c.request_model, func.count(), *moments)
        .where(c.cost_pico.is_(None), c.usage_source == "provider", c.replayed == 0)
        .group_by(c.provider, c.host, c.response_model, c.request_model)
        .order_by(func.count().desc(), c.provider, c.host, c.response_model, c.request_model)
        .limit(_MANY)
    )


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


def _hint(provider: str) -> str:
    if may_know(provider) and not installed():
        return "; genai-prices may know it: pip install 'llm-flight-recorder[prices]'"
    return ""


def _overlaps(prices: Sequence[Price]) -> Iterator[Finding]:
    """Pairs of rows that are equally specific and hold at the same time."""
    ranked = sorted(prices, key=lambda price: (_about(price), price.hours is not None, price.id))
    for _, group in groupby(ranked, key=lambda price: (_about(price), price.hours is not None)):
        for one, other in combinations(group, 2):
            begin = max(one.valid_from_us or -(2**62), other.valid_from_us or -(2**62))
            end = min(one.valid_to_us or 2**62, other.valid_to_us or 2**62)
            if begin < end and _share_an_hour(one, other, begin, end):
                since = f" from {_day(begin)} on" if begin > -(2**62) else ""
                yield Finding(
                    "overlap", f"rows {one.id} and {other.id} hold at the same time{since}; end one of them"
                )


def _expired(connection: Connection, prices: Sequence[Price], now_us: int) -> Iterator[Finding]:
    """What had a price that ended, though calls still come, or though it is the user's own."""
    for (model, provider, host), group in groupby(sorted(prices, key=_where), key=_where):
        rows = list(group)
        ends = [row.valid_to_us for row in rows]
        if None in ends or (last := max(end or 0 for end in ends)) > now_us:
            continue
        count = 0 if "*" in model else _calls_since(connection, model, provider, host, last)
        if count or any(row.own and row.valid_to_us == last for row in rows):
            since = f"; {_calls(count)} came since" if count else ""
            where = _place(provider or "any provider", host or "")
            yield Finding(
                "expired", f"the last row for {model} at {where} ended on {_day(last)}{since}", bool(count)
            )


def _calls_since(connection: Connection, model: str, provider: str, host: str, at_us: int) -> int:
    c = calls.c
    query = select(func.count()).where(
        c.started_us >= at_us,
        c.cost_pico.is_(None),
        c.usage_source == "provider",
        model_name == model,
    )
    for column, value in ((c.provider, provider), (c.host, host)):
        query = query.where(column == value) if value and "*" not in value else query
    return connection.scalar(query) or 0


def _ending_holidays(prices: Sequence[Price], years: Sequence[Holidays], now_us: int) -> Iterator[Finding]:
    """Lists of holidays that rows in force need, and that end soon or did."""
    today = datetime.fromtimestamp(now_us / 1e6, UTC).date()
    needed = {
        price.hours.holidays
        for price in prices
        if price.hours is not None and price.hours.holidays and (price.valid_to_us or 2**62) > now_us
    }
    for country in sorted(needed):
        known = [year.year for year in years if year.country == country]
        if not known:
            yield Finding("holidays", f"there is no list of {country} holidays")
            continue
        end = date(max(known), 12, 31)
        if end < today + _SOON:
            ends = "ended" if end < today else "ends"
            text = f"the list of {country} holidays {ends} on {end}; add the next year with recorder prices import FILE"
            yield Finding("holidays", text, end < today)


def _outdated(prices: Sequence[Price]) -> Iterator[Finding]:
    stored = {price.id: price for price in prices}
    stale = sum(
        stored.get(price.id) is None
        or (not stored[price.id].own and _switched(stored[price.id]) != _switched(price))
        for price in curated().prices
    )
    if stale:
        text = f"{stale} curated rows are other than in this version of recorder; run: recorder prices import"
        yield Finding("outdated", text, False)


def _switched(price: Price) -> dict[str, Any]:
    return {name: getattr(price, name) for name in Price.__struct_fields__ if name != "enabled"}


def _share_an_hour(one: Price, other: Price, begin: int, end: int) -> bool:
    if one.hours is None or other.hours is None:
        return True
    first, second = replace(one.hours, holidays=None), replace(other.hours, holidays=None)
    start = begin if begin > -(2**62) else end - _WEEK_US if end < 2**62 else 0
    return any(
        first.cover(at, {})[0] and second.cover(at, {})[0]
        for at in range(start - start % _STEP_US + _STEP_US, min(end, start + _WEEK_US), _STEP_US)
    )


def _where(price: Price) -> tuple[str, str, str]:
    return price.model, price.provider or "", price.host or ""


def _about(price: Price) -> tuple[str, str, str, bool]:
    return *_where(price), price.own


def _place(provider: str, host: str) -> str:
    return provider if not host or provider == host else f"{provider} ({host})"


def _day(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d")
