"""What went over the wire, and when. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

Headers = tuple[tuple[bytes, bytes], ...]
"""Raw header pairs, in wire order and spelling, as `httpx.Headers.raw` gives them."""

EndingKind = Literal["complete", "closed_early", "abandoned", "error", "cancelled"]
Phase = Literal["request", "response"]

LONGEST_NS = 3 * 10**18
"""No exchange lasts longer (95 years); more are no 64-bit number."""


class Request(Struct, frozen=True, gc=False):
    """One HTTP request as the transport saw it: absolute URL, raw headers, body as sent."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


class ResponseHead(Struct, frozen=True, gc=False):
    """Status line and headers; `at_ns` counts from the start of the exchange."""

    status: int
    headers: Headers = ()
    http_version: bytes = b"HTTP/1.1"
    reason: bytes | None = None
    at_ns: int = 0


class Ending(Struct, frozen=True, gc=False):
    """How the exchange ended: `complete` is end of stream, which is not yet a complete answer.

    `exception` is the qualified class name (`httpx2.ReadTimeout`) and `phase` says whether it came
    before the response head (`request`) or while the body was read (`response`).
    """

    kind: EndingKind
    at_ns: int = 0
    phase: Phase | None = None
    exception: str | None = None
    message: str | None = None

    @property
    def exception_type(self) -> str | None:
        """The class as it is told: Python's own go without their module, as in the conventions of tracing."""
        return None if self.exception is None else self.exception.removeprefix("builtins.")


class Exchange(Struct, frozen=True, gc=False):
    """One request and everything that came back, byte for byte.

    `chunks` are the body chunks as received (still content-encoded) and `arrivals_ns` their times
    since the start, one each. `started_us` is the wall clock in epoch microseconds. Where a
    redaction changed something, `redacted` is true and a compressed body is kept decoded.
    `usage_asked` says that recorder itself added `stream_options.include_usage` to what was sent;
    `request` is then still what the caller sent.
    """

    request: Request
    started_us: int
    ending: Ending
    head: ResponseHead | None = None
    chunks: tuple[bytes, ...] = ()
    arrivals_ns: tuple[int, ...] = ()
    redacted: bool = False
    usage_asked: bool = False

    @property
    def body(self) -> bytes:
        """The whole response body as received."""
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)


def header_values(headers: Headers, name: bytes) -> Iterator[bytes]:
    """Yield the values of one header; `name` in lower case."""
    for key, value in headers:
        if key.lower() == name:
            yield value


def header(headers: Headers, name: bytes) -> bytes | None:
    """The first value of one header, or None; `name` in lower case."""
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return None


@lru_cache(maxsize=1024)
def endpoint(url: str) -> tuple[str, int, str]:
    """Host (lower case, without brackets), port (the scheme's own where none is given) and path of a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", 0, ""
    return parts.hostname or "", port or (80 if parts.scheme == "http" else 443), parts.path
