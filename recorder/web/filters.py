"""Which calls a page is about, as its address says it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct
from starlette.datastructures import QueryParams

from ..audit.listing import Wanted
from ..ledger.conditions import Condition, parse_conditions
from ..ledger.moments import parse_moment
from ..ledger.rows import storable

FIELDS: Final[Mapping[str, str]] = {
    "model": "model",
    "provider": "provider",
    "host": "host",
    "session": "session_id",
    "user": "user_id",
    "outcome": "outcome",
}
"""The parameters that name a value of a column, and the column."""

PERIODS: Final = (("1h", "Hour"), ("24h", "Day"), ("7d", "Week"), ("30d", "30 days"), ("90d", "90 days"))
_LONGEST: Final = 2_000


class Filters(Struct, frozen=True):
    """The filters of a page, as they were written; `problems` say what could not be read."""

    since: str = ""
    until: str = ""
    values: Mapping[str, str] = {}
    tags: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    search: str = ""
    problems: tuple[str, ...] = ()
    wanted: Wanted = Wanted()

    @property
    def active(self) -> bool:
        """Whether anything but the period is filtered by."""
        return bool(any(self.values.values()) or self.tags or self.where or self.search)

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of an address that means the same."""
        found = [("since", self.since), ("until", self.until), *self.values.items(), ("q", self.search)]
        found += [("tag", tag) for tag in self.tags] + [("where", text) for text in self.where]
        return [(name, value) for name, value in found if value]

    def address(self, path: str, **changes: str) -> str:
        """An address with these filters, some of them changed; an empty one is left out."""
        return address(path, self.pairs(), **changes)


def address(path: str, pairs: Iterable[tuple[str, str]], **changes: str) -> str:
    """A path with parameters, some of them changed; an empty one is left out."""
    kept = [(name, value) for name, value in pairs if name not in changes]
    query = urlencode([*kept, *((name, value) for name, value in changes.items() if value)])
    return f"{path}?{query}" if query else path


def read_filters(query: QueryParams, since: str = "") -> Filters:
    """The filters of a query string; what cannot be read is left out, and said so. `since` is the default period."""
    problems: list[str] = []
    values = {name: _clean(query.get(name, "")) for name in FIELDS}
    tags = tuple(text for text in map(_clean, query.getlist("tag")) if text)
    where = tuple(text for text in map(_clean, query.getlist("where")) if text)
    from_, to = (_clean(query.get("since", "")) or since), _clean(query.get("until", ""))
    search = _clean(query.get("q", ""))
    conditions = [Condition(FIELDS[name], "=", value) for name, value in values.items() if value]
    for text in where:
        try:
            conditions += parse_conditions([text])
        except ValueError as error:
            problems.append(str(error))
    wanted = Wanted(
        _moment(from_, problems),
        _moment(to, problems, end=True),
        tuple(conditions),
        _tags(tags, problems),
        search,
    )
    return Filters(from_, to, values, tags, where, search, tuple(problems), wanted)


def period(wanted: Wanted) -> tuple[int, int]:
    """The first microsecond of the period, and the first one after it; without an end it is now."""
    until = time.time_ns() // 1000 if wanted.until_us is None else wanted.until_us
    return (0 if wanted.since_us is None else wanted.since_us), until


def _clean(text: str) -> str:
    """What was written, without what no database takes, and not longer than anybody would write."""
    return storable(text).strip()[:_LONGEST]


def _moment(text: str, problems: list[str], *, end: bool = False) -> int | None:
    if not text or text == "all":
        return None
    try:
        found = parse_moment(text, end=end)
    except ValueError as error:
        problems.append(str(error))
        return None
    # What no database can hold begins or ends nothing.
    return max(0, min(found, 2**62))


def _tags(texts: Iterable[str], problems: list[str]) -> dict[str, str]:
    read = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if name.strip() and equals:
            read[name.strip()] = value
        else:
            problems.append(f"{text!r} is no tag; write NAME=VALUE")
    return read
