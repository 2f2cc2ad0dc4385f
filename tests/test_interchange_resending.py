"""Recorded requests made ready to be sent again, and what that may cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from recorder.call import Usage
from recorder.exchange import Request
from recorder.interchange.expense import estimate, fixed_price, listed_price
from recorder.interchange.meaning import read_ended
from recorder.interchange.resending import SECRET, sample, to_send, why_not
from recorder.pricing import PICO, curated_book, subject_of

from .ledger_calls import a_call, an_exchange

ASKED = Request("POST", "https://api.deepseek.com/chat/completions", (), b"{}")


@pytest.mark.parametrize(
    ("url", "base_url", "sent"),
    [
        ("https://a.test/chat/completions", "http://b.test:1", "http://b.test:1/chat/completions"),
        ("https://a.test/v1/chat/completions", "http://b.test/", "http://b.test/chat/completions"),
        ("https://a.test/v1/chat/completions", "http://b.test/v2/", "http://b.test/v2/chat/completions"),
        ("https://a.test/v1/embeddings?x=1", "http://b.test/v1", "http://b.test/v1/embeddings?x=1"),
        ("https://a.test/v1/messages", "http://b.test", "http://b.test/v1/messages"),
        ("https://a.test/v1/messages", "http://b.test/proxy", "http://b.test/proxy/v1/messages"),
    ],
)
def test_request_goes_where_an_sdk_with_that_base_url_would_send_it(
    url: str, base_url: str, sent: str
) -> None:
    assert to_send(Request("POST", url), base_url, ()).url == sent


def test_credentials_replace_what_was_recorded() -> None:
    headers = (
        (b"Host", b"a.test"),
        (b"Authorization", b"Bearer REDACTED"),
        (b"api-key", b"REDACTED"),
        (b"id", b"7"),
        (b"X-Team", b"old"),
    )
    request = Request("POST", "https://a.test/x", headers, b"{}")
    sent = to_send(request, None, ((b"authorization", b"Bearer k"), (b"x-team", b"new")))
    assert dict(sent.headers) == {
        b"id": b"7",
        b"Content-Type": b"application/json",
        b"authorization": b"Bearer k",
        b"x-team": b"new",
    }


def test_url_without_its_secret_is_not_sent() -> None:
    exchange = an_exchange(request=Request("GET", "https://a.test/x?key=REDACTED"))
    assert why_not(exchange) == SECRET
    assert why_not(an_exchange()) is None


@given(st.integers(0, 50), st.integers(1, 60))
def test_sample_is_spread_and_never_larger(count: int, size: int) -> None:
    numbers = list(range(1, count + 1))
    chosen = sample(numbers, size)
    assert len(chosen) == min(count, size)
    assert sorted(set(chosen)) == chosen


def test_price_of_ones_own_counts_both_directions() -> None:
    call = a_call()  # 12 tokens in, 5 out
    assert fixed_price("1")(call, "") == Decimal(17) / 1_000_000
    assert fixed_price("1,2")(call, "") == Decimal(22) / 1_000_000


@pytest.mark.parametrize("text", ["", "a", "-1", "1,2,3", "nan"])
def test_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no price"):
        fixed_price(text)


def test_cost_without_usage_is_unknown_not_zero() -> None:
    silent = read_ended(an_exchange()).call
    assert silent.answer.usage in (None, Usage())
    assert estimate([(a_call(), ""), (silent, "")], fixed_price("1")).unknown == 1
    assert estimate([(a_call(), "")], None).unknown == 1


def test_listed_prices_are_those_of_the_curated_book_and_never_of_a_look_alike() -> None:
    price = listed_price(1_763_719_200_000_000)
    call = a_call()
    known = structs.replace(call, request=structs.replace(call.request, model="deepseek-chat"))
    known = structs.replace(known, answer=structs.replace(known.answer, model="deepseek-chat"))
    subject = subject_of(
        structs.replace(known, request=structs.replace(known.request, provider="deepseek")), an_exchange()
    )
    expected = curated_book().cost(structs.replace(subject, started_us=1_763_719_200_000_000)).pico
    assert expected
    assert price(known, ASKED.url) == Decimal(expected) / PICO
    assert price(known, "http://llm.corp.local/chat/completions") is None
