"""What counts of the head of a request is found once, and never taken for that of another."""

from __future__ import annotations

import pytest

from recorder.cassettes.heads import Head, Heads
from recorder.exchange import Headers, Request

URL = "https://llm.test/chat/completions"
HEADERS: Headers = ((b"Authorization", b"Bearer a"), (b"id", b"m-1"))
LENGTH = (b"Content-Length", b"7")
TYPE = (b"Content-Type", b"application/json")


class Asked:
    """Takes fingerprints, and remembers how often it was asked for one."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, request: Request) -> bytes:
        self.times += 1
        return dict(request.headers)[b"Authorization"]


def of(heads: Heads, headers: Headers, asked: Asked, url: str = URL) -> Head:
    return heads.of(Request("POST", url, headers), asked)


@pytest.mark.parametrize("after", [(), (TYPE,)])
def test_requests_that_differ_in_their_length_alone_have_one_head(after: Headers) -> None:
    heads, asked = Heads((b"id",)), Asked()
    first = of(heads, (*HEADERS, LENGTH, *after), asked)
    assert first == Head((("llm.test", 443), b"Bearer a"), ((b"id", b"m-1"),))
    assert of(heads, (*HEADERS, (b"Content-Length", b"12345"), *after), asked) is first
    assert asked.times == 1


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (((b"Authorization", b"Bearer b"), (b"id", b"m-1"), LENGTH), URL),
        (((b"Authorization", b"Bearer a"), (b"id", b"m-2"), LENGTH), URL),
        ((*HEADERS, LENGTH), "https://other.test/chat/completions"),
    ],
)
def test_other_credentials_compared_headers_and_hosts_are_other_heads(headers: Headers, url: str) -> None:
    heads, asked = Heads((b"id",)), Asked()
    assert of(heads, (*HEADERS, LENGTH), asked) != of(heads, headers, asked, url)
    assert asked.times == 2


def test_heads_whose_length_is_compared_are_not_remembered() -> None:
    heads, asked = Heads((b"content-length",)), Asked()
    assert of(heads, (*HEADERS, LENGTH), asked).compared == (LENGTH,)
    assert of(heads, (*HEADERS, (b"Content-Length", b"8")), asked).compared == ((b"Content-Length", b"8"),)


def test_a_credential_that_is_given_counts_for_this_request_alone() -> None:
    heads, request = Heads(()), Request("POST", URL, (*HEADERS, LENGTH))
    assert [heads.of(request, given).sender[1] for given in (b"x", None, Asked(), b"y")] == [
        b"x",
        None,
        b"Bearer a",
        b"y",
    ]
