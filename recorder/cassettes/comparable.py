"""What of a request is compared: its parts, significant headers and canonical body, and the digest of these."""

from __future__ import annotations

import json
import math
import re
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

import msgspec

from ..body import decode_request
from ..exchange import Request, endpoint, header, header_values
from .json_paths import Step, leave_out
from .renaming import Ids

Key = bytes
_BOUNDARY = re.compile(rb'(;\s*boundary=)("[^"]+"|[^;\s]+)', re.IGNORECASE)
_ANY_BOUNDARY = b"boundary"
_PLAIN_IN_QUERY = " !\"$'()*,/:;<>?@[\\]^`{|}"


class Comparable(msgspec.Struct, frozen=True):
    """What of a request takes part in matching.

    `parts` are method, URL and the like by name; `body` is canonical JSON, or the `text` of one that is no
    JSON, or None where bodies are not compared. A number that no float can hold, as NaN, stands in it as it
    was spelled. `ids` are those that stand in it as numbers.
    """

    parts: dict[str, str]
    headers: dict[str, str]
    body: Any
    ids: tuple[str, ...] = ()
    text: bool = False


class Scope(msgspec.Struct, frozen=True):
    """Which parts and headers are compared, whether the body is, and what in it is not."""

    parts: tuple[str, ...]
    headers: tuple[bytes, ...]
    body: bool
    ignore: tuple[tuple[Step, ...], ...] = ()
    rename_ids: bool = False


def comparable(request: Request, scope: Scope) -> Comparable:
    """Reduce a request to what is compared."""
    parts = {name: part(request, name) for name in scope.parts}
    headers = _headers(request, scope.headers) if scope.headers else {}
    body, text = _body(request, scope.ignore) if scope.body else (None, False)
    if not scope.rename_ids:
        return Comparable(parts, headers, body, text=text)
    ids = Ids()
    try:
        body = ids.value(body)
    except RecursionError:
        pass
    return Comparable({name: ids.text(part) for name, part in parts.items()}, headers, body, ids.seen, text)


def digest(asked: Comparable) -> Key:
    """What two requests share exactly if they match: key order, spacing and 1 against 1.0 do not count."""
    compared = [asked.parts, asked.headers, asked.body, asked.text]
    try:
        text = msgspec.json.encode(compared, order="sorted")
    except UnicodeEncodeError:  # lone surrogates, which JSON text may hold
        text = _encode_ascii(compared)
    return blake2b(text, digest_size=16).digest()


def part(request: Request, name: str) -> str:
    """One part of a request, by the name that `match` has for it."""
    if name == "method":
        return request.method.upper()
    if name == "url":
        return _canonical_url(request.url)
    if name == "host":
        return endpoint(request.url)[0]
    if name == "port":
        return str(endpoint(request.url)[1])
    pieces = urlsplit(request.url)
    return {"scheme": pieces.scheme.lower(), "path": pieces.path, "query": _canonical_query(pieces.query)}[
        name
    ]


def _headers(request: Request, names: tuple[bytes, ...]) -> dict[str, str]:
    present = {name.lower() for name, _ in request.headers}.intersection(names)
    return {
        name.decode("latin-1"): ", ".join(
            _BOUNDARY.sub(rb"\1" + _ANY_BOUNDARY, value).decode("latin-1")
            for value in header_values(request.headers, name)
        )
        for name in names
        if name in present
    }


def _encode_ascii(compared: Any) -> bytes:
    """JSON with escapes for all that is not ASCII; numbers that no float can hold follow it in their order."""
    numbers: list[bytes] = []

    def spelled(number: msgspec.Raw) -> float:
        numbers.append(bytes(number))
        return math.inf

    return b"\n".join((json.dumps(compared, sort_keys=True, default=spelled).encode(), *numbers))


def _body(request: Request, ignore: tuple[tuple[Step, ...], ...]) -> tuple[Any, bool]:
    """The body's canonical JSON, or its text, and which of them it is."""
    body = decode_request(request.body, header(request.headers, b"content-encoding"))
    try:
        value = _parse(body)
        return _canonical(leave_out(value, ignore) if ignore else value), False
    except (ValueError, RecursionError):
        body = _without_boundary(body, header(request.headers, b"content-type"))
        return body.decode("utf-8", "surrogateescape"), True


def _parse(body: bytes) -> Any:
    """The value of JSON text, of which nothing is lost; raises ValueError for others, as those that are no UTF-8."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return json.loads(body.decode("utf-8-sig"), parse_float=_number, parse_constant=_spelled)


def _number(text: str) -> float | msgspec.Raw:
    number = float(text)
    return number if math.isfinite(number) else _spelled(text.lower())


def _spelled(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _without_boundary(body: bytes, content_type: bytes | None) -> bytes:
    """A multipart body with the same boundary whatever its sender chose at random."""
    if content_type is None or not content_type.lower().startswith(b"multipart/"):
        return body
    found = _BOUNDARY.search(content_type)
    return body if found is None else body.replace(b"--" + found[2].strip(b'"'), b"--" + _ANY_BOUNDARY)


def _canonical(value: Any) -> Any:
    """Whole floats become integers, as RFC 8785 has one number type; the order of keys is the encoder's."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value


def _canonical_url(url: str) -> str:
    """Without fragment, which no server sees, and with query parameters in order of name."""
    if "?" not in url and "#" not in url:
        return url
    pieces = urlsplit(url)
    return urlunsplit((pieces.scheme, pieces.netloc, pieces.path, _canonical_query(pieces.query), ""))


def _canonical_query(query: str) -> str:
    """The parameters in order, quoted alike: so that none reads as two, or two as one."""
    pairs = (piece.partition("=") for piece in query.split("&") if piece)
    return "&".join(
        f"{name}={value}" for name, value in sorted((_plain(name), _plain(value)) for name, _, value in pairs)
    )


def _plain(text: str) -> str:
    decoded = unquote_to_bytes(text.replace("+", " ").encode("utf-8", "surrogatepass"))
    return quote(decoded, safe=_PLAIN_IN_QUERY)
