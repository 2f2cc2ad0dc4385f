"""Events whose lines stand in a document as they were written, and the bytes they were."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from .json_style import DEFAULT, Style, restore
from .layout import is_plain
from .skeleton import Deviation

_ITEM = b"\n    - "
_DATA = b"    - data: "
_OBJECT = b"    - data: {"
_DONE = b'"[DONE]"'
_LAST = b'    - data: "[DONE]"\n'
_SPACINGS = {"compact": -1, "spaced": 0}


class _Anything(Struct):
    """Any JSON object."""


_check_object = msgspec.json.Decoder(_Anything).decode
_read_list = msgspec.json.Decoder(list[Raw]).decode


def read_lines(run: bytes, style: Style, newline: bytes) -> list[bytes]:
    """The bytes of events that have JSON data and at most a name besides, given their lines.

    Raises Deviation or msgspec.DecodeError where these are laid out in another way, or are no such events.
    """
    if run == _LAST:
        return [b"data: [DONE]" + newline * 2]
    if not (run and style.on_one_line):
        raise Deviation  # an event has a line of data for each line of its JSON
    _refuse_signs(run)
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


def read_line(line: bytes, style: Style, newline: bytes) -> bytes:
    """The bytes of one event, given its lines; raises Deviation or msgspec.DecodeError."""
    usual = style is DEFAULT and line.startswith(_OBJECT) and b"\\" not in line
    if not usual or line.find(b"\n") != len(line) - 1:
        return read_lines(line, style, newline)[0]
    _refuse_signs(line)
    return b"".join((b"data: ", msgspec.json.format(line[len(_DATA) : -1], indent=-1), newline, newline))


def _refuse_signs(text: bytes) -> None:
    if b"\t" in text or b"\r" in text or b"\x7f" in text:
        raise Deviation  # JSON itself allows no other sign of ASCII that must not stand there


def _cut(run: bytes) -> tuple[list[bytes] | None, list[bytes]]:
    """The names of the events, if they have any, and their data; those of each are to stand on one line."""
    run = b"\n" + run.removesuffix(b"\n")
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
