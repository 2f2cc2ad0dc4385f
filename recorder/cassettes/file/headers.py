"""Which headers a cassette file keeps, and how they stand in it.

What differs from one recording of the same traffic to the next is left out, unless clients act on
it: dates, ids of requests, what a rate limit leaves, who measured what on the way. Cookies are set
on replay too, so they stay, without their values and times.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from ...exchange import Headers
from .document import HeaderFields
from .structure import Open, Tree

FOLLOWS = "auto"
"""A content-length in the file that is the body's, whatever that becomes; one that was sent so has a `=`."""

_COOKIE_VALUE = b"REDACTED"
_REQUEST_NOISE = re.compile(
    rb"user-agent|accept-encoding|connection|host|content-length|transfer-encoding|keep-alive"
    rb"|x-stainless-.*|traceparent|tracestate|baggage|sentry-trace|b3|x-b3-.*|x-datadog-.*|x-amzn-trace-id"
    rb"|x-cloud-trace-context|idempotency-key|(.*-)?request-id|(.*-)?correlation-id|x-goog-api-client"
    rb"|x-[a-z]+-client-user-agent",
    re.IGNORECASE,
)
_RESPONSE_NOISE = re.compile(
    rb"date|expires|last-modified|age|cf-.*|via|nel|report-to|reporting-endpoints|alt-svc|server-timing"
    rb"|connection|keep-alive|(.*-)?request-id|(.*-)?correlation-id|(.*-)?trace-id|traceparent|tracestate"
    rb"|inference-id|x-generation-id|openai-processing-ms|x-envoy-.*|x-kong-.*-latency|(.*-)?ratelimit-.*"
    rb"|ratelimit|x-cache.*|x-served-by|x-timer|x-runtime|x-amz-cf-.*|x-cloud-trace-context"
    rb"|x-[a-z-]+-time|x-time-per-token|x-api-(call-(end|start)|received)|ms-azureml-model-time|.*-upstream-response-duration",
    re.IGNORECASE,
)


_COOKIE_TIME = re.compile(rb"\s*(?:expires|max-age)\s*=.*", re.IGNORECASE | re.DOTALL)
_COOKIE_REMOVED = re.compile(
    rb"\s*(?:max-age\s*=\s*(?:0|-\d+)\s*|expires\s*=.*[ -]19\d\d .*)", re.IGNORECASE | re.DOTALL
)
_LITERAL = re.compile(rf"=*{FOLLOWS}")


def kept_request_headers(headers: Headers, compared: Collection[bytes] = ()) -> Headers:
    """Without the noise of clients and tracers and what follows from URL and body, save what is `compared`."""
    return tuple(
        [pair for pair in headers if not _REQUEST_NOISE.fullmatch(pair[0]) or pair[0].lower() in compared]
    )


def kept_response_headers(headers: Headers) -> Headers:
    """Without what is volatile."""
    kept = [pair for pair in headers if not _RESPONSE_NOISE.fullmatch(pair[0])]
    cookies = [
        (name, _kept_cookie(value) if name.lower() == b"set-cookie" else value) for name, value in kept
    ]
    return tuple([(name, value) for name, value in cookies if value is not None])


def without(headers: Headers, name: bytes) -> Headers:
    """Without one header; `name` in lower case."""
    return tuple([pair for pair in headers if pair[0].lower() != name])


def write_headers(headers: Headers, length: int) -> Tree:
    """The headers as the file shows them; `length` is that of the body on the wire."""
    pairs = [(name.decode("latin-1"), _shown(name, value, str(length).encode())) for name, value in headers]
    shown = Open()
    for name, value in pairs:
        shown[name] = [*shown[name], value] if name in shown else [value]
    if [(name, value) for name, values in shown.items() for value in values] != pairs:
        return [list(pair) for pair in pairs]
    return Open({name: values if len(values) > 1 else values[0] for name, values in shown.items()})


def read_headers(fields: HeaderFields, length: int) -> Headers:
    """The headers that the file shows, for a body of this length; raises ValueError beyond Latin-1."""
    pairs: list[tuple[bytes, bytes]] = []
    for name, values in fields.items() if isinstance(fields, dict) else fields:
        for value in (values,) if isinstance(values, str) else values:
            if name.lower() == "content-length" and _LITERAL.fullmatch(value):
                value = str(length) if value == FOLLOWS else value[1:]
                pairs.append((name.encode("latin-1"), value.encode()))
            else:
                pairs.append(_pair(name, value))
    return tuple(pairs)


@lru_cache(maxsize=1024)
def _pair(name: str, value: str) -> tuple[bytes, bytes]:
    """Shared by all the exchanges of a file that have it."""
    return name.encode("latin-1"), value.encode("latin-1")


def _shown(name: bytes, value: bytes, length: bytes) -> str:
    text = value.decode("latin-1")
    if name.lower() != b"content-length":
        return text
    return FOLLOWS if value == length else f"={text}" if _LITERAL.fullmatch(text) else text


def _kept_cookie(set_cookie: bytes) -> bytes | None:
    """With its name and its scope; one that was removed is removed again, and None where it has no name."""
    cookie, *attributes = set_cookie.split(b";")
    name, equals, value = cookie.partition(b"=")
    if not equals or not name.strip():
        return None
    kept = [each for each in attributes if not _COOKIE_TIME.fullmatch(each)]
    if any(_COOKIE_REMOVED.fullmatch(each) for each in attributes):
        kept.append(b" Max-Age=0")
    return b";".join((name + equals + (_COOKIE_VALUE if value.strip() else b""), *kept))
