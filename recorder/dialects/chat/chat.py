"""The dialect of chat completions, as OpenAI, DeepSeek, vLLM and their kin speak it."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from ...body import Answer
from ...call import AnswerHalf, CallError, RequestHalf
from ...exchange import Exchange, Request
from ...sse import read_events
from ..envelope import read_envelope
from ..event_streams import arrivals_ns, is_stream
from ..failure import read_failure, status_failure
from ..lenient import mend, read_json
from ..usage import read_usage
from .answer import read_choices, read_text
from .glance import ChatGlance, read_glance, read_model
from .plain_texts import read_plain_texts
from .stream import Stream
from .whole import read_usual


class Chat:
    """Reads `POST …/chat/completions`, plain and streamed."""

    name = "chat"
    significant_headers: tuple[bytes, ...] = (b"id",)
    operation: str | None = "chat"

    model_asked = staticmethod(read_model)

    def read_request(self, request: Request, provider: str) -> RequestHalf:
        """The meaning of a request; messages and tools stay raw until someone asks for them."""
        return read_envelope(request, provider, self.name, self.operation)

    def read_texts(self, answer: Answer) -> tuple[str, ...] | None:
        """The texts of a stream in which nothing is unusual."""
        return read_plain_texts(answer.data)

    def glance(self, exchange: Exchange, body: bytes) -> ChatGlance | None:
        """What a span tells of a plain answer in which nothing is unusual."""
        head = exchange.head
        if head is None or head.status >= 400 or not body.startswith(b"{"):
            return None
        return read_glance(body)

    def read_answer(self, exchange: Exchange, answer: Answer, request: RequestHalf) -> AnswerHalf:
        """The meaning of an answer: whether it is a stream is told by its bytes, then by its type."""
        head = exchange.head
        if head is None:
            return AnswerHalf()
        notes = [answer.note] if answer.note else []
        if not answer.data.startswith(b"{") and is_stream(head, answer.data):
            half = _read_stream(exchange, answer, Stream(head.status, notes, _choices_wanted(request)), notes)
        else:
            half = (head.status < 400 and read_usual(answer.data, notes)) or _read_whole(
                answer.data, head.status, notes
            )
        if head.status >= 400 and half.error is None:
            text = answer.data[:4096].decode("utf-8", "replace")
            half = structs.replace(half, error=status_failure(head.status, text))
        return half


def _choices_wanted(request: RequestHalf) -> int:
    wanted = request.parameters.get("n")
    return wanted if isinstance(wanted, int) else 1


def _read_stream(exchange: Exchange, answer: Answer, stream: Stream, notes: list[str]) -> AnswerHalf:
    add = stream.add
    for event in read_events(answer.data):
        add(event)
    choices = stream.choices()
    raw_usage = stream.usage
    usage = read_usage(raw_usage, notes)
    if stream.broken:
        notes.append(f"{stream.broken} of the stream's events: not JSON")
    if not (choices or stream.error) and stream.status < 400:
        notes.append("answer has no choices")
    first_any, first_reasoning, first_answer = arrivals_ns(
        exchange, answer, stream.first_any, stream.first_reasoning, stream.first_answer
    )
    half = AnswerHalf(
        complete=stream.complete,
        streamed=True,
        response_id=stream.response_id,
        model=stream.model,
        choices=choices,
        asides=stream.asides(),
        usage=usage,
        raw_usage=raw_usage,
        system_fingerprint=stream.system_fingerprint,
        service_tier=stream.service_tier,
        error=stream.error,
        first_chunk_ns=first_any,
        first_reasoning_ns=first_reasoning,
        first_token_ns=first_answer,
        notes=tuple(dict.fromkeys(notes)),
    )
    return _mend(half) if stream.lenient else half


def _read_whole(data: bytes, status: int, notes: list[str]) -> AnswerHalf:
    try:
        value = read_json(data)
    except ValueError:
        if status < 400:
            notes.append("answer is not JSON" if data.strip() else "answer is empty")
        return AnswerHalf(notes=tuple(notes))
    error = read_failure(value, status, certain=status >= 400)
    if not isinstance(value, dict):
        if error is None:
            notes.append("answer is not a JSON object")
        return AnswerHalf(complete=True, error=error, notes=tuple(notes))
    choices = read_choices(value.get("choices"), notes)
    error = error or _choice_failure(value.get("choices"), status)
    if not choices and error is None:
        notes.append("answer has no choices")
    raw_usage = value.get("usage")
    return AnswerHalf(
        complete=True,
        response_id=read_text(value.get("id"), "id", notes),
        model=read_text(value.get("model"), "model", notes),
        choices=choices,
        usage=read_usage(raw_usage, notes),
        raw_usage=raw_usage,
        system_fingerprint=read_text(value.get("system_fingerprint"), "system_fingerprint", notes),
        service_tier=read_text(value.get("service_tier"), "service_tier", notes),
        error=error,
        notes=tuple(dict.fromkeys(notes)),
    )


def _choice_failure(choices: Any, status: int) -> CallError | None:
    """The error of the first choice that has one, as OpenRouter reports its upstream's."""
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("error"):
            return read_failure({"error": choice["error"]}, status)
    return None


def _mend(half: AnswerHalf) -> AnswerHalf:
    """A streamed answer whose texts can be encoded: what deltas cut apart is whole only now."""
    try:
        mended: AnswerHalf = mend(half)
    except RecursionError:
        return structs.replace(half, notes=(*half.notes, "answer is nested too deeply to be mended"))
    return mended
