"""What a request asks for in particular, as span attributes; a parameter of another type than expected has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..call import RequestHalf
from .attributes import LARGEST, Attributes, AttributeValue
from .names import Names


def add_parameters(attributes: Attributes, texts: Attributes, half: RequestHalf, names: Names) -> None:
    """Add what the conventions know of a request's parameters, as it was sent: numbers here, texts there."""
    parameters = half.parameters
    rules = _WHOLE_TOP_K if names.whole_top_k else _RULES
    for name, value in parameters.items():
        if name in rules:
            attribute, usual, low, high, read = rules[name]
            if type(value) is usual and low < value < high:
                attributes[attribute] = value
            elif (found := read(value)) is not None:
                (texts if usual is None else attributes)[attribute] = found
    if _NEWER in parameters and _OLDER in parameters and (newer := _integer(parameters[_NEWER])) is not None:
        attributes["gen_ai.request.max_tokens"] = newer
    if half.attempt > 1:
        attributes["http.request.resend_count"] = half.attempt - 1
    if half.provider == "openai":
        tier = parameters.get("service_tier")
        if tier != "auto" and tier and type(tier) is str:
            texts["openai.request.service_tier"] = tier


def _number(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) > LARGEST:
        return None
    return float(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST:
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


def _modality(value: Any) -> str | None:
    """What is asked for besides text, which is no more than usual."""
    wanted = value if isinstance(value, list) else ()
    return next((kind for name, kind in (("audio", "speech"), ("image", "image")) if name in wanted), None)


def _reasoning_level(value: Any) -> str | None:
    return _string(value.get("effort")) if isinstance(value, dict) else None


_Rule = tuple[str, Any, float, float, Callable[[Any], AttributeValue | None]]
"""The attribute, the type and the limits of the numbers that are taken as they are, and how anything else is read."""

_DOUBLE: Final = (float, -(2.0**63), 2.0**63)
_INTEGER: Final = (int, -(2**30) + 1, 2**30 - 1)  # greater ones are slow to compare with, and rare
_OTHER: Final = (None, 0, 0)

_RULES: dict[str, _Rule] = {
    "temperature": ("gen_ai.request.temperature", *_DOUBLE, _number),
    "top_p": ("gen_ai.request.top_p", *_DOUBLE, _number),
    "top_k": ("gen_ai.request.top_k", *_DOUBLE, _number),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", *_DOUBLE, _number),
    "presence_penalty": ("gen_ai.request.presence_penalty", *_DOUBLE, _number),
    "max_tokens": ("gen_ai.request.max_tokens", *_INTEGER, _integer),
    "max_completion_tokens": ("gen_ai.request.max_tokens", *_INTEGER, _integer),
    "seed": ("gen_ai.request.seed", *_INTEGER, _integer),
    "stop": ("gen_ai.request.stop_sequences", *_OTHER, _strings),
    "n": ("gen_ai.request.choice.count", *_OTHER, _choice_count),
    "response_format": ("gen_ai.output.type", *_OTHER, _output_type),
    "modalities": ("gen_ai.output.type", *_OTHER, _modality),
    "reasoning_effort": ("gen_ai.request.reasoning.level", *_OTHER, _string),
    "reasoning": ("gen_ai.request.reasoning.level", *_OTHER, _reasoning_level),
    "previous_response_id": ("gen_ai.request.previous_response.id", *_OTHER, _string),
}
_WHOLE_TOP_K: dict[str, _Rule] = {**_RULES, "top_k": ("gen_ai.request.top_k", *_INTEGER, _integer)}
_OLDER, _NEWER = "max_tokens", "max_completion_tokens"
