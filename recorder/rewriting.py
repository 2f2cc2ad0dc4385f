"""An exchange whose body was edited: chunks, lengths and encoding follow."""

from __future__ import annotations

from itertools import pairwise

from msgspec.structs import replace

from .body import Answer, chunk_ends
from .byte_edits import Find, settled
from .exchange import Exchange, Headers, header


def with_length(headers: Headers, length: int, *, keep_encoding: bool) -> Headers:
    """The headers for a body of another length, which may no longer be encoded."""
    return tuple(
        (name, str(length).encode() if name.lower() == b"content-length" else value)
        for name, value in headers
        if keep_encoding or name.lower() != b"content-encoding"
    )


def rewritten(exchange: Exchange, answer: Answer, find: Find) -> tuple[Exchange, Answer]:
    """Both with the edits of the decoded body, its chunks cut where they were cut before."""
    ends = list(chunk_ends(exchange, answer))
    data = settled(answer.data, find, ends)
    if data is answer.data and not answer.hidden:
        return exchange, answer
    head = exchange.head
    if head is not None:
        head = replace(
            head,
            headers=with_length(
                head.headers, _length(exchange, answer, data), keep_encoding=not answer.encoded
            ),
        )
    chunks = tuple(data[start:end] for start, end in pairwise((0, *ends)))
    return replace(exchange, head=head, chunks=chunks, redacted=True), Answer(data, note=answer.note)


def _length(exchange: Exchange, answer: Answer, data: bytes) -> int:
    """The content-length for an edited body; of a body that broke off, what is missing stays missing."""
    told = header(exchange.head.headers, b"content-length") if exchange.head is not None else None
    if exchange.ending.kind == "complete" or answer.encoded or told is None or not told.isdigit():
        return len(data)
    return int(told) + len(data) - len(answer.data)
