"""Server-sent events, read from whole bodies (WHATWG HTML, "Interpreting an event stream")."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|$)")
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: its `event:` field (None if unnamed), its data, and the offset in the body at which
    its closing blank line is complete."""

    name: bytes | None
    data: bytes
    end: int


def read_events(body: bytes) -> list[Event]:
    """Read all events of a body that have data.

    Unlike a browser it also gives the last event when no blank line closes it: a body that was cut
    off, or a server that saves the last newline, still has that data.
    """
    if b"\r" in body or body.startswith(_BOM):
        return _read_lines(body)
    events: list[Event] = []
    end = 0
    for block in body.split(b"\n\n"):
        end += len(block) + 2
        if block.startswith(b"data: ") and b"\n" not in block:
            events.append(Event(None, block[6:], end))
        elif block:
            name, data = _read_block(block)
            if data is not None:
                events.append(Event(name, data, end))
    if events and events[-1].end > len(body):
        events[-1] = events[-1]._replace(end=len(body))
    return events


def _read_block(block: bytes) -> tuple[bytes | None, bytes | None]:
    """The name and data of one event's lines; data None if it has none."""
    name: bytes | None = None
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value or None
    return name, b"\n".join(lines) if lines else None


def _read_lines(body: bytes) -> list[Event]:
    """The general reader: any mix of CRLF, CR and LF, and a byte order mark."""
    events: list[Event] = []
    block: list[bytes] = []
    end = start = len(_BOM) if body.startswith(_BOM) else 0
    for match in _LINE.finditer(body, start):
        end = match.end()
        if match[1]:
            block.append(match[1])
        elif block:
            _append(events, block, end)
            block = []
    if block:
        _append(events, block, end)
    return events


def _append(events: list[Event], block: list[bytes], end: int) -> None:
    name, data = _read_block(b"\n".join(block))
    if data is not None:
        events.append(Event(name, data, end))
