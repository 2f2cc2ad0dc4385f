"""What a provider's error says, in the shapes that providers give it."""

from __future__ import annotations

import json
import re
from typing import Any

from ..call import CallError

_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CANONICAL = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
_BEGINNING = 500
_MESSAGES = ("message", "detail", "Message", "msg", "error_msg", "error_description")
_FINE = (None, 0, "0", 200, "200")
"""Codes that say of an answer that all went well."""


def read_failure(value: Any, status: int | None, *, certain: bool = False) -> CallError | None:
    """The error that a JSON value reports, or None.

    `certain` says that it is an error in any case (an HTTP status, an `event: error`), so that any text
    in it is the message. Known shapes: `{"error": {...}}` and `{"error": "text"}`, the same in a list
    (Google), `{"object": "error", ...}` (vLLM, Mistral), `{"message", "code"}`, `{"detail"}` (FastAPI),
    `{"errors": [...]}` (Cloudflare), `{"error_code", "error_msg"}` (Baidu) and `{"base_resp": {"status_code",
    "status_msg"}}` (MiniMax), the last two under status 200.
    """
    found = _find(value, certain)
    if found is None:
        return None
    codes, message = found
    text = message or (_compact(value)[:_BEGINNING] if value else "an error without a message")
    return CallError(_type(codes, status), text)


def status_failure(status: int, body: str) -> CallError:
    """The error of an answer that names none: its status, and how its body begins."""
    return CallError(str(status), body.strip()[:_BEGINNING].strip() or f"HTTP {status} without a body")


def _find(value: Any, certain: bool) -> tuple[tuple[Any, ...], str | None] | None:
    """The codes, best first, and the message."""
    if isinstance(value, list):
        candidates = (_find(item, certain) for item in value if isinstance(item, dict))
        return next(filter(None, candidates), ((), _text(value)) if certain else None)
    if not isinstance(value, dict):
        return ((), _text(value)) if certain else None
    error = value.get("error")
    if isinstance(error, list):
        error = error[0] if error else None
    if isinstance(error, dict) and error:
        return _codes(error) + _codes(value), _message(error) or _message(value)
    if error:
        return _codes(value), _text(error) or _message(value)
    errors = value.get("errors")
    if isinstance(errors, list) and errors and "choices" not in value:
        return _find({"error": errors[0]}, certain)
    verdict = value.get("base_resp")
    if isinstance(verdict, dict) and verdict.get("status_code") not in _FINE and not value.get("choices"):
        return (verdict["status_code"],), _text(verdict.get("status_msg"))
    if certain or _says_error(value):
        return _codes(value), _message(value)
    return None


def _says_error(value: dict[str, Any]) -> bool:
    if "choices" in value:
        return False
    coded = value.get("error_code") not in _FINE or (value.get("code") not in _FINE and bool(_message(value)))
    return (
        value.get("object") == "error" or value.get("type") == "error" or coded or bool(value.get("detail"))
    )


def _codes(error: dict[str, Any]) -> tuple[Any, ...]:
    """Google's `code` repeats the HTTP status; its own code is in `status` (google.rpc.Code)."""
    code, status = error.get("code"), error.get("status")
    if type(code) is int and isinstance(status, str) and _CANONICAL.fullmatch(status):
        return status, code
    return code, error.get("type"), error.get("error_code"), error.get("error_type")


def _type(codes: tuple[Any, ...], status: int | None) -> str:
    for code in codes:
        text = str(code) if type(code) is int else code
        if isinstance(text, str) and _TYPE.fullmatch(text):
            return text
    return str(status) if status is not None and status >= 400 else "_OTHER"


def _message(error: dict[str, Any]) -> str | None:
    """The first message among the names that it goes by."""
    return next((text for name in _MESSAGES if (text := _text(error.get(name)))), None)


def _text(value: Any) -> str | None:
    """A message as text; objects and lists that hold none are shown as JSON."""
    if not value or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    names = (*_MESSAGES, "error")
    inner = [value, *(value.get(name) for name in names)] if isinstance(value, dict) else [value]
    return next((text for item in inner if (text := _plain_text(item))), None) or _compact(value)[:_BEGINNING]


def _plain_text(value: Any) -> str | None:
    """A text, or FastAPI's list of what is wrong where."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, list) and value and all(isinstance(item, dict) and "msg" in item for item in value):
        return "; ".join(_complaint(item) for item in value)
    return None


def _complaint(item: dict[str, Any]) -> str:
    where = item.get("loc")
    place = ".".join(map(str, where)) if isinstance(where, list) else ""
    return f"{place}: {item['msg']}" if place else str(item["msg"])


def _compact(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "an error that is nested too deeply"
