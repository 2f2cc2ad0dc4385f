"""Values in JSON that stand beside their names, as in lists of headers and of settings."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.body import Answer
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.redact import Redactor
from recorder.secret_alarm import may_hold
from recorder.secret_names import FIELD_ENDINGS, FIELD_NAMES
from recorder.settings import RedactionRules

REDACTOR = Redactor(RedactionRules())
NAMES = st.sampled_from(
    [
        *("API_KEY", "Api Key", "api.key", "DB_PASSWORD", "Authorization", "token", "x-auth-token"),
        *("client secret", "credentials", "passphrase", "passwd"),
        *("Accept", "max_tokens", "cache_key", "key", 'a"token', "tok\u00e9n", ""),
    ]
)


def clean(body: bytes, redactor: Redactor = REDACTOR) -> bytes:
    """A body as a request and as an answer loses the same."""
    request = Request("POST", "https://llm.test/chat/completions", (), body)
    exchange = Exchange(request, 0, Ending("complete", 1), ResponseHead(200, ()), (body,), (1,))
    found = redactor.request(request).body
    assert redactor.exchange(exchange, Answer(body))[1].data == found
    return found


def hidden(document: Any, redactor: Redactor = REDACTOR) -> Any:
    return json.loads(clean(json.dumps(document).encode(), redactor))


@pytest.mark.parametrize(
    "name", ["API_KEY", "db_password", "Authorization", "X-Api-Key", "clientSecret", "Api Key"]
)
@pytest.mark.parametrize("label", ["name", "key"])
def test_value_beside_a_secret_name_is_secret(name: str, label: str) -> None:
    settings = [{label: "REGION", "value": "eu"}, {label: name, "value": "hunter2"}]
    assert hidden({"env": settings}) == {"env": [settings[0], {label: name, "value": "REDACTED"}]}
    assert hidden({"value": "hunter2", label: name}) == {"value": "REDACTED", label: name}


def test_header_list_of_a_remote_tool_is_no_schema() -> None:
    tool = {
        "type": "mcp",
        "headers": [{"name": "Authorization", "value": "x"}, {"name": "Accept", "value": "y"}],
    }
    (found,) = hidden({"tools": [tool]})["tools"]
    assert [header["value"] for header in found["headers"]] == ["REDACTED", "y"]


@pytest.mark.parametrize(
    "document",
    [
        {"name": "password", "type": "string", "description": "x"},
        {"name": "password", "value": ""},
        {"name": "password", "value": 5},
        {"name": "token", "value": {"a": "x"}},
        {"name": "max_tokens", "value": "x"},
        {"name": "prompt_cache_key", "value": "x"},
        {"names": "password", "value": "x"},
        {"name": {"x": "password"}, "value": "x"},
        [{"name": "password"}, {"value": "x"}],
        ["name", "password", "value", "x"],
        {"content": 'he wrote {"name": "password", "value": "x"}'},
        {"choices": [{"message": {"name": "password", "value": "x"}}]},
        {"usage": {"name": "token", "value": "x"}},
        {"tools": [{"function": {"parameters": {"default": {"name": "password", "value": "x"}}}}]},
    ],
)
def test_what_is_no_such_pair_stays(document: Any) -> None:
    body = json.dumps(document).encode()
    assert clean(body) is body


def test_own_names_count_and_kept_ones_do_not() -> None:
    own = Redactor(RedactionRules(fields=("lion",), keep=("api_key",)))
    pairs = [{"name": "lion", "value": "x"}, {"name": "api_key", "value": "x"}]
    assert [each["value"] for each in hidden(pairs, own)] == ["REDACTED", "x"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"name":"TOKEN","value":"x"}', b'{"name":"TOKEN","value":"REDACTED"}'),
        (b'{ "name" :\n "token",\n\t"value"\t: "x', b'{ "name" :\n "token",\n\t"value"\t: "REDACTED'),
        (
            rb'{"n\u0061me":"tok\u0065n","valu\u0065":"x"}',
            rb'{"n\u0061me":"tok\u0065n","valu\u0065":"REDACTED"}',
        ),
        (
            b'{"name":"token","value":"x","value":"y"}',
            b'{"name":"token","value":"REDACTED","value":"REDACTED"}',
        ),
        (b'data: {"name":"token","value":"x"}\n\n', b'data: {"name":"token","value":"REDACTED"}\n\n'),
    ],
)
def test_spelling_hides_no_pair(body: bytes, expected: bytes) -> None:
    assert clean(body) == expected


def test_pair_of_two_events_is_none() -> None:
    body = b'data: {"name":"token"}\n\ndata: {"value":"x"}\n\n'
    assert clean(body) == body


@given(NAMES, st.sampled_from(["name", "key"]), st.booleans(), st.sampled_from([None, 2]), st.booleans())
def test_the_quick_question_misses_no_pair(
    name: str, label: str, turned: bool, indent: int | None, ascii_only: bool
) -> None:
    pairs = [(label, name), ("a", "\\"), ("value", "hunter2")]
    document = dict(reversed(pairs) if turned else pairs)
    body = json.dumps([{"a": 1}, document], indent=indent, ensure_ascii=ascii_only).encode()
    found = clean(body)
    named = json.dumps({name: "hunter2"}).encode()
    assert (found != body) == (clean(named) != named)
    assert found == body or may_hold(body)
    assert clean(found) == found


@pytest.mark.parametrize("name", sorted({*FIELD_NAMES, *FIELD_ENDINGS}))
def test_every_secret_name_raises_the_alarm(name: str) -> None:
    for text in (
        f'"{name}":',
        f'"x_{name}" :',
        f'"name":"{name}","value":',
        f'"value" :"x","key": "My {name}",',
    ):
        assert may_hold(f'{{"a":1,{text}"x"}}'.encode()), text


def test_values_without_a_secret_name_raise_no_alarm() -> None:
    assert not may_hold(
        b'{"items": [{"name": "city", "value": "Rome"}, {"key": "max_tokens", "value": "5"}]}'
    )
    assert may_hold(b'{"items": [{"name": "city", "value": "Rome"}, {"key": "token", "value": "5"}]}')


@pytest.mark.parametrize(
    "unit", ['"name":"', '{"name":"token",', '{"name":"token","value":"x"},', '"value":"x",', "["]
)
def test_long_texts_take_time_in_proportion(unit: str) -> None:
    body = ('{"name":"token","value":"x","a":[' + unit * (200_000 // len(unit))).encode()
    started = time.process_time()
    clean(body)
    assert time.process_time() - started < 5
