"""What all dialects ask of a body that may be an event stream: whether it is one, and when its parts came in."""

from __future__ import annotations

import re
from bisect import bisect_left

from ..body import Answer, chunk_ends
from ..exchange import Exchange, ResponseHead, header

_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
_EVENTS = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?::|(?:data|event|id|retry)(?:[:\r\n]))")


def is_stream(head: ResponseHead, data: bytes) -> bool:
    """Whether a body is an event stream: gateways send errors as JSON under the type of a stream."""
    if data.startswith((b"{", b"[")) or _JSON.match(data):
        return False
    content_type = header(head.headers, b"content-type") or b""
    return content_type.strip().lower().startswith(b"text/event-stream") or bool(_EVENTS.match(data))


def arrivals_ns(exchange: Exchange, answer: Answer, *ends: int | None) -> tuple[int | None, ...]:
    """For offsets in the decoded body, when the byte before each came in."""
    if not exchange.arrivals_ns:
        return (None,) * len(ends)
    reached, last = chunk_ends(exchange, answer), len(exchange.arrivals_ns) - 1
    return tuple(
        None if end is None else exchange.arrivals_ns[min(bisect_left(reached, end), last)] for end in ends
    )
