"""What an attempt came to: its exchange without secrets, and the call that it was."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, structs

from .attempt import Attempt
from .body import Answer, read_answer
from .call import AnswerHalf, Call, CallError, Glance, RequestHalf
from .dialects import is_stream
from .exchange import Exchange, Request, header
from .guard import Guard
from .particulars import join, outcome_of, read_answer_half
from .redact import Redactor
from .sampling import Content, Rule, Sampling, content_of

CALL_BYTES = 4_096
_CHUNK_BYTES = 64


class Ended(Struct, eq=False):
    """An attempt that has ended. It is read when somebody first asks, so that its caller need not wait for it.

    `wire` is the exchange as it was; `exchange` and `call` are without secrets. These raise what
    recorder itself fails with, but for a failing dialect: that leaves the answer's fields empty, with a note.
    """

    attempt: Attempt
    wire: Exchange
    _redactor: Redactor
    _guard: Guard
    _provider_of: Callable[[str], str]
    _sampling: Sampling | None = None
    _rule: Rule | None = None
    _answer: Answer | None = None
    _seen: AnswerHalf | None = None
    _read: tuple[Exchange, Call] | None = None
    _size: int = 0

    @property
    def size(self) -> int:
        """About what it takes in memory, in bytes: the parsed request refers to as much again as its body."""
        if not self._size:
            chunks = self.wire.chunks
            bodies = 2 * len(self.wire.request.body) + sum(map(len, chunks))
            self._size = CALL_BYTES + bodies + _CHUNK_BYTES * len(chunks)
        return self._size

    @property
    def exchange(self) -> Exchange:
        """What went over the wire."""
        return self._settled()[0]

    @property
    def call(self) -> Call:
        """What it meant."""
        return self._settled()[1]

    @property
    def content(self) -> Content:
        """What is to be stored of its content."""
        return content_of(self.rule, self.call)

    @property
    def rule(self) -> Rule:
        """The same as far as it can be said without reading; a cassette that is being recorded needs all of it."""
        if self._rule is None:
            self._rule = "not stored" if self.attempt.bare else "kept"
            sampling, attempt = self._sampling, self.attempt
            if sampling is not None and not (sampling.everything or attempt.bare or attempt.slot is not None):
                with self._guard:  # a function of the user's may fail
                    self._rule = sampling.rule(attempt.operation_id, lambda: self.call)
        return self._rule

    def seen(self) -> tuple[AnswerHalf, CallError | None]:
        """The answer as it was on the wire, secrets and all, and what went wrong: for what cannot wait."""
        if self._seen is None:
            attempt = self.attempt
            answer = self._whole_answer()
            self._seen = attempt.dialect.read_answer(self.wire, answer, self._asked())
            if answer.encoded:
                self._forget_decoded(answer)
        return self._seen, outcome_of(self.wire, self._seen)[1]

    def glance(self) -> tuple[Glance, CallError | None]:
        """The same without texts, raw usage and notes, which is faster where nothing is unusual."""
        if self._seen is None and (glance := self._glance()) is not None:
            wire = self.wire
            fine = glance.error is None and wire.ending.kind != "error"
            return glance, None if fine else outcome_of(wire, glance)[1]
        return self.seen()

    def clean_answer(self) -> Exchange:
        """The exchange without the secrets of its answer; only a stream must be read for that."""
        if self._read is not None:
            return self._settled()[0]
        wire, redactor = self.wire, self._redactor
        if redactor.passes(wire):
            return wire
        answer, head = self._whole_answer(), wire.head
        if answer.data.startswith(b"{") and b"\n" not in answer.data:  # one document, as most answers are
            return redactor.exchange(wire, answer)[0]
        if self._seen is not None:
            return self._settled()[0]
        exchange, clean = redactor.exchange(wire, answer)
        if (head is not None and is_stream(head, clean.data)) or redactor.may_split(clean):
            texts = self.attempt.dialect.read_texts(clean)
            if texts is None or redactor.suspicious(texts) or redactor.splits(clean, assembled=True):
                return self._settled()[0]
        return exchange

    def clean_request(self) -> tuple[Request, bool]:
        """The request without secrets, and whether more than headers had to be taken out of it."""
        wire = self._clean_wire()
        return wire.request, wire.redacted

    def _settled(self) -> tuple[Exchange, Call]:
        if self._read is None:
            exchange, asked = self._read_request()
            self._read = self._read_rest(exchange, asked)
            self._seen = self._answer = None
        return self._read

    def _clean_wire(self) -> Exchange:
        """The exchange with nothing secret in its request."""
        wire, attempt = self.wire, self.attempt
        if attempt.clean is None:
            half = self._asked()
            attempt.clean = self._redactor.request(wire.request, half.raw_messages)
        clean = attempt.clean
        if clean is wire.request:
            return wire
        return structs.replace(wire, request=clean, redacted=is_rewritten(wire.request, clean))

    def _read_request(self) -> tuple[Exchange, RequestHalf]:
        exchange, half = self._clean_wire(), self._asked()
        request, clean = self.wire.request, exchange.request
        if clean is request or not (exchange.redacted or self._tells_more(request, clean)):
            return exchange, half
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
        attempt = self.attempt
        return exchange, join(attempt.particulars(), asked, exchange, seen, replayed=attempt.replayed)

    def _asked(self) -> RequestHalf:
        attempt = self.attempt
        if attempt.half is None:
            attempt.half = attempt.dialect.read_request(self.wire.request, attempt.provider)
        return attempt.half

    def _whole_answer(self) -> Answer:
        if self._answer is None:
            self._answer = read_answer(self.wire)
        return self._answer

    def _glance(self) -> Glance | None:
        wire, dialect = self.wire, self.attempt.dialect
        if len(wire.chunks) == 1 and wire.chunks[0].startswith(b"{"):  # JSON, or encoded, which is none then
            return dialect.glance(wire, wire.chunks[0])
        answer = self._whole_answer()
        glance = dialect.glance(wire, answer.data)
        if glance is not None and answer.encoded:
            self._forget_decoded(answer)
        return glance

    def _forget_decoded(self, answer: Answer) -> None:
        """It is decoded once more later, rather than kept."""
        self._size = self.size + len(answer.data)
        self._answer = None

    def _read_answer(self, exchange: Exchange, answer: Answer, asked: RequestHalf) -> AnswerHalf:
        return read_answer_half(self.attempt.dialect, exchange, answer, asked, self._guard)


def is_rewritten(request: Request, clean: Request) -> bool:
    """Whether more than headers had to be taken out of a request."""
    return clean.body is not request.body or clean.url is not request.url
