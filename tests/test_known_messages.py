from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from recorder.exchange import Request
from recorder.known_messages import KnownMessages
from recorder.redact import Redactor
from recorder.settings import RedactionRules

PAD = "The sky is blue. " * 300
SECRET = "sk-0123456789abcdef0123456789"


def body(*contents: str, **more: Any) -> bytes:
    messages = [{"role": "user", "content": content} for content in contents]
    return json.dumps({"model": "m", "messages": messages, **more}).encode()


def messages_of(data: bytes) -> Raw:
    return msgspec.json.decode(data, type=dict[str, Raw])["messages"]


def clean(redactor: Redactor, data: bytes) -> bytes:
    request = Request("POST", "http://model.test/v1/chat/completions", ((b"host", b"model.test"),), data)
    return redactor.request(request, messages_of(data)).body


def learn(known: KnownMessages, data: bytes) -> None:
    if (news := known.news(data, messages_of(data))) is not None:
        known.add(news)


def left(known: KnownMessages, data: bytes) -> Any:
    """What is to be looked through, as a value; None where that is nothing."""
    news = known.news(data, messages_of(data))
    return None if news is None else json.loads(news.text)


def test_messages_that_are_known_are_left_out() -> None:
    known = KnownMessages()
    first, second, other = body(PAD, "one"), body(PAD, "one", "two"), body("new", PAD, "one")
    assert left(known, first) == json.loads(first)
    learn(known, first)
    for data, new in ((second, body("two")), (other, body("new")), (first, body())):
        assert left(known, data) == json.loads(new)
    whole = known.news(second, None)
    assert whole is not None
    assert whole.text == second


def test_of_what_is_sent_again_nothing_is_left() -> None:
    known = KnownMessages()
    for data in (body("short"), body(PAD, "long")):
        learn(known, data)
        learn(known, data)
        assert left(known, data) is None
        assert known.news(data[:-1] + b" }", messages_of(data)) is not None


def test_what_follows_the_messages_is_known_too() -> None:
    known = KnownMessages()
    tools = [{"type": "function", "function": {"name": "ask", "description": PAD}}]
    learn(known, body(PAD, tools=tools))
    assert left(known, body(PAD, "one", tools=tools)) == json.loads(body("one"))
    other = [*tools, *tools]
    assert left(known, body(PAD, "one", tools=other)) == json.loads(body("one", tools=other))


@pytest.mark.parametrize("turns", [3, 100])
def test_a_conversation_is_known_by_how_it_begins(turns: int) -> None:
    known = KnownMessages()
    contents = [PAD]
    for turn in range(turns):
        learn(known, body(*contents))
        contents.append(f"turn {turn}")
    assert left(known, body(*contents)) == json.loads(body(contents[-1]))
    assert len(known._openings) == 1


def test_the_last_bodies_are_kept_within_a_bound() -> None:
    known = KnownMessages()
    for number in range(60):
        learn(known, body(f"{number}", "x" * 1_000_000, "and"))
    assert sum(len(opening.text) for opening in known._openings) <= 8 * 1024 * 1024
    assert len(known._openings) == 8


CONTENTS = st.lists(st.sampled_from([PAD, "a", "b", f"my key: {SECRET}", '"messages"', "]}"]), max_size=4)
STYLES = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CONTENTS, STYLES), max_size=6))
def test_what_was_seen_before_changes_nothing(turns: list[tuple[list[str], dict[str, Any]]]) -> None:
    redactor = Redactor(RedactionRules())
    sent: list[str] = []
    for contents, style in turns:
        sent += contents
        fields = {"model": "m", "api_key": "hush", "messages_too": contents}
        for heard in (contents, sent):
            messages = [{"role": "user", "content": content} for content in (PAD, *heard)]
            data = json.dumps({**fields, "messages": messages, "tail": PAD}, **style).encode()
            fresh = clean(Redactor(RedactionRules()), data)
            assert clean(redactor, data) == clean(redactor, data) == fresh
            assert SECRET.encode() not in fresh


@pytest.mark.parametrize("where", ["first", "last", "outside"])
def test_a_secret_is_found_beside_known_messages(where: str) -> None:
    redactor = Redactor(RedactionRules())
    history = body(PAD, "one", "two")
    assert clean(redactor, history) == history
    data = {
        "first": body(SECRET, PAD, "one", "two"),
        "last": body(PAD, "one", "two", SECRET),
        "outside": body(PAD, "one", "two", user=SECRET),
    }[where]
    assert SECRET.encode() not in clean(redactor, data)


def test_rules_of_ones_own_look_at_every_message() -> None:
    data = body(PAD, "the word is swordfish")
    assert clean(Redactor(RedactionRules()), data) == data
    redactor = Redactor(RedactionRules(patterns=("swordfish",)))
    assert b"swordfish" not in clean(redactor, data)
    assert clean(redactor, body(PAD, "nothing")) == body(PAD, "nothing")
    assert b"swordfish" not in clean(redactor, data)


def test_a_head_is_known_only_as_it_was() -> None:
    redactor = Redactor(RedactionRules())
    pairs = [(b"host", b"model.test"), (b"x-api-key", b"hush"), (b"x-note", b"none")]

    def cleaned(url: str, *headers: tuple[bytes, bytes], length: bytes = b"2") -> Request:
        return redactor.request(Request("POST", url, (*headers, (b"content-length", length)), b"{}"))

    url = "http://model.test/v1?key=hush"
    for length in (b"2", b"2", b"31"):
        request = cleaned(url, *pairs, length=length)
        assert request.headers == (
            pairs[0],
            (b"x-api-key", b"REDACTED"),
            pairs[2],
            (b"content-length", length),
        )
        assert request.url == "http://model.test/v1?key=REDACTED"
    assert SECRET.encode() not in cleaned(url, *pairs[:2], (b"x-note", SECRET.encode())).headers[2][1]
    assert SECRET not in cleaned(f"http://model.test/{SECRET}", *pairs).url
    assert cleaned("http://model.test/", (b"cookie", b"a=hush")).headers[0][1] == b"a=REDACTED"
