"""Span attributes of a call, named as in the OpenTelemetry GenAI semantic conventions for client spans."""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct

from ..call import AnswerHalf, RequestHalf, Usage
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


class Place(Struct, frozen=True, gc=False):
    """What many requests have in common: who is asked for what, where."""

    dialect: str
    provider: str
    host: str
    port: int
    operation: str | None
    model: str | None
    stream: bool


class Served(Struct, frozen=True, gc=False):
    """What many answers have in common: how the call went, and who served it."""

    provider: str
    status: int | None
    reasons: tuple[str, ...]
    failure: str | None
    model: str | None
    system_fingerprint: str | None
    service_tier: str | None


def place_of(half: RequestHalf) -> Place:
    """The place that a request asks at."""
    return Place(half.dialect, half.provider, half.host, half.port, half.operation, half.model, half.stream)


def place_attributes(place: Place) -> Attributes:
    """The attributes of a place; the required ones are among them."""
    attributes: Attributes = {
        "gen_ai.operation.name": place.operation or UNKNOWN,
        "gen_ai.provider.name": place.provider,
        "server.address": place.host,
        "server.port": place.port,
    }
    if place.model is not None:
        attributes["gen_ai.request.model"] = place.model
    if place.stream:
        attributes["gen_ai.request.stream"] = True
    if place.provider == "openai" and place.dialect == "chat":
        attributes["openai.api.type"] = "chat_completions"
    return attributes


def served_attributes(served: Served) -> Attributes:
    """The attributes of how an answer was served."""
    attributes: Attributes = {}
    if served.status is not None:
        attributes["http.response.status_code"] = served.status
    if served.model:
        attributes["gen_ai.response.model"] = served.model
    if served.reasons:
        attributes["gen_ai.response.finish_reasons"] = list(served.reasons)
    if served.provider == "openai":
        if served.system_fingerprint:
            attributes["openai.response.system_fingerprint"] = served.system_fingerprint
        if served.service_tier:
            attributes["openai.response.service_tier"] = served.service_tier
    if served.failure is not None:
        attributes["error.type"] = served.failure
    return attributes


def add_own(attributes: Attributes, answer: AnswerHalf) -> None:
    """Add what an answer has for itself, but for usage."""
    if answer.response_id:
        attributes["gen_ai.response.id"] = answer.response_id
    if answer.first_chunk_ns is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = answer.first_chunk_ns / 1e9


def finish_reasons(answer: AnswerHalf) -> tuple[str, ...]:
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
