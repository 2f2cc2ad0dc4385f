"""Price rows and holidays as plain names and values: in files, on the command line and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from .hours import read_hours
from .price import RATES, Price, read_rate

NAMES: Final = (
    *("id", "model", "provider", "host", "currency", "from", "to", "hours", *RATES),
    *("source", "looked_up", "note", "own", "enabled"),
)
"""What a row is made of, in the order in which it is shown."""

_TEXTS: Final = ("id", "model", "provider", "host", "currency", "source", "looked_up", "note")
_CURRENCY = re.compile("[A-Z]{3}")
_MOST_YEARS = 400


class Holidays(Struct, frozen=True):
    """The public holidays of a country in one year."""

    country: str
    year: int
    days: frozenset[date]
    source: str = ""
    looked_up: str | None = None
    own: bool = False


def plain_price(price: Price) -> dict[str, Any]:
    """The row by its names: moments as ISO 8601 in UTC, rates exact, hours as text."""
    moments = {"from": price.valid_from_us, "to": price.valid_to_us}
    plain: dict[str, Any] = {}
    for name in NAMES:
        if name in moments:
            plain[name] = None if moments[name] is None else show_utc(moments[name] or 0)
        elif name == "hours":
            plain[name] = None if price.hours is None else str(price.hours)
        else:
            plain[name] = getattr(price, name)
    return plain


def read_prices(plain: Mapping[str, Any], looked_up: str | None = None) -> Iterator[Price]:
    """The rows in a mapping with the names of a row, one for each of its `models`. Raises ValueError."""
    if "models" not in plain:
        yield read_price({"looked_up": looked_up, **plain})
        return
    rest = {name: value for name, value in plain.items() if name != "models"}
    for model in plain["models"]:
        id = f"{plain.get('id', '')}/{model}"
        yield read_price({"looked_up": looked_up, **rest, "id": id, "model": model})


def read_price(plain: Mapping[str, Any]) -> Price:
    """The row in a mapping with the names of a row. Raises ValueError, which names the row."""
    id = str(plain.get("id") or "")
    try:
        return check_price(change_price(Price(id=id, model=""), plain))
    except ValueError as error:
        raise ValueError(f"row {id or '?'}: {error}") from None


def change_price(price: Price, plain: Mapping[str, Any]) -> Price:
    """The row with what a mapping says otherwise. Raises ValueError."""
    if unknown := [name for name in plain if name not in NAMES]:
        raise ValueError(f"a row has no {unknown[0]!r}; it has: {', '.join(NAMES)}")
    changes: dict[str, Any] = {}
    for name, value in plain.items():
        if name in ("from", "to"):
            changes[f"valid_{name}_us"] = None if value is None else _moment(value)
        elif name == "hours":
            changes[name] = None if value is None else read_hours(str(value))
        elif name in RATES:
            changes[name] = None if value is None else read_rate(value)
        elif name in _TEXTS:
            changes[name] = _text(name, value)
        else:
            changes[name] = bool(value)
    return replace(price, **changes)


def check_price(price: Price) -> Price:
    """The row itself, if calls can be priced by it. Raises ValueError."""
    if not price.id or price.id != price.id.strip():
        raise ValueError("a row needs an id")
    if not price.model:
        raise ValueError("a row needs a model, or a pattern such as 'gpt-4o*'; '*' is any")
    if not _CURRENCY.fullmatch(price.currency):
        raise ValueError(f"{price.currency!r} is no currency; write its three letters, such as USD")
    if all(getattr(price, name) is None for name in RATES):
        raise ValueError(f"a row needs a rate: {', '.join(RATES)}")
    if price.host is not None and ("/" in price.host or ":" in price.host.partition("]")[2]):
        raise ValueError(f"{price.host!r} is no host; write it without scheme and port: llm.corp.local")
    if None not in (price.valid_from_us, price.valid_to_us) and _from(price) >= (price.valid_to_us or 0):
        raise ValueError("a row has to end after it begins")
    return price


def read_holidays(plain: Mapping[str, Any], looked_up: str | None = None) -> Holidays:
    """A year's holidays: `days` are dates, or `first..last`. Raises ValueError."""
    try:
        year = int(plain["year"])
        days = frozenset(_days(plain["days"]))
        country = str(plain["country"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"holidays need country, year and days such as '2026-10-01..2026-10-07': {error}"
        ) from None
    if not country or any(day.year != year for day in days):
        raise ValueError(f"the holidays of {country or 'no country'} for {year} have a day of another year")
    text = plain.get("looked_up") or looked_up
    return Holidays(
        country, year, days, str(plain.get("source") or ""), text and str(text), bool(plain.get("own"))
    )


def show_days(days: frozenset[date]) -> list[str]:
    """The days in order, runs of them as `first..last`."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return [f"{run[0]}..{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]


def show_utc(at_us: int) -> str:
    """ISO 8601 in UTC, to the microsecond where that is needed."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return moment.isoformat().replace("+00:00", "Z")


def _from(price: Price) -> int:
    return price.valid_from_us or 0


def _text(name: str, value: object) -> str | None:
    if value is None:
        return "" if name in ("source", "note") else None
    text = str(value).strip()
    if "\x00" in text or len(text) > 500:
        raise ValueError(f"{name} is no text of at most 500 characters")
    return text.upper() if name == "currency" else text


def _moment(value: object) -> int:
    """Epoch microseconds of an ISO 8601 text or a datetime; without a zone it is UTC."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no moment; write 2026-11-01 or 2026-11-01T12:00:00Z") from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _days(texts: Sequence[object]) -> Iterator[date]:
    for text in texts:
        first, _, last = str(text).partition("..")
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
        if not 0 <= (end - begin).days < _MOST_YEARS:
            raise ValueError(f"{text!r} ends before it begins, or is too long")
        for step in range((end - begin).days + 1):
            yield begin + timedelta(days=step)
