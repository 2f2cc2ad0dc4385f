"""Texts without their percent-encoding, in which secrets hide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from .byte_edits import Span

_ROUNDS = 3
_TOKEN = re.compile(rb"(?:(?<=\\)[bfnrt])?([^/?#&=;\s\"'<>\\%]*+%[^/?#&=;\s\"'<>\\]*+)")


def unquoted(text: bytes) -> Iterator[bytes]:
    """A text with its encoding undone, once and again: in a URL in a URL it stands twice; nothing of a plain text."""
    for _ in range(_ROUNDS):
        if b"%" not in text or (plain := unquote_to_bytes(text)) == text:
            return
        yield plain
        text = plain


def encoded_tokens(text: bytes) -> list[tuple[Span, bytes]]:
    """The parts of a text in which something is encoded, with where they stand; never a part of a JSON escape."""
    return [(token.span(1), token[1]) for token in _TOKEN.finditer(text)]
