"""Costs that came with the answer, and those of genai-prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from recorder.call import Usage
from recorder.pricing import Book, curated_book, fallback, subject_of
from recorder.pricing.reported import reported_cost

from .ledger_calls import a_call, an_exchange
from .prices import USAGE, a_price, a_subject

LITELLM = b"X-LiteLLM-Response-Cost"


@pytest.mark.parametrize(
    ("provider", "usage", "header", "amount"),
    [
        ("openrouter", {"cost": 0.00123}, None, "0.00123"),
        ("openrouter", {"cost": 1.5e-05}, None, "0.000015"),
        ("openrouter", {"cost": 0}, None, "0"),
        (
            "openrouter",
            {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}},
            None,
            "0.21",
        ),
        (
            "openrouter",
            {"cost": 0.01, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.2}},
            None,
            "0.01",
        ),
        ("corp", None, b"0.000217", "0.000217"),
        ("openrouter", {"cost": 0.5}, b"0.25", "0.25"),
        ("corp", {}, b"0.0", None),
        ("corp", {}, b"None", None),
        ("corp", {}, b"-1", None),
        ("corp", {"cost": "nan"}, None, None),
        ("corp", {"cost": True}, None, None),
        ("corp", {"cost": {"total": 1}}, None, None),
        ("x_ai", {"cost_in_usd_ticks": 37756000}, None, "0.0037756"),
        ("corp", {"cost_in_usd_ticks": 37756000}, None, None),
        ("corp", "free", None, None),
    ],
)
def test_a_cost_is_read_from_where_it_is_reported(
    provider: str, usage: Any, header: bytes | None, amount: str | None
) -> None:
    found = reported_cost(provider, usage, () if header is None else ((LITELLM, header),))
    assert (None if found is None else found.amount) == (None if amount is None else Decimal(amount))


def test_a_reported_cost_wins_over_every_row() -> None:
    call = a_call(answer=replace(a_call().answer, raw_usage={"cost": 0.0625}))
    cost = Book([a_price(model="*", provider="corp")], {}).cost(subject_of(call, an_exchange()))
    assert (cost.pico, cost.currency, cost.source) == (62_500_000_000, "USD", "provider")
    assert cost.note == "as usage.cost, taken for US dollars, says"


def test_a_reported_cost_needs_no_usage() -> None:
    head = replace(an_exchange().head, headers=((LITELLM, b"0.01"),))  # type: ignore[type-var]  # it has a head
    call = a_call(answer=replace(a_call().answer, usage=None))
    cost = Book([], {}).cost(subject_of(call, an_exchange(head=head)))
    assert (cost.pico, cost.source, cost.note) == (10**10, "provider", "as x-litellm-response-cost says")


def openai(**changes: Any) -> Any:
    return a_subject("gpt-4o-mini", provider="openai", host="api.openai.com", **changes)


def test_without_genai_prices_other_clouds_are_unpriced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "installed", lambda: False)
    assert curated_book().cost(openai()).note == "unpriced: no row for model gpt-4o-mini at provider openai"


def test_genai_prices_is_asked_for_clouds_that_the_book_does_not_keep() -> None:
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    cost = curated_book().cost(openai())
    assert (cost.pico, cost.currency, cost.price_id) == (2_100_000_000, "USD", None)
    assert cost.source.startswith("genai-prices:")


def test_genai_prices_is_never_asked_for_what_the_book_keeps_or_a_host_of_ones_own() -> None:
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    for changes in ({}, {"provider": "llm.corp.local", "host": "llm.corp.local"}):
        cost = curated_book().cost(a_subject("deepseek-chat", "2026-11-20T12:00", **changes))
        assert (cost.pico, cost.source) == (None, "none")


@pytest.mark.parametrize(
    "changes",
    [
        {"served_model": "gpt-none"},
        {"usage": Usage(5)},
        {"usage": Usage(5, 6, None, 1)},
        {"usage": None},
    ],
)
def test_what_genai_prices_does_not_know_is_unpriced(changes: dict[str, Any]) -> None:
    assert curated_book().cost(openai(**changes)).note.startswith("unpriced: ")


def test_one_row_of_ones_own_does_not_end_the_fallback() -> None:
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    book = Book([a_price(provider="openai", model="gpt-mine", own=True)], {})
    assert book.cost(openai()).source.startswith("genai-prices:")
    assert book.cost(openai(served_model="gpt-mine", usage=USAGE)).source == "book:row"
