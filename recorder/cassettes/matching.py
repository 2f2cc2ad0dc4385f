"""When two requests are the same: method, URL, canonical JSON body, and the headers a dialect calls significant."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec

from ..body import decode_request
from ..exchange import Request, header, header_values
from ..json_text import parse_json

Key = bytes


class Comparable(msgspec.Struct, frozen=True):
    """What of a request takes part in matching; `body` is canonical JSON, or text where it is none."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any


def comparable(request: Request, significant: tuple[bytes, ...] = ()) -> Comparable:
    """Reduce a request to what is compared."""
    headers = {
        name.decode("latin-1"): ", ".join(
            value.decode("latin-1") for value in header_values(request.headers, name)
        )
        for name in significant
        if header(request.headers, name) is not None
    }
    return Comparable(request.method.upper(), _canonical_url(request.url), headers, _body(request))


def key(request: Request, significant: tuple[bytes, ...] = ()) -> Key:
    """A digest that two requests share exactly if they match: key order, spacing and 1 against 1.0 do not count."""
    return digest(comparable(request, significant))


def digest(asked: Comparable) -> Key:
    """The digest of what is compared."""
    parts = [asked.method, asked.url, asked.headers, asked.body]
    try:
        text = msgspec.json.encode(parts, order="sorted")
    except UnicodeEncodeError:  # lone surrogates, which JSON text may hold
        text = json.dumps(parts, sort_keys=True).encode()
    return blake2b(text, digest_size=16).digest()


def _body(request: Request) -> Any:
    body = decode_request(request.body, header(request.headers, b"content-encoding"))
    try:
        return _canonical(parse_json(body))
    except (ValueError, RecursionError):
        return body.decode("utf-8", "surrogateescape")


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
    parts = urlsplit(url)
    query = "&".join(
        f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True))
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
