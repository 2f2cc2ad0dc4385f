"""Where values stand in JSON text: their paths and byte spans, so that it can be edited in place.

Everything here reads any bytes: what is no JSON, is cut off or is nested without end gives fewer or
odd leaves, never an error, and costs time in proportion to its length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal, NamedTuple

from .byte_edits import Edit, Span
from .sse import read_events

Path = tuple[str | int, ...]

_STRING = rb'"[^"\\\r\n]*+(?:\\[^\r\n][^"\\\r\n]*+)*+"?'
_TOKEN = re.compile(_STRING + rb'|[{}\[\],]|[^\s"{}\[\],:]++')
_ANY_STRING = re.compile(_STRING)
_CLOSED_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_SHORT_ESCAPES = {
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"/": b"/",
    b'"': b'"',
    b"\\": b"\\",
}
_SSE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")
_DATA_LINE = re.compile(rb"(?:(?<![^\r\n])|(?<=\xef\xbb\xbf))data:([^\r\n]*)")
_QUOTE, _OBJECT, _LIST, _COMMA = b'"{[,'
_OPENERS, _CLOSERS = b"{[", b"}]"
_MAX_PATH = 128


class Leaf(NamedTuple):
    """One value: the keys and list positions that lead to it, and its span.

    The span of a string is what stands between its quotes, still escaped. `container` is an object
    or list that was asked for whole.
    """

    path: Path
    start: int
    end: int
    kind: Literal["string", "scalar", "container"]


class Decoded(NamedTuple):
    """A string without its escapes, as UTF-8, and the way back to where each byte of it was written.

    `escapes` holds for each escape its start and end in `text`, and its start and end in the source.
    """

    text: bytes
    start: int
    escapes: tuple[tuple[int, int, int, int], ...] = ()

    def source(self, offset: int) -> int:
        """The offset in the source of an offset in `text`; within an escape, the escape's end."""
        after = bisect_right(self.escapes, offset, key=lambda escape: escape[0])
        if not after:
            return self.start + offset
        text_start, text_end, source_start, source_end = self.escapes[after - 1]
        if offset == text_start:
            return source_start
        return source_end + max(0, offset - text_end)


def leaves(
    data: bytes, segments: Iterable[Span] | None = None, whole: Collection[str] = ()
) -> Iterator[Leaf]:
    """Yield the scalars of JSON text in order, with objects and lists under a key of `whole` in one piece.

    `segments` are the pieces of `data` that make up the text; without them it is all of `data`.
    Paths longer than 128 steps keep their first 127 and the last.
    """
    path: list[str | int] = []
    in_list: list[bool] = []
    key_next = False
    skipping: tuple[int, int] | None = None
    for token in chain.from_iterable(_TOKEN.finditer(data, *span) for span in segments or ((0, len(data)),)):
        start, end = token.span()
        first = data[start]
        if first == _COMMA:
            if in_list and in_list[-1]:
                path[-1] = int(path[-1]) + 1
            else:
                key_next = bool(in_list)
        elif first in _OPENERS:
            if whole and not skipping and path and path[-1] in whole:
                skipping = (len(path), start)
            path.append(0 if first == _LIST else "")
            in_list.append(first == _LIST)
            key_next = first == _OBJECT
        elif first in _CLOSERS:
            if path:
                path.pop()
                in_list.pop()
            key_next = False
            if skipping and len(path) == skipping[0]:
                yield Leaf(_bounded(path), skipping[1], end, "container")
                skipping = None
        elif key_next and first == _QUOTE:
            path[-1] = (
                ""
                if skipping
                else decode_string(data, *_content(data, start, end)).text.decode("utf-8", "replace")
            )
            key_next = False
        elif skipping:
            continue
        elif first == _QUOTE:
            yield Leaf(_bounded(path), *_content(data, start, end), "string")
        else:
            yield Leaf(_bounded(path), start, end, "scalar")
    if skipping:
        yield Leaf(_bounded(path[: skipping[0]]), skipping[1], end, "container")


def strings(data: bytes) -> Iterator[Span]:
    """Yield what stands between the quotes of each string, keys and values alike."""
    for token in _ANY_STRING.finditer(data):
        yield _content(data, *token.span())


def decode_string(data: bytes, start: int, end: int) -> Decoded:
    """Undo the escapes of the string content at a span; what is no valid escape stays as it is."""
    if data.find(b"\\", start, end) < 0:
        return Decoded(data[start:end], start)
    pieces: list[bytes] = []
    escapes: list[tuple[int, int, int, int]] = []
    size, position = 0, start
    for escape in _ESCAPE.finditer(data, start, end):
        source_start, source_end = escape.span()
        character = _character(escape[0])
        size += source_start - position
        pieces += data[position:source_start], character
        escapes.append((size, size + len(character), source_start, source_end))
        size += len(character)
        position = source_end
    pieces.append(data[position:end])
    return Decoded(b"".join(pieces), start, tuple(escapes))


def documents(body: bytes) -> list[list[Span]]:
    """The JSON texts of a body as lists of segments: one an event of an event stream, else all in one."""
    if not _SSE.match(body):
        return [[(0, len(body))]]
    texts = []
    start = 0
    for event in read_events(body):
        texts.append([line.span(1) for line in _DATA_LINE.finditer(body, start, event.end)])
        start = event.end
    return texts


def running_strings(body: bytes, skip: Collection[str] = ()) -> list[list[Leaf]]:
    """The strings of a body that continue each other over its documents, in order.

    Strings belong together that have the same path, where an item of a list goes by its `index`
    if it has one, and so does a whole document. Objects and lists under a key of `skip` are left out.
    """
    runs: dict[Path, list[Leaf]] = {}
    for segments in documents(body):
        found = list(leaves(body, segments, skip))
        indexes = {
            leaf.path[:-1]: body[leaf.start : leaf.end].decode("latin-1")
            for leaf in found
            if leaf.kind == "scalar" and leaf.path[-1:] == ("index",) and _is_item(leaf.path[:-1])
        }
        for leaf in found:
            if leaf.kind == "string":
                runs.setdefault(_canonical(leaf.path, indexes), []).append(leaf)
    return list(runs.values())


def spread(edit: Edit, pieces: Sequence[Decoded], ends: Sequence[int]) -> Iterator[Edit]:
    """An edit of joined texts as edits of the strings they were decoded from; the first takes what is new.

    `ends` are the offsets in the joined text that each piece reaches to.
    """
    start, end, new = edit
    for index in range(bisect_right(ends, start), len(pieces)):
        piece = pieces[index]
        offset = ends[index] - len(piece.text)
        if offset >= end:
            break
        if piece.text:
            yield Edit(
                piece.source(max(0, start - offset)), piece.source(min(len(piece.text), end - offset)), new
            )
            new = b""


def _is_item(path: Path) -> bool:
    return not path or isinstance(path[-1], int)


def _canonical(path: Path, indexes: dict[Path, str]) -> Path:
    steps: list[str | int] = [indexes.get((), "*")]
    for depth, step in enumerate(path, 1):
        steps.append(indexes.get(path[:depth], "*") if isinstance(step, int) else step)
    return tuple(steps)


def _bounded(path: list[str | int]) -> Path:
    return tuple(path) if len(path) <= _MAX_PATH else (*path[: _MAX_PATH - 1], path[-1])


def _content(data: bytes, start: int, end: int) -> Span:
    """The span between the quotes of a string token, which may lack the closing one."""
    if data[end - 1] != _QUOTE or end - start < 2:
        return start + 1, end
    if data[end - 2] != 0x5C or _CLOSED_STRING.fullmatch(data, start, end):
        return start + 1, end - 1
    return start + 1, end


def _character(escape: bytes) -> bytes:
    if len(escape) == 2:
        return _SHORT_ESCAPES.get(escape[1:], escape)
    code = int(escape[2:6], 16)
    if len(escape) == 12:
        code = 0x10000 + ((code & 0x3FF) << 10) + (int(escape[8:12], 16) & 0x3FF)
    return chr(code).encode("utf-8", "surrogatepass")
