"""Prices of genai-prices, for clouds that the book does not keep; an optional package, loaded when first needed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final

from .charge import LARGEST_PICO, PICO, reasons_beside, to_pico
from .cost import Cost
from .subject import Subject

_IDS: Final = {
    "anthropic": "anthropic",
    "avian": "avian",
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "baseten": "baseten",
    "cerebras": "cerebras",
    "cloudflare": "cloudflare",
    "cohere": "cohere",
    "databricks": "databricks",
    "fireworks": "fireworks",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "groq": "groq",
    "minimax": "minimax",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "ovhcloud": "ovhcloud",
    "perplexity": "perplexity",
    "together_ai": "together",
    "x_ai": "x-ai",
    "z_ai": "zai",
}
"""Our names of the clouds that it knows, and its own. A host of one's own is never among them."""


def listed_cost(subject: Subject) -> Cost | str:
    """The cost by genai-prices; else what to add to the reason why there is none, which may be nothing."""
    provider = _IDS.get(subject.provider)
    if provider is None:
        return ""
    if not installed():
        return ""
    usage = subject.usage
    if usage is None or usage.input is None or usage.output is None:
        return ", and genai-prices needs input and output tokens"
    beside = reasons_beside(subject.provider, usage, subject.total_tokens)
    counts = {
        "input_tokens": usage.input,
        "cache_read_tokens": usage.cached,
        "cache_write_tokens": usage.cache_write,
        "output_tokens": usage.output + ((usage.reasoning or 0) if beside else 0),
    }
    for model in subject.models:
        try:
            at = datetime.fromtimestamp(subject.started_us / 1_000_000, UTC)
            total = _total(provider, model, counts, at, subject.service_tier)
        except (LookupError, ValueError, TypeError, ArithmeticError, OSError):
            continue
        pico = to_pico(1, total, PICO)
        if 0 <= pico <= LARGEST_PICO:
            saved = _cache_saving(provider, model, counts, at, subject.service_tier, pico)
            return Cost(pico, "USD", _source(), notes=_notes(subject, model), cache_saved_pico=saved)
    return ", nor does genai-prices know it"


def may_know(provider: str) -> bool:
    """Whether genai-prices keeps prices of this provider."""
    return provider in _IDS


@cache
def installed() -> bool:
    """Whether the package is there."""
    return find_spec("genai_prices") is not None


@cache
def _source() -> str:
    return f"genai-prices:{version('genai-prices')}"


def _notes(subject: Subject, model: str) -> tuple[str, ...]:
    served = subject.served_model
    if served and served != model:
        return (f"priced as {model}, which was asked for: there is no row for {served}",)
    return ()


def _cache_saving(
    provider: str, model: str, counts: dict[str, int | None], at: datetime, tier: str | None, pico: int
) -> int | None:
    """How much more it would have cost without a cache."""
    if counts["cache_read_tokens"] is None:
        return None
    if not counts["cache_read_tokens"] and not counts["cache_write_tokens"]:
        return 0
    plain = {**counts, "cache_read_tokens": 0, "cache_write_tokens": 0}
    return to_pico(1, _total(provider, model, plain, at, tier), PICO) - pico


def _total(
    provider: str, model: str, counts: dict[str, int | None], at: datetime, tier: str | None
) -> Decimal:
    genai = _package()
    usage = genai["Usage"](**{name: count for name, count in counts.items() if count is not None})
    context = None if tier is None else {"service_tier": tier}
    found = genai["snapshot"].calc(usage, model, provider, None, at, context)
    return Decimal(found.total_price)


@cache
def _package() -> dict[str, Any]:
    """What is needed of it, with a snapshot of our own: the global one may be another library's."""
    from genai_prices import Usage, data, data_snapshot  # type: ignore[import-not-found,unused-ignore]

    snapshot = data_snapshot.DataSnapshot(providers=data.providers, from_auto_update=False)
    return {"Usage": Usage, "snapshot": snapshot}
