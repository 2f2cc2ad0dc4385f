"""Bodies taken apart into pieces that come again in other calls, and what is left of them.

Whatever the bytes are, a body is put together again exactly: pieces are cut out where they stand, and the rest is
kept. JSON is only read to find good places to cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Final

import msgspec
from msgspec import Raw, Struct

LONG: Final = 160
"""From so many bytes on a text is worth a piece of its own: less would not pay for its name and number."""

_LONG_REST = 512
_LARGEST_ANSWER = 1 << 20
_HISTORIES = ("messages", "input", "contents")
_LIST = ord("[")
_HEAD = 24
_GUESSES = 8
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_items = msgspec.json.Decoder(list[Raw]).decode


class Cut(Struct, frozen=True, gc=False):
    """Bytes with holes: what is left, where the holes are in it, and what was in each."""

    rest: bytes
    offsets: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()


class SplitBody(Struct, frozen=True, gc=False):
    """A request body with holes, and the history (the list of messages) that goes into one of them.

    `history` is the number of that hole, whose piece is empty; None where there is none. `gaps` is what stands
    before, between and after the messages: three gaps, where all those between are alike.
    """

    cut: Cut
    history: int | None = None
    messages: tuple[bytes, ...] = ()
    gaps: tuple[bytes, ...] = ()


def split_request(body: bytes) -> SplitBody:
    """Take a request body apart: its messages, and whatever else in it is long."""
    try:
        fields = _fields(body)
        found = _history(fields)
    except _UNREADABLE:
        return SplitBody(Cut(b"", (0,), (body,)) if len(body) >= _LONG_REST else Cut(body))
    if found is None:
        return SplitBody(_cut(body, _long_fields(body, fields, [])))
    name, raw, messages, gaps = found
    del fields[name]
    start = _find(body, raw)
    end = start + len(raw)
    spans = _long_fields(body, fields, [(start, end)])
    if len(spans) == 1:
        return SplitBody(Cut(body[:start] + body[end:], (start,), (b"",)), 0, messages, gaps)
    number = [begin for begin, _ in spans].index(start)
    cut = _cut(body, spans)
    pieces = (*cut.pieces[:number], b"", *cut.pieces[number + 1 :])
    return SplitBody(Cut(cut.rest, cut.offsets, pieces), number, messages, gaps)


def join_request(split: SplitBody) -> bytes:
    """The body that was split."""
    if split.history is None:
        return join(split.cut)
    pieces = list(split.cut.pieces)
    pieces[split.history] = join_history(split.messages, split.gaps)
    return join(Cut(split.cut.rest, split.cut.offsets, tuple(pieces)))


def split_answer(body: bytes) -> Cut:
    """Cut out the longest text of an answer, which the next request of its conversation is going to repeat."""
    if len(body) > _LARGEST_ANSWER or not body.lstrip().startswith(b"{"):
        return Cut(body)
    spans = long_texts(body)
    if not spans:
        return Cut(body)
    start, end = max(spans, key=_length)
    return Cut(body[:start] + body[end:], (start,), (body[start:end],))


def long_texts(data: bytes) -> tuple[tuple[int, int], ...]:
    """Where the long strings in some JSON are, with their quotes."""
    if len(data) < LONG:
        return ()
    if b"\\" in data:
        # As long as before, and no quote in it but those around strings.
        data = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    spans, end = [], 0
    for text in data.split(b'"')[1:-1:2]:
        if len(text) >= LONG - 2:
            start = _find(data, b'"%b"' % text, end)
            end = start + len(text) + 2
            spans.append((start, end))
    return tuple(spans)


def _find(data: bytes, part: bytes, start: int = 0) -> int:
    """Where a long part begins, which is there: to look for all of it would take time for each of its bytes."""
    head = part[:_HEAD]
    for _ in range(_GUESSES):
        start = data.index(head, start)
        if data.startswith(part, start):
            return start
        start += 1
    return data.index(part, start)


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def join(cut: Cut) -> bytes:
    """The bytes that were cut."""
    if not cut.offsets:
        return cut.rest
    bounds = (0, *cut.offsets, len(cut.rest))
    kept = [cut.rest[start:end] for start, end in pairwise(bounds)]
    return b"".join([kept[0], *chain.from_iterable(zip(cut.pieces, kept[1:], strict=True))])


def join_history(messages: Sequence[bytes], gaps: Sequence[bytes]) -> bytes:
    """The list of messages as it stood."""
    if len(gaps) == 3:
        return gaps[0] + gaps[1].join(messages) + gaps[2]
    return b"".join(chain.from_iterable(zip(gaps, (*messages, b""), strict=True)))


def _history(fields: dict[str, Raw]) -> tuple[str, bytes, tuple[bytes, ...], tuple[bytes, ...]] | None:
    """The field that holds the conversation, its JSON, its messages, and the gaps around them."""
    for name in _HISTORIES:
        found = fields.get(name)
        if found is None or memoryview(found)[0] != _LIST:
            continue
        raw = bytes(found)
        messages = tuple(map(bytes, _items(raw)))
        if messages:
            return name, raw, messages, _gaps(raw, messages)
    return None


def _gaps(raw: bytes, messages: Sequence[bytes]) -> tuple[bytes, ...]:
    """What stands around the messages: white space and commas, in which no message can begin."""
    for separator in (b",", b", "):
        if b"[" + separator.join(messages) + b"]" == raw:
            return b"[", separator, b"]"
    gaps, position = [], 0
    for message in messages:
        start = raw.index(message, position)
        gaps.append(raw[position:start])
        position = start + len(message)
    gaps.append(raw[position:])
    between = set(gaps[1:-1])
    return (gaps[0], *between, gaps[-1]) if len(between) == 1 else tuple(gaps)


def _long_fields(body: bytes, fields: dict[str, Raw], spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans given, and those of all long fields that do not overlap with another; in order."""
    for field in fields.values():
        if memoryview(field).nbytes >= _LONG_REST:
            raw = bytes(field)
            start = _find(body, raw)
            if all(start + len(raw) <= begin or start >= end for begin, end in spans):
                spans.append((start, start + len(raw)))
    return sorted(spans)


def _cut(body: bytes, spans: Sequence[tuple[int, int]]) -> Cut:
    rest, offsets, pieces, position, left = [], [], [], 0, 0
    for start, end in spans:
        rest.append(body[position:start])
        left += start - position
        offsets.append(left)
        pieces.append(body[start:end])
        position = end
    rest.append(body[position:])
    return Cut(b"".join(rest), tuple(offsets), tuple(pieces))
