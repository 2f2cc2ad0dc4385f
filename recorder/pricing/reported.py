"""A cost that came with the answer: the provider's own word, which no price list can better."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct

from ..exchange import Headers, header

COST_HEADER: Final = b"x-litellm-response-cost"
"""Where LiteLLM's proxy states the cost."""

_XAI_TICKS: Final = 10**10  # docs.x.ai/developers/cost-tracking: 1 USD = 10,000,000,000 ticks


class Reported(Struct, frozen=True):
    """An amount in US dollars, and where it stood."""

    amount: Decimal
    place: str


def reported_cost(provider: str, raw_usage: Any, headers: Headers) -> Reported | None:
    """The cost that an answer states, or None.

    LiteLLM's proxy states it in a header, OpenRouter in `usage.cost`, xAI in ticks. Where OpenRouter uses
    the caller's own key upstream, `usage.cost` is its fee alone, and what upstream takes is added.
    """
    usage = raw_usage if isinstance(raw_usage, dict) else {}
    if (value := header(headers, COST_HEADER)) is not None:
        amount = _amount(value.decode("latin-1"))
        # LiteLLM also sends 0 where it knows no price, or does not know it yet, as in streams.
        if amount:
            return Reported(amount, "x-litellm-response-cost")
    if (amount := _amount(usage.get("cost"))) is not None:
        place = "usage.cost" if provider == "openrouter" else "usage.cost, taken for US dollars,"
        return Reported(amount + _upstream(usage), place)
    if provider == "x_ai" and (amount := _amount(usage.get("cost_in_usd_ticks"), _XAI_TICKS)) is not None:
        return Reported(amount, "usage.cost_in_usd_ticks")
    return None


def _upstream(usage: dict[str, Any]) -> Decimal:
    details = usage.get("cost_details")
    if usage.get("is_byok") is not True or not isinstance(details, dict):
        return Decimal(0)
    return _amount(details.get("upstream_inference_cost")) or Decimal(0)


def _amount(value: object, parts: int = 1) -> Decimal | None:
    """The amount exactly as written, in so many parts of a dollar; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = Decimal(str(value).strip()) / parts
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**6 else None
