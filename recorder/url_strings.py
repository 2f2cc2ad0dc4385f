"""Secrets in the strings of JSON that are URLs or forms, and in what is percent-encoded there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from .byte_edits import Span
from .form_fields import Told, encoded_spans, pair_spans
from .json_spans import decode_string, strings

_NESTING = 3
"""How deep JSON text in strings of JSON text is followed: a body, the arguments in it, a string in those."""
_OF_INTEREST = re.compile(rb"[=%]|\\\\*u00(?:25|3[dD])")
_URL = re.compile(rb"\s*[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+\s*\Z")
_JSON = re.compile(rb"\s*[\[{]")
_FORM = re.compile(rb"[\w.~*%+\[\]-]{1,200}=[^\s{}\"<>&]*&[^\s{}\"<>]*\s*\Z")


class ToldInStrings(Told, Protocol):
    """What tells secrets in URLs too: by the names of their parameters."""

    def parameter_spans(self, text: bytes) -> Iterator[Span]: ...


def url_spans(
    text: bytes, start: int, end: int, told: ToldInStrings, nesting: int = _NESTING
) -> Iterator[Span]:
    """The secrets that names and encodings hide in a string of JSON text, also in JSON text in that."""
    if _OF_INTEREST.search(text, start, end):
        decoded = decode_string(text, start, end)
        for first, last in _spans(decoded.text, told, nesting):
            yield decoded.source(first), decoded.source(last)


def _spans(text: bytes, told: ToldInStrings, nesting: int) -> Iterator[Span]:
    if _URL.match(text):
        yield from told.parameter_spans(text)
    elif _FORM.match(text):
        yield from pair_spans(text, told)
    elif _JSON.match(text):
        if nesting:
            for start, end in strings(text):
                yield from url_spans(text, start, end, told, nesting - 1)
        return
    if b"%" in text:
        yield from encoded_spans(text, told)
