"""Server-sent events as a list that people read, and back to the bytes they were."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Raw

from .document import EventFields, Misfit
from .json_style import DEFAULT, Style, compacted, recognise, restore
from .structure import Flow, Open, Tree, on_one_line, read_tree

_NAMES = ("event", "id", "retry", "comment", "data")
_LINE = re.compile(r"(event|id|retry|data|): (.*)", re.DOTALL)

_read_text = msgspec.json.Decoder(str).decode


class EventList(msgspec.Struct):
    """The events of a body: what the file says of each, their lengths, and what holds for all."""

    items: list[Tree]
    lengths: list[int]
    style: Style
    newline: str


def write_events(body: bytes) -> EventList | None:
    """The events of a body; None where it has none."""
    newline = "\r\n" if b"\r\n\r\n" in body else "\n"
    segments = list(_split(body, newline.encode() * 2))
    fields = [_fields(segment, newline) for segment in segments]
    if not any(fields):
        return None
    style, structures = _choose_style([each["data"] for each in fields if each and "data" in each])
    items = [
        _item(each, structures) if each else _raw(segment)
        for each, segment in zip(fields, segments, strict=True)
    ]
    return EventList(items, [len(segment) for segment in segments], style, newline)


def read_events(events: list[EventFields], style: Style, newline: str) -> list[bytes]:
    """The bytes of each event; raises Misfit."""
    gap = newline.encode() * 2
    segments = []
    plain, quick = style == DEFAULT, style.on_one_line
    for place, event in enumerate(events):
        try:
            if quick and _is_usual(event) and (data := bytes(event.data))[:1] == b"{":  # type: ignore[arg-type]
                if not plain or b"\\u" in data:
                    data = restore(data, style)
                segments.append(b"data: " + data + gap)
            else:
                segments.append(_segment(event, style, newline))
        except (ValueError, RecursionError) as error:
            raise Misfit(f"$.response.events[{place}]", str(error)) from error
    return segments


def _is_usual(event: EventFields) -> bool:
    """Whether it has data and nothing else."""
    return (
        event.data is not UNSET
        and event.event is None
        and event.id is None
        and event.retry is None
        and event.comment is None
        and event.raw is None
        and event.base64 is None
    )


def _split(body: bytes, gap: bytes) -> Iterator[bytes]:
    """Each event with the blank line that ends it; a last one may have none."""
    start = 0
    while (found := body.find(gap, start)) >= 0:
        yield body[start : found + len(gap)]
        start = found + len(gap)
    if start < len(body):
        yield body[start:]


def _fields(segment: bytes, newline: str) -> dict[str, str] | None:
    """The fields of one event; None where these would not give it back."""
    try:
        text = segment.decode()
    except UnicodeDecodeError:
        return None
    fields: dict[str, str] = {}
    for line in text.removesuffix(newline * 2).split(newline):
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        name = found[1] or "comment"
        fields[name] = f"{fields[name]}{newline}{found[2]}" if name in fields else found[2]
    return fields if fields and _compose(fields, newline) == text else None


def _compose(fields: dict[str, str], newline: str) -> str:
    lines = [
        f"{'' if name == 'comment' else name}: {value}"
        for name in _NAMES
        if name in fields
        for value in fields[name].split(newline)
    ]
    return newline.join([*lines, "", ""])


def _choose_style(datas: list[str]) -> tuple[Style, dict[str, Tree]]:
    """The style that most JSON data has, and the structure of each that has it."""
    trees: dict[str, tuple[Tree, bytes]] = {}
    for data in datas:
        try:
            tree = read_tree(data)
            trees[data] = tree, compacted(on_one_line(tree))
        except (ValueError, RecursionError):
            continue
    left, best = dict(trees), DEFAULT
    chosen: dict[str, Tree] = {}
    while len(left) > len(chosen):
        data, (_, compact) = next(iter(left.items()))
        style = recognise(compact.decode(), data.encode())
        fitting = {} if style is None else _fitting(trees, style)
        if style is not None and len(fitting) > len(chosen):
            best, chosen = style, fitting
        left = {key: value for key, value in left.items() if key != data and key not in fitting}
    return best, chosen


def _fitting(trees: dict[str, tuple[Tree, bytes]], style: Style) -> dict[str, Tree]:
    return {data: tree for data, (tree, compact) in trees.items() if restore(compact, style) == data.encode()}


def _item(fields: dict[str, str], structures: dict[str, Tree]) -> Tree:
    shown: dict[str, Tree] = {name: fields[name] for name in _NAMES if name in fields}
    data = fields.get("data")
    if data in structures:
        shown["data"] = Flow(structures[data])
    return Open(shown)


def _raw(segment: bytes) -> Tree:
    try:
        return Open(raw=segment.decode())
    except UnicodeDecodeError:
        return Open(base64=b64encode(segment).decode())


def _segment(event: EventFields, style: Style, newline: str) -> bytes:
    if event.raw is not None:
        return event.raw.encode()
    if event.base64 is not None:
        return b64decode(event.base64, validate=True)
    fields = {
        name: value
        for name in ("event", "id", "retry", "comment")
        if (value := getattr(event, name)) is not None
    }
    if event.data is not UNSET:
        fields["data"] = _data(event.data, style)
    return _compose(fields, newline).encode()


def _data(data: Raw, style: Style) -> str:
    raw = bytes(data)
    if raw.startswith(b'"'):
        return _read_text(raw)
    return restore(raw, style).decode() if raw.startswith((b"{", b"[")) else raw.decode()
