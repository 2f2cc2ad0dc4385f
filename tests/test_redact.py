"""No secret gets through, and nothing else is touched."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import string
import time
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recorder.body import Answer, chunk_ends, read_answer
from recorder.errors import SettingsError
from recorder.exchange import Ending, Exchange, Headers, Request, ResponseHead, header
from recorder.redact import Redactor
from recorder.secret_alarm import distil, may_hold
from recorder.secret_shapes import shape_spans
from recorder.settings import RedactionRules
from recorder.sse import read_events

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
REDACTOR = Redactor(RedactionRules())
HEX = "0123456789abcdef"
ALPHANUMERIC = string.ascii_letters + string.digits
BASE64URL = ALPHANUMERIC + "-_"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEowIBAAKCAQEAu5Zx+/q1\n"
    "c0ffee/=\n-----END RSA PRIVATE KEY-----"
)


def tail(alphabet: str, length: int) -> st.SearchStrategy[str]:
    """Random characters with a digit among them, as all but one in many thousand keys have."""
    return st.text(alphabet, min_size=length - 1, max_size=length - 1).map(
        lambda text: text[:7] + "7" + text[7:]
    )


KEYS = st.one_of(
    st.builds("sk-{}".format, tail(ALPHANUMERIC, 48)),
    st.builds("sk-{}".format, tail(HEX, 32)),
    st.builds("sk-proj-{}".format, tail(ALPHANUMERIC, 64)),
    st.builds("sk-ant-api03-{}AA".format, tail(ALPHANUMERIC, 60)),
    st.builds("sk-or-v1-{}".format, tail(HEX, 64)),
    st.builds("eyJ{}.{}.{}".format, tail(BASE64URL, 20), tail(BASE64URL, 30), tail(BASE64URL, 43)),
    st.builds("AKIA{}".format, tail(string.ascii_uppercase + string.digits, 16)),
    st.builds("AIza{}".format, tail(BASE64URL, 35)),
    st.builds("ya29.{}".format, tail(BASE64URL, 60)),
    st.builds("GOCSPX-{}".format, tail(BASE64URL, 28)),
    st.builds("gh{}_{}".format, st.sampled_from("pousr"), tail(ALPHANUMERIC, 36)),
    st.builds("github_pat_{}".format, tail(ALPHANUMERIC + "_", 82)),
    st.builds("glpat-{}A".format, tail(ALPHANUMERIC, 20)),
    st.builds("hf_{}".format, tail(ALPHANUMERIC, 34)),
    st.builds("gsk_{}".format, tail(ALPHANUMERIC, 52)),
    st.builds("xai-{}".format, tail(ALPHANUMERIC, 80)),
    st.builds("pplx-{}".format, tail(ALPHANUMERIC, 48)),
    st.builds("r8_{}".format, tail(ALPHANUMERIC, 37)),
    st.builds("fw_{}".format, tail(ALPHANUMERIC, 24)),
    st.builds("npm_{}".format, tail(ALPHANUMERIC, 36)),
    st.builds("pypi-AgEIcHlwaS5vcmc{}".format, tail(BASE64URL, 80)),
    st.builds("sk_live_{}".format, tail(ALPHANUMERIC, 24)),
    st.builds("SG.{}.{}".format, tail(BASE64URL, 22), tail(BASE64URL, 43)),
    st.just("xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"),
    st.just(PEM),
)
PROSE = st.text(st.sampled_from(" abcdeXYZ019.,\n\"\\/{}é😀:;'"), max_size=30)

SECRETS = [
    "sk-1234567890abcdef",
    "sk-proj-A1b2C3d4_E5f6G7h8-I9j0K1l2M3n4",
    "sk-abcdefghijklmnopqrstuvwx",
    "sk-lf-12345678-abcd-1234-abcd-1234567890ab",
    "csk-abcdefghijklmnopqrst1234",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "eyJhbGciOiJkaXIifQ..c29tZSBpdg.Y2lwaGVydGV4dA.dGFn",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "ya29.a0AfH6SMBx1y2z3w4v5u6t7s8r9q0",
    "nvapi-A1b2C3d4E5f6G7h8I9j0K1l2",
    "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789",
    "tgp_v1_A1b2-C3d4_E5f6G7h8I9j0K1l2",
    "xapp-1-A012B3C4D-1234567890-abcdef",
    PEM,
    PEM.partition("-----END")[0].rstrip(),
    PEM.replace("RSA ", "").replace("Proc-Type: 4,ENCRYPTED\n\n", ""),
]
"""Secrets that nothing but `REDACTED` is left of."""

PARTLY = [
    ("Authorization: Bearer 0123456789abcdefXYZ.", "Authorization: Bearer REDACTED"),
    ("curl -H 'authorization: bearer abcdef0123456789ABC'", "curl -H 'authorization: bearer REDACTED'"),
    ("use Bearer A1b2C3d4E5f6G7h8I9 here", "use Bearer REDACTED here"),
    ("postgresql://user:pa55@db.example/x", "postgresql://REDACTED@db.example/x"),
    ("redis://:pa55@cache/0", "redis://REDACTED@cache/0"),
    (
        "see https://a.example/f.png?sv=1&sig=a%2Bb1C2d3E4f5G6h7%3D&se=2",
        "see https://a.example/f.png?sv=1&sig=REDACTED&se=2",
    ),
    ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX24", "https://hooks.slack.com/REDACTED"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = REDACTED"),
    ('{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}', '{"SecretAccessKey": "REDACTED"}'),
    ("AZURE_OPENAI_API_KEY=0123456789abcdef0123456789abcdef\n", "AZURE_OPENAI_API_KEY=REDACTED\n"),
]

ORDINARY = [
    "A task-based approach, risk-adjusted-returns-2024-and-more, ask-me-anything-you-want-1234.",
    "sk-learn-based-classifier-2024 and sk-your-key-goes-here-please, sk-12345",
    "chatcmpl-A1b2C3D4E5F6G7H8I9J0K1L2M3N4O call_i8bNJ8oVFq9EVr3dZvYC0tiJ fp_0ba0d124f1 req_4f8e2ab8c1d94a",
    "gen-1732000000-A1b2C3D4E5F6G7H8I9J0 msg_01XFDUDYJgAACzvnptvVoYEL toolu_01A09q90qw90lq917835lq9",
    "gpt-4o-mini-2024-07-18 pplx-70b-online hf_transformers npm_config_registry pypi-some-package-name",
    "Bearer authentication is meant. Bearer YOUR_API_KEY_GOES_HERE, Bearer ${TOKEN}, Bearer REDACTED",
    "mail me at user@example.com or https://example.com:8080/path@home, git@github.com:a/b.git",
    "eyJ is how base64 of an object starts: eyJhbGciOiJIUzI1NiJ9 alone is nothing",
    "a -----BEGIN PRIVATE KEY----- line opens it, -----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0\n-----END",
    "https://docs.example/?token=your_token_goes_here&sig=short&page=2 api_key=os.environ['KEY'] key=value",
    "550e8400-e29b-41d4-a716-446655440000 0123456789abcdef0123456789abcdef ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
]


def answered(
    body: bytes, headers: Headers = (), ends: list[int] | None = None, **ending: Any
) -> tuple[Exchange, Answer]:
    """An exchange with that response body, in chunks that reach to `ends`."""
    stops = (0, *(ends or ()), len(body))
    chunks = tuple(body[start:end] for start, end in pairwise(stops))
    exchange = Exchange(
        Request("POST", "https://api.example/v1/chat/completions"),
        0,
        Ending(**({"kind": "complete"} | ending)),
        ResponseHead(200, headers),
        chunks,
        tuple(range(len(chunks))),
    )
    return exchange, read_answer(exchange)


def posted(
    body: bytes | dict[str, Any], headers: Headers = (), url: str = "https://api.example/v1"
) -> Request:
    return Request("POST", url, headers, json.dumps(body).encode() if isinstance(body, dict) else body)


def redact(text: bytes) -> bytes:
    """A body as a request and as an answer loses the same."""
    body = REDACTOR.request(posted(text)).body
    assert REDACTOR.exchange(*answered(text))[1].data == body
    return body


def assembled(data: bytes) -> list[str]:
    """The texts of a stream of chat completions, put together as a client does."""
    texts: dict[Any, str] = {}
    for event in read_events(data):
        if event.data != b"[DONE]":
            for choice in json.loads(event.data)["choices"]:
                delta = choice["delta"]
                for name in ("content", "reasoning_content", "refusal"):
                    texts[choice["index"], name] = texts.get((choice["index"], name), "") + (
                        delta.get(name) or ""
                    )
                for call in delta.get("tool_calls", ()):
                    key = choice["index"], call["index"]
                    texts[key] = texts.get(key, "") + call["function"]["arguments"]
    return list(texts.values())


def clean(exchange: Exchange, answer: Answer) -> tuple[Exchange, Answer]:
    """What is done with every exchange of a stream."""
    exchange, answer = REDACTOR.exchange(exchange, answer)
    if REDACTOR.suspicious(assembled(answer.data)):
        exchange, answer = REDACTOR.deltas(exchange, answer)
    return exchange, answer


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "key: {}.", "a\n{}\tb", "é{}", '"{}"', "x={}&y=1", "({})"])
def test_a_secret_is_found_by_its_shape(secret: str, around: str) -> None:
    text = around.format(secret)
    expected = around.format("REDACTED")
    assert REDACTOR.text(text) == expected
    for ascii_only in (True, False):
        body = json.dumps({"a": text}, ensure_ascii=ascii_only).encode()
        assert json.loads(redact(body)) == {"a": expected}


@given(KEYS, PROSE, PROSE)
def test_no_random_key_gets_through(key: str, before: str, after: str) -> None:
    text = f"{before} {key} {after}"
    assert key not in REDACTOR.text(text)
    document = json.loads(redact(json.dumps({"messages": [{"content": text}]}).encode()))
    assert key not in document["messages"][0]["content"]
    assert "REDACTED" in document["messages"][0]["content"]


@pytest.mark.parametrize(("text", "expected"), PARTLY)
def test_what_shows_where_a_secret_stands_is_kept(text: str, expected: str) -> None:
    assert REDACTOR.text(text).rstrip(".") == expected
    assert json.loads(redact(json.dumps([text]).encode()))[0].rstrip(".") == expected


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert REDACTOR.text(text) is text
    assert not REDACTOR.suspicious([text])
    request = posted({"messages": [{"role": "user", "content": text}]})
    assert REDACTOR.request(request) is request


@given(
    st.lists(KEYS | PROSE, max_size=5), st.sampled_from(["", " ", "-", "_", "/", '"', "\\", "\n", "REDACTED"])
)
def test_redaction_is_idempotent(parts: list[str], glue: str) -> None:
    text = REDACTOR.text(glue.join(parts))
    assert REDACTOR.text(text) is text
    body = redact(json.dumps({"messages": [glue.join(parts)], "password": glue.join(parts)}).encode())
    assert redact(body) == body
    assert not REDACTOR.suspicious([text])


@given(st.lists(KEYS | PROSE, max_size=5).map("\n".join))
def test_the_quick_question_misses_nothing(text: str) -> None:
    assert may_hold(text.encode(), fields=False) or not shape_spans(text.encode())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"Authorization", b"Bearer sk-x", b"Bearer REDACTED"),
        (b"authorization", b"bearer x", b"bearer REDACTED"),
        (b"Authorization", b"Basic dXNlcjpwYXNz", b"Basic REDACTED"),
        (b"Authorization", b"AWS4-HMAC-SHA256 Credential=A/b, Signature=c", b"AWS4-HMAC-SHA256 REDACTED"),
        (b"Authorization", b"my two words", b"REDACTED"),
        (b"Authorization", b"Bearer ", b"Bearer "),
        (b"Proxy-Authorization", b"Basic eA==", b"Basic REDACTED"),
        (b"api-key", b"x", b"REDACTED"),
        (b"X-API-Key", b"x", b"REDACTED"),
        (b"x-goog-api-key", b"x", b"REDACTED"),
        (b"x-auth-token", b"x", b"REDACTED"),
        (b"x-amz-security-token", b"x", b"REDACTED"),
        (b"Ocp-Apim-Subscription-Key", b"x", b"REDACTED"),
        (b"x-functions-key", b"x", b"REDACTED"),
        (b"cf-aig-authorization", b"Bearer x", b"Bearer REDACTED"),
        (b"Helicone-Auth", b"Bearer x", b"Bearer REDACTED"),
        (b"x-portkey-api-key", b"x", b"REDACTED"),
        (b"Cookie", b"a=1; b=x=y; c", b"a=REDACTED; b=REDACTED;REDACTED"),
        (b"x-custom", b"v sk-proj-0123456789abcdefghij", b"v REDACTED"),
        (b"Referer", b"https://a.example/?api_key=x&b=1", b"https://a.example/?api_key=REDACTED&b=1"),
        (b"id", b"550e8400-e29b-41d4-a716-446655440000", None),
        (b"x-request-id", b"req_4f8e2ab8c1d94a5e8f0b6f6a7c3d2e1f", None),
        (b"x-ratelimit-remaining-tokens", b"1999", None),
        (b"idempotency-key", b"stainless-python-retry-0a1b2c3d-4e5f", None),
        (b"openai-organization", b"org-A1b2C3d4E5f6G7h8", None),
    ],
)
def test_headers_are_redacted_by_name_and_by_shape(name: bytes, value: bytes, expected: bytes | None) -> None:
    request = posted(b"{}", ((b"Accept", b"*/*"), (name, value)))
    redacted = REDACTOR.request(request)
    assert redacted.headers == ((b"Accept", b"*/*"), (name, value if expected is None else expected))
    assert (redacted is request) == (expected in (None, value))
    assert REDACTOR.request(redacted) is redacted


def test_set_cookie_marks_the_exchange_and_leaves_the_body_as_it_came() -> None:
    body = gzip.compress(b'{"choices":[]}')
    headers = (
        (b"content-encoding", b"gzip"),
        (b"Set-Cookie", b"__cf_bm=a.b=c; path=/; HttpOnly"),
        (b"Set-Cookie", b"x="),
    )
    before = answered(body, headers)
    exchange, answer = REDACTOR.exchange(*before)
    assert exchange.head is not None
    assert [value for _, value in exchange.head.headers] == [
        b"gzip",
        b"__cf_bm=REDACTED; path=/; HttpOnly",
        b"x=",
    ]
    assert exchange.redacted
    assert answer is before[1]
    assert exchange.chunks == (body,)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/v1?key=x&alt=sse", "https://a.example/v1?key=REDACTED&alt=sse"),
        (
            "https://a.example/?a=%20&API%2DKEY=x#access_token=y",
            "https://a.example/?a=%20&API%2DKEY=REDACTED#access_token=REDACTED",
        ),
        (
            "https://a.example/?X-Amz-Signature=x&X-Amz-Date=1",
            "https://a.example/?X-Amz-Signature=REDACTED&X-Amz-Date=1",
        ),
        ("https://user:p%40ss@a.example:8443/v1", "https://REDACTED@a.example:8443/v1"),
        ("https://tok@a.example/v1", "https://REDACTED@a.example/v1"),
        ("https://a.example/sk-0123456789abcdef0123/x", "https://a.example/REDACTED/x"),
        ("https://a.example/x?q=sk%2D&v=ghp_0123456789abcdef0123", "https://a.example/x?q=sk%2D&v=REDACTED"),
        ("https://a.example/v1?api-version=2024-10-21&max_tokens=5&empty_key=&key=", None),
        ("https://a.example/openai/deployments/gpt-4o/chat/completions", None),
    ],
)
def test_urls_are_redacted_by_name_and_by_shape(url: str, expected: str | None) -> None:
    request = posted(b"{}", url=url)
    redacted = REDACTOR.request(request)
    assert redacted.url == (expected or url)
    assert (redacted is request) == (expected is None)
    assert REDACTOR.request(redacted) is redacted


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwd", "secret", "client_secret", "clientSecret", "api_key", "apikey", "api-key"),
        *("x-api-key", "Access_Token", "refreshToken", "id_token", "token", "auth_token", "Authorization"),
        *("private_key", "privateKey", "credential", "credentials", "OPENAI_API_KEY", "SecretAccessKey"),
        *("db_password", "p\\u0061ssword", "API Key"),
    ],
)
@pytest.mark.parametrize("colon", [":", ": ", " : ", "\t:\n"])
def test_fields_are_redacted_by_name(name: str, colon: str) -> None:
    body = f'{{"a": 1, "{name}"{colon}"hunter2", "b": {{"{name}"{colon}"x\\"y"}}, "c": "hunter2"}}'
    expected = f'{{"a": 1, "{name}"{colon}"REDACTED", "b": {{"{name}"{colon}"REDACTED"}}, "c": "hunter2"}}'
    assert redact(body.encode()) == expected.encode()


@pytest.mark.parametrize(
    "body",
    [
        {
            "max_tokens": 5,
            "max_completion_tokens": 5,
            "token": 5,
            "password": None,
            "secret": {"a": "x"},
        },
        {
            "prompt_cache_key": "x",
            "key": "x",
            "next_page_token": 1,
            "stop_token": "x",
            "private_key_id": "x",
            "password": "",
        },
        {
            "tools": [
                {
                    "function": {
                        "name": "f",
                        "parameters": {"properties": {"token": {"default": "x"}}, "password": "x"},
                    }
                }
            ]
        },
        {
            "functions": [{"parameters": {"password": "x"}}],
            "response_format": {"json_schema": {"secret": "x"}},
        },
        {
            "choices": [
                {"message": {"content": "x", "password": "y"}, "logprobs": {"content": [{"token": "x"}]}}
            ]
        },
        {
            "usage": {"token": "x"},
            "output": [{"logprobs": [{"token": "x", "logprob": 0}], "prompt_logprobs": {"token": "y"}}],
        },
    ],
)
def test_fields_that_are_no_secrets_stay(body: dict[str, Any]) -> None:
    request = posted(body)
    assert REDACTOR.request(request) is request
    exchange, answer = answered(request.body)
    assert REDACTOR.exchange(exchange, answer) == (exchange, answer)


def test_what_a_remote_tool_logs_in_with_is_no_schema() -> None:
    tool = {
        "type": "mcp",
        "server_url": "u",
        "authorization": "x",
        "headers": {"X-Api-Key": "y", "Accept": "z"},
    }
    (redacted,) = json.loads(redact(json.dumps({"tools": [tool]}).encode()))["tools"]
    assert redacted == tool | {
        "authorization": "REDACTED",
        "headers": {"X-Api-Key": "REDACTED", "Accept": "z"},
    }


def test_fields_are_redacted_in_events_and_in_lines() -> None:
    events = (
        b'event: x\r\ndata: {"token":"x","choices":[{"token":"y"}]}\r\n\r\n'
        b'data: {\r\ndata: "secret": "z"}\r\n\r\n'
    )
    assert redact(events) == events.replace(b'"x"', b'"REDACTED"').replace(b'"z"', b'"REDACTED"')
    assert redact(b'{"a":1}\n{"token":"x"}\n') == b'{"a":1}\n{"token":"REDACTED"}\n'


def test_the_last_field_of_a_body_that_broke_off_is_redacted() -> None:
    assert redact(b'{"a": {"password": "hunt') == b'{"a": {"password": "REDACTED'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'{"a":"sk\u002d0123456789abcdef0123"}', b'{"a":"REDACTED"}'),
        (rb'{"a":"x sk-0123456789abcdef\u005F0123456789 y"}', b'{"a":"x REDACTED y"}'),
        (rb'{"a":"\u0073\u006B-0123456789abcdef0123\u003c"}', rb'{"a":"REDACTED\u003c"}'),
        (rb'{"a":"\u003csk-0123456789abcdef0123\/"}', rb'{"a":"\u003cREDACTED\/"}'),
        (rb'{"a":"https:\/\/user:pass@host\/x"}', rb'{"a":"https:\/\/REDACTED@host\/x"}'),
        (rb'{"a":"{\"b\":\"sk\\u002d0123456789abcdef0123\"}"}', rb'{"a":"{\"b\":\"REDACTED\"}"}'),
        (rb'{"a":"\\npm_0123456789abcdef0123"}', rb'{"a":"\\npm_0123456789abcdef0123"}'),
        (rb'{"a":"\npm_0123456789abcdef0123"}', rb'{"a":"\npm_0123456789abcdef0123"}'),
        (rb'{"a":"\nnpm_0123456789abcdef0123"}', rb'{"a":"\nREDACTED"}'),
        (rb'{"a":"api_key=\nsk_0123456789abcdef0123"}', rb'{"a":"api_key=\nsk_0123456789abcdef0123"}'),
    ],
)
def test_escapes_hide_nothing_and_are_never_cut(body: bytes, expected: bytes) -> None:
    assert redact(body) == expected
    json.loads(expected)


@given(st.lists(st.tuples(PROSE, KEYS), min_size=1, max_size=3), st.data())
def test_no_spelling_hides_a_key(parts: list[tuple[str, str]], draw: st.DataObject) -> None:
    text = "".join(f"{before} {key} " for before, key in parts)
    flips = draw.draw(st.sets(st.integers(0, len(text) - 1)))
    spelled = [
        f"\\u{ord(c):04X}" if at in flips and c < "\x7f" else json.dumps(c)[1:-1] for at, c in enumerate(text)
    ]
    body = REDACTOR.request(posted(f'{{"a":"{"".join(spelled)}"}}'.encode())).body
    plain = json.loads(body)["a"]
    assert not any(key in plain for _, key in parts)
    assert REDACTOR.text(plain) is plain


def test_own_rules_extend() -> None:
    rules = RedactionRules(
        ("X-Tenant",), ("tenant",), ("customer-ssn", "größe"), (r"\bemp-(\d+)", r"corp\w+", "[A-Z]+")
    )
    redactor = Redactor(rules)
    headers = ((b"x-tenant", b"acme"), (b"x-other", b"emp-12"))
    body = '{"customerSsn": "1", "gr\\u00f6\\u00dfe": "2", "n": "emp-34 \\"corpx\\" é\\ncorpy"}'.encode()
    redacted = redactor.request(Request("POST", "https://a.example/?Tenant=x", headers, body))
    assert redacted.url == "https://a.example/?Tenant=REDACTED"
    assert [value for _, value in redacted.headers] == [b"REDACTED", b"emp-REDACTED"]
    assert redacted.body.decode() == (
        '{"customerREDACTEDsn": "REDACTED", "gr\\u00f6\\u00dfe": "REDACTED", '
        '"n": "emp-REDACTED \\"REDACTED\\" é\\nREDACTED"}'
    )
    assert redactor.request(redacted) is redacted


def test_an_own_pattern_stays_within_its_string_and_cuts_no_escape() -> None:
    redactor = Redactor(RedactionRules(patterns=("internal.*", "n?[0-9]{4}", "")))
    body = rb'{"a":"internal \"x\\","b":"\n2024 \u00e9\u1234","c":"internal"}'
    assert (
        redactor.request(posted(body)).body
        == rb'{"a":"REDACTED","b":"\nREDACTED \u00e9\u1234","c":"REDACTED"}'
    )


def test_kept_names_are_no_secrets() -> None:
    redactor = Redactor(RedactionRules(keep=("X-Api-Key", "code", "token", "set-cookie", "db_password")))
    request = posted(
        {"token": "x", "x-api-key": "y", "db_password": "z"},
        ((b"x-api-key", b"x"),),
        "https://a.example/?code=1",
    )
    assert redactor.request(request) is request
    assert redactor.request(posted({"password": "x"})).body == b'{"password": "REDACTED"}'


def test_no_rules_redact_nothing() -> None:
    off = Redactor(None)
    request = posted(
        {"password": SECRETS[0]}, ((b"authorization", b"Bearer x"),), "https://u:p@a.example/?key=x"
    )
    before = answered(request.body)
    assert off.request(request) is request
    assert off.exchange(*before) == off.deltas(*before) == before
    assert off.text(SECRETS[0]) == SECRETS[0]
    assert not off.suspicious(SECRETS)


def test_a_pattern_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match=r"'\(oops'"):
        Redactor(RedactionRules(patterns=("(oops",)))


def test_a_compressed_request_is_kept_decoded_where_something_fired() -> None:
    body = gzip.compress(b'{"password":"x"}')
    headers = ((b"Content-Encoding", b"gzip"), (b"Content-Length", str(len(body)).encode()), (b"a", b"b"))
    request = posted(body, headers)
    assert REDACTOR.request(request).body == b'{"password":"REDACTED"}'
    assert REDACTOR.request(request).headers == ((b"Content-Length", b"23"), (b"a", b"b"))
    harmless = posted(gzip.compress(b'{"a":"x"}'), headers)
    assert REDACTOR.request(harmless) is harmless


def test_lengths_follow() -> None:
    body = b'{"error":"sk-0123456789abcdef0123"}'
    headers = ((b"Content-Length", str(len(body)).encode()),)
    exchange, answer = REDACTOR.exchange(*answered(body, headers, [5, 12]))
    assert answer.data == exchange.body == b'{"error":"REDACTED"}'
    assert exchange.head is not None
    assert header(exchange.head.headers, b"content-length") == b"20"
    assert exchange.chunks == (b'{"err', b'or":"REDACTED', b'"}')
    assert exchange.redacted


def test_what_is_missing_of_a_body_stays_missing() -> None:
    body = b'{"error":"sk-0123456789abcdef0123'
    exchange, _ = REDACTOR.exchange(*answered(body, ((b"content-length", b"100"),), kind="error"))
    assert exchange.head is not None
    assert (
        header(exchange.head.headers, b"content-length") == str(100 - len(body) + len(exchange.body)).encode()
    )


def test_the_text_of_an_error_is_redacted() -> None:
    exchange, _ = REDACTOR.exchange(*answered(b"", message="no route to https://u:p@host/", kind="error"))
    assert exchange.ending.message == "no route to https://REDACTED@host/"
    assert exchange.redacted


@pytest.mark.parametrize("streamed", [False, True])
def test_logprobs_of_a_text_with_a_secret_go(streamed: bool) -> None:
    logprobs = {"content": [{"token": "sk-01", "logprob": 0, "bytes": None}]}
    text = {"content": "sk-0123456789abcdef0123"}
    document = {
        "choices": [{"index": 0, "delta" if streamed else "message": text, "logprobs": logprobs}],
        "logprobs": None,
    }
    body = json.dumps(document).encode()
    before = answered(b"data: " + body + b"\n\n" if streamed else body)
    data = REDACTOR.exchange(*before)[1].data.removeprefix(b"data: ")
    assert json.loads(data)["choices"][0]["logprobs"] is None
    assert b"sk-01" not in data


def test_without_a_secret_logprobs_stay() -> None:
    before = answered(b'{"choices":[{"logprobs":{"content":[{"token":"x","logprob":0}]}}],"a":"x"}')
    assert REDACTOR.exchange(*before) == before


def test_a_secret_whose_beginning_shows_in_one_delta_goes_whole() -> None:
    pieces = ["my sk-0123456789abcdef", "0123", "ghij-KL", " end"]
    body = b"".join(
        b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % piece.encode() for piece in pieces
    )
    exchange, answer = REDACTOR.exchange(*answered(body))
    assert assembled(answer.data)[0] == "my REDACTED end"
    assert [
        json.loads(event.data)["choices"][0]["delta"]["content"] for event in read_events(exchange.body)
    ] == [
        "my REDACTED",
        "",
        "",
        " end",
    ]


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """A stream with secrets split over deltas, and what its texts should say about the rest."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    queues: list[list[dict[str, Any]]] = []
    keys = draw(st.lists(KEYS, min_size=1, max_size=3))
    for index, key in enumerate(keys):
        text = f"{draw(PROSE)} {key} {draw(PROSE)}"
        kind = draw(st.sampled_from(["content", "reasoning_content", "refusal", "arguments"]))
        text = json.dumps({"a": text}) if kind == "arguments" else text
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
        queue = []
        for start, end in pairwise((0, *cuts, len(text))):
            piece: Any = text[start:end]
            if kind == "arguments":
                delta = {"tool_calls": [{"index": 1, "function": {"arguments": piece}}]}
            else:
                delta = {kind: piece}
            queue.append({"delta": delta, "index": index})
        queues.append(queue)
    events = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        choice = queue.pop(0)
        if draw(st.booleans()):
            choice["logprobs"] = {"content": [{"token": "t", "logprob": -1}]}
        events.append(json.dumps({"id": "chatcmpl-1", "choices": [choice]}, ensure_ascii=draw(st.booleans())))
    body = "".join(f"data: {event}{newline * 2}" for event in [*events, "[DONE]"])
    return body.encode(), keys


@settings(deadline=None)
@given(streams(), st.sampled_from([None, b"gzip"]), st.data())
def test_secrets_that_deltas_split_go(
    stream: tuple[bytes, list[str]], encoding: bytes | None, draw: st.DataObject
) -> None:
    body, keys = stream
    sent = gzip.compress(body) if encoding else body
    headers = ((b"content-encoding", encoding),) if encoding else ()
    ends = sorted(draw.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    before, told = answered(sent, headers, ends)
    exchange, answer = clean(before, told)
    texts = assembled(answer.data)
    assert not REDACTOR.suspicious(texts)
    assert not any(key in text or json.dumps(key)[1:-1] in text for key in keys for text in texts)
    assert exchange.redacted
    assert exchange.body == answer.data
    assert exchange.head is not None
    assert exchange.head.headers == ()
    assert len(exchange.chunks) == len(before.chunks) == len(exchange.arrivals_ns)
    assert len(read_events(answer.data)) == len(read_events(body))
    assert b'"token"' not in answer.data
    assert clean(exchange, answer) == (exchange, answer)


def test_only_the_deltas_with_the_secret_change() -> None:
    pieces = ["Key: s", "k", "-proj-01234567", "89abcdef01", "23. Done"]
    line = (
        'data: {{"id":"chatcmpl-1", "choices":[{{"index":0,"delta":{{"content":{}}},"logprobs":null}}]}}\n\n'
    )
    body = "".join(line.format(json.dumps(piece)) for piece in pieces).encode()
    ends = list(accumulate(len(line.format(json.dumps(piece))) for piece in pieces))[:-1]
    exchange, answer = clean(*answered(body, (), ends))
    expected = [line.format(json.dumps(piece)).encode() for piece in ("Key: REDACTED", "", "", "", ". Done")]
    assert list(exchange.chunks) == expected
    assert chunk_ends(exchange, answer) == tuple(accumulate(map(len, expected)))


def test_ids_that_every_event_repeats_are_no_text() -> None:
    body = b'data: {"id":"hf_12345","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n' * 20
    before = answered(body)
    assert REDACTOR.deltas(*before) == before


def test_a_stream_is_distilled_to_what_differs() -> None:
    event = (
        b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}\n\n'
    )
    words = [b"alpha", b"beta", b"sk-0123456789abcdef0123", b"delta"] * 25
    body = b"".join(event % word for word in words)
    assert len(distil(body)) < len(body) / 2
    assert may_hold(distil(body))
    assert not may_hold(distil(body.replace(b"sk-", b"xx-")))


@given(st.integers(0, 120), st.sampled_from(["content", "id", "token", "end"]), KEYS)
def test_distilling_hides_no_secret(at: int, where: str, key: str) -> None:
    lines = []
    for number in range(121):
        values = {"id": "chatcmpl-1", "content": f" w{number}", "token": 1, "end": "x"}
        if number == at:
            values[where] = key
        lines.append(f"data: {json.dumps(values)}\n\n")
    body = "".join(lines).encode()
    assert may_hold(distil(body)) or not (shape_spans(body) or where == "token")


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "sk-",
            "eyJ",
            "eyJ-",
            "eyJaaaaa.",
            "a",
            "Bearer ",
            "key=",
            "?sig=",
            "://a:",
            "xoxb-",
            "github_pat_",
            ":",
        ),
        *(
            "-----BEGIN PRIVATE KEY-----\n",
            "\\",
            '\\"',
            '"',
            "[",
            '{"password":',
            '"\\u002d',
            '{"logprobs":[',
        ),
        "data: {\n",
    ],
)
def test_long_texts_take_time_in_proportion(unit: str) -> None:
    text = (unit * (200_000 // len(unit))) + " sk-0123456789abcdef0123"
    started = time.process_time()
    before = answered(text.encode())
    REDACTOR.request(posted(text.encode()))
    REDACTOR.deltas(*REDACTOR.exchange(*before))
    REDACTOR.suspicious([text])
    assert time.process_time() - started < 5


@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=3))
def test_any_bytes_pass(body: bytes, ends: list[int]) -> None:
    redacted = REDACTOR.request(posted(body))
    assert REDACTOR.request(redacted) is redacted
    before, told = answered(body, (), sorted(min(end, len(body)) for end in ends))
    exchange, answer = REDACTOR.deltas(*REDACTOR.exchange(before, told))
    assert exchange.body == answer.data
    assert len(exchange.chunks) == len(before.chunks)


@given(
    PROSE,
    st.sampled_from(["{}", '{{"a": "{}"}}', '{{"api_key": "{}"}}', "\n{{{}}}"]),
    st.sampled_from([b"x-request-id", b"set-cookie", b"content-encoding", b"location", b"x-api-key"]),
    KEYS | PROSE,
    st.sampled_from([None, b"OK", b"No such key sk-1234567890abcdef"]),
    st.sampled_from([None, "failed with sk-1234567890abcdef"]),
)
def test_an_answer_that_passes_unread_has_nothing_to_redact(
    text: str, frame: str, name: bytes, value: str, reason: bytes | None, message: str | None
) -> None:
    headers = ((b"content-type", b"application/json"), (name, value.encode()))
    exchange, answer = answered(frame.format(text).encode(), headers, message=message)
    exchange = replace(exchange, head=ResponseHead(200, headers, reason=reason))
    if REDACTOR.passes(exchange):
        assert REDACTOR.exchange(exchange, answer) == (exchange, answer)


def test_most_answers_pass_unread() -> None:
    headers = ((b"content-type", b"application/json"), (b"x-request-id", b"req_1"))
    body = b'{"choices":[{"message":{"content":"Because of Rayleigh."}}]}'
    assert REDACTOR.passes(answered(body, headers)[0])
    assert not REDACTOR.passes(answered(b'{"api_key":"short"}', headers)[0])
    assert not REDACTOR.passes(answered(gzip.compress(body), (*headers, (b"content-encoding", b"gzip")))[0])


def recorded() -> Iterator[tuple[Request, Exchange]]:
    if not CORPUS.is_dir():
        pytest.skip("no recorded traffic beside this checkout")
    spec = importlib.util.spec_from_file_location("corpus", CORPUS / "corpus.py")
    assert spec is not None
    assert spec.loader is not None
    corpus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(corpus)
    for kind in ("chat", "responses", "messages", "embeddings"):
        for record in corpus.interactions(kind):
            asked, told = (corpus.body_bytes(record[side]) or b"" for side in ("request", "response"))
            yield Request("POST", record["request"]["url"], (), asked), answered(told)[0]


def test_nothing_fires_in_recorded_traffic() -> None:
    for request, exchange in recorded():
        answer = read_answer(exchange)
        assert REDACTOR.request(request) is request
        assert REDACTOR.exchange(exchange, answer)[0] is exchange
        if b"logprobs" not in answer.data:
            assert REDACTOR.deltas(exchange, answer)[0] is exchange


@pytest.mark.parametrize(
    "rules",
    [
        "yes",
        RedactionRules(fields="ssn"),  # type: ignore[arg-type]
        RedactionRules(patterns="corp-[0-9]+"),  # type: ignore[arg-type]
        RedactionRules(headers=(b"x-key",)),  # type: ignore[arg-type]
        RedactionRules(patterns=(re.compile("a"),)),  # type: ignore[arg-type]
        RedactionRules(keep=None),  # type: ignore[arg-type]
    ],
)
def test_rules_that_are_no_texts_are_refused(rules: Any) -> None:
    with pytest.raises(SettingsError, match=r"RedactionRules"):
        Redactor(rules)
