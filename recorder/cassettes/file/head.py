"""The head of a document, which says what was asked: the answer after it, if long, need not be read to find it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ...exchange import Exchange
from ..source import Recorded, Unread
from .document import Misfit, read_document
from .documents import Piece
from .exchanges import read_request, read_time
from .read_fast import FastReader

_LONG = 4096


def read_lazily(piece: Piece, reader: FastReader, read: Callable[[], Exchange]) -> Recorded | None:
    """The recording of a document whose answer is long, of which only the head is read now; `read` gives all.

    None where the answer is not long, or where only reading all of the document can tell what there is.
    """
    if not piece.response or piece.end - piece.response < _LONG:
        return None
    if (text := reader.read(piece.head)) is None:
        return None
    try:
        shown = read_document(text)
        content = Unread(read_request(shown.request), read_time(shown.recorded), read)
    except (msgspec.ValidationError, msgspec.DecodeError, Misfit, RecursionError):
        return None
    return Recorded(content, "", shown.lane, shown.credential)
