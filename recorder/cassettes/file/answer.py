"""The answer of a document, read by itself: the strict reader's short way through streams, as most long ones are."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Raw

from ...exchange import Exchange, Request
from .characters import awkward
from .document import AnswerFields, AskedFields, read_answer_fields
from .exchanges import read_exchange
from .json_style import Style, restore
from .layout import is_plain
from .read_fast import FastReader
from .skeleton import Deviation

_EVENTS = "\n  events:\n"
_ITEM = "\n    - "
_AFTER = "\nending:"
_DONE = '"[DONE]"'
_SPACINGS = {"compact": -1, "spaced": 0}

_check_json = msgspec.json.Decoder(Raw).decode
_read_list = msgspec.json.Decoder(list[Raw]).decode


def read_answer(text: str, asked: AskedFields, request: Request, reader: FastReader) -> Exchange | None:
    """The exchange of which this is asked, given the last lines of its document, which show the answer.

    None where these are not laid out as they were written: the whole document is to be read then.
    """
    try:
        fields, events = _read_answer(text, reader)
        return read_exchange(asked, fields.response, fields.ending, request, events)
    except (Deviation, msgspec.DecodeError, RecursionError, ValueError):
        return None


def _read_answer(text: str, reader: FastReader) -> tuple[AnswerFields, list[bytes] | None]:
    start = text.find(_EVENTS)
    if start < 0:
        return _read_fields(text, reader), None
    end = text.find(_AFTER, start)
    end = end if end >= 0 else len(text) - 1
    fields = _read_fields(text[:start] + text[end:], reader)
    response = fields.response
    if response.events is not None or response.json is not UNSET or response.text or response.base64:
        raise Deviation
    return fields, _read_events(text[start + len(_EVENTS) - 1 : end], response.style, response.newline)


def _read_fields(text: str, reader: FastReader) -> AnswerFields:
    if (shown := reader.read(text)) is None:
        raise Deviation
    return read_answer_fields(shown)


def _read_events(run: str, style: Style, newline: str) -> list[bytes]:
    """The bytes of events that have JSON data and at most a name besides."""
    if (
        "\t" in run
        or "\r" in run
        or "\x7f" in run
        or not (run.isascii() or not awkward(run.replace("\n", "")))
    ):
        raise Deviation  # JSON itself allows no other sign that must not stand there
    names, datas = _cut(run)
    done = datas[-1] == _DONE
    structures = datas[:-1] if done else datas
    for structure in structures:
        _check_json(structure)  # each by itself
    bodies: list[bytes | Raw] = [*_written(structures, style), *((b"[DONE]",) if done else ())]
    gap = newline.encode() * 2
    if names is None:
        return [b"".join((b"data: ", body, gap)) for body in bodies]
    lead = f"{newline}data: ".encode()
    return [
        b"".join((b"event: ", name.encode(), lead, body, gap))
        for name, body in zip(names, bodies, strict=True)
    ]


def _cut(run: str) -> tuple[list[str] | None, list[str]]:
    """The names of the events, if they have any, and their data; each stands on a line of its own."""
    before, *datas = run.split(f"{_ITEM}data: ")
    if not before and run.count("\n") == len(datas):
        return None, datas
    before, *items = run.split(f"{_ITEM}event: ")
    pairs = [item.partition("\n      data: ") for item in items]
    names = [name for name, _, _ in pairs]
    if before or run.count("\n") != 2 * len(items) or not all(map(is_plain, {*names})):
        raise Deviation
    return names, [data for _, _, data in pairs]


def _written(structures: Sequence[str], style: Style) -> Sequence[bytes | Raw]:
    """The objects that were written in this style, given their structures."""
    if any(structure[:1] != "{" for structure in structures):
        raise Deviation
    text = f"[{','.join(structures)}]"
    usual = style.escapes == "few" and "\\u" not in text and not (style.before or style.after)
    if usual and style.spacing in _SPACINGS:
        return _read_list(msgspec.json.format(text.encode(), indent=_SPACINGS[style.spacing]))
    compact = _read_list(msgspec.json.format(text.encode(), indent=-1))
    return [restore(bytes(each), style) for each in compact]
