"""Secrets in bodies that are forms, told by the names of their fields, and those that are percent-encoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote, unquote_plus

from .byte_edits import Span
from .percent_encoding import unquoted

_FORM = re.compile(rb"&*[\w.~*%+\[\]-]{1,200}=[^\s{}\"<>]*\s*\Z")
_PAIR = re.compile(rb"(?<![^=&\s])([^=&\s]++)=([^&]*[^&\s])")
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
    """What tells secrets in forms: by the name of a field, in a text whose encoding is undone, in one on its own.

    `apart` is whether values without any encoding may be secret only as texts of their own.
    """

    @property
    def apart(self) -> bool: ...
    def is_secret_parameter(self, name: str) -> bool: ...
    def hides(self, text: bytes) -> bool: ...
    def holds_apart(self, text: bytes) -> bool: ...


def form_spans(body: bytes, content_type: bytes, told: Told) -> Iterator[Span]:
    """The values of secret fields, where a body is a form (urlencoded or multipart), and what hides in it encoded."""
    kind = content_type.strip().lower()
    if body.startswith(b"--") or kind.startswith(b"multipart/"):
        yield from _part_spans(body, told)
    elif kind.startswith(b"application/x-www-form-urlencoded") or _FORM.match(body):
        yield from pair_spans(body, told)
        yield from encoded_spans(body, told)


def encoded_spans(text: bytes, told: Told) -> Iterator[Span]:
    """The parts of a URL or of a form that hold a secret once their percent-encoding is undone."""
    if told.apart or b"%" in text:
        hiding = {token for token in set(_TOKEN.findall(text)) if _hides(token, told)}
        yield from (token.span() for token in _TOKEN.finditer(text) if hiding and token[0] in hiding)


def _hides(token: bytes, told: Told) -> bool:
    return (told.apart and told.holds_apart(token)) or any(map(told.hides, unquoted(token)))


def pair_spans(form: bytes, told: Told) -> Iterator[Span]:
    """The values of an urlencoded form's secret fields."""
    secret: dict[bytes, bool] = {}
    for pattern in (_PAIR, _PAIR_AFTER_SEMICOLON) if b";" in form else (_PAIR,):
        for pair in pattern.finditer(form):
            name = pair[1]
            if (found := secret.get(name)) is None:
                found = secret[name] = told.is_secret_parameter(unquote_plus(name.decode("latin-1")))
            if found:
                yield pair.span(2)


def _part_spans(body: bytes, told: Told) -> Iterator[Span]:
    if (opening := _BOUNDARY.search(body)) is None:
        return
    boundary = b"\n" + opening[1].rstrip()
    for part in _PART.finditer(body, opening.start()):
        name = unquote((part[1] or part[2] or b"").decode("utf-8", "replace")).rpartition("'")[2]
        start, secret = part.end(), told.is_secret_parameter(name)
        end = body.find(boundary, start, len(body) if secret else start + _LONGEST_TEXT)
        value = body[start : end if end >= 0 else len(body) if secret else start].removesuffix(b"\r")
        if value and (secret or _hides(value, told)):
            yield start, start + len(value)
