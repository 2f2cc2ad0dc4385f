"""vcrpy's request filters: headers, query parameters and posted fields that are replaced on both sides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit, urlunsplit

from ..body import decode_request
from .vcr_request import VcrRequest

RequestHook = Callable[[Any], Any]
"""Takes a request, gives it or another one, or None for one that is not recorded."""
Replacements = Mapping[str, Any]
"""By name: what stands instead, None to take it out, or a function of (key, value, request)."""

_LOCAL = ("localhost", "0.0.0.0", "127.0.0.1", "::1")
_FIELD_NAME = re.compile(rb';\s*name="([^"]*)"')


def replacements(names: Iterable[Any]) -> Replacements:
    """vcrpy's list of names, or of (name, replacement)."""
    return {each[0]: each[1] for each in (e if isinstance(e, (tuple, list)) else (e, None) for e in names)}


def header_filter(replaced: Replacements) -> RequestHook:
    """Replaces request headers."""

    def filter_headers(request: VcrRequest) -> VcrRequest:
        headers = request.headers.copy()
        for name in replaced:
            if name in headers:
                value = _replaced(replaced, name, headers.pop(name), request)
                if value is not None:
                    headers[name] = value
        request.headers = headers
        return request

    return filter_headers


def query_filter(replaced: Replacements) -> RequestHook:
    """Replaces query parameters; the query is put in order, as vcrpy does."""

    def filter_query(request: VcrRequest) -> VcrRequest:
        kept = [
            (name, value)
            for name, old in request.query
            if (value := _replaced(replaced, name, old, request) if name in replaced else old) is not None
        ]
        request.uri = urlunsplit(urlsplit(request.uri)._replace(query=urlencode(kept)))
        return request

    return filter_query


def body_filter(replaced: Replacements, nested: bool) -> RequestHook:
    """Replaces fields of JSON, multipart and form bodies; of JSON at any depth if `nested`."""

    def filter_body(request: VcrRequest) -> VcrRequest:
        if not isinstance(request.body, (bytes, bytearray)) or not request.body:
            return request
        kind = str(request.headers.get("content-type", ""))
        boundary = re.search(r'multipart/form-data.*boundary="?([^";]+)', kind, re.IGNORECASE)
        if kind.partition(";")[0].strip().lower() == "application/json":
            request.body = json.dumps(_json(json.loads(request.body), replaced, request, nested)).encode()
        elif boundary:
            request.body = _multipart(bytes(request.body), boundary[1].encode(), replaced, request)
        else:
            try:
                request.body = _form(bytes(request.body), replaced, request)
            except UnicodeError:  # a file, no form
                pass
        return request

    return filter_body


def host_filter(hosts: Iterable[Any], localhost: bool) -> RequestHook:
    """Ignores requests to these hosts: names, or patterns of whole names."""
    known = [*hosts, *(_LOCAL if localhost else ())]
    patterns = [host for host in known if isinstance(host, re.Pattern)]
    names = {host for host in known if not isinstance(host, re.Pattern)}

    def ignore_hosts(request: VcrRequest) -> VcrRequest | None:
        host = request.host or ""
        return None if host in names or any(pattern.fullmatch(host) for pattern in patterns) else request

    return ignore_hosts


def decoded(response: dict[str, Any]) -> dict[str, Any]:
    """A response with its first content encoding undone, as `decode_compressed_response` has it."""
    headers = {name.lower(): values for name, values in response["headers"].items()}
    first, *others = headers.get("content-encoding") or [""]
    if first not in ("gzip", "deflate", "br"):
        return response
    body = decode_request(response["body"]["string"], first.encode())
    kept = {
        name: values
        for name, values in response["headers"].items()
        if name.lower() not in ("content-encoding", "content-length")
    }
    if others:
        kept["content-encoding"] = others
    return {**response, "headers": {**kept, "content-length": [str(len(body))]}, "body": {"string": body}}


def _replaced(replaced: Replacements, name: str, value: Any, request: VcrRequest) -> Any:
    new = replaced[name]
    return new(key=name, value=value, request=request) if callable(new) else new


def _json(value: Any, replaced: Replacements, request: VcrRequest, nested: bool) -> Any:
    if nested:
        return _nested(value, replaced, request)
    if not isinstance(value, dict):
        return value
    kept = {name: item for name, item in value.items() if name not in replaced}
    for name in replaced:  # last, where vcrpy puts them, for matchers that compare bytes
        if name in value and (new := _replaced(replaced, name, value[name], request)) is not None:
            kept[name] = new
    return kept


def _nested(value: Any, replaced: Replacements, request: VcrRequest) -> Any:
    if isinstance(value, list):
        return [_nested(item, replaced, request) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        if name not in replaced:
            kept[name] = _nested(item, replaced, request)
        elif (new := _replaced(replaced, name, item, request)) is not None:
            kept[name] = new
    return kept


def _form(body: bytes, replaced: Replacements, request: VcrRequest) -> bytes:
    kept = []
    for pair in body.split(b"&"):
        raw, equals, value = pair.partition(b"=")
        name = raw.decode("utf-8")
        name = name if name in replaced else unquote_plus(name)
        if not equals or name not in replaced:
            kept.append(pair)
        elif (new := _replaced(replaced, name, value.decode("utf-8"), request)) is not None:
            kept.append(b"=".join((raw, new.encode("utf-8"))))
    return b"&".join(kept)


def _multipart(body: bytes, boundary: bytes, replaced: Replacements, request: VcrRequest) -> bytes:
    delimiter = b"--" + boundary
    first, *parts = body.split(delimiter)
    kept = [first]
    for part in parts:
        head, blank, content = part.partition(b"\r\n\r\n")
        found = _FIELD_NAME.search(head)
        name = found[1].decode("utf-8", "replace") if found else ""
        if not blank or name not in replaced:
            kept.append(part)
            continue
        value, end = (content[:-2], content[-2:]) if content.endswith(b"\r\n") else (content, b"")
        new = _replaced(replaced, name, value.decode("utf-8", "replace"), request)
        if new is not None:
            kept.append(head + blank + (new.encode() if isinstance(new, str) else new) + end)
    return delimiter.join(kept)
