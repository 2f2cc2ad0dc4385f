"""What calls cost by the documented prices, and which row counts."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from recorder.call import Usage
from recorder.pricing import curated_book

from .prices import a_book, a_price, a_subject, winner

CNY = "CNY"


@pytest.mark.parametrize(
    ("model", "at", "dollars"),
    [
        # The table of api-docs.deepseek.com by date and hour: 8,000 cached of 10,000 in, 2,000 out.
        ("deepseek-chat", "2025-01-15T18:00", "0.000952"),
        ("deepseek-chat", "2025-04-01T12:00", "0.0033"),
        ("deepseek-chat", "2025-04-01T18:00", "0.00165"),
        ("deepseek-reasoner", "2025-04-01T12:00", "0.0066"),
        ("deepseek-reasoner", "2025-04-01T18:00", "0.00165"),
        ("deepseek-chat", "2025-09-10T18:00", "0.00504"),
        ("deepseek-reasoner", "2025-09-10T12:00", "0.00504"),
        ("deepseek-chat", "2025-11-01T12:00", "0.001624"),
        ("deepseek-reasoner", "2025-11-01T12:00", "0.001624"),
        ("deepseek-chat", "2026-04-25T12:00", "0.001064"),
        ("deepseek-chat", "2026-06-01T12:00", "0.0008624"),
        ("deepseek-reasoner", "2026-06-01T12:00", "0.0008624"),
        ("deepseek-v4-flash", "2026-06-01T02:00", "0.0008624"),
        ("deepseek-v4-pro", "2026-04-24T12:00", "0.0116"),
        ("deepseek-v4-pro", "2026-06-01T02:00", "0.002639"),
        ("deepseek-v4-flash", "2026-08-20T02:00", "0.003632"),
        ("deepseek-v4-flash", "2026-08-20T12:00", "0.001816"),
        ("deepseek-v4-pro", "2026-08-20T02:00", "0.010912"),
        ("deepseek-v4-pro", "2026-08-20T12:00", "0.005456"),
        ("deepseek-flash", "2026-11-20T02:00", "0.003048"),
        ("deepseek-flash", "2026-11-20T12:00", "0.001524"),
        ("deepseek-v4-flash", "2026-11-20T12:00", "0.001524"),
        ("deepseek-v4-flash-vision-exp", "2026-11-20T12:00", "0.001524"),
        ("deepseek-v4-pro", "2026-10-12T02:00", "0.003048"),
        ("deepseek-v4-pro", "2026-10-20T02:00", "0.010912"),
    ],
)
def test_deepseek_costs_what_it_documented_for_the_day_and_hour(model: str, at: str, dollars: str) -> None:
    cost = curated_book().cost(a_subject(model, at))
    assert (cost.pico, cost.currency) == (int(dollars.replace(".", "").ljust(13, "0")), "USD")


@pytest.mark.parametrize(
    ("at", "peak"),
    [
        ("2026-11-20T00:59:59.999999", False),
        ("2026-11-20T01:00:00", True),
        ("2026-11-20T03:59:59.999999", True),
        ("2026-11-20T04:00:00", False),
        ("2026-11-20T06:00:00", True),
        ("2026-11-20T09:59:59", True),
        ("2026-11-20T10:00:00", False),
        ("2026-11-21T02:00:00", False),  # Saturday
        ("2026-11-22T02:00:00", False),  # Sunday
        ("2026-11-23T02:00:00", True),
        ("2026-10-01T02:00:00", False),  # National Day
        ("2026-10-07T09:00:00", False),
        ("2026-10-08T02:00:00", True),
        ("2026-09-25T02:00:00", False),  # Mid-Autumn Festival
        ("2026-10-10T02:00:00", False),  # a Saturday that is worked, and off-peak all the same
    ],
)
def test_deepseeks_peak_hours_are_those_of_its_working_days(at: str, peak: bool) -> None:
    assert curated_book().cost(a_subject("deepseek-flash", at)).pico == (3_048 if peak else 1_524) * 10**6


@pytest.mark.parametrize(
    ("model", "change", "before", "after"),
    [
        ("deepseek-chat", "2025-02-08T16:00:00", "deepseek-v3-launch/", "deepseek-v3/"),
        ("deepseek-chat", "2025-09-05T16:00:00", "deepseek-v3/", "deepseek-v3.1/"),
        ("deepseek-chat", "2025-09-29T00:00:00", "deepseek-v3.1/", "deepseek-v3.2/"),
        ("deepseek-chat", "2026-07-24T15:59:00", "deepseek-v4-flash-alias/", None),
        ("deepseek-v4-flash", "2026-08-16T16:00:00", "deepseek-v4-flash-preview/", "deepseek-v4-flash/"),
        ("deepseek-v4-flash", "2026-09-10T04:00:00", "deepseek-v4-flash-peak/", "deepseek-flash/"),
        ("deepseek-v4-pro", "2026-09-14T04:00:00", "deepseek-v4-pro-peak/", "deepseek-v4-pro-routed/"),
    ],
)
def test_prices_change_at_the_exact_microsecond(
    model: str, change: str, before: str, after: str | None
) -> None:
    exact = a_subject(model, f"{change}+00:00")
    last = a_subject(model, f"{change}+00:00", started_us=exact.started_us - 1)
    former = curated_book().cost(last).price_id
    # Five minutes before 16:00 UTC, a night of cheap hours has not begun.
    assert former is not None
    assert former.startswith(before)
    assert (curated_book().cost(exact).price_id or "none").startswith(after or "none")


def test_weekends_had_peaks_in_the_first_week_alone() -> None:
    costs = [
        curated_book().cost(a_subject("deepseek-v4-flash", f"2026-08-{day}T02:00")).pico
        for day in (22, 23, 29)
    ]
    assert costs == [3_632 * 10**6, 1_816 * 10**6, 1_816 * 10**6]


def test_where_the_holiday_list_ends_the_cost_says_so() -> None:
    cost = curated_book().cost(a_subject("deepseek-flash", "2027-01-01T02:00"))
    assert cost.pico == 3_048 * 10**6
    assert "the list of CN holidays ends with 2026: 2027-01-01 was taken for a working day" in cost.note
    assert curated_book().cost(a_subject("deepseek-flash", "2027-01-01T12:00")).note == ""


def test_a_contradiction_of_the_documentation_is_said_with_the_cost() -> None:
    assert "contradicts itself" in curated_book().cost(a_subject("deepseek-v4-pro", "2026-11-01T12:00")).note


@pytest.mark.parametrize(
    "model", ["deepseek-r1", "deepseek-chat", "DeepSeek-R1-Distill-Qwen-32B", "deepseek-ai/DeepSeek-R1"]
)
@pytest.mark.parametrize("at", ["2025-06-01T12:00", "2026-06-01T12:00"])
@pytest.mark.parametrize("provider", ["llm.corp.local", "deepseek-onprem"])
def test_a_model_at_ones_own_host_has_no_price_of_a_cloud(model: str, at: str, provider: str) -> None:
    cost = curated_book().cost(a_subject(model, at, provider=provider, host="llm.corp.local"))
    assert (cost.pico, cost.currency, cost.source) == (None, None, "none")
    assert cost.note == f"unpriced: no row for model {model} at provider {provider}"


@pytest.mark.parametrize(
    "model", ["deepseek-chat-2", "my-deepseek-chat", "corp/deepseek-chat", "Deepseek-Chat", "deepseek"]
)
def test_names_that_only_look_alike_have_no_price(model: str) -> None:
    assert curated_book().cost(a_subject(model, "2025-11-01T12:00")).pico is None


def test_a_row_for_all_clouds_is_none_for_ones_own_host() -> None:
    everywhere = a_price(provider=None)
    assert winner([everywhere], provider="deepseek", host="api.deepseek.com") == "row"
    assert winner([everywhere], provider="llm.corp.local") is None
    assert winner([everywhere], provider="corp") is None


def test_a_host_that_was_named_like_a_cloud_is_priced_as_such_and_says_so() -> None:
    cost = curated_book().cost(a_subject(host="proxy.corp.local"))
    assert cost.pico == 1_524 * 10**6
    assert cost.note == "proxy.corp.local was taken for deepseek, as it is named"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"host": "llm.corp.local"}, {}),
        ({"host": "llm.corp.local", "provider": None, "model": "*"}, {}),
        ({"host": "llm.corp.local"}, {"host": "*.corp.local"}),
        ({}, {"provider": None}),
        ({}, {"model": "small*"}),
        ({"model": "smal*"}, {"model": "s*"}),
        ({"from": "2026-01-01"}, {"from": "2025-01-01"}),
        ({"from": "2025-01-01"}, {}),
        ({"own": True, "model": "*"}, {}),
        ({"hours": "00:00-24:00 UTC"}, {"from": "2026-01-01"}),
        ({"id": "z"}, {"id": "y"}),
    ],
)
def test_the_most_specific_row_counts(better: dict[str, Any], worse: dict[str, Any]) -> None:
    rows = [a_price(**{"id": "better", **better}), a_price(**{"id": "a-worse", **worse})]
    assert {winner(order) for order in permutations(rows)} == {rows[0].id}


@pytest.mark.parametrize(
    "change", [{"from": "2026-12-01"}, {"to": "2026-11-20T12:00"}, {"enabled": False}, {"host": "other"}]
)
def test_a_row_that_does_not_hold_does_not_count(change: dict[str, Any]) -> None:
    assert winner([a_price("first", **change), a_price("second", model="*")]) == "second"


def test_hosts_of_a_domain_are_matched_from_a_dot_on() -> None:
    row = a_price(provider=None, host="*.corp.local")
    assert winner([row], host="LLM.corp.local") == "row"
    assert winner([row], host="evilcorp.local") is None
    assert winner([row], host="corp.local") is None


def test_the_served_model_is_priced_else_the_one_asked_for() -> None:
    book = a_book(a_price("served", model="small-1"), a_price("asked", model="small"))
    call = {"provider": "corp", "host": "corp", "requested_model": "small"}
    assert book.cost(a_subject("small-1", **call)).price_id == "served"
    other = book.cost(a_subject("small-2", **call))
    assert other.price_id == "asked"
    assert other.note.startswith("priced as small, which was asked for: there is no row for small-2")
    assert book.cost(a_subject(None, **call)).note.startswith("cached") is False


def test_a_gateways_header_names_a_model_too() -> None:
    book = a_book(a_price(model="r1-prod", provider=None, host="llm.corp.local"))
    assert book.cost(a_subject("default", host="llm.corp.local", gateway_model="r1-prod")).price_id == "row"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"usage": None}, "the answer has no usage"),
        ({"usage": Usage()}, "the answer has no usage"),
        ({"usage": Usage(None, None, None, 5)}, "the usage has no input tokens"),
        ({"usage": Usage(5)}, "the usage has no output tokens"),
        ({"usage": Usage(5, 6, None, 1)}, "the usage contradicts itself: 6 tokens cached of 5 put in"),
        ({"usage": Usage(2**62, 0, None, 0)}, "the usage is beyond all reason"),
        ({"served_model": None}, "the model is not known"),
        ({"served_model": "gpt-9"}, "no row for model gpt-9 at provider deepseek"),
        ({"started_us": 0}, "no row for model deepseek-flash at provider deepseek holds at that time"),
    ],
)
def test_what_is_not_known_is_unpriced_and_never_nothing(changes: dict[str, Any], reason: str) -> None:
    cost = curated_book().cost(a_subject(**changes))
    assert (cost.pico, cost.currency, cost.price_id) == (None, None, None)
    assert cost.note == f"unpriced: {reason}"


def test_the_end_of_a_call_can_decide() -> None:
    rows = [a_price("day"), a_price("night", hours="22:00-06:00 UTC by end")]
    late = a_subject(at="2026-11-20T21:59:59")
    assert winner(rows, at="2026-11-20T21:59:59", ended_us=late.started_us + 2_000_000) == "night"
    assert winner(rows, at="2026-11-21T05:59:59", ended_us=late.started_us) == "day"


@pytest.mark.parametrize("started_us", [-(2**62), 2**62])
def test_a_time_of_no_calendar_is_unpriced(started_us: int) -> None:
    rows = [a_price(hours="09:00-17:00 Europe/Berlin")]
    assert winner(rows, started_us=started_us, ended_us=started_us) is None
