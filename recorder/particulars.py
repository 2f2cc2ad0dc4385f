"""What is known of a call besides its exchange, and how both are read as one call."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from .body import Answer
from .call import AnswerHalf, Call, CallError, Glance, Outcome, RequestHalf
from .dialects import Dialect
from .exchange import Exchange
from .guard import Guard
from .ids import id_text
from .tagging import Tags


class Particulars(Struct, frozen=True, gc=False):
    """Who made a call, and where it belongs; ids as they are written."""

    id: str
    operation_id: str
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: dict[str, Any] = {}
    cassette: str | None = None


def particulars(
    id: int, operation_id: int, trace_id: int, span_id: int, tags: Tags, cassette: str | None
) -> Particulars:
    """The same with ids as numbers; 0 is none."""
    written = id_text(id)
    return Particulars(
        written,
        written if operation_id == id else id_text(operation_id),
        f"{trace_id:032x}" if trace_id else None,
        f"{span_id:016x}" if span_id else None,
        tags.session_id,
        tags.user_id,
        tags.others,
        cassette,
    )


def read_answer_half(
    dialect: Dialect, exchange: Exchange, answer: Answer, asked: RequestHalf, guard: Guard
) -> AnswerHalf:
    """The answer's meaning; a failing dialect leaves its fields empty, with a note."""
    with guard:
        return dialect.read_answer(exchange, answer, asked)
    return AnswerHalf(notes=("recorder failed to read the answer",))


def join(
    about: Particulars,
    half: RequestHalf,
    exchange: Exchange,
    answer: AnswerHalf,
    *,
    replayed: bool,
    interrupted: bool = False,
) -> Call:
    """Both halves and the particulars, as one call; an interrupted one ended with its process."""
    ending, head = exchange.ending, exchange.head
    outcome, error = ("interrupted", None) if interrupted else outcome_of(exchange, answer)
    return Call(
        id=about.id,
        operation_id=about.operation_id,
        started_us=exchange.started_us,
        duration_ns=ending.at_ns,
        request=half,
        answer=answer,
        outcome=outcome,
        http_status=head.status if head is not None else None,
        error=error,
        first_byte_ns=head.at_ns if head is not None else None,
        trace_id=about.trace_id,
        span_id=about.span_id,
        session_id=about.session_id,
        user_id=half.user_id if about.user_id is None else about.user_id,
        tags=about.tags,
        replayed=replayed,
        cassette=about.cassette,
    )


def outcome_of(exchange: Exchange, answer: Glance) -> tuple[Outcome, CallError | None]:
    """An answer that came whole is `ok`, however its stream was left; what the transport raised is an error."""
    ending = exchange.ending
    if ending.kind == "error":
        return "error", CallError(
            ending.exception_type or "_OTHER", ending.message or ending.exception_type or ""
        )
    if answer.error is not None:
        return "error", answer.error
    if answer.complete:
        return "ok", None
    if ending.kind == "cancelled":
        return "cancelled", None
    redirected = exchange.head is not None and 300 <= exchange.head.status < 400
    return ("ok" if redirected and ending.kind == "complete" else "incomplete"), None
