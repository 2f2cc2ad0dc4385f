"""Secrets in bodies that are forms, told by the names of their fields, and those that are percent-encoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_plus, unquote_to_bytes

from .json_spans import Span

_FORM = re.compile(rb"[\w.~*%+\[\]-]{1,200}=[^\s{}\"<>]*\Z")
_PAIR = re.compile(rb"([^=&]+)=([^&]+)")
_PART = re.compile(
    rb"\nContent-Disposition:[^\r\n]*?;[ \t]*name=(?:\"([^\"\r\n]*)\"|([^;\s\"]+))[^\r\n]*\r?\n"
    rb"(?:[^\r\n]+\r?\n)*\r?\n",
    re.IGNORECASE,
)
_TOKEN = re.compile(rb"[^/?#&=;\s\"'<>]+")


def form_spans(
    body: bytes, is_secret: Callable[[str], bool], secrets: Callable[[bytes], list[Span]]
) -> Iterator[Span]:
    """The values of secret fields, where a body is a form (urlencoded or multipart), and what hides in it encoded."""
    if body.startswith(b"--"):
        yield from _part_spans(body, is_secret)
    elif _FORM.match(body):
        for pair in _PAIR.finditer(body):
            if is_secret(unquote_plus(pair[1].decode("latin-1"))):
                yield pair.span(2)
        yield from encoded_spans(body, secrets)


def encoded_spans(text: bytes, secrets: Callable[[bytes], list[Span]]) -> Iterator[Span]:
    """The parts of a URL or of a form that hold a secret once their percent-encoding is undone."""
    if b"%" in text:
        for token in _TOKEN.finditer(text):
            if b"%" in token[0] and secrets(unquote_to_bytes(token[0])):
                yield token.span()


def _part_spans(body: bytes, is_secret: Callable[[str], bool]) -> Iterator[Span]:
    boundary = body[: body.find(b"\n")].rstrip()
    for part in _PART.finditer(body):
        if is_secret((part[1] or part[2] or b"").decode("utf-8", "replace")):
            end = body.find(b"\n" + boundary, part.end())
            value = body[part.end() : end if end >= 0 else len(body)].removesuffix(b"\r")
            if value:
                yield part.end(), part.end() + len(value)
