from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger.content.items import fill, pack_items, unpack_items
from recorder.ledger.content.packing import pack, unpack
from recorder.ledger.content.splitting import (
    LONG,
    join,
    join_request,
    long_texts,
    split_answer,
    split_request,
)

from .ledger_calls import an_exchange

# Hypothesis leaves lone surrogates out unless they are asked for.
texts = st.text(st.characters(exclude_categories=()))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.just("long " * 150),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
messages = st.lists(values | st.fixed_dictionaries({"role": texts, "content": texts}), max_size=5)
names = st.sampled_from(["messages", "input", "contents", "tools", "model", "stream"]) | texts
spaces = st.text(" \t\r\n", max_size=3)
odd_numbers = st.sampled_from(["1e999", "-0.0", "12345678901234567890123456789", "1E+2", "0.10"])


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as JSON, spelled in any way."""
    if isinstance(value, dict | list) and draw(st.booleans()):

        def gap() -> str:
            return draw(spaces)

        if isinstance(value, list):
            inner = ",".join(gap() + draw(written(item)) + gap() for item in value)
            return f"[{inner or gap()}]"
        pairs = [f"{gap()}{json.dumps(k)}{gap()}:{gap()}{draw(written(v))}{gap()}" for k, v in value.items()]
        return f"{{{','.join(pairs + pairs[:1])}}}"
    if isinstance(value, int | float) and draw(st.booleans()):
        return draw(odd_numbers)
    indent = draw(st.sampled_from([None, 2, "\t"]))
    return json.dumps(value, ensure_ascii=draw(st.booleans()), indent=indent)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Bodies of any kind: JSON in any spelling, compressed, cut off, or no JSON at all."""
    body = {
        **draw(st.dictionaries(names, values, max_size=4)),
        **draw(st.dictionaries(st.sampled_from(["messages", "input"]), messages, max_size=2)),
    }
    text = draw(spaces) + draw(written(body)) + draw(spaces)
    data = text.encode(draw(st.sampled_from(["utf-8", "utf-16"])), "surrogatepass")
    kind = draw(st.sampled_from(["whole", "whole", "gzip", "cut", "noise"]))
    if kind == "gzip":
        return gzip.compress(data)
    if kind == "cut":
        return data[: draw(st.integers(0, len(data)))]
    return draw(st.binary(max_size=2_000)) if kind == "noise" else data


times = st.integers(0, 2**62)
headers = st.lists(
    st.tuples(st.binary() | st.just(b"Content-Length"), st.binary() | st.sampled_from([b"0", b"2"]))
).map(tuple)
heads = st.builds(ResponseHead, st.integers(0, 999), headers, st.binary(), st.none() | st.binary(), times)
endings = st.builds(
    Ending,
    st.sampled_from(["complete", "closed_early", "abandoned", "error", "cancelled"]),
    times,
    st.sampled_from([None, "request", "response"]),
    st.none() | texts,
    st.none() | texts,
)
exchanges = st.builds(
    Exchange,
    request=st.builds(Request, texts, texts, headers, bodies()),
    started_us=times,
    ending=endings,
    head=st.none() | heads,
    chunks=st.lists(bodies(), max_size=3).map(tuple),
    arrivals_ns=st.lists(times).map(tuple),
    redacted=st.booleans(),
    usage_asked=st.booleans(),
)


@given(bodies())
def test_any_request_is_joined_exactly(body: bytes) -> None:
    assert join_request(split_request(body)) == body


@given(bodies())
def test_any_answer_is_joined_exactly(body: bytes) -> None:
    assert join(split_answer(body)) == body


@given(exchanges)
def test_any_exchange_comes_back_as_it_was(exchange: Exchange) -> None:
    packed = pack(exchange)
    assert unpack(packed.record, packed.pieces, packed.messages, packed.started_us) == exchange


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_messages_are_split_as_their_raw_bytes(indent: int | None, separators: tuple[str, str]) -> None:
    said = [{"role": "user", "content": f"Question {n}: ü?"} for n in range(4)]
    body = json.dumps({"model": "m", "messages": said, "n": 1}, indent=indent, separators=separators).encode()
    split = split_request(body)
    assert [json.loads(message) for message in split.messages] == said
    assert len(split.gaps) == 3
    assert b"Question" not in split.cut.rest


def test_tools_and_other_long_fields_are_pieces_of_their_own() -> None:
    tools = json.dumps([{"type": "function", "function": {"name": f"tool{n}"}} for n in range(20)]).encode()
    body = b'{"tools": %s, "messages": [{"role":"user"}], "model": "m"}' % tools
    split = split_request(body)
    assert split.cut.pieces == (tools, b"")
    assert split.cut.rest == b'{"tools": , "messages": , "model": "m"}'


def test_a_long_body_that_is_no_json_is_one_piece() -> None:
    body = gzip.compress(bytes(range(256)) * 40) + b"x" * 600
    assert split_request(body).cut.pieces == (body,)


def test_the_longest_text_of_an_answer_is_cut_out() -> None:
    said = b'"' + b"In the hills. \\n" * 20 + b'"'
    body = b'{"choices": [{"message": {"content": %s}}], "id": "c"}' % said
    assert split_answer(body).pieces == (said,)
    assert split_answer(b'{"content": "%s"}' % (b"x" * (LONG - 3))).pieces == ()


def test_a_length_that_is_the_bodys_takes_no_room() -> None:
    short, long = (
        an_exchange(request=Request("POST", "http://x/", ((b"content-length", b"%d" % n),), b"[" * n))
        for n in (10, 100)
    )
    assert len(pack(long).record) - len(pack(short).record) <= 91
    other = replace(short, request=replace(short.request, headers=((b"content-length", b"7"),)))
    packed = pack(other)
    assert unpack(packed.record, packed.pieces, packed.messages, packed.started_us) == other


items = st.lists(st.none() | st.binary(max_size=9) | st.tuples(st.binary(max_size=9), st.binary(max_size=9)))


@given(items)
def test_items_are_read_as_they_were_written(items: list[Any]) -> None:
    assert unpack_items(pack_items(items)) == tuple(items)


def test_what_usually_stands_around_an_answer_takes_a_byte() -> None:
    around = (b'{"role":"assistant","content":', b"}")
    assert len(pack_items([around, None])) == 3
    assert unpack_items(pack_items([around])) == (around,)
    assert fill([around, None, b"short"], [b'"Yes."', b"{}"]) == [
        b'{"role":"assistant","content":"Yes."}',
        b"{}",
        b"short",
    ]


def test_pieces_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="other pieces"):
        fill([None], [])
    with pytest.raises(ValueError, match="holes"):
        unpack(pack(an_exchange()).record, [b"one too many"], (), 0)


@given(st.dictionaries(texts | st.just('"\\'), values, max_size=6), st.booleans())
def test_long_texts_are_the_strings_that_json_has(value: dict[str, Any], ascii: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    strings = re.finditer(rb'"[^"\\]*(?:\\.[^"\\]*)*"', data, re.DOTALL)
    long = tuple(each.span() for each in strings if each.end() - each.start() >= LONG)
    assert long_texts(data) == long


@pytest.mark.parametrize("times", [1, 3, 20])
def test_a_history_that_begins_like_what_stands_before_it_is_found(times: int) -> None:
    text = "So it begins. " * 40
    messages = json.dumps([{"content": text, "n": number} for number in range(3)])
    before = ", ".join([messages.replace('"n": 2', '"n": 4')] * times)
    body = f'{{"before": [{before}], "messages": {messages}}}'.encode()
    split = split_request(body)
    assert split.messages[-1] == json.dumps({"content": text, "n": 2}).encode()
    assert join_request(split) == body
