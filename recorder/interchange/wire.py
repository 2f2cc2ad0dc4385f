"""Puts an exchange together from what other formats keep of one: header maps, texts, times in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ..body import read_answer
from ..exchange import LONGEST_NS, Ending, Exchange, Headers, Request, ResponseHead, endpoint, header
from ..rewriting import with_length
from .imported import NotCarried, Tell

_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
_GO_UNITS_NS = {"ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_GO_DURATION = re.compile(r"([\d.]+)(ns|us|µs|μs|ms|s|m|h)")


def request(method: Any, url: Any, headers: Any, body: bytes) -> Request:
    """A request; raises NotCarried where it has no method or no absolute URL."""
    if not isinstance(url, str) or not is_absolute(url):
        raise NotCarried("the URL is not absolute", str(url)[:200])
    if not isinstance(method, str) or not method:
        raise NotCarried("the request has no method")
    return Request(method.lstrip(":").upper(), url, wire_headers(headers), body)


def is_absolute(url: str) -> bool:
    """Whether a URL can be asked for over HTTP."""
    host, _, _ = endpoint(url)
    return bool(host) and urlsplit(url).scheme in ("http", "https")


def head(
    status: Any, headers: Any, reason: Any = None, http_version: Any = None, at_ns: int = 0
) -> ResponseHead:
    """A response head; raises NotCarried where the status is none of HTTP's."""
    try:
        code = int(status)
    except (TypeError, ValueError):
        code = 0
    if not 100 <= code <= 999:
        raise NotCarried("there is no response", f"status {status!r}")
    phrase = reason.encode("latin-1", "replace") if isinstance(reason, str) and reason else None
    return ResponseHead(code, wire_headers(headers), _version(http_version), phrase, at_ns)


def exchange(
    request: Request,
    head: ResponseHead,
    chunks: tuple[bytes, ...],
    tell: Tell,
    *,
    started_us: int = 0,
    end_ns: int = 0,
) -> Exchange:
    """One whole exchange, all of whose chunks came at its end.

    A body that is named as encoded and is not was decoded by whoever recorded it: the header goes.
    """
    chunks = tuple(chunk for chunk in chunks if chunk)
    made = Exchange(request, started_us, Ending("complete", end_ns), head, chunks, (end_ns,) * len(chunks))
    encoding = header(head.headers, b"content-encoding")
    if not encoding or not chunks or _is_encoded(made, encoding):
        return made
    tell("kept without its content-encoding, since the body is not encoded", encoding.decode("latin-1"))
    headers = with_length(head.headers, len(made.body), keep_encoding=False)
    plain = ResponseHead(head.status, headers, head.http_version, head.reason, head.at_ns)
    return Exchange(request, started_us, made.ending, plain, chunks, made.arrivals_ns)


def wire_headers(headers: Any) -> Headers:
    """Raw pairs from a map of name to value or values, or from a list of pairs or `{name, value}`."""
    return tuple(
        (_raw(name), _raw(value))
        for name, value in _pairs(headers)
        if value is not None and not name.startswith(":")
    )


def body_bytes(value: Any) -> bytes:
    """The bytes of a body that is text, bytes, a list of either, or absent."""
    if value is None:
        return b""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, (list, tuple)):
        if all(isinstance(item, int) and 0 <= item < 256 for item in value):
            return bytes(value)
        return b"".join(map(body_bytes, value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value).encode()
    raise NotCarried("a body is neither text nor bytes", type(value).__name__)


def epoch_us(value: Any) -> int:
    """Epoch microseconds of an ISO 8601 or RFC 2822 time; 0 where it is none, UTC where it names no zone."""
    if not isinstance(value, str):
        return 0
    for parse in (datetime.fromisoformat, parsedate_to_datetime, _spaced):
        try:
            moment = parse(value)
        except (ValueError, TypeError, IndexError):
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1_000_000)
    return 0


def go_duration_ns(value: Any) -> int:
    """Nanoseconds of a duration as Go prints it (`1m2.5s`)."""
    if not isinstance(value, str):
        return 0
    try:
        return duration_ns(
            sum(float(number) * _GO_UNITS_NS[unit] for number, unit in _GO_DURATION.findall(value))
        )
    except ValueError:
        return 0


def duration_ns(value: float) -> int:
    """A stranger's nanoseconds as far as a cassette can keep them."""
    return int(min(value, LONGEST_NS))


def _spaced(value: str) -> datetime:
    return datetime.strptime(value, "%Y-%m-%d %H:%M:%S %Z")


def _version(value: Any) -> bytes:
    text = str(value or "").upper().removeprefix("HTTP/")
    if text in ("", "UNKNOWN", "NONE"):
        return b"HTTP/1.1"
    return {"2.0": b"HTTP/2", "H2": b"HTTP/2", "3.0": b"HTTP/3", "H3": b"HTTP/3"}.get(
        text, f"HTTP/{text}".encode()
    )


def _is_encoded(exchange: Exchange, encoding: bytes) -> bool:
    """Whether the body is what its content-encoding says; an encoding that nobody here knows counts as true."""
    name = encoding.decode("latin-1").rpartition(",")[2].strip().lower()
    if name in _MAGIC:
        return exchange.body.startswith(_MAGIC[name])
    if name not in ("deflate", "br"):
        return True
    answer = read_answer(exchange)
    if answer.note is not None and "not valid" in answer.note:
        return False
    return bool(answer.data != exchange.body and answer.data) or not _is_text(exchange.body)


def _is_text(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _pairs(headers: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(headers, dict):
        for name, value in headers.items():
            values = value if isinstance(value, (list, tuple)) else (value,)
            yield from ((str(name), each) for each in values if not isinstance(each, (dict, list)))
    elif isinstance(headers, (list, tuple)):
        for each in headers:
            if isinstance(each, dict) and "name" in each:
                yield str(each["name"]), each.get("value", "")
            elif isinstance(each, (list, tuple)) and len(each) == 2:
                yield str(each[0]), each[1]
            elif isinstance(each, str) and ":" in each:  # a line of http.client's
                name, _, value = each.partition(":")
                yield name.strip(), value.strip()


def _raw(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
