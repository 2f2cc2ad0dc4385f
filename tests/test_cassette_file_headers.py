"""Which headers stand in a cassette file, and what a client sees of them afterwards."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from msgspec.structs import replace

from recorder.cassettes import Matching, Recorded, Session, Slot
from recorder.cassettes.file import FileCassette
from recorder.cassettes.file.headers import kept_request_headers, kept_response_headers
from recorder.exchange import Headers

from .cassette_files import chat


def named(*names: str) -> Headers:
    return tuple((name.encode(), b"v") for name in names)


def through_a_file(path: Path, headers: Headers) -> Headers:
    cassette = FileCassette(path / "c.yaml")
    cassette.save([chat(headers=headers)])
    head = (cassette.load() or ())[0].exchange.head
    assert head is not None
    return head.headers


def test_what_clients_act_on_stays() -> None:
    kept = named(
        "Content-Type", "content-encoding", "content-length", "transfer-encoding", "retry-after", "retry-after-ms",
        "x-should-retry", "Location", "www-authenticate", "openai-version", "server", "vary", "cache-control",
    )  # fmt: skip
    assert kept_response_headers(kept) == kept


def test_what_differs_from_one_recording_to_the_next_is_left_out() -> None:
    volatile = named(
        "Date", "set-cookie", "CF-Ray", "cf-cache-status", "X-Request-ID", "request-id", "apim-request-id",
        "server-timing", "openai-processing-ms", "age", "alt-svc", "NEL", "report-to", "via",
        "x-envoy-upstream-service-time", "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-requests-reset", "mistral-correlation-id",
        "x-ds-trace-id",
    )  # fmt: skip
    assert kept_response_headers(volatile) == ()


def test_of_a_request_what_it_means_stays_and_how_it_was_sent_goes() -> None:
    kept = named(
        "id", "Authorization", "content-type", "accept", "api-key", "openai-organization", "anthropic-version"
    )
    noise = named(
        "User-Agent", "x-stainless-lang", "X-Stainless-Retry-Count", "traceparent", "tracestate", "baggage",
        "accept-encoding", "connection", "host", "content-length", "idempotency-key", "x-ms-client-request-id",
    )  # fmt: skip
    assert kept_request_headers((*kept, *noise)) == kept


@pytest.mark.parametrize(
    "headers",
    [
        ((b"Link", b"a"), (b"Link", b"b")),
        ((b"link", b"a"), (b"x-a", b"1"), (b"link", b"b")),
        ((b"link", b"a"), (b"Link", b"b")),
        ((b"x-empty", b""), (b"x-latin", b"\xe9\xff\x85"), (b"x-yes", b"yes"), (b"x-1", b"1"), (b"", b"")),
        (),
    ],
)
def test_headers_keep_order_spelling_and_bytes(tmp_path: Path, headers: Headers) -> None:
    assert through_a_file(tmp_path, headers) == headers


@pytest.mark.parametrize("length", [b"7", b"00", b"x"])
def test_a_length_that_was_not_the_bodys_stays_as_it_was(tmp_path: Path, length: bytes) -> None:
    recorded = chat()
    head = recorded.exchange.head
    assert head is not None
    head = replace(head, headers=((b"Content-Length", length),))
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save([replace(recorded, content=replace(recorded.exchange, head=head))])
    assert (cassette.load() or ())[0].exchange.head == head


@pytest.mark.parametrize("length", [b"auto", b"=auto", b"==auto", b"=", b"Auto", b"auto "])
def test_a_length_that_reads_like_ours_stays_as_it_was(tmp_path: Path, length: bytes) -> None:
    headers = ((b"Content-Length", length), (b"x-a", length))
    assert through_a_file(tmp_path, headers) == headers


def test_headers_that_are_compared_stay(tmp_path: Path) -> None:
    request = replace(chat().exchange.request, headers=named("Host", "X-Request-ID", "user-agent", "id"))
    recorded = replace(chat(), content=replace(chat().exchange, request=request))
    cassette = FileCassette(tmp_path / "c.yaml")
    session = Session(cassette, "once", matching=Matching(("headers:host", "headers:X-Request-Id")))
    slot = session.find(request)
    assert isinstance(slot, Slot)
    slot.fill(recorded.exchange, "")
    session.close(save=True)
    kept = (cassette.load() or ())[0].exchange.request
    assert kept.headers == named("Host", "X-Request-ID", "id")
    assert isinstance(Session(cassette, matching=Matching(("headers:host",))).find(request), Recorded)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            b"__cf_bm=s.3cret-1; path=/; expires=Sun, 22-Nov-26 03:30:00 GMT; domain=.h; HttpOnly",
            b"__cf_bm=REDACTED; path=/; domain=.h; HttpOnly",
        ),
        (b"a=b;Max-Age=60", b"a=REDACTED"),
        (b"a=; Max-Age=-1; Path=/", b"a=; Path=/; Max-Age=0"),
        (b"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", b"a=REDACTED; Max-Age=0"),
    ],
)
def test_a_cookie_is_set_on_replay_without_its_value_and_time(
    tmp_path: Path, sent: bytes, kept: bytes
) -> None:
    assert through_a_file(tmp_path, ((b"Set-Cookie", sent),)) == ((b"Set-Cookie", kept),)
    assert kept_response_headers(((b"set-cookie", kept), (b"set-cookie", b"nameless"))) == (
        (b"set-cookie", kept),
    )


def test_an_encoded_request_is_readable_and_exact(tmp_path: Path) -> None:
    recorded = chat("Readable, all the same.")
    body = gzip.compress(recorded.exchange.request.body)
    request = replace(recorded.exchange.request, headers=((b"content-encoding", b"gzip"),), body=body)
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save([replace(recorded, content=replace(recorded.exchange, request=request))])
    assert (cassette.load() or ())[0].exchange.request == request
    text = (tmp_path / "c.yaml").read_text()
    (tmp_path / "c.yaml").write_text(text.replace("Readable, all the same.", "Edited."))
    edited = (cassette.load() or ())[0].exchange.request
    assert edited.headers == ()
    assert edited.body == recorded.exchange.request.body.replace(b"Readable, all the same.", b"Edited.")
