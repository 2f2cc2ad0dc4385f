"""Requests and responses in the form in which vcrpy hands them to matchers and hooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace

from ..exchange import Exchange, Request, ResponseHead
from .wire import body_bytes, wire_headers

_PORTS = {"http": 80, "https": 443}
_GAP = b"\n\n"


class HeaderMap(MutableMapping[str, Any]):
    """One value a name; names are compared without regard to case and keep their first spelling."""

    def __init__(self, items: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._items: dict[str, tuple[str, Any]] = {}
        self.update(items)

    def __getitem__(self, name: str) -> Any:
        return self._items[name.lower()][1]

    def __setitem__(self, name: str, value: Any) -> None:
        spelling = self._items.get(name.lower(), (name, None))[0]
        self._items[name.lower()] = spelling, value[0] if isinstance(value, (list, tuple)) else value

    def __delitem__(self, name: str) -> None:
        del self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {n.lower(): v for n, v in self.items()} == {n.lower(): v for n, v in other.items()}

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    def copy(self) -> HeaderMap:
        return HeaderMap(self.items())


class VcrRequest:
    """A request with the attributes that vcrpy's has; hooks may change it."""

    def __init__(self, method: str, uri: str, body: Any, headers: Any) -> None:
        self.method = method
        self.uri = uri
        self.body = body.encode("utf-8") if isinstance(body, str) else body
        self.headers = headers if isinstance(headers, HeaderMap) else HeaderMap(headers)

    @property
    def url(self) -> str:
        return self.uri

    @property
    def scheme(self) -> str:
        return urlsplit(self.uri).scheme

    protocol = scheme

    @property
    def host(self) -> str | None:
        return urlsplit(self.uri).hostname

    @property
    def port(self) -> int | None:
        parts = urlsplit(self.uri)
        return parts.port if parts.port is not None else _PORTS.get(parts.scheme)

    @property
    def path(self) -> str:
        return urlsplit(self.uri).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return sorted(parse_qsl(urlsplit(self.uri).query))

    def __repr__(self) -> str:
        return f"<Request ({self.method}) {self.uri}>"

    def _to_dict(self) -> dict[str, Any]:
        headers = {name: [value] for name, value in self.headers.items()}
        return {"method": self.method, "uri": self.uri, "body": self.body, "headers": headers}

    @classmethod
    def _from_dict(cls, fields: Mapping[str, Any]) -> VcrRequest:
        return cls(**fields)


def to_vcr(request: Request) -> VcrRequest:
    """A request as vcrpy has it; values of one header are joined."""
    headers: dict[str, str] = {}
    for raw, value in request.headers:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return VcrRequest(request.method, request.url, request.body, headers)


def with_request(request: Request, made: Any) -> Request:
    """The request that a hook left of this one; headers that it did not touch stay as they were sent."""
    same = to_vcr(request).headers == made.headers
    headers = request.headers if same else wire_headers(dict(made.headers))
    return Request(made.method, made.uri, headers, body_bytes(made.body))


def response_dict(exchange: Exchange) -> dict[str, Any]:
    """A response as vcrpy has it."""
    head = exchange.head or ResponseHead(0)
    headers: dict[str, list[str]] = {}
    for name, value in head.headers:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    message = head.reason.decode("latin-1") if head.reason is not None else None
    return {
        "status": {"code": head.status, "message": message},
        "headers": headers,
        "body": {"string": exchange.body},
    }


def with_response(exchange: Exchange, response: Mapping[str, Any]) -> Exchange:
    """The exchange with the response that a hook left; what it did not touch stays byte for byte, chunk by chunk.

    One that ended before there was a response gets none.
    """
    if exchange.head is None:
        return exchange
    head, before, status = exchange.head, response_dict(exchange), response["status"]
    if dict(response["headers"]) != before["headers"]:
        head = replace(head, headers=wire_headers(dict(response["headers"])))
    if status != before["status"]:
        message = status.get("message")
        reason = message.encode("latin-1", "replace") if message else None
        head = replace(head, status=int(status["code"]), reason=reason)
    body = body_bytes(response["body"]["string"])
    if body == exchange.body:
        return exchange if head is exchange.head else replace(exchange, head=head)
    if events := _events(body, exchange.chunks):
        return replace(exchange, head=head, chunks=events)
    return replace(
        exchange,
        head=head,
        chunks=(body,) if body else (),
        arrivals_ns=(exchange.ending.at_ns,) if body else (),
    )


def _events(body: bytes, chunks: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """A changed body as the chunks it came in, where each was an event and there still are as many; else nothing."""
    *events, rest = body.split(_GAP)
    if rest or len(events) != len(chunks) or any(chunk.find(_GAP) != len(chunk) - 2 for chunk in chunks):
        return ()
    return tuple([event + _GAP for event in events])
