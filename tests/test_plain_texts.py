from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.body import Answer
from recorder.call import RequestHalf
from recorder.dialects.chat import Chat
from recorder.exchange import Ending, Exchange, Request, ResponseHead

HEAD = ResponseHead(200, ((b"content-type", b"text/event-stream"),))
ASKED = RequestHalf("chat", "corp", "model.test", 443)


def events(*deltas: dict[str, Any], index: int = 0, **more: Any) -> bytes:
    chunks = [{"id": "c", "choices": [{"index": index, "delta": delta, **more}]} for delta in deltas]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def texts_in_full(data: bytes) -> set[str]:
    exchange = Exchange(Request("POST", "http://model.test"), 0, Ending("complete"), HEAD, (data,), (1,))
    return set(Chat().read_answer(exchange, Answer(data), ASKED).texts())


DELTAS = st.fixed_dictionaries(
    {}, optional={name: st.none() | st.text(max_size=9) for name in ("content", "reasoning_content")}
)


@given(st.lists(DELTAS, min_size=1, max_size=8), st.booleans())
def test_texts_are_those_of_the_full_reading(deltas: list[dict[str, Any]], done: bool) -> None:
    data = events(*deltas) + b"data: [DONE]\n\n" * done
    texts = Chat().read_texts(Answer(data))
    assert texts is None or set(texts) | {""} == texts_in_full(data) | {""}
    assert texts is not None or not json.dumps(deltas).isascii() or "\\ud" in json.dumps(deltas)


def test_choices_that_take_turns_are_told_apart() -> None:
    data = events({"content": "a"}) + events({"content": "x"}, index=1) + events({"content": "b"})
    assert set(Chat().read_texts(Answer(data)) or ()) == {"ab", "x", ""}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"data: [DONE]\n\n",
        b'{"choices":[]}',
        b'data: {"choices":[]}\n\n',
        b"data: no json\n\n",
        events({"content": "a"}) + b": a comment\n\n" + events({"content": "b"}),
        events({"content": "a"}, {"content": "b"}).replace(b"\n", b"\r\n"),
        events({"tool_calls": []}),
        events({"content": [{"type": "text", "text": "a"}]}),
        events({"refusal": "no"}),
        events({"content": "a", "reasoning_details": []}),
        events({"content": "a"}, text="b"),
        events({"content": "a"}, message={"content": "b"}),
        events({"content": "a"}, logprobs={"content": []}),
    ],
)
def test_what_is_unusual_is_read_in_full(data: bytes) -> None:
    assert Chat().read_texts(Answer(data)) is None
