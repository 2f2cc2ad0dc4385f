"""vcrpy's matchers: which parts of two requests its `match_on` can compare, and how."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.parsers.expat import ExpatError
from xmlrpc.client import loads as load_xmlrpc

from .vcr_request import VcrRequest

VcrMatcher = Callable[[Any, Any], bool | None]
"""Takes (asked, recorded); False or an AssertionError says that they differ."""
DEFAULT = ("method", "scheme", "host", "port", "path", "query")

_SHOWN = 120


def _attribute(name: str, read: Callable[[VcrRequest], Any]) -> VcrMatcher:
    def matcher(asked: VcrRequest, recorded: VcrRequest) -> None:
        mine, theirs = read(asked), read(recorded)
        if mine != theirs:
            raise AssertionError(f"asked {_shown(mine)}, recorded {_shown(theirs)}")

    matcher.__name__ = name
    return matcher


def _uri(request: VcrRequest) -> str:
    parts = urlsplit(request.uri)
    if parts.path:
        return request.uri
    authority = f"{parts.scheme}://{parts.netloc}"
    return request.uri.replace(authority, f"{authority}/", 1)


def body(asked: VcrRequest, recorded: VcrRequest) -> None:
    """Compare bodies as their common content type says, as bytes where they do not parse so."""
    transforms = list(_transforms(asked))
    if [name for name, _ in transforms] != [name for name, _ in _transforms(recorded)]:
        transforms = []
    mine, theirs = _bytes(asked), _bytes(recorded)
    left: Any = mine
    right: Any = theirs
    try:
        for _, transform in transforms:
            left, right = transform(left), transform(right)
    except (ValueError, ExpatError):
        left, right = mine, theirs
    if left != right:
        raise AssertionError(f"asked {_shown(left)}, recorded {_shown(right)}")


MATCHERS: dict[str, VcrMatcher] = {
    "method": _attribute("method", lambda request: request.method),
    "uri": _attribute("uri", _uri),
    "url": _attribute("url", _uri),
    "scheme": _attribute("scheme", lambda request: request.scheme),
    "host": _attribute("host", lambda request: request.host),
    "port": _attribute("port", lambda request: request.port),
    "path": _attribute("path", lambda request: request.path or "/"),
    "query": _attribute("query", lambda request: request.query),
    "headers": _attribute("headers", lambda request: request.headers),
    "raw_body": _attribute("raw_body", lambda request: _bytes(request)),
    "body": body,
}


def _transforms(request: VcrRequest) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What makes a body comparable, in vcrpy's order."""
    kind = _header(request, "content-type")
    if "chunked" in _header(request, "transfer-encoding"):
        yield "chunked", _unchunked
    if "application/x-www-form-urlencoded" in kind:
        yield "form", lambda data: parse_qs(data.decode("ascii"))
    if "application/json" in kind:
        yield "json", lambda data: json.loads(data) if data else None
    if "text/xml" in kind and "xmlrpc" in _header(request, "user-agent"):
        yield "xmlrpc", load_xmlrpc


def _unchunked(data: bytes) -> bytes:
    """A body without its chunk framing; as it is where it has none. Raises ValueError where that is broken."""
    pieces: list[bytes] = []
    rest = data
    while True:
        size, newline, after = rest.partition(b"\r\n")
        try:
            length = int(size, 16) if newline else -1
        except ValueError:
            length = -1
        if length < 0:
            if rest is data:
                return data
            raise ValueError("broken chunk")
        if length == 0:
            return b"".join(pieces)
        if after[length : length + 2] != b"\r\n":
            raise ValueError("broken chunk")
        pieces.append(after[:length])
        rest = after[length + 2 :]


def _header(request: VcrRequest, name: str) -> str:
    value = request.headers.get(name, "")
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).lower()


def _bytes(request: VcrRequest) -> bytes:
    data = request.body
    if hasattr(data, "read"):
        data = data.read()
    return data.encode() if isinstance(data, str) else bytes(data or b"")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
