"""Text from models, servers and requests, made safe to print."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from rich.style import Style, StyleType
from rich.text import Text

_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of what follows
    "\u2028\u2029"  # end a line for some readers only
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufdd0-\ufdef\ufffe\uffff"  # take no room, or draw nothing
    "\ud800-\udfff"  # lone surrogates, which no terminal's encoding can carry
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]"
)
_UNSAFE_IN_LINE = re.compile(f"[\t\n]|{_UNSAFE.pattern}")
# A decimal number, between two signs of a private area, which `json` took for a text.
_EXACT = re.compile(r'"\\ue000(-?\d+(?:\.\d+)?)\\ue000"')
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = Style(reverse=True)


def visible(text: str) -> str:
    """The text with all that a terminal would obey, reorder or hide written as escapes (`\\x1b`, `\\u202e`).

    Newline and tab stay. The backslash is not doubled: what is printed is for eyes, not for parsing back.
    """
    return _UNSAFE.sub(_escape, text)


def styled(text: object, style: StyleType = "") -> Text:
    """A safe one-line `Text`; its escapes stand out in reverse, and nothing in it is read as markup."""
    return _marked(str(text), _UNSAFE_IN_LINE, style)


def styled_block(text: str, style: StyleType = "") -> Text:
    """A safe `Text` that keeps its lines."""
    return _marked(text, _UNSAFE, style)


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


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _marked(text: str, unsafe: re.Pattern[str], style: StyleType) -> Text:
    marked = Text(style=style)
    end = 0
    for match in unsafe.finditer(text):
        marked.append(text[end : match.start()]).append(_escape(match), _ESCAPED)
        end = match.end()
    return marked.append(text[end:])


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
