"""Which format a file is in, told by its content."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from ..errors import CassetteError
from . import cassetter, go_vcr, har, ruby_vcr, vcrpy
from .documents import MAX_BYTES, NotADocument, read_document
from .imported import Imported

SUFFIXES = (".yaml", ".yml", ".json", ".har", ".gz")
"""How cassettes are called; a file of another name that is neither YAML nor JSON is none."""
_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SIGNS = (b"request", b"interactions")
_OURS = re.compile(rb"^recorder_cassette:", re.MULTILINE)


class NoCassette(CassetteError):
    """The file holds no recordings in a format that can be read."""


class Format(Struct, frozen=True):
    """One format: what it is called, whether a document is in it, and how it is read."""

    name: str
    claims: Callable[[Any], bool]
    read: Callable[[Any, str], Imported]


FORMATS = tuple(
    Format(module.NAME, module.claims, module.read) for module in (har, ruby_vcr, go_vcr, cassetter, vcrpy)
)
"""In the order of asking: the narrower claim goes first."""


def import_file(path: Path, name: str | None = None) -> Imported:
    """The recordings of one file; `name` is what its notes call it.

    Raises NoCassette where the file holds none, CassetteError where it cannot be read; both say why.
    """
    sample = _sample(path)
    if sample is not None and not any(sign in sample for sign in _SIGNS):
        raise NoCassette(f"{path} is no cassette")
    if sample is not None and _OURS.search(sample, 0, 1000):
        raise NoCassette(f"{path} is a cassette of recorder already")
    try:
        data = read_document(path)
    except NotADocument as error:
        if path.suffix.lower() in SUFFIXES:
            raise
        raise NoCassette(str(error)) from error
    for format in FORMATS:
        if format.claims(data):
            return format.read(data, name or str(path))
    names = ", ".join(format.name for format in FORMATS)
    raise NoCassette(f"{path} is no cassette of {names}")


def _sample(path: Path) -> bytes | None:
    """What a quick look shows, so that a tree's other files need not be parsed; None where it shows nothing."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None  # reading it says what is wrong
        data = path.read_bytes()
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror or error}") from error
    return None if data.startswith((_GZIP, *_UTF_16)) else data  # reading these says more
