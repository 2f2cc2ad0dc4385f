"""The answer of a document, read by itself: the strict reader's short way through streams, as most long ones are."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Raw, Struct

from ...exchange import Exchange, Request
from .characters import awkward
from .document import AnswerFields, AskedFields, read_answer_fields
from .documents import Piece
from .exchanges import read_exchange
from .json_style import Style, restore
from .layout import is_plain
from .read_fast import FastReader
from .skeleton import Deviation

_EVENTS = "\n  events:\n"
_LAST = ("\n    - ", "\n      data: ")
_ENDING = "\nending:"
_AFTER = ("\n  wire:", _ENDING)
_ITEM = b"\n    - "
_DONE = b'"[DONE]"'
_SPACINGS = {"compact": -1, "spaced": 0}


class _Anything(Struct):
    """Any JSON object."""


_check_object = msgspec.json.Decoder(_Anything).decode
_read_list = msgspec.json.Decoder(list[Raw]).decode


def read_answer(piece: Piece, asked: AskedFields, request: Request, reader: FastReader) -> Exchange | None:
    """The exchange of which this is asked, read from the end of its document, which shows the answer.

    None where that is not laid out as it was written: the whole document is to be read then.
    """
    try:
        fields, events = _read_answer(piece, reader)
        return read_exchange(asked, fields.response, fields.ending, request, events)
    except (Deviation, msgspec.DecodeError, RecursionError, ValueError):
        return None


def _read_answer(piece: Piece, reader: FastReader) -> tuple[AnswerFields, list[bytes] | None]:
    whole, response, end = piece.whole, piece.response, piece.end
    start = whole.find(_EVENTS, response, end)
    if start < 0:
        return _read_fields(whole[response:end], reader), None
    if whole.find(_ENDING, response, start) >= 0:
        raise Deviation  # they are no events of the response's
    after = _end_of_events(whole, start, end)
    fields = _read_fields(whole[response:start] + whole[after:end], reader)
    shown = fields.response
    if (
        shown.events is not None
        or shown.json is not UNSET
        or shown.text is not None
        or shown.base64 is not None
    ):
        raise Deviation
    run = whole[start + len(_EVENTS) - 1 : after]
    if "\t" in run or "\r" in run or "\x7f" in run or not (run.isascii() or _is_fit(run)):
        raise Deviation  # JSON itself allows no other sign that must not stand there
    return fields, _read_events(run.encode(), shown.style, shown.newline.encode())


def _end_of_events(whole: str, start: int, end: int) -> int:
    """Where the last line of the events ends, in a document that ends there."""
    last = whole.rfind("\n", start, end - 1)
    if whole.startswith(_LAST, last):
        return end - 1
    found = (whole.find(sign, start, end) for sign in _AFTER)
    return next((at for at in found if at >= 0), end - 1)


def _read_fields(text: str, reader: FastReader) -> AnswerFields:
    if (shown := reader.read(text)) is None:
        raise Deviation
    return read_answer_fields(shown)


def _is_fit(run: str) -> bool:
    return not awkward(run.replace("\n", ""))


def _read_events(run: bytes, style: Style, newline: bytes) -> list[bytes]:
    """The bytes of events that have JSON data and at most a name besides."""
    if not (run and style.on_one_line):
        raise Deviation  # an event has a line of data for each line of its JSON
    names, datas = _cut(run)
    ends = [b"[DONE]"] if datas[-1] == _DONE else []
    structures = datas[: len(datas) - len(ends)]
    for structure in structures:
        _check_object(structure)  # each by itself
    bodies = [*_written(structures, style), *ends]
    gap = newline * 2
    if names is None:
        return [b"".join((b"data: ", body, gap)) for body in bodies]
    lead = newline + b"data: "
    return [b"".join((b"event: ", name, lead, body, gap)) for name, body in zip(names, bodies, strict=True)]


def _cut(run: bytes) -> tuple[list[bytes] | None, list[bytes]]:
    """The names of the events, if they have any, and their data; those of each are to stand on one line."""
    before, *datas = run.split(_ITEM + b"data: ")
    if not before:
        return None, datas
    before, *items = run.split(_ITEM + b"event: ")
    pairs = [item.partition(b"\n      data: ") for item in items]
    names = [name for name, _, _ in pairs]
    if before or not all(is_plain(name.decode()) for name in {*names}):
        raise Deviation
    return names, [data for _, _, data in pairs]


def _written(structures: list[bytes], style: Style) -> Sequence[bytes | Raw]:
    """The objects that were written in this style, given their structures."""
    text = b"[%b]" % b",".join(structures)
    if b"\n" in text:
        raise Deviation
    usual = style.escapes == "few" and b"\\" not in text and not (style.before or style.after)
    if usual and style.spacing in _SPACINGS:
        return _read_list(msgspec.json.format(text, indent=_SPACINGS[style.spacing]))
    compact = _read_list(msgspec.json.format(text, indent=-1))
    return [restore(bytes(each), style) for each in compact]
