"""Span attributes of a call, named as in the OpenTelemetry GenAI semantic conventions for client spans."""

from __future__ import annotations

from typing import Any, cast

from ..call import Glance, RequestHalf, Usage
from ..redact import Redactor
from ..tagging import Tags
from .modalities import modalities
from .names import UNKNOWN, Names

AttributeValue = str | bool | int | float | list[str]
Attributes = dict[str, AttributeValue]

REPLAYED = "recorder.replayed"
OPERATION_ID = "recorder.operation_id"

LARGEST = 2**63 - 1
"""The greatest integer that OTLP can carry."""

_LISTS = ("gen_ai.request.stop_sequences", "gen_ai.response.finish_reasons")


def asked_attributes(half: RequestHalf) -> Attributes:
    """Who is asked for what, where; the required attributes are among them."""
    return place_attributes(
        half.dialect, half.provider, half.host, half.port, half.operation, half.model, half.stream
    )


def place_attributes(
    dialect: str, provider: str, host: str, port: int, operation: str | None, model: str | None, stream: bool
) -> Attributes:
    """The same, of what many requests have in common."""
    attributes: Attributes = {
        "gen_ai.operation.name": operation or UNKNOWN,
        "gen_ai.provider.name": provider,
        "server.address": host,
        "server.port": port,
    }
    if model is not None:
        attributes["gen_ai.request.model"] = model
    if stream:
        attributes["gen_ai.request.stream"] = True
    if provider == "openai" and dialect == "chat":
        attributes["openai.api.type"] = "chat_completions"
    return attributes


def served_attributes(
    provider: str,
    status: int | None,
    reasons: tuple[str, ...],
    failure: str | None,
    model: str | None,
    system_fingerprint: str | None,
    service_tier: str | None,
) -> Attributes:
    """How a call went, and who served it, which many have in common."""
    attributes: Attributes = {}
    if status is not None:
        attributes["http.response.status_code"] = status
    if model:
        attributes["gen_ai.response.model"] = model
    if reasons:
        attributes["gen_ai.response.finish_reasons"] = list(reasons)
    if provider == "openai":
        if system_fingerprint:
            attributes["openai.response.system_fingerprint"] = system_fingerprint
        if service_tier:
            attributes["openai.response.service_tier"] = service_tier
    if failure is not None:
        attributes["error.type"] = failure
    return attributes


def finish_reasons(answer: Glance) -> tuple[str, ...]:
    """One a choice; a choice that was cut off has the finish reason `error`."""
    choices = answer.choices
    if len(choices) == 1:
        return (choices[0].finish_reason or "error",)
    return tuple([choice.finish_reason or "error" for choice in choices])


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
    texts = [value for value in attributes.values() if type(value) is str]
    for name in _LISTS:
        if name in attributes:
            texts += cast("list[str]", attributes[name])
    if not texts or not redactor.suspicious_names(texts):
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
        plain = isinstance(value, (str, bool, float)) or (isinstance(value, int) and abs(value) <= LARGEST)
        attributes[f"recorder.tag.{name}"] = value if plain else str(value)
    return attributes
