"""The head of a document, which says what was asked: the answer after it, if long, need not be read to find it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from ...exchange import Exchange
from ..source import Recorded, Unread
from .document import Misfit, read_asked_fields
from .documents import Piece
from .exchanges import Asked, read_asked
from .read_fast import FastReader

_LONG = 4096

Read = Callable[[Asked], Exchange]
"""Reads the answer too, given all that stands before it."""


def read_lazily(piece: Piece, reader: FastReader, read: Read) -> Recorded | None:
    """The recording of a document whose answer is long, of which only the head is read now; `read` gives all.

    None where the answer is not long, or where only reading all of the document can tell what there is.
    """
    if not piece.response or piece.end - piece.response < _LONG:
        return None
    if (text := reader.read(piece.head)) is None:
        return None
    try:
        shown = read_asked_fields(text)
        asked = read_asked(shown)
    except (msgspec.ValidationError, msgspec.DecodeError, Misfit, RecursionError):
        return None
    content = Unread(asked.request, asked.started_us, partial(read, asked))
    return Recorded(content, "", shown.lane, shown.credential)
