"""Text from models, servers and requests, made safe to print."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from rich.style import Style, StyleType
from rich.text import Text

from ..visible import UNSAFE, escaped, visible

__all__ = ["json_text", "styled", "styled_block", "visible"]

_UNSAFE_IN_LINE = re.compile(f"[\t\n]|{UNSAFE.pattern}")
# A decimal number, between two signs of a private area, which `json` took for a text.
_EXACT = re.compile(r'"\\ue000(-?\d+(?:\.\d+)?)\\ue000"')
_ESCAPED = Style(reverse=True)


def styled(text: object, style: StyleType = "") -> Text:
    """A safe one-line `Text`; its escapes stand out in reverse, and nothing in it is read as markup."""
    return _marked(str(text), _UNSAFE_IN_LINE, style)


def styled_block(text: str, style: StyleType = "") -> Text:
    """A safe `Text` that keeps its lines."""
    return _marked(text, UNSAFE, style)


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """JSON in ASCII, so that nothing hostile is in it; what JSON cannot say (NaN) is written as text.

    A `Decimal` is a number with all its digits.
    """
    exact: list[Decimal] = []

    def plain(value: object) -> str:
        if isinstance(value, Decimal) and value.is_finite():
            exact.append(value)
            return f"\ue000{value:f}\ue000"
        return str(value)

    try:
        text = json.dumps(value, indent=indent, allow_nan=False, default=plain)
    except ValueError:
        text = json.dumps(_finite(value), indent=indent, default=plain)
    return _EXACT.sub(r"\1", text) if exact else text


def _marked(text: str, unsafe: re.Pattern[str], style: StyleType) -> Text:
    marked = Text(style=style)
    end = 0
    for match in unsafe.finditer(text):
        marked.append(text[end : match.start()]).append(escaped(match), _ESCAPED)
        end = match.end()
    return marked.append(text[end:])


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
