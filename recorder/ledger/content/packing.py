"""Exchanges as what is new in each of them, and back, exactly: pieces by content, and a record of all the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import sub

import msgspec
from msgspec import Struct

from ...exchange import Ending, EndingKind, Exchange, Headers, Phase, Request, ResponseHead
from .splitting import Cut, SplitBody, join, join_request, split_answer, split_request

_Pairs = tuple[tuple[bytes, bytes | None], ...]


class _Head(Struct, array_like=True, frozen=True, gc=False):
    status: int
    headers: _Pairs
    version: bytes
    reason: bytes | None
    at_ns: int


class _Record(Struct, array_like=True, frozen=True, gc=False):
    """All of an exchange but its start, with holes in its bodies. Text is in bytes: it may be none for a database."""

    method: bytes
    url: bytes
    request_headers: _Pairs
    request: bytes
    request_holes: tuple[int, ...]
    history: int | None
    gaps: tuple[bytes, ...]
    head: _Head | None
    answer: bytes
    answer_holes: tuple[int, ...]
    lengths: tuple[int, ...]
    arrivals: tuple[int, ...]
    kind: EndingKind
    ended_at_ns: int
    phase: Phase | None
    exception: bytes | None
    message: bytes | None
    redacted: bool
    usage_asked: bool


class Packed(Struct, frozen=True, gc=False):
    """An exchange taken apart. `pieces` fill the holes of both bodies but the one of the history, in order."""

    record: bytes
    pieces: tuple[bytes, ...]
    messages: tuple[bytes, ...]
    started_us: int
    request_size: int
    response_size: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


def pack(exchange: Exchange) -> Packed:
    """Take an exchange apart."""
    request, head, ending, body = exchange.request, exchange.head, exchange.ending, exchange.body
    split, answer = split_request(request.body), split_answer(body)
    pieces = [*split.cut.pieces, *answer.pieces]
    if split.history is not None:
        del pieces[split.history]
    arrivals = exchange.arrivals_ns
    record = _Record(
        _bytes(request.method),
        _bytes(request.url),
        _pack_headers(request.headers, request.body),
        split.cut.rest,
        split.cut.offsets,
        split.history,
        split.gaps,
        None if head is None else _pack_head(head, body),
        answer.rest,
        answer.offsets,
        tuple(map(len, exchange.chunks)),
        # As differences: small numbers take few bytes.
        (*arrivals[:1], *map(sub, arrivals[1:], arrivals)),
        ending.kind,
        ending.at_ns,
        ending.phase,
        None if ending.exception is None else _bytes(ending.exception),
        None if ending.message is None else _bytes(ending.message),
        exchange.redacted,
        exchange.usage_asked,
    )
    return Packed(
        _encode(record),
        tuple(pieces),
        split.messages,
        exchange.started_us,
        len(request.body),
        len(body),
    )


def unpack(
    record: bytes, pieces: Sequence[bytes], messages: Sequence[bytes] | None, started_us: int
) -> Exchange:
    """The exchange that was taken apart; without messages, their list is left empty.

    Raises ValueError where the record is damaged.
    """
    kept = _decode(record)
    gaps = (b"[", b"", b"]") if messages is None else kept.gaps
    filled = list(pieces)
    if kept.history is not None:
        filled.insert(kept.history, b"")
    number = len(kept.request_holes)
    if len(filled) != number + len(kept.answer_holes):
        raise ValueError(f"{len(filled)} pieces for {number + len(kept.answer_holes)} holes")
    cut = Cut(kept.request, kept.request_holes, tuple(filled[:number]))
    request = join_request(SplitBody(cut, kept.history, tuple(messages or ()), gaps))
    answer = join(Cut(kept.answer, kept.answer_holes, tuple(filled[number:])))
    return Exchange(
        Request(
            _known_text(kept.method), _known_text(kept.url), _headers(kept.request_headers, request), request
        ),
        started_us,
        Ending(kept.kind, kept.ended_at_ns, kept.phase, _optional(kept.exception), _optional(kept.message)),
        None if kept.head is None else _unpack_head(kept.head, answer),
        _chunks(answer, kept.lengths),
        tuple(accumulate(kept.arrivals)),
        kept.redacted,
        kept.usage_asked,
    )


def _pack_head(head: ResponseHead, body: bytes) -> _Head:
    headers = _pack_headers(head.headers, body)
    return _Head(head.status, headers, head.http_version, head.reason, head.at_ns)


def _unpack_head(head: _Head, body: bytes) -> ResponseHead:
    return ResponseHead(head.status, _headers(head.headers, body), head.version, head.reason, head.at_ns)


def _chunks(body: bytes, lengths: Sequence[int]) -> tuple[bytes, ...]:
    if sum(lengths) != len(body):
        raise ValueError(f"chunks of {sum(lengths)} bytes, but a body of {len(body)}")
    return tuple([body[start:end] for start, end in pairwise(accumulate(lengths, initial=0))])


def _pack_headers(headers: Headers, body: bytes) -> _Pairs:
    """Headers, without a length that is the body's: it alone would make them differ from call to call."""
    length = b"%d" % len(body)
    if length not in [value for _, value in headers]:
        return headers
    return tuple(
        [
            (name, None if value == length and name.lower() == b"content-length" else value)
            for name, value in headers
        ]
    )


def _headers(pairs: _Pairs, body: bytes) -> Headers:
    return tuple([_pair(name, b"%d" % len(body) if value is None else value) for name, value in pairs])


@lru_cache(maxsize=1024)
def _pair(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Shared by all the exchanges that have it: what is read at once is mostly of one kind."""
    return name, value


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _optional(data: bytes | None) -> str | None:
    return None if data is None else _text(data)


_known_text = lru_cache(maxsize=256)(_text)
