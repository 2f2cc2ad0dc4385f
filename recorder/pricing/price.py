"""What a price row says: which calls it is for, when, and its rates."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec import Struct

from .hours import Hours
from .patterns import matches_model

RATES: Final = ("input", "cached", "cache_write", "output", "reasoning", "request")
"""What can have a rate: a million tokens of each kind, and one request."""


class Price(Struct, frozen=True, kw_only=True):
    """One row of the price book.

    `model` is a name or a pattern in which `*` stands for anything; the whole name has to fit. `host` may
    begin with `*.`. A row with neither provider nor host is for every known cloud, never for a host of
    one's own. `valid_from_us` is the first microsecond and `valid_to_us` the first one after; with `hours`
    the row holds within them only. Rates are exact: units of the currency for a million tokens, `request`
    for each request. `cached`, `cache_write` and `reasoning` are None where they are not priced apart: then
    they count as input and output. `own` marks what the user wrote, in contrast to the curated book.
    """

    id: str
    model: str
    provider: str | None = None
    host: str | None = None
    currency: str = "USD"
    valid_from_us: int | None = None
    valid_to_us: int | None = None
    hours: Hours | None = None
    input: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    output: Decimal | None = None
    reasoning: Decimal | None = None
    request: Decimal | None = None
    source: str = ""
    looked_up: str | None = None
    note: str = ""
    own: bool = False
    enabled: bool = True

    def is_for(self, provider: str, host: str, *, cloud: bool) -> bool:
        """Whether the row is about this provider at this host; `cloud` says that the host is a known cloud's."""
        if self.host is not None and not _is_host(self.host, host):
            return False
        if self.provider is not None:
            return self.provider == provider
        return self.host is not None or cloud

    def fits(self, model: str) -> bool:
        """Whether the row is about a model of this name."""
        return matches_model(self.model, model)

    def valid_at(self, at_us: int) -> bool:
        """Whether a moment lies between the row's dates, the first included."""
        return (self.valid_from_us is None or at_us >= self.valid_from_us) and (
            self.valid_to_us is None or at_us < self.valid_to_us
        )


def read_rate(value: object) -> Decimal:
    """The rate in a text or number, exactly as written. Raises ValueError for what is no amount of money."""
    try:
        rate = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{value!r} is no rate; write units for a million tokens, such as 0.28") from None
    if not rate.is_finite() or rate < 0 or rate > 10**9 or rate.adjusted() < -30:
        raise ValueError(f"{value!r} is no rate: it has to be between 0 and a billion")
    return rate


def _is_host(pattern: str, host: str) -> bool:
    pattern, host = pattern.lower(), host.lower()
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
