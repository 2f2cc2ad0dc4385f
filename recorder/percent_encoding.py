"""Texts without their percent-encoding, in which secrets hide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from .byte_edits import Span

_ROUNDS = 3
_END = rb"/?#&=;\s\"'<>\\"
# It is looked for where one may begin alone, or a long text without an end would be read again from each byte.
_TOKEN = re.compile(
    rb"(?<![^%b])(?:(?<=\\)(?:[bfnrt]|u[0-9a-fA-F]{4}))?+([^%b%%]*+%%[^%b]*+)" % (_END, _END, _END)
)


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
