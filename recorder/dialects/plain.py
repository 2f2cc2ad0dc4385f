"""The fallback dialect: any other exchange that a setting makes recorded."""

from __future__ import annotations

from typing import Any

import msgspec

from ..body import Answer
from ..call import AnswerHalf, RequestHalf
from ..exchange import Exchange, Request, endpoint
from ..sse import read_events
from .envelope import read_envelope
from .event_streams import arrivals_ns, is_stream
from .failure import read_failure, status_failure
from .lenient import read_json
from .usage import read_usage

_OPERATIONS = {"embeddings": "embeddings", "completions": "text_completion"}
_SHORT = 256


class Plain:
    """Reads what any JSON API has: a model, an id, token counts under OpenAI's names, an error.

    Long parameters are left out, since here they are what other dialects keep apart as messages.
    """

    name = "plain"
    significant_headers: tuple[bytes, ...] = ()
    operation: str | None = None

    def model_asked(self, body: bytes) -> None:
        """Which operation it is has to be read as well."""

    def read_request(self, request: Request, provider: str) -> RequestHalf:
        """The meaning of a request; a body that is no JSON object is nothing odd here."""
        half = read_envelope(request, provider, self.name, _operation(request))
        parameters = {name: value for name, value in half.parameters.items() if _is_short(value)}
        return msgspec.structs.replace(half, parameters=parameters, notes=())

    def read_texts(self, answer: Answer) -> None:
        """What is no known protocol has to be read in full."""

    def glance(self, exchange: Exchange, body: bytes) -> None:
        """The same here."""

    def read_answer(self, exchange: Exchange, answer: Answer, request: RequestHalf) -> AnswerHalf:
        """The meaning of an answer; without a protocol of its own its end is the end of the body."""
        head = exchange.head
        if head is None:
            return AnswerHalf()
        notes = [answer.note] if answer.note else []
        streamed = is_stream(head, answer.data)
        value = None if streamed else _parse(answer.data)
        fields = value if isinstance(value, dict) else {}
        error = None
        if head.status >= 400:
            error = read_failure(value, head.status, certain=True) if value is not None else None
            error = error or status_failure(head.status, answer.data[:4096].decode("utf-8", "replace"))
        elif fields.get("error"):  # any other field may mean anything in an API that is not known
            error = read_failure({"error": fields["error"]}, head.status)
        usage = fields.get("usage")
        return AnswerHalf(
            complete=exchange.ending.kind == "complete",
            streamed=streamed,
            response_id=_text(fields.get("id")),
            model=_text(fields.get("model")),
            usage=read_usage(usage, notes) if isinstance(usage, dict) and "prompt_tokens" in usage else None,
            raw_usage=usage,
            error=error,
            first_chunk_ns=arrivals_ns(exchange, answer, _first_event(answer.data))[0] if streamed else None,
            notes=tuple(notes),
        )


def _operation(request: Request) -> str | None:
    path = endpoint(request.url)[2]
    return _OPERATIONS.get(path.rstrip("/").rpartition("/")[2])


def _is_short(value: Any) -> bool:
    return not isinstance(value, list | dict) and (not isinstance(value, str) or len(value) <= _SHORT)


def _parse(data: bytes) -> Any:
    try:
        return read_json(data)
    except ValueError:
        return None


def _first_event(data: bytes) -> int | None:
    events = read_events(data)
    return events[0].end if events else None


def _text(value: Any) -> str | None:
    return value if value and isinstance(value, str) else None
