"""The request of a chat completion: its envelope decoded, its messages left as they are."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from ..body import decode_request
from ..call import RequestHalf
from ..exchange import Headers, Request, endpoint, header
from ..json_text import parse_json
from .lenient import UNREADABLE, read_json

_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_decode = msgspec.json.Decoder().decode
_LONG = frozenset({"messages", "tools", "functions"})
_RETRIES = b"x-stainless-retry-count"
_HEADERS = frozenset({b"id", b"content-encoding", _RETRIES})
_LENGTHS = frozenset(map(len, _HEADERS))
_BY_RANK = ("user_id", "user", "safety_identifier")
_USERS = frozenset(_BY_RANK)
_LIST, _NULL = b"[n"
_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")


def read_envelope(request: Request, provider: str, dialect: str, operation: str | None) -> RequestHalf:
    """Everything that a request says about itself. The body is decoded once, messages are skipped."""
    notes: list[str] = []
    host, port, deployment = _place(request.url)
    headers = _headers(request.headers)
    body = request.body
    if encoding := headers.get(b"content-encoding"):
        body = decode_request(body, encoding)
    fields = _fields(body, notes)
    parameters = _parameters(fields)
    return RequestHalf(
        dialect,
        provider,
        host,
        port,
        operation,
        _text(parameters, "model", notes) or deployment,
        "stream" in parameters and _flag(parameters, "stream", notes),
        parameters,
        _list(fields, "messages", notes),
        _list(fields, "tools", notes) if "tools" in fields else None,
        _list(fields, "functions", notes) if "functions" in fields else None,
        _text(parameters, "system_prompt", notes) if "system_prompt" in parameters else None,
        None if _USERS.isdisjoint(parameters) else _user_id(parameters),
        headers.get(b"id", b"").decode("latin-1").strip() or None if headers else None,
        _attempt(headers.get(_RETRIES)) if headers else 1,
        tuple(notes) if notes else (),
    )


@lru_cache(maxsize=256)
def _place(url: str) -> tuple[str, int, str | None]:
    """Host, port and, where the path names one (Azure), the deployment."""
    host, port, path = endpoint(url)
    deployment = _DEPLOYMENT.search(path)
    return host, port, unquote(deployment[1]) if deployment else None


def _headers(headers: Headers) -> dict[bytes, bytes]:
    """The headers that matter here; the first of each."""
    found: dict[bytes, bytes] = {}
    for key, value in headers:
        if len(key) in _LENGTHS and (name := key.lower()) in _HEADERS:
            found.setdefault(name, value)
    return found


def _fields(body: bytes, notes: list[str]) -> dict[str, Raw]:
    """The top-level fields of a JSON object, undecoded; none where the body is something else."""
    try:
        return _FIELDS.decode(body)
    except UNREADABLE:
        pass
    if not body:
        notes.append("request has no body")
        return {}
    try:
        value = parse_json(body)
        if isinstance(value, dict):
            return {name: Raw(json.dumps(field).encode()) for name, field in value.items()}
        notes.append("request is not a JSON object")
    except (ValueError, RecursionError):
        notes.append("request is not JSON")
    return {}


def _parameters(fields: dict[str, Raw]) -> dict[str, Any]:
    """The fields that are short, decoded."""
    try:
        return {name: _decode(raw) for name, raw in fields.items() if name not in _LONG}
    except UNREADABLE:
        return {name: _value(raw) for name, raw in fields.items() if name not in _LONG}


def _value(raw: Raw) -> Any:
    try:
        return _decode(raw)
    except UNREADABLE:
        pass
    try:
        return read_json(raw)
    except ValueError:
        return None


def _text(parameters: dict[str, Any], name: str, notes: list[str]) -> str | None:
    value = parameters.get(name)
    if value is None or isinstance(value, str):
        return value or None
    notes.append(f"request's {name} is not text")
    return None


def _flag(parameters: dict[str, Any], name: str, notes: list[str]) -> bool:
    value = parameters.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    notes.append(f"request's {name} is neither true nor false")
    return False


def _list(fields: dict[str, Raw], name: str, notes: list[str]) -> Raw | None:
    raw = fields.get(name)
    if raw is None:
        return None
    start = memoryview(raw)[0]
    if start == _LIST:
        return raw
    if start != _NULL:
        notes.append(f"request's {name} is not a list")
    return None


def _user_id(parameters: dict[str, Any]) -> str | None:
    """Whom the call is for: DeepSeek's `user_id`, else OpenAI's `user` and its successor."""
    for name in _BY_RANK:
        value = parameters.get(name)
        if value and isinstance(value, str):
            return value
    return None


def attempt_number(headers: Headers) -> int:
    """Which attempt at its call a request is, from 1."""
    return _attempt(header(headers, _RETRIES))


def _attempt(retries: bytes | None) -> int:
    """Counted from 1; openai, anthropic and their kin say how often they have retried."""
    return int(retries) + 1 if retries is not None and len(retries) < 6 and retries.isdigit() else 1
