"""Bodies taken apart into pieces that come again in other calls, and what is left of them.

Whatever the bytes are, a body is put together again exactly: pieces are cut out where they stand, and the rest is
kept. JSON is only read to find good places to cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Final

import msgspec
from msgspec import Raw, Struct

LONG: Final = 160
"""From so many bytes on a text is worth a piece of its own: less would not pay for its name and number."""

_LONG_REST = 512
_LARGEST_ANSWER = 1 << 20
_HISTORIES = ("messages", "input", "contents")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_items = msgspec.json.Decoder(list[Raw]).decode


class Cut(Struct, frozen=True, gc=False):
    """Bytes with holes: what is left, where the holes are in it, and what was in each."""

    rest: bytes
    offsets: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()


class SplitBody(Struct, frozen=True):
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
        fields = {name: bytes(raw) for name, raw in _fields(body).items()}
        found = _history(fields)
    except _UNREADABLE:
        return SplitBody(Cut(b"", (0,), (body,)) if len(body) >= _LONG_REST else Cut(body))
    if found is None:
        return SplitBody(_cut(body, _long_fields(body, fields, [])))
    name, messages, gaps = found
    raw = fields.pop(name)
    start = body.index(raw)
    spans = _long_fields(body, fields, [(start, start + len(raw))])
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
    if len(body) < LONG or len(body) > _LARGEST_ANSWER or body.lstrip()[:1] != b"{":
        return Cut(body)
    longest = max(_STRING.findall(body), key=len, default=b"")
    if len(longest) < LONG:
        return Cut(body)
    start = body.index(longest)
    end = start + len(longest)
    return Cut(body[:start] + body[end:], (start,), (body[start:end],))


def long_texts(message: bytes) -> Iterator[tuple[int, int]]:
    """Where the long texts of a message are."""
    if len(message) >= LONG:
        for found in _STRING.finditer(message):
            if found.end() - found.start() >= LONG:
                yield found.span()


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


def _history(fields: dict[str, bytes]) -> tuple[str, tuple[bytes, ...], tuple[bytes, ...]] | None:
    """The field that holds the conversation, its messages, and the gaps around them."""
    for name in _HISTORIES:
        raw = fields.get(name)
        if raw is None or raw[:1] != b"[":
            continue
        messages = tuple([bytes(item) for item in _items(raw)])
        if messages:
            return name, messages, _gaps(raw, messages)
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


def _long_fields(
    body: bytes, fields: dict[str, bytes], spans: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The spans given, and those of all long fields that do not overlap with another; in order."""
    for raw in fields.values():
        if len(raw) >= _LONG_REST:
            start = body.index(raw)
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
