"""Stored calls as HAR 1.2, for the tools that open one; what HAR has no place for stands in `_recorder`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from .. import __version__
from ..body import decode_request, read_answer
from ..exchange import Exchange, Headers, header
from ..ledger.copies import CallCopy
from .call_fields import call_fields

BEGIN: Final = (
    b'{"log":{"version":"1.2","creator":{"name":"recorder","version":"%s"},"pages":[],"entries":['
    % __version__.encode()
)
END: Final = b"\n]}}\n"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = 1_000_000
_UNKNOWN_TYPE = "x-unknown"
_NO_EXCHANGE_URL = "about:blank"

_encode = msgspec.json.Encoder().encode


def write_entry(copy: CallCopy, first: bool) -> bytes:
    """An entry of the list, after a comma unless it is the first."""
    return (b"\n" if first else b",\n") + _encode(entry(copy))


def entry(copy: CallCopy) -> dict[str, Any]:
    """One call as an entry; of one without an exchange, only that there was one, and its row."""
    exchange = copy.exchange
    started_us = copy.row["started_us"]
    taken_ms = copy.row["duration_us"] / 1000
    wait_ms = taken_ms
    if exchange is not None and exchange.head is not None:
        wait_ms = min(max(exchange.head.at_ns / _MS, 0), taken_ms)
    return {
        "startedDateTime": (_EPOCH + timedelta(microseconds=started_us)).isoformat(timespec="microseconds"),
        "time": taken_ms,
        "request": _nothing_sent() if exchange is None else _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {
            **dict.fromkeys(("blocked", "dns", "connect", "ssl"), -1),
            "send": 0,
            "wait": wait_ms,
            "receive": taken_ms - wait_ms,
        },
        "_recorder": _ours(copy),
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    found: dict[str, Any] = {
        "method": _readable(request.method),
        "url": _readable(request.url),
        "httpVersion": _version(exchange),
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": [{"name": name, "value": value} for name, value in _query(_readable(request.url))],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        body = decode_request(request.body, header(request.headers, b"content-encoding"))
        found["postData"] = {"mimeType": _type(request.headers), "text": body.decode("utf-8", "replace")}
    return found


def _response(exchange: Exchange | None) -> dict[str, Any]:
    """The response; where none came, status 0, as browsers write it."""
    head = None if exchange is None else exchange.head
    if exchange is None or head is None:
        ending = None if exchange is None else exchange.ending
        text = "" if ending is None else _readable(ending.message or ending.exception or ending.kind)
        return {**_answer(0, "", "", ()), "content": {"size": 0, "mimeType": _UNKNOWN_TYPE}, "_error": text}
    reason = (head.reason or b"").decode("latin-1")
    return {
        **_answer(head.status, reason, _version(exchange), head.headers),
        "content": _content(exchange, head.headers),
        "bodySize": len(exchange.body),
    }


def _answer(status: int, reason: str, version: str, headers: Headers) -> dict[str, Any]:
    location = header(headers, b"location") or b""
    return {
        "status": status,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [],
        "headers": _headers(headers),
        "redirectURL": location.decode("latin-1"),
        "headersSize": -1,
        "bodySize": -1,
    }


def _content(exchange: Exchange, headers: Headers) -> dict[str, Any]:
    """The body decoded, as HAR asks for; as base64 where it is no text."""
    data = read_answer(exchange).data
    content: dict[str, Any] = {"size": len(data), "mimeType": _type(headers)}
    if len(data) != len(exchange.body):
        content["compression"] = len(data) - len(exchange.body)
    try:
        return {**content, "text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {**content, "text": msgspec.to_builtins(data), "encoding": "base64"}


def _ours(copy: CallCopy) -> dict[str, Any]:
    """All that is needed to store the call again; without the bodies that stand in the entry as they were."""
    fields = call_fields(copy)
    # Read back by way of Python's values, these would lose how they were spelled.
    fields["call"] = copy.row
    exchange = copy.exchange
    if exchange is None:
        return fields
    ours = msgspec.to_builtins(fields["exchange"])
    if _is_text(exchange.request.body) and header(exchange.request.headers, b"content-encoding") is None:
        del ours["request"]["body"]
    if exchange.head is not None and exchange.body == read_answer(exchange).data and _is_text(exchange.body):
        del ours["body"]
    return {**fields, "exchange": ours}


def _nothing_sent() -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in ("cookies", "headers", "queryString")}
    named = {"method": "POST", "url": _NO_EXCHANGE_URL, "httpVersion": ""}
    return {**named, **empty, "headersSize": -1, "bodySize": -1}


def _version(exchange: Exchange) -> str:
    return "" if exchange.head is None else exchange.head.http_version.decode("latin-1")


def _headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name.decode("latin-1"), "value": value.decode("latin-1")} for name, value in headers]


def _type(headers: Headers) -> str:
    return (header(headers, b"content-type") or _UNKNOWN_TYPE.encode()).decode("latin-1")


def _query(url: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return []


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
