"""Reads go-vcr's cassettes, versions 1 and 2: `url`, `code`, `status: 200 OK`, and how long each call took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ..exchange import Exchange
from .imported import Imported, Tell, field, mapping, read_entries
from .wire import body_bytes, exchange, go_duration_ns, head, request

NAME = "go-vcr"


def claims(data: Any) -> bool:
    """Whether a document is go-vcr's."""
    entries = data.get("interactions") if isinstance(data, dict) else None
    return isinstance(entries, list) and any(map(_is_entry, entries))


def read(data: Any, file: str) -> Imported:
    """The recordings of a document that `claims` knows."""
    return read_entries(file, NAME, data["interactions"], _read_entry)


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    asked, answered = entry.get("request"), entry.get("response")
    return isinstance(asked, dict) and "url" in asked and isinstance(answered, dict) and "code" in answered


def _read_entry(entry: Mapping[str, Any], tell: Tell) -> Exchange:
    asked = mapping(field(entry, "request"), "`request`")
    answered = mapping(field(entry, "response"), "`response`")
    body, form = body_bytes(asked.get("body")), asked.get("form")
    if not body and isinstance(form, dict) and form:
        body = urlencode(form, doseq=True).encode()
        tell("the request body was rebuilt from its form")
    _, _, reason = str(answered.get("status") or "").partition(" ")
    end_ns = go_duration_ns(answered.get("duration"))
    response = head(answered.get("code"), answered.get("headers"), reason, answered.get("proto"), end_ns)
    if answered.get("trailer"):
        tell("trailers are not carried")
    sent = request(asked.get("method"), asked.get("url"), asked.get("headers"), body)
    return exchange(sent, response, (body_bytes(answered.get("body")),), tell, end_ns=end_ns)
