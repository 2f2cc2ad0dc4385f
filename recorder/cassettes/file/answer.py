"""The answer of a document, read by itself: the strict reader's short way through streams, as most long ones are."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from ...exchange import Exchange, ResponseHead
from .alike_events import EventReader
from .characters import awkward
from .document import AnswerFields, read_answer_fields
from .documents import Piece
from .exchanges import Asked, lasting_head, read_exchange
from .read_fast import FastReader
from .skeleton import Deviation

_EVENTS = "\n  events:\n"
_LAST = ("\n    - ", "\n      data: ")
_ENDING = "\nending:"
_AFTER = ("\n  wire:", _ENDING)
_MOST_KNOWN = 256
_LONGEST_KNOWN = 4096

_Around = tuple[AnswerFields, ResponseHead | None]
"""What stands around events, and the head that it gives whatever they are."""


class AnswerReader:
    """Reads the answers of one file, many of which have all but their events in common."""

    def __init__(self) -> None:
        self.reader = FastReader()
        self._events = EventReader()
        self._known: dict[str, _Around] = {}

    def read(self, piece: Piece, asked: Asked) -> Exchange | None:
        """The exchange of which this is asked, read from the end of its document, which shows the answer.

        None where that is not laid out as it was written: the whole document is to be read then.
        """
        try:
            (fields, lasting), events = self._read(piece)
            return read_exchange(asked, fields.response, fields.ending, events, lasting)
        except (Deviation, msgspec.DecodeError, RecursionError, ValueError):
            return None

    def _read(self, piece: Piece) -> tuple[_Around, list[bytes] | None]:
        whole, response, end = piece.whole, piece.response, piece.end
        start = whole.find(_EVENTS, response, end)
        if start < 0:
            return (self._read_fields(whole[response:end]), None), None
        if whole.find(_ENDING, response, start) >= 0:
            raise Deviation  # they are no events of the response's
        after = _end_of_events(whole, start, end)
        text = whole[response:start] + whole[after:end]
        around = self._known.get(text) or self._read_around(text)
        run = whole[start + len(_EVENTS) : after + 1]
        if not (run.isascii() or _is_fit(run)):
            raise Deviation
        shown = around[0].response
        return around, self._events.read(run.encode(), shown.style, shown.newline.encode())

    def _read_around(self, text: str) -> _Around:
        """What stands before and after the events of an answer; it is remembered, since it is likely to come again."""
        fields = self._read_fields(text)
        shown = fields.response
        if (
            shown.events is not None
            or shown.json is not UNSET
            or shown.text is not None
            or shown.base64 is not None
        ):
            raise Deviation
        around = fields, lasting_head(shown)
        if len(text) <= _LONGEST_KNOWN and len(self._known) < _MOST_KNOWN:
            self._known[text] = around
        return around

    def _read_fields(self, text: str) -> AnswerFields:
        if (shown := self.reader.read(text)) is None:
            raise Deviation
        return read_answer_fields(shown)


def _end_of_events(whole: str, start: int, end: int) -> int:
    """Where the last line of the events ends, in a document that ends there."""
    last = whole.rfind("\n", start, end - 1)
    if whole.startswith(_LAST, last):
        return end - 1
    found = (whole.find(sign, start, end) for sign in _AFTER)
    return next((at for at in found if at >= 0), end - 1)


def _is_fit(run: str) -> bool:
    return not awkward(run.replace("\n", ""))
