"""What an attempt came to: its exchange without secrets, and the call that it was."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from .attempt import Attempt
from .body import Answer, read_answer
from .call import AnswerHalf, Call, CallError, Outcome, RequestHalf
from .exchange import Exchange, Request, header
from .guard import Guard
from .ids import id_text
from .redact import Redactor

_CALL_BYTES = 4_096
_CHUNK_BYTES = 64


class Ended:
    """An attempt that has ended. It is read when somebody first asks, so that its caller need not wait for it.

    `size` is about what it takes in memory, in bytes: the parsed request refers to as much again as its
    body. `wire` is the exchange as it was; `exchange` and `call` are without secrets. These raise what
    recorder itself fails with, but for a failing dialect: that leaves the answer's fields empty, with a note.
    """

    __slots__ = (
        "_answer",
        "_guard",
        "_provider_of",
        "_read",
        "_redactor",
        "_seen",
        "attempt",
        "size",
        "wire",
    )

    def __init__(
        self,
        attempt: Attempt,
        exchange: Exchange,
        redactor: Redactor,
        guard: Guard,
        provider_of: Callable[[str], str],
    ) -> None:
        self.attempt = attempt
        self.wire = exchange
        self._redactor = redactor
        self._guard = guard
        self._provider_of = provider_of
        self._answer: Answer | None = None
        self._seen: AnswerHalf | None = None
        self._read: tuple[Exchange, Call] | None = None
        chunks = exchange.chunks
        bodies = 2 * len(exchange.request.body) + sum(map(len, chunks))
        self.size = _CALL_BYTES + bodies + _CHUNK_BYTES * len(chunks)

    @property
    def exchange(self) -> Exchange:
        """What went over the wire."""
        return self._settled()[0]

    @property
    def call(self) -> Call:
        """What it meant."""
        return self._settled()[1]

    def seen(self) -> tuple[AnswerHalf, CallError | None]:
        """The answer as it was on the wire, secrets and all, and what went wrong: for what cannot wait."""
        if self._seen is None:
            attempt = self.attempt
            answer = self._whole_answer()
            self._seen = attempt.dialect.read_answer(self.wire, answer, self._asked())
            if answer.encoded:  # decoded once more later, rather than kept
                self.size += len(answer.data)
                self._answer = None
        return self._seen, _outcome(self.wire, self._seen)[1]

    def _settled(self) -> tuple[Exchange, Call]:
        if self._read is None:
            exchange, asked = self._read_request()
            self._read = self._read_rest(exchange, asked)
            self._seen = self._answer = None
        return self._read

    def _read_request(self) -> tuple[Exchange, RequestHalf]:
        wire, half = self.wire, self._asked()
        request = wire.request
        clean = self._redactor.request(request)
        if clean is request:
            return wire, half
        if clean.body is request.body and clean.url is request.url:
            exchange = structs.replace(wire, request=clean)
            if not self._tells_more(request, clean):
                return exchange, half
        else:
            exchange = structs.replace(wire, request=clean, redacted=True)
        return exchange, self.attempt.dialect.read_request(clean, self._provider_of(clean.url))

    def _tells_more(self, request: Request, clean: Request) -> bool:
        """Whether headers that were read told what the clean ones do not."""
        names = self.attempt.dialect.significant_headers
        return any(header(request.headers, name) != header(clean.headers, name) for name in names)

    def _read_rest(self, exchange: Exchange, asked: RequestHalf) -> tuple[Exchange, Call]:
        redactor, whole, seen = self._redactor, self._whole_answer(), self._seen
        exchange, answer = redactor.exchange(exchange, whole)
        if seen is None or answer is not whole or asked is not self._asked():
            seen = self._read_answer(exchange, answer, asked)
        if (seen.streamed and redactor.suspicious(seen.texts())) or (
            (seen.streamed or not seen.choices) and redactor.splits(answer, assembled=bool(seen.choices))
        ):
            exchange, answer = redactor.deltas(exchange, answer)
            seen = self._read_answer(exchange, answer, asked)
        return exchange, _join(self.attempt, asked, exchange, seen)

    def _asked(self) -> RequestHalf:
        attempt = self.attempt
        if attempt.half is None:
            attempt.half = attempt.dialect.read_request(self.wire.request, attempt.provider)
        return attempt.half

    def _whole_answer(self) -> Answer:
        if self._answer is None:
            self._answer = read_answer(self.wire)
        return self._answer

    def _read_answer(self, exchange: Exchange, answer: Answer, asked: RequestHalf) -> AnswerHalf:
        with self._guard:
            return self.attempt.dialect.read_answer(exchange, answer, asked)
        return AnswerHalf(notes=("recorder failed to read the answer",))


def _join(attempt: Attempt, half: RequestHalf, exchange: Exchange, answer: AnswerHalf) -> Call:
    """Both halves and the circumstances, as one call."""
    ending, head, tags = exchange.ending, exchange.head, attempt.tags
    outcome, error = _outcome(exchange, answer)
    return Call(
        id=id_text(attempt.id),
        operation_id=id_text(attempt.operation_id),
        started_us=exchange.started_us,
        duration_ns=ending.at_ns,
        request=half,
        answer=answer,
        outcome=outcome,
        http_status=head.status if head is not None else None,
        error=error,
        first_byte_ns=head.at_ns if head is not None else None,
        trace_id=f"{attempt.trace_id:032x}" if attempt.trace_id else None,
        span_id=f"{attempt.span_id:016x}" if attempt.span_id else None,
        session_id=tags.session_id,
        user_id=half.user_id if tags.user_id is None else tags.user_id,
        tags=tags.others,
        replayed=attempt.replayed,
        cassette=attempt.session.name if attempt.session is not None else None,
    )


def _outcome(exchange: Exchange, answer: AnswerHalf) -> tuple[Outcome, CallError | None]:
    """An answer that came whole is `ok`, however its stream was left; what the transport raised is an error."""
    ending = exchange.ending
    if ending.kind == "error":
        return "error", CallError(ending.exception or "_OTHER", ending.message or ending.exception or "")
    if answer.error is not None:
        return "error", answer.error
    if answer.complete:
        return "ok", None
    if ending.kind == "cancelled":
        return "cancelled", None
    redirected = exchange.head is not None and 300 <= exchange.head.status < 400
    return ("ok" if redirected and ending.kind == "complete" else "incomplete"), None
