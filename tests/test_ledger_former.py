from __future__ import annotations

import os
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import StoreError
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger.former import pack, unpack
from recorder.ledger.tables import former_payloads

from .ledger_calls import an_exchange
from .test_content_splitting import endings, texts, times

headers = st.lists(st.tuples(st.binary(), st.binary())).map(tuple)
heads = st.builds(ResponseHead, st.integers(0, 999), headers, st.binary(), st.none() | st.binary(), times)
exchanges = st.builds(
    Exchange,
    request=st.builds(Request, texts, texts, headers, st.binary(max_size=400)),
    started_us=times,
    ending=endings,
    head=st.none() | heads,
    chunks=st.lists(st.binary(max_size=300)).map(tuple),
    arrivals_ns=st.lists(times).map(tuple),
    redacted=st.booleans(),
    usage_asked=st.booleans(),
)


@given(exchanges)
def test_unpacking_gives_back_exactly_what_was_packed(exchange: Exchange) -> None:
    assert unpack(pack(exchange)) == exchange


def test_a_row_has_all_columns_but_the_id() -> None:
    assert {"call_id", *pack(an_exchange())} == set(former_payloads.c.keys())


def test_text_columns_hold_no_nul_and_no_lone_surrogate() -> None:
    row = pack(an_exchange(ending=Ending("error", message="a\x00b\udc80c\x1ad")))
    assert "\x00" not in row["message"]
    row["message"].encode()


def test_thousands_of_chunks_take_a_few_bytes_each() -> None:
    chunks = tuple(b'data: {"choices":[{"delta":{"content":"word %d"}}]}\n\n' % n for n in range(5_000))
    arrivals = tuple(accumulate((n * 7919) % 20_000_000 for n in range(5_000)))
    exchange = an_exchange(chunks=chunks, arrivals_ns=arrivals)
    row = pack(exchange)
    assert unpack(row) == exchange
    assert len(row["chunks"]) < 6 * 5_000
    assert len(row["response_body"]) < len(exchange.body) / 4


def test_what_cannot_be_compressed_is_kept_as_it_is() -> None:
    noise = os.urandom(10_000)
    row = pack(an_exchange(noise))
    assert (row["request_encoding"], row["request_body"]) == ("raw", noise)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"request_body": None}, "request body of call 7 was removed"),
        ({"response_body": b"cut"}, "damaged"),
        ({"response_encoding": "zstd", "response_body": b"noise"}, "damaged"),
        ({"response_headers": b"\xff"}, "damaged"),
        ({"request_encoding": "rot13"}, "rot13"),
        ({"chunks": b"\x28\xb5\x2f\xfdnoise"}, "damaged"),
    ],
)
def test_damaged_rows_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(StoreError, match=words):
        unpack({**pack(an_exchange()), "call_id": "7", **changes})
