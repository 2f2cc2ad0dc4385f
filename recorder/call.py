"""What an exchange means: the request half, the answer half, and the call that joins them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

from msgspec import Raw, Struct

Outcome = Literal["ok", "error", "cancelled", "incomplete", "interrupted"]


class Usage(Struct, frozen=True, gc=False):
    """Token counts as the provider reports them; None is unknown, never zero.

    `input` includes `cached` and `cache_write`; `output` includes `reasoning`.
    """

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None


class ToolCall(Struct, frozen=True, gc=False):
    """One tool call of an answer; `arguments` is the JSON text as the model wrote it."""

    id: str | None = None
    name: str | None = None
    arguments: str = ""
    type: str = "function"


class Message(Struct, frozen=True):
    """One message of a conversation, read for display: what it lacks is None or empty."""

    role: str | None = None
    content: str | list[Any] | None = None
    name: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


class Choice(Struct, frozen=True, gc=False):
    """One alternative of an answer, the same whether it came whole or in deltas.

    `content` is text, or the list of parts where the provider sends parts, among them images and audio that it
    sends beside the content. `logprobs` is the provider's object with the token lists of all deltas joined.
    """

    index: int = 0
    role: str | None = None
    content: str | list[Any] | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    function_call: ToolCall | None = None
    logprobs: Any = None
    finish_reason: str | None = None


class CallError(Struct, frozen=True, gc=False):
    """What went wrong: `type` is of low cardinality (a provider's code, `429`, `httpx2.ReadTimeout`)."""

    type: str
    message: str


class RequestHalf(Struct, frozen=True, gc=False):
    """The request's meaning, read once.

    `parameters` holds every top-level field of the body but the messages, tools and functions.
    Those stay raw JSON (`raw_messages`, `raw_tools`, `raw_functions`), since most callers of this
    value never look at them. `attempt` counts from 1.
    """

    dialect: str
    provider: str
    host: str
    port: int
    operation: str | None = None
    model: str | None = None
    stream: bool = False
    parameters: dict[str, Any] = {}
    raw_messages: Raw | None = None
    raw_tools: Raw | None = None
    raw_functions: Raw | None = None
    system_prompt: str | None = None
    user_id: str | None = None
    model_id: str | None = None
    attempt: int = 1
    notes: tuple[str, ...] = ()


class AnswerHalf(Struct, frozen=True, gc=False):
    """The answer's meaning, read once at the end.

    Times are nanoseconds since the start of the exchange, None where the event never came or the
    answer was not streamed. `complete` means that the protocol's own end was seen. `error` is what
    the body or the status said, not what the transport raised. `asides` are texts that a stream brought
    in fields which repeat the answer or which no choice has.
    """

    complete: bool = False
    streamed: bool = False
    response_id: str | None = None
    model: str | None = None
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    raw_usage: Any = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    error: CallError | None = None
    asides: tuple[str, ...] = ()
    first_chunk_ns: int | None = None
    first_reasoning_ns: int | None = None
    first_token_ns: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def finish_reasons(self) -> tuple[str | None, ...]:
        """One entry a choice, in choice order; None where the choice gave no reason."""
        return tuple(choice.finish_reason for choice in self.choices)

    def texts(self) -> Iterator[str]:
        """Yield every assembled text of the answer, among which a split secret would stand."""
        yield from self.asides
        for choice in self.choices:
            if isinstance(choice.content, str):
                yield choice.content
            elif choice.content:
                texts = (part.get("text") for part in choice.content if isinstance(part, dict))
                yield from (text for text in texts if isinstance(text, str))
            for text in (choice.reasoning, choice.refusal):
                if text:
                    yield text
            for tool_call in choice.tool_calls:
                yield tool_call.arguments
                yield tool_call.name or ""
            if choice.function_call is not None:
                yield choice.function_call.arguments


class Finished(Protocol):
    """How a choice ended."""

    @property
    def finish_reason(self) -> str | None: ...


class Glance(Protocol):
    """What a span tells of an answer: an `AnswerHalf`, or what was read of one in a hurry.

    The latter has no `raw_usage`, and as model, id or finish reason a text may be empty.
    """

    @property
    def complete(self) -> bool: ...

    @property
    def streamed(self) -> bool: ...

    @property
    def response_id(self) -> str | None: ...

    @property
    def model(self) -> str | None: ...

    @property
    def choices(self) -> Sequence[Finished]: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def raw_usage(self) -> Any: ...

    @property
    def system_fingerprint(self) -> str | None: ...

    @property
    def service_tier(self) -> str | None: ...

    @property
    def error(self) -> CallError | None: ...

    @property
    def first_chunk_ns(self) -> int | None: ...


class Call(Struct, frozen=True, gc=False):
    """One attempt at one model call: what was asked, what came back, how it went.

    `id` is a UUIDv7 as text and sorts by start. Times: `started_us` epoch microseconds;
    `duration_ns` and `first_byte_ns` since the start. Attempts of one SDK call share `operation_id`.
    """

    id: str
    operation_id: str
    started_us: int
    duration_ns: int
    request: RequestHalf
    answer: AnswerHalf
    outcome: Outcome
    http_status: int | None = None
    error: CallError | None = None
    first_byte_ns: int | None = None
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: dict[str, Any] = {}
    replayed: bool = False
    cassette: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read, request first."""
        return self.request.notes + self.answer.notes
