"""Whether exported spans are those of recorded calls: for tests of an application's tracing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from ..body import read_answer
from ..cassettes import Recorded
from ..dialects import Dialect
from ..particulars import outcome_of
from ..redact import Redactor
from .attributes import REPLAYED, Attributes, add_usage, asked_attributes
from .clean_attributes import CleanAttributes
from .names import INFERENCES, SCOPE, Names
from .parameters import add_parameters

_OTHERWISE: Final = frozenset(
    {
        "gen_ai.conversation.id",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
        "http.request.resend_count",
    }
)
"""What another run has otherwise, or only where it was asked for."""


class Spans(Protocol):
    """What keeps ended spans, as OpenTelemetry's InMemorySpanExporter does."""

    def get_finished_spans(self) -> Sequence[Any]: ...


def expected(recorded: Recorded, dialect: Dialect, provider: str, names: Names) -> Attributes:
    """The attributes that the span of a recorded call has, usage too."""
    exchange = recorded.exchange
    half = dialect.read_request(exchange.request, provider)
    answer = dialect.read_answer(exchange, read_answer(exchange), half)
    error = outcome_of(exchange, answer)[1]
    attributes = asked_attributes(half)
    add_parameters(attributes, attributes, half, names)
    attributes |= CleanAttributes(names, Redactor(None)).answered(provider, exchange, answer, error)
    if answer.usage is not None:
        add_usage(attributes, answer.usage, answer.raw_usage, names)
    return attributes


def model_spans(exporter: Spans | Iterable[Any]) -> list[Any]:
    """The spans of model calls, whoever made them."""
    spans = exporter.get_finished_spans() if hasattr(exporter, "get_finished_spans") else exporter
    return [span for span in spans if (span.attributes or {}).get("gen_ai.operation.name") in INFERENCES]


def span_problems(calls: Sequence[Attributes], count: int, spans: Sequence[Any]) -> list[str]:
    """What is wrong with the spans of `count` uses of recorded calls, a line or more each; nothing if all is well."""
    problems = []
    if len(spans) != count:
        problems.append(f"{_counted(count, 'call')}, but {_counted(len(spans), 'span')} of model calls")
    left = list(enumerate(calls))
    for span in spans:
        if not left:
            left = list(enumerate(calls))
        if not left:
            break
        nearest = min(left, key=lambda each: len(_differences(each[1], span)))
        left.remove(nearest)
        if differences := _differences(nearest[1], span):
            told = "\n  ".join(differences)
            problems.append(f"span {span.name!r} is not as recording {nearest[0] + 1}:\n  {told}")
    return problems


def _differences(call: Mapping[str, Any], span: Any) -> list[str]:
    """What a span of ours lacks or says otherwise; of another's span, only what both say."""
    found = span.attributes or {}
    own = span.instrumentation_scope is not None and span.instrumentation_scope.name == SCOPE
    replayed = bool(found.get(REPLAYED))
    names = set(call) if own else set(call) & set(found)
    if own:
        names |= {name for name in found if name.startswith(("gen_ai.", "openai.")) or name == "error.type"}
    return [
        f"{name}: recorded {_shown(wanted)}, span {_shown(told)}"
        for name in sorted(names - _OTHERWISE)
        if (wanted := _wanted(call, name, replayed=replayed)) != (told := _plain(found.get(name)))
    ]


def _wanted(call: Mapping[str, Any], name: str, *, replayed: bool) -> Any:
    """A replayed call has no usage, since it was counted when it was recorded."""
    return None if replayed and name.startswith("gen_ai.usage.") else _plain(call.get(name))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    return "absent" if value is None else repr(value)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
