"""Reads vcrpy's cassettes, YAML and JSON, as vcrpy 1 to 9 and its users' own serializers wrote them.

Besides the present shape: responses of the first httpx stub (`content`), entries from before 1.0 (a list,
`protocol`, `host`, `port`, `path`), bodies kept as structure (`parsed_body`, as pydantic-ai keeps them), requests
and responses in two lists (LangChain), and bodies pretty-printed for reading, which stay as they stand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..body import decode_request
from ..exchange import Exchange, ResponseHead, header
from ..rewriting import with_length
from .imported import Imported, NotCarried, Tell, field, mapping, read_entries
from .wire import body_bytes, epoch_us, exchange, head, request

NAME = "vcrpy"

_PORTS = {"http": 80, "https": 443}
_DECODED = ("gzip", "deflate", "br")


def claims(data: Any) -> bool:
    """Whether a document is vcrpy's."""
    if isinstance(data, dict):
        halves = data.get("requests"), data.get("responses")
        return isinstance(data.get("interactions"), list) or all(isinstance(half, list) for half in halves)
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and "request" in data[0]


def read(data: Any, file: str) -> Imported:
    """The recordings of a document that `claims` knows."""
    if isinstance(data, dict) and not isinstance(data.get("interactions"), list):
        halves = ("request", data["requests"]), ("response", data["responses"])
        data = [
            {name: half[place] for name, half in halves if place < len(half)}
            for place in range(max(len(half) for _, half in halves))
        ]
    return read_entries(file, NAME, data["interactions"] if isinstance(data, dict) else data, read_entry)


def read_entry(entry: Mapping[str, Any], tell: Tell) -> Exchange:
    """One interaction."""
    asked = mapping(field(entry, "request"), "`request`")
    answered = mapping(field(entry, "response"), "`response`")
    sent = request(
        asked.get("method"), _url(asked), _first_values(asked.get("headers")), _request_body(asked)
    )
    started_us = epoch_us(entry.get("recorded_at"))
    if "status_code" in answered:
        response, body = _first_httpx(answered)
    else:
        status = answered.get("status")
        code, reason = (
            (status.get("code"), status.get("message")) if isinstance(status, dict) else (status, None)
        )
        response = head(code, answered.get("headers"), reason, answered.get("protocol"))
        body = _response_body(answered)
    return exchange(sent, response, (body,), tell, started_us=started_us)


def structured(value: Any) -> bytes:
    """The body that pydantic-ai's serializer makes of a `parsed_body`."""
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise NotCarried("a structured body is no JSON", str(error)) from error


def _url(asked: Mapping[str, Any]) -> Any:
    if "uri" in asked or "host" not in asked:
        return asked.get("uri", asked.get("url"))
    scheme, port = str(asked.get("protocol", "http")), asked.get("port")
    authority = asked["host"] if port in (None, _PORTS.get(scheme)) else f"{asked['host']}:{port}"
    return f"{scheme}://{authority}{asked.get('path') or '/'}"


def _first_values(headers: Any) -> Any:
    """Of a request's headers, the first value of each, as vcrpy keeps them."""
    if not isinstance(headers, dict):
        return headers
    return {
        name: value[0] if isinstance(value, (list, tuple)) and value else value
        for name, value in headers.items()
    }


def _request_body(asked: Mapping[str, Any]) -> bytes:
    if asked.get("parsed_body") is not None:
        return structured(asked["parsed_body"])
    body = asked.get("body")
    if isinstance(body, dict):
        return body_bytes(body["string"]) if "string" in body else structured(body)
    return body_bytes(body)


def _response_body(answered: Mapping[str, Any]) -> bytes:
    if answered.get("parsed_body") is not None:
        return structured(answered["parsed_body"])
    body = answered.get("body")
    if isinstance(body, dict):
        if "string" not in body and body:
            return structured(body)
        return body_bytes(body.get("string"))
    return body_bytes(body)


def _first_httpx(answered: Mapping[str, Any]) -> tuple[ResponseHead, bytes]:
    """What the first httpx stub kept: decoded content under the headers of the encoded one."""
    content = body_bytes(answered.get("content"))
    made = head(answered["status_code"], answered.get("headers"), None, answered.get("http_version"))
    encoding = header(made.headers, b"content-encoding")
    if encoding is None or encoding.decode("latin-1").lower() not in _DECODED:
        return made, content
    plain = decode_request(content, encoding)
    headers = with_length(made.headers, len(plain), keep_encoding=False)
    return ResponseHead(made.status, headers, made.http_version, made.reason), plain
