"""Span attributes of a call, named as in the OpenTelemetry GenAI semantic conventions for client spans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..call import AnswerHalf, CallError, RequestHalf, Usage
from ..redact import Redactor
from ..tagging import Tags
from .modalities import modalities
from .names import UNKNOWN, Names

AttributeValue = str | bool | int | float | list[str]
Attributes = dict[str, AttributeValue]

REPLAYED = "recorder.replayed"
OPERATION_ID = "recorder.operation_id"

_LARGEST = 2**63 - 1  # what OTLP can carry


def _number(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) > _LARGEST:
        return None
    return float(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        return None
    return value


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _strings(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    return None


def _choice_count(value: Any) -> int | None:
    count = _integer(value)
    return None if count == 1 else count


def _output_type(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    return (
        {"json_object": "json", "json_schema": "json", "text": "text"}.get(kind)
        if isinstance(kind, str)
        else None
    )


def _reasoning_level(value: Any) -> str | None:
    return _string(value.get("effort")) if isinstance(value, dict) else None


_Rule = tuple[str, Callable[[Any], AttributeValue | None]]

_PARAMETERS: dict[str, _Rule] = {
    "temperature": ("gen_ai.request.temperature", _number),
    "top_p": ("gen_ai.request.top_p", _number),
    "top_k": ("gen_ai.request.top_k", _number),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", _number),
    "presence_penalty": ("gen_ai.request.presence_penalty", _number),
    "max_tokens": ("gen_ai.request.max_tokens", _integer),
    "max_completion_tokens": ("gen_ai.request.max_tokens", _integer),
    "seed": ("gen_ai.request.seed", _integer),
    "stop": ("gen_ai.request.stop_sequences", _strings),
    "n": ("gen_ai.request.choice.count", _choice_count),
    "response_format": ("gen_ai.output.type", _output_type),
    "reasoning_effort": ("gen_ai.request.reasoning.level", _string),
    "reasoning": ("gen_ai.request.reasoning.level", _reasoning_level),
    "previous_response_id": ("gen_ai.request.previous_response.id", _string),
}
_WHOLE_TOP_K: _Rule = ("gen_ai.request.top_k", _integer)
_NEWER = "max_completion_tokens"


def place_attributes(half: RequestHalf) -> Attributes:
    """What many requests have in common: who is asked for what, where. The required ones are among them."""
    attributes: Attributes = {
        "gen_ai.operation.name": half.operation or UNKNOWN,
        "gen_ai.provider.name": half.provider,
        "server.address": half.host,
        "server.port": half.port,
    }
    if half.model is not None:
        attributes["gen_ai.request.model"] = half.model
    if half.stream:
        attributes["gen_ai.request.stream"] = True
    if half.provider == "openai" and half.dialect == "chat":
        attributes["openai.api.type"] = "chat_completions"
    return attributes


def parameter_attributes(half: RequestHalf, names: Names) -> Attributes:
    """What this request asks for in particular."""
    attributes: Attributes = {}
    parameters = half.parameters
    for name in parameters:
        if (rule := _PARAMETERS.get(name)) is None:
            continue
        if name == "top_k" and names.whole_top_k:
            rule = _WHOLE_TOP_K
        if (value := rule[1](parameters[name])) is not None and not (
            name == "max_tokens" and _integer(parameters.get(_NEWER)) is not None
        ):
            attributes[rule[0]] = value
    if half.attempt > 1:
        attributes["http.request.resend_count"] = half.attempt - 1
    if half.provider == "openai":
        tier = _string(parameters.get("service_tier"))
        if tier is not None and tier != "auto":
            attributes["openai.request.service_tier"] = tier
    return attributes


def answer_attributes(
    provider: str, status: int | None, answer: AnswerHalf, error: CallError | None
) -> Attributes:
    """What is known at the end, but for usage. A choice that was cut off has the finish reason `error`."""
    attributes: Attributes = {}
    if status is not None:
        attributes["http.response.status_code"] = status
    if answer.response_id:
        attributes["gen_ai.response.id"] = answer.response_id
    if answer.model:
        attributes["gen_ai.response.model"] = answer.model
    if answer.choices:
        attributes["gen_ai.response.finish_reasons"] = [reason or "error" for reason in answer.finish_reasons]
    if answer.first_chunk_ns is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = answer.first_chunk_ns / 1e9
    if provider == "openai":
        if answer.system_fingerprint:
            attributes["openai.response.system_fingerprint"] = answer.system_fingerprint
        if answer.service_tier:
            attributes["openai.response.service_tier"] = answer.service_tier
    if error is not None:
        attributes["error.type"] = error.type
    return attributes


def add_usage(attributes: Attributes, usage: Usage, raw_usage: Any, names: Names) -> None:
    """Add the tokens that the provider counted."""
    if usage.input is not None:
        attributes["gen_ai.usage.input_tokens"] = usage.input
    if usage.output is not None:
        attributes["gen_ai.usage.output_tokens"] = usage.output
    if usage.cached is not None:
        attributes["gen_ai.usage.cache_read.input_tokens"] = usage.cached
    if usage.cache_write is not None:
        attributes[names.cache_write] = usage.cache_write
    if usage.reasoning is not None:
        attributes["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning
    if names.modalities:
        for each in modalities(raw_usage):
            attributes[f"gen_ai.usage.{each.kind}.{each.side}_tokens"] = each.tokens


def without_secrets(attributes: Attributes, redactor: Redactor) -> Attributes:
    """The attributes with secrets taken out of their texts."""
    texts: list[str] = []
    for value in attributes.values():
        if type(value) is str:
            texts.append(value)
        elif type(value) is list:
            texts += value
    if not redactor.suspicious_names(texts):
        return attributes
    return {
        name: redactor.text(value)
        if isinstance(value, str)
        else [redactor.text(text) for text in value]
        if isinstance(value, list)
        else value
        for name, value in attributes.items()
    }


def tag_attributes(tags: Tags) -> Attributes:
    """Tags: session, user and conversation by their conventional names, others below `recorder.tag.`."""
    attributes: Attributes = {}
    if tags.session_id is not None:
        attributes["session.id"] = tags.session_id
    if tags.user_id is not None:
        attributes["user.id"] = tags.user_id
    for name, value in tags.others.items():
        if name == "conversation_id":
            attributes["gen_ai.conversation.id"] = str(value)
            continue
        plain = isinstance(value, (str, bool, float)) or (isinstance(value, int) and abs(value) <= _LARGEST)
        attributes[f"recorder.tag.{name}"] = value if plain else str(value)
    return attributes
