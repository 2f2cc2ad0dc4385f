"""Reads HAR 1.2, as browsers, proxies and Polly.js write it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from ..exchange import Exchange
from .imported import Imported, NotCarried, Tell, field, mapping, read_entries
from .wire import body_bytes, duration_ns, epoch_us, exchange, head, request

NAME = "HAR"

_BEFORE_HEAD = ("blocked", "dns", "connect", "send", "wait")  # `ssl` is part of `connect`
_CHARSET = re.compile(r"charset=\"?([\w-]+)", re.IGNORECASE)


def claims(data: Any) -> bool:
    """Whether a document is a HAR, or several of Polly's under their names."""
    return any(True for _ in logs(data))


def read(data: Any, file: str) -> Imported:
    """The recordings of a document that `claims` knows."""
    entries = [entry for log in logs(data) for entry in log["entries"]]
    return read_entries(file, NAME, entries, read_entry)


def logs(data: Any) -> Iterator[Mapping[str, Any]]:
    """The logs in a document."""
    if not isinstance(data, dict):
        return
    for each in (data, *data.values()):
        log = each.get("log") if isinstance(each, dict) else None
        if isinstance(log, dict) and isinstance(log.get("entries"), list):
            yield log


def read_entry(entry: Mapping[str, Any], tell: Tell) -> Exchange:
    """The exchange of one entry; raises NotCarried."""
    asked = mapping(field(entry, "request"), "`request`")
    answered = mapping(field(entry, "response"), "`response`")
    if entry.get("_webSocketMessages") or answered.get("status") == 101:
        raise NotCarried("a WebSocket is not carried", str(asked.get("url")))
    if not answered.get("status"):
        raise NotCarried(
            "there is no response", str(answered.get("_error") or "the call failed or was blocked")
        )
    sent = request(asked.get("method"), asked.get("url"), asked.get("headers"), _request_body(asked, tell))
    timings = entry.get("timings")
    before_ms = (
        sum(max(0, _number(timings.get(name))) for name in _BEFORE_HEAD) if isinstance(timings, dict) else 0
    )
    end_ms = max(_number(entry.get("time")), before_ms)
    response = head(
        answered["status"],
        answered.get("headers"),
        answered.get("statusText"),
        answered.get("httpVersion"),
        duration_ns(before_ms * 1e6),
    )
    return exchange(
        sent,
        response,
        _chunks(answered.get("content")),
        tell,
        started_us=epoch_us(entry.get("startedDateTime")),
        end_ns=duration_ns(end_ms * 1e6),
    )


def _request_body(asked: Mapping[str, Any], tell: Tell) -> bytes:
    post = asked.get("postData")
    if not isinstance(post, dict):
        return b""
    text = post.get("text")
    if text is not None:
        return _base64(text) if post.get("encoding") == "base64" else _encoded(text, post.get("mimeType"))
    params = [each for each in post.get("params") or () if isinstance(each, dict)]
    if not params:
        return b""
    if any("fileName" in each for each in params):
        raise NotCarried("the request uploads files, which a HAR does not keep")
    tell("the request body was rebuilt from its parameters")
    return urlencode([(each.get("name", ""), each.get("value", "")) for each in params]).encode()


def _chunks(content: Any) -> tuple[bytes, ...]:
    content = content if isinstance(content, dict) else {}
    text = content.get("text")
    if text is None:
        if _number(content.get("size")) > 0:
            raise NotCarried("the response body was not saved", f"{content['size']} bytes")
        return ()
    binary = content.get("_isBinary") is True
    if content.get("encoding") != "base64" and not binary:
        return (_encoded(text, content.get("mimeType")),)
    if str(text).lstrip().startswith("["):  # Polly keeps binary answers as a list of their chunks
        try:
            pieces = [str(piece) for piece in json.loads(text)]
        except ValueError as error:
            raise NotCarried("the response body cannot be read", str(error)) from error
        return tuple(
            _base64(piece) if content.get("encoding") == "base64" else _hex(piece) for piece in pieces
        )
    return (_base64(text) if content.get("encoding") == "base64" else _hex(text),)


def _base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text)
    except (TypeError, ValueError) as error:
        raise NotCarried("a body is no base64", str(error)) from error


def _hex(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise NotCarried("a body is no hexadecimal", str(error)) from error


def _encoded(text: Any, media_type: Any) -> bytes:
    """A HAR holds text; its bytes are as its media type says, UTF-8 where it says nothing that fits."""
    found = _CHARSET.search(str(media_type or ""))
    try:
        return str(text).encode(found[1]) if found else body_bytes(text)
    except (LookupError, UnicodeEncodeError):
        return body_bytes(text)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
