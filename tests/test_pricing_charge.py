"""Arithmetic of money: exact to the last pico-unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.call import Usage
from recorder.pricing.charge import PICO, charge, reasons_beside, to_pico

from .prices import a_price

TOKENS = st.integers(0, 10**9)
RATES = st.decimals(0, 1000, places=6)


def lines(usage: Usage, *, beside: bool = False, **rates: Any) -> dict[str, tuple[int, int]]:
    made = charge(a_price(**rates), usage, beside=beside)
    assert made.problem is None
    return {line.kind: (line.count, line.pico) for line in made.lines}


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.tuples(*[RATES] * 5))
def test_a_cost_is_the_exact_sum_of_its_lines(
    fresh: int, cached: int, written: int, said: int, thought: int, rates: tuple[Decimal, ...]
) -> None:
    usage = Usage(fresh + cached + written, cached, written, said + thought, thought)
    names = ("input", "cached", "cache_write", "output", "reasoning")
    row: dict[str, Any] = dict(zip(names, rates, strict=True))
    made = charge(a_price(**row), usage, beside=False)
    counts = (fresh, cached, written, said, thought)
    exact = sum(Fraction(rate) * count * PICO / 10**6 for rate, count in zip(rates, counts, strict=True))
    assert sum(line.pico for line in made.lines) == exact


@given(st.integers(0, 2**48), st.decimals(0, 10**9, allow_nan=False, allow_infinity=False))
def test_what_is_no_whole_pico_unit_is_rounded_once_half_to_even(count: int, rate: Decimal) -> None:
    assert to_pico(count, rate, 10**6) == round(Fraction(rate) * count * 10**6)


def test_the_smallest_documented_rate_is_a_whole_number_of_pico_units() -> None:
    assert to_pico(1, Decimal("0.003625"), 10**6) == 3625


def test_cached_and_written_tokens_are_part_of_the_input() -> None:
    assert lines(Usage(100, 60, 10, 5), cached="0.1", cache_write=3) == {
        "input": (30, 30_000_000),
        "cached": (60, 6_000_000),
        "cache write": (10, 30_000_000),
        "output": (5, 10_000_000),
    }


def test_what_is_not_priced_apart_counts_as_input_and_output() -> None:
    assert lines(Usage(100, 60, 10, 5, 3)) == {"input": (100, 100_000_000), "output": (5, 10_000_000)}


def test_reasoning_is_part_of_the_output_unless_it_is_priced_apart() -> None:
    assert lines(Usage(0, None, None, 5, 3), reasoning=7) == {
        "input": (0, 0),
        "output": (2, 4_000_000),
        "reasoning": (3, 21_000_000),
    }


def test_reasoning_counted_beside_is_charged_too_and_said() -> None:
    assert lines(Usage(0, None, None, 5, 30), beside=True)["output"] == (35, 70_000_000)
    made = charge(a_price(), Usage(0, None, None, 5, 30), beside=True)
    assert made.notes == ("30 reasoning tokens are charged beside the output tokens",)
    assert lines(Usage(0, None, None, 5, 30), beside=True, reasoning=1)["output"] == (5, 10_000_000)


@pytest.mark.parametrize(
    ("provider", "usage", "total", "beside"),
    [
        ("x_ai", Usage(10, None, None, 5, 30), None, True),
        ("x_ai", Usage(10, None, None, 50, 30), None, True),
        ("x_ai", Usage(10, None, None, 50, 30), 60, False),
        ("other", Usage(10, None, None, 50, 30), 90, True),
        ("other", Usage(10, None, None, 50, 30), 60, False),
        ("other", Usage(10, None, None, 50, 30), None, False),
        ("other", Usage(10, None, None, 5, 30), 15, True),
        ("x_ai", Usage(10, None, None, 50), None, False),
        ("x_ai", None, None, False),
    ],
)
def test_where_reasoning_is_counted_shows_in_the_numbers(
    provider: str, usage: Usage | None, total: int | None, beside: bool
) -> None:
    assert reasons_beside(provider, usage, total) is beside


def test_cached_tokens_that_were_not_reported_are_none_and_said() -> None:
    made = charge(a_price(cached="0.1"), Usage(100, None, None, 5), beside=False)
    assert [line.count for line in made.lines] == [100, 0, 5]
    assert made.notes == ("cached tokens were not reported, and count as none",)


def test_a_request_can_have_a_price_of_its_own() -> None:
    assert lines(Usage(1, None, None, 0), request="0.005")["request"] == (1, 5 * 10**9)
    only: dict[str, Any] = {"input": None, "output": None, "request": "0.005"}
    assert charge(a_price(**only), None, beside=False).lines[0].pico == 5 * 10**9
    assert charge(a_price(**only), None, beside=False, succeeded=False).problem == "the request failed"


def test_tokens_without_a_rate_are_not_free() -> None:
    embedding = a_price(output=None)
    assert charge(embedding, Usage(8), beside=False).problem is None
    assert (
        charge(embedding, Usage(8, None, None, 1), beside=False).problem == "row row has no rate for output"
    )
