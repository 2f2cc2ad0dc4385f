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


def test_messages_that_are_known_are_left_out() -> None:
    known = KnownMessages()
    first, second = body(PAD, "one"), body(PAD, "one", "two")
    left, hashes = known.without(first, messages_of(first))
    assert (left, len(hashes)) == (first, 2)
    known.add(hashes)
    left, hashes = known.without(second, messages_of(second))
    assert (json.loads(left), len(hashes)) == (json.loads(body("two")), 1)
    assert known.without(second, None) == (second, [])


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(st.sampled_from([PAD, "a", "b", f"my key: {SECRET}", '"messages"']), max_size=4), max_size=6
    )
)
def test_what_was_seen_before_changes_nothing(conversations: list[list[str]]) -> None:
    redactor = Redactor(RedactionRules())
    for contents in conversations:
        data = body(PAD, *contents, api_key="hush", messages_too=contents)
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
