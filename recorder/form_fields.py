"""Secrets in bodies that are forms, told by the names of their fields, and those that are percent-encoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote, unquote_plus, unquote_to_bytes

from .json_spans import Span

_FORM = re.compile(rb"&*[\w.~*%+\[\]-]{1,200}=[^\s{}\"<>]*\s*\Z")
_PAIR = re.compile(rb"([^=&\s]+)=([^&]*[^&\s])")
_PAIR_AFTER_SEMICOLON = re.compile(rb"(?<=;)([^=&;\s]+)=([^&;]*[^&;\s])")
_BOUNDARY = re.compile(rb"(?:\A|\n)(--[^\r\n]+)")
_SIGN = rb"(?:[^\r\n]|\r?\n[ \t])"  # a header may go on in the next line
_PART = re.compile(
    rb"\nContent-Disposition:"
    + _SIGN
    + rb"*?;\s*name\*?\s*=\s*(?:\"([^\"\r\n]*)\"|([^;\s\"]+))"
    + _SIGN
    + rb"*\r?\n"
    rb"(?:[^\r\n]+\r?\n)*\r?\n",
    re.IGNORECASE,
)
_LONGEST_TEXT = 4_096
"""So long a part is looked at as a text of its own; what is longer is a file."""
_TOKEN = re.compile(rb"[^/?#&=;\s\"'<>]+")


class Told(Protocol):
    """What tells secrets in forms: by the name of a field, and in a text whose encoding is undone.

    `apart` is whether values without any encoding may be secret only as texts of their own.
    """

    @property
    def apart(self) -> bool: ...
    def is_secret_parameter(self, name: str) -> bool: ...
    def hides(self, text: bytes) -> bool: ...


def form_spans(body: bytes, content_type: bytes, told: Told) -> Iterator[Span]:
    """The values of secret fields, where a body is a form (urlencoded or multipart), and what hides in it encoded."""
    kind = content_type.strip().lower()
    if body.startswith(b"--") or kind.startswith(b"multipart/"):
        yield from _part_spans(body, told)
    elif kind.startswith(b"application/x-www-form-urlencoded") or _FORM.match(body):
        yield from _pair_spans(body, told)
        yield from encoded_spans(body, told)


def encoded_spans(text: bytes, told: Told) -> Iterator[Span]:
    """The parts of a URL or of a form that hold a secret once their percent-encoding is undone."""
    if b"%" in text or told.apart:
        for token in _TOKEN.finditer(text):
            if (told.apart or b"%" in token[0]) and told.hides(unquote_to_bytes(token[0])):
                yield token.span()


def _pair_spans(body: bytes, told: Told) -> Iterator[Span]:
    for pattern in (_PAIR, _PAIR_AFTER_SEMICOLON) if b";" in body else (_PAIR,):
        for pair in pattern.finditer(body):
            if told.is_secret_parameter(unquote_plus(pair[1].decode("latin-1"))):
                yield pair.span(2)


def _part_spans(body: bytes, told: Told) -> Iterator[Span]:
    if (opening := _BOUNDARY.search(body)) is None:
        return
    boundary = b"\n" + opening[1].rstrip()
    for part in _PART.finditer(body, opening.start()):
        name = unquote((part[1] or part[2] or b"").decode("utf-8", "replace")).rpartition("'")[2]
        start, secret = part.end(), told.is_secret_parameter(name)
        if secret or told.apart:
            end = body.find(boundary, start, len(body) if secret else start + _LONGEST_TEXT)
            value = body[start : end if end >= 0 else len(body) if secret else start].removesuffix(b"\r")
            if value and (secret or told.hides(value)):
                yield start, start + len(value)
