"""Reads cassetter's cassettes: vcrpy's shape with typed bodies and a plain status; gRPC and WebSockets are not HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..exchange import Exchange
from . import vcrpy
from .imported import Imported, NotCarried, Note, Tell, read_entries

NAME = "cassetter"

_TYPES = ("json", "text", "binary", "none")
_OTHERS = (("grpc_interactions", "gRPC is not carried"), ("ws_interactions", "a WebSocket is not carried"))


def claims(data: Any) -> bool:
    """Whether a document is cassetter's: a typed body, a bare status, or a list of what only cassetter records."""
    if not isinstance(data, dict):
        return False
    if any(data.get(name) for name, _ in _OTHERS):
        return True
    entries = data.get("interactions")
    return isinstance(entries, list) and any(map(_is_typed, entries))


def read(data: Any, file: str) -> Imported:
    """The HTTP recordings of a document that `claims` knows; each other one is a note."""
    entries = data.get("interactions")
    read = read_entries(file, NAME, entries if isinstance(entries, list) else (), read_entry)
    others = [
        Note(file, None, reason, _title(each))
        for name, reason in _OTHERS
        for each in (data.get(name) if isinstance(data.get(name), list) else ())
    ]
    return replace(read, notes=(*read.notes, *others))


def read_entry(entry: Mapping[str, Any], tell: Tell) -> Exchange:
    """One interaction: its typed bodies put as vcrpy would, then read as vcrpy's."""
    plain = dict(entry)
    for side in ("request", "response"):
        if isinstance(half := entry.get(side), dict) and (body := _untyped(half.get("body"))) is not None:
            plain[side] = {**half, "body": body}
    return vcrpy.read_entry(plain, tell)


def _title(other: Any) -> str:
    """What a recording is about that is not HTTP."""
    if not isinstance(other, dict):
        return ""
    asked = other.get("request")
    return str(asked.get("method", "") if isinstance(asked, dict) else other.get("uri", ""))


def _is_typed(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    response = entry.get("response")
    if isinstance(response, dict) and isinstance(response.get("status"), int):
        return True
    return any(
        _is_body(half.get("body")) for half in (entry.get("request"), response) if isinstance(half, dict)
    )


def _is_body(body: Any) -> bool:
    return isinstance(body, dict) and body.get("type") in _TYPES and body.keys() <= {"type", "content"}


def _untyped(body: Any) -> bytes | None:
    """The bytes of a typed body; None where it is none of those."""
    if not _is_body(body):
        return None
    kind, content = body["type"], body.get("content")
    try:
        if kind == "json":
            return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "surrogatepass"
            )
        if kind == "binary":
            return bytes.fromhex(str(content or ""))
    except (TypeError, ValueError, RecursionError) as error:
        raise NotCarried(f"a {kind} body cannot be read", str(error)) from error
    return b"" if kind == "none" or content is None else str(content).encode("utf-8", "surrogatepass")
