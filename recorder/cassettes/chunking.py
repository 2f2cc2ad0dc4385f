"""Where a recorded body is split into chunks: split anew, cut short, or decoded, with its times kept."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate, pairwise
from random import Random
from typing import Literal

from msgspec.structs import replace

from ..body import chunk_ends, read_answer
from ..errors import CassetteError, SettingsError
from ..exchange import Exchange, Headers
from ..rewriting import with_length
from ..sse import read_events

Rechunk = Literal["byte", "event", "one"] | int | tuple[Literal["bytes"], int]
"""How to split: a byte a chunk, an event a chunk, all in one, at random by a seed, or by a number of bytes."""

_LONGEST = 48


def check_rechunk(how: object) -> None:
    """Raise SettingsError for what is no way of splitting."""
    sized = (
        isinstance(how, tuple) and len(how) == 2 and how[0] == "bytes" and _is_count(how[1]) and how[1] > 0
    )
    if how in ("byte", "event", "one") or sized or (isinstance(how, int) and not isinstance(how, bool)):
        return
    raise SettingsError(
        f"rechunk={how!r} is not known; it is 'byte', 'event', 'one', ('bytes', n), "
        "or a whole number that seeds random splits"
    )


def rechunked(exchange: Exchange, how: Rechunk) -> Exchange:
    """The same body in other chunks; by events it is kept decoded, else as it was on the wire.

    Each chunk comes in when its last byte did. A body without events stays one chunk.
    """
    if how == "event":
        exchange = decoded(exchange)
    size = len(exchange.body)
    return _split(exchange, [*_cuts(exchange, how, size), size])


def cut(exchange: Exchange, end: int) -> Exchange:
    """The body up to an offset, in the chunks that it has."""
    ends = [reached for reached in accumulate(map(len, exchange.chunks)) if reached < end]
    return _split(exchange, [*ends, end])


def event_ends(exchange: Exchange) -> list[int]:
    """The offsets at which the events of a decoded body end."""
    if not _has_events(exchange):
        return []
    return [event.end for event in read_events(exchange.body)]


def decoded(exchange: Exchange) -> Exchange:
    """The same answer without content encoding, in as many chunks; raises CassetteError where that fails."""
    head, answer = exchange.head, read_answer(exchange)
    if answer.note is not None:
        raise CassetteError(f"the answer cannot be decoded, so it has no events to count: {answer.note}")
    if head is None or not answer.encoded:
        return exchange
    data = answer.data
    chunks = tuple(data[start:end] for start, end in pairwise((0, *chunk_ends(exchange, answer))))
    headers = with_length(head.headers, len(data), keep_encoding=False)
    return replace(exchange, chunks=chunks, head=replace(head, headers=headers))


def without_headers(headers: Headers, *names: bytes) -> Headers:
    """The headers but for these, named in lower case."""
    return tuple(pair for pair in headers if pair[0].lower() not in names)


def _cuts(exchange: Exchange, how: Rechunk, size: int) -> Iterable[int]:
    """The offsets between chunks."""
    if how == "byte":
        return range(1, size)
    if how == "event":
        return event_ends(exchange)
    if how == "one":
        return ()
    if isinstance(how, tuple):
        return range(how[1], size, how[1])
    return _random_cuts(how, size)


def _random_cuts(seed: int, size: int) -> Iterable[int]:
    """Short pieces more often than long ones; only `random()` is the same in every Python."""
    random, at = Random(seed), 0
    while (at := at + 1 + int(random.random() ** 3 * _LONGEST)) < size:
        yield at


def _split(exchange: Exchange, ends: list[int]) -> Exchange:
    """The body up to the last of these offsets, split at each of them."""
    body, reached = exchange.body, list(accumulate(map(len, exchange.chunks)))
    pieces = [(start, end) for start, end in pairwise((0, *ends)) if end > start]
    return replace(
        exchange,
        chunks=tuple([body[start:end] for start, end in pieces]),
        arrivals_ns=tuple([exchange.arrivals_ns[bisect_left(reached, end)] for _, end in pieces]),
    )


def _has_events(exchange: Exchange) -> bool:
    """Whether the body reads as an event stream and not as JSON, which has no `data:` lines."""
    return not exchange.body.lstrip().startswith((b"{", b"["))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
