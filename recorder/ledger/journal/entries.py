"""What the journal says about a call: that it started, how it ended, or that it is not to be recorded."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from ...attempt import Attempt
from ...bare import bare_call, bare_exchange, bare_request
from ...call import Call
from ...ended import Ended
from ...exchange import Ending, Request, ResponseHead
from ...particulars import Particulars, particulars
from ...sampling import Rule
from ...tagging import Tags
from .frames import framed

UNWRITABLE = (UnicodeEncodeError, OverflowError, TypeError)
"""What encoding raises for values that msgpack does not have, such as lone surrogates."""


class Start(Struct, frozen=True, array_like=True, tag=1, gc=False):
    """A call before its send: all that is known of it then, without secrets. Ids are big-endian, 0 is none.

    One that is `bare` has no content either, since that is not to be stored.
    """

    id: bytes
    operation_id: bytes
    trace_id: bytes
    span_id: bytes
    tags: tuple[str | None, str | None, dict[str, Any]]
    cassette: str | None
    dialect: str
    provider: str
    request: Request
    started_us: int
    redacted: bool = False
    bare: bool = False

    @property
    def particulars(self) -> Particulars:
        """The same, as a call wants them."""
        id, operation, trace, span = (
            int.from_bytes(each, "big") for each in (self.id, self.operation_id, self.trace_id, self.span_id)
        )
        return particulars(id, operation, trace, span, Tags(*self.tags), self.cassette)


class End(Struct, frozen=True, array_like=True, tag=2, gc=False):
    """What came back, without secrets; `start` is there where it was not written before.

    `rule` says whether its content is to be stored. Where it is not even to be written here, `told` is the call,
    which could not be read from what is left.
    """

    id: bytes
    ending: Ending
    head: ResponseHead | None
    chunks: tuple[bytes, ...]
    arrivals_ns: tuple[int, ...]
    redacted: bool
    usage_asked: bool
    replayed: bool
    start: Start | None = None
    rule: Rule = "kept"
    told: Call | None = None


class Dropped(Struct, frozen=True, array_like=True, tag=3):
    """A call that started and that nobody wants to know of any more."""

    id: bytes


Entry = Start | End | Dropped

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode


def start_of(attempt: Attempt, request: Request, started_us: int, redacted: bool) -> Start:
    """The entry for a call that is about to be sent; `request` is without secrets."""
    id, operation = attempt.id, attempt.operation_id
    written = id.to_bytes(16, "big")
    return Start(
        written,
        written if operation == id else operation.to_bytes(16, "big"),
        attempt.trace_id.to_bytes(16, "big") if attempt.trace_id else _NO_TRACE,
        attempt.span_id.to_bytes(8, "big") if attempt.span_id else _NO_SPAN,
        attempt.tags,
        attempt.session.name if attempt.session is not None else None,
        attempt.dialect.name,
        attempt.provider,
        request,
        started_us,
        redacted,
        attempt.bare,
    )


def end_of(ended: Ended) -> End:
    """The entry for a call that has ended."""
    attempt, rule = ended.attempt, ended.rule
    told = bare_call(ended.call) if attempt.bare else None
    exchange, start = ended.clean_answer() if told is None else bare_exchange(ended.exchange), None
    if not attempt.journalled:
        request, redacted = ended.clean_request()
        if told is not None:
            request = bare_request(request, told.request, attempt.dialect.significant_headers)
        start = start_of(attempt, request, exchange.started_us, redacted)
    return End(
        attempt.id.to_bytes(16, "big"),
        exchange.ending,
        exchange.head,
        exchange.chunks,
        exchange.arrivals_ns,
        exchange.redacted,
        exchange.usage_asked,
        attempt.replayed,
        start,
        rule,
        told,
    )


def frame_of(entry: Entry) -> bytes:
    """An entry as it stands in a segment."""
    return framed(encode(entry))


def dropped(attempt: Attempt) -> Dropped:
    """The entry for a call that started and is not to be recorded."""
    return Dropped(attempt.id.to_bytes(16, "big"))
