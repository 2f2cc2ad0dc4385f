"""Hostile text made visible: what a reader would obey, reorder or hide stands as an escape."""

from __future__ import annotations

import re

UNSAFE = re.compile(
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
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def visible(text: str) -> str:
    """The text with all that a terminal would obey, reorder or hide written as escapes (`\\x1b`, `\\u202e`).

    Newline and tab stay. The backslash is not doubled: what is printed is for eyes, not for parsing back.
    """
    return UNSAFE.sub(escaped, text)


def escaped(match: re.Match[str]) -> str:
    """The escape of one character that was found."""
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
