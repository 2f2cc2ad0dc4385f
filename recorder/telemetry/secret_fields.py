"""Secrets that only a field's name tells, kept out of the tool calls that spans and events show.

What is stored keeps an answer's tool calls as they came, so that they can be replayed; spans and events go to others.
"""

from __future__ import annotations

from typing import Any

from ..named_values import VALUE, has_secret_name
from ..redact import Redactor
from ..secret_shapes import PLACEHOLDER
from .content import Part

_HIDDEN = PLACEHOLDER.decode()
_STRUCTURED = {"tool_call": "arguments", "tool_call_response": "response"}
"""The parts that hold structured data, and where."""


def without_secret_fields(messages: list[Part], redactor: Redactor) -> list[Part]:
    """The messages with the values of fields such as `password` taken out of tool calls and their results."""
    return [
        {**message, "parts": [_clean_part(part, redactor) for part in message["parts"]]}
        for message in messages
    ]


def _clean_part(part: Part, redactor: Redactor) -> Part:
    field = _STRUCTURED.get(part["type"])
    if field is None or field not in part:
        return part
    return {**part, field: _clean(part[field], redactor)}


def _clean(value: Any, redactor: Redactor, *, secret: bool = False) -> Any:
    if isinstance(value, str):
        return _HIDDEN if secret and value else _clean_text(value, redactor)
    if isinstance(value, list):
        return [_clean(item, redactor, secret=secret) for item in value]
    if isinstance(value, dict):
        is_secret = redactor.is_secret_name
        named = has_secret_name(value, is_secret)
        return {
            name: _clean(item, redactor, secret=is_secret(name) or (named and name == VALUE))
            for name, item in value.items()
        }
    return value


def _clean_text(text: str, redactor: Redactor) -> str:
    """Results are often JSON text, and arguments that broke off are too."""
    return redactor.json_text(text) if text.lstrip().startswith(("{", "[")) else text
