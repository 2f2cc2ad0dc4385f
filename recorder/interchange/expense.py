"""What sending recorded requests again would cost, as far as anybody knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from msgspec import Struct

from ..call import Call, Usage
from ..dialects import provider_for
from ..exchange import endpoint
from ..pricing import PICO, Subject, curated_book
from ..pricing.subject import total_tokens

Price = Callable[[Call, str], Decimal | None]
"""What the usage of a call costs in dollars, given its URL; None where that is not known."""

_MILLION = 1_000_000


class Expense(Struct, frozen=True):
    """An estimate: the dollars of those calls whose price is known, and how many others there are."""

    known: Decimal
    unknown: int


def fixed_price(text: str) -> Price:
    """A price of one's own: dollars a million tokens, `0.27` for all or `0.27,1.10` for input and output.

    Raises ValueError.
    """
    try:
        amounts = [Decimal(part.strip()) for part in text.split(",")]
    except InvalidOperation:
        amounts = []
    if len(amounts) not in (1, 2) or not all(amount.is_finite() and amount >= 0 for amount in amounts):
        raise ValueError(
            f"{text!r} is no price; write dollars a million tokens: 0.27, or 0.27,1.10 for in,out"
        )

    def price(call: Call, url: str) -> Decimal | None:
        if (usage := _whole(call.answer.usage)) is None:
            return None
        return (amounts[0] * usage[0] + amounts[-1] * usage[1]) / _MILLION

    return price


def listed_price(now_us: int) -> Price:
    """The prices of the curated book, else of genai-prices where that is installed, as they are now.

    A host of one's own has none there, whatever its model is called; nor has what is billed in another currency.
    """
    book = curated_book()

    def price(call: Call, url: str) -> Decimal | None:
        host, port, _ = endpoint(url)
        subject = Subject(
            provider=provider_for(host, port, {}),
            host=host,
            served_model=call.answer.model,
            requested_model=call.request.model,
            usage=call.answer.usage,
            total_tokens=total_tokens(call.answer.raw_usage),
            started_us=now_us,
            ended_us=now_us,
            service_tier=call.answer.service_tier,
        )
        cost = book.cost(subject)
        return None if cost.pico is None or cost.currency != "USD" else Decimal(cost.pico) / PICO

    return price


def estimate(calls: Sequence[tuple[Call, str]], price: Price | None) -> Expense:
    """What these calls, with the usage that was recorded, would cost again."""
    costs = [None if price is None else price(call, url) for call, url in calls]
    return Expense(sum((cost for cost in costs if cost is not None), Decimal(0)), costs.count(None))


def _whole(usage: Usage | None) -> tuple[int, int] | None:
    if usage is None or usage.input is None or usage.output is None:
        return None
    return usage.input, usage.output
