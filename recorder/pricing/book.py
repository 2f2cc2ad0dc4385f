"""The price book in use: rows and holidays, and what calls cost by them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .charge import LARGEST_PICO, PICO, cache_saving, charge, reasons_beside, to_pico
from .cost import Cost, unpriced
from .fallback import listed_cost
from .hours import Calendars
from .patterns import exactness
from .price import Price
from .reported import Reported
from .subject import Subject

_REMEMBERED = 4096
_Rank = tuple[tuple[int, int], bool, tuple[bool, int], bool, int, str]


class Book:
    """Price rows and holidays. Immutable, but for what it remembers of its own answers.

    Of the rows that hold for a call the most specific one counts: one for a host before one for a
    provider, one for a provider before one for all clouds; then the user's own before the curated; a
    model's name before a pattern, and a longer pattern before a shorter; one with hours before one
    without; the later one; the greater id.
    """

    def __init__(self, prices: Sequence[Price], calendars: Calendars) -> None:
        self.calendars = calendars
        self.prices = tuple(sorted((price for price in prices if price.enabled), key=_rank, reverse=True))
        # genai-prices is not asked about a cloud that the curated book keeps: its rows are older.
        self._kept = {price.provider for price in prices if not price.own}
        self._found: dict[tuple[str, str, str], tuple[Price, ...]] = {}

    def cost(self, subject: Subject) -> Cost:
        """What a call cost: as its provider says, else by this book, else by genai-prices."""
        if subject.reported is not None:
            return _reported(subject.reported)
        reason: str | None = None
        for name in subject.models:
            found, reason = self._by_row(subject, name, reason)
            if found is not None:
                return found
        return self._by_list(subject, reason)

    def find(self, subject: Subject, model: str) -> tuple[Price, str | None] | None:
        """The row that holds for a call under this name of its model, and what is doubtful about that."""
        for price in self._candidates(subject, model):
            hours = price.hours
            at_us = subject.ended_us if hours and hours.decided_by == "end" else subject.started_us
            if not price.valid_at(at_us):
                continue
            if hours is None:
                return price, None
            covered, doubt = hours.cover(at_us, self.calendars)
            if covered:
                return price, doubt
        return None

    def _by_row(self, subject: Subject, name: str, reason: str | None) -> tuple[Cost | None, str | None]:
        """The cost under one name of the model, or a better reason why there is none."""
        found = self.find(subject, name)
        if found is None:
            return None, reason or self._nothing_found(subject, name)
        price, doubt = found
        beside = reasons_beside(subject.provider, subject.usage, subject.total_tokens)
        made = charge(price, subject.usage, beside=beside, succeeded=subject.succeeded)
        if made.problem is not None:
            return unpriced(made.problem), None
        notes = [*made.notes, *filter(None, (doubt, price.note))]
        served = subject.served_model
        if served and served != name:
            notes.append(f"priced as {name}, which was asked for: there is no row for {served}")
        if price.provider is not None and price.host is None and not subject.cloud and not price.own:
            notes.append(f"{subject.host} was taken for {price.provider}, as it is named")
        pico = sum(line.pico for line in made.lines)
        if pico > LARGEST_PICO:
            return unpriced("the usage is beyond all reason"), None
        saved = cache_saving(price, subject.usage)
        source = f"book:{price.id}"
        return Cost(pico, price.currency, source, price.id, made.lines, tuple(notes), saved), None

    def _by_list(self, subject: Subject, reason: str | None) -> Cost:
        if reason is None:
            return unpriced("the model is not known")
        if subject.usage is None:
            return unpriced("the answer has no usage")
        if subject.provider in self._kept:
            return unpriced(reason)
        found = listed_cost(subject)
        if isinstance(found, Cost):
            return found
        return unpriced(f"{reason}{found}")

    def _nothing_found(self, subject: Subject, name: str) -> str:
        if any(price.fits(name) for price in self._candidates(subject, name)):
            return f"no row for model {name} at provider {subject.provider} holds at that time"
        return f"no row for model {name} at provider {subject.provider}"

    def _candidates(self, subject: Subject, model: str) -> tuple[Price, ...]:
        """The rows for this model there, at whatever time, the most specific first."""
        key = (subject.provider, subject.host, model)
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            cloud = subject.cloud
            found = self._found[key] = tuple(
                price
                for price in self.prices
                if price.is_for(subject.provider, subject.host, cloud=cloud) and price.fits(model)
            )
        return found


def _rank(price: Price) -> _Rank:
    host = 0 if price.host is None else 1 if price.host.startswith("*.") else 2
    return (
        (host, int(price.provider is not None)),
        price.own,
        exactness(price.model),
        price.hours is not None,
        price.valid_from_us if price.valid_from_us is not None else -(2**63),
        price.id,
    )


def _reported(reported: Reported) -> Cost:
    pico = to_pico(1, Decimal(reported.amount), PICO)
    return Cost(pico, "USD", "provider", notes=(f"as {reported.place} says",))
