"""What is wrong with a span, a metric or an event, by the table in conventions.toml."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from recorder.call import Call

from .otel import Event, Point

TABLE = tomllib.loads(Path(__file__).with_name("conventions.toml").read_text(encoding="utf-8"))
_ATTRIBUTES: dict[str, Any] = TABLE["attributes"]
_TYPES: dict[str, Any] = {
    "string": lambda value: type(value) is str and value != "",
    "int": lambda value: type(value) is int,
    "double": lambda value: type(value) is float,
    "boolean": lambda value: type(value) is bool,
    "string[]": lambda value: isinstance(value, tuple | list) and all(type(item) is str for item in value),
    "json": lambda value: isinstance(value, str | tuple | list),
}


def span_faults(span: ReadableSpan, call: Call, version: str) -> Iterator[str]:
    """All that the conventions have against the span of a call."""
    attributes = dict(span.attributes or {})
    model = attributes.get("gen_ai.request.model")
    operation = attributes.get("gen_ai.operation.name")
    if span.name != (f"{operation} {model}" if model else operation):
        yield f"name {span.name!r}"
    if span.kind.name != TABLE["span"]["kind"]:
        yield f"kind {span.kind}"
    failed = call.error is not None
    if span.status.status_code is not (StatusCode.ERROR if failed else StatusCode.UNSET):
        yield f"status {span.status.status_code}"
    if span.events:
        yield "span events"
    yield from attribute_faults(attributes, call, version)


def attribute_faults(
    attributes: Mapping[str, Any], call: Call, version: str, *, structured: bool = False
) -> Iterator[str]:
    """What is wrong with names, types, values and levels."""
    for name, value in attributes.items():
        rule = _ATTRIBUTES.get(name)
        if rule is None or rule.get("only", version) != version:
            yield f"{name} is not of {version}"
            continue
        kind = rule.get(version, rule["type"])
        if not _TYPES[kind](value):
            yield f"{name} is no {kind}: {value!r}"
        if "values" in rule and value not in rule["values"]:
            yield f"{name} cannot be {value!r}"
        if rule.get("provider", call.request.provider) != call.request.provider:
            yield f"{name} is only for {rule['provider']}"
        if "items" in rule:
            yield from _content_faults(name, value, rule["items"], structured=structured)
    for name, rule in _ATTRIBUTES.items():
        if rule["level"] == "required" and name not in attributes:
            yield f"{name} is missing"
        if rule["level"] == "conditional" and (name in attributes) != _applies(rule["when"], call):
            yield f"{name} is {'there' if name in attributes else 'missing'}"


def _applies(when: str, call: Call) -> bool:
    """Whether a conditional attribute is to be there."""
    asked, given = call.request, call.request.parameters
    openai = asked.provider == "openai"
    output = given.get("response_format")
    return {
        "always": True,
        "never": False,
        "failed": call.error is not None,
        "model": asked.model is not None,
        "stream": asked.stream,
        "seed": type(given.get("seed")) is int,
        "top_k": type(given.get("top_k")) in (int, float),
        "choice_count": type(given.get("n")) is int and given["n"] != 1,
        "output_type": (
            isinstance(output, dict) and output.get("type") in ("json_object", "json_schema", "text")
        )
        or not {"audio", "image"}.isdisjoint(given.get("modalities") or ()),
        "openai_request_tier": openai and given.get("service_tier") not in (None, "", "auto"),
        "openai_response_tier": openai and call.answer.service_tier is not None,
    }[when]


def _content_faults(name: str, value: Any, kind: str, *, structured: bool) -> Iterator[str]:
    if structured == isinstance(value, str):
        yield f"{name} is {'a string' if structured else 'structured'}"
        return
    items = value if structured else json.loads(value)
    if not items:
        yield f"{name} is empty"
    for item in items:
        if kind in ("message", "answer"):
            if type(item.get("role")) is not str or (kind == "answer" and not item.get("finish_reason")):
                yield f"{name}: role or finish reason in {item!r}"
            for part in item["parts"]:
                yield from _part_faults(name, part)
        elif kind == "tool":
            if type(item.get("name")) is not str or type(item.get("type")) is not str:
                yield f"{name}: {item!r}"
        else:
            yield from _part_faults(name, item)


def _part_faults(name: str, part: Any) -> Iterator[str]:
    wanted = TABLE["parts"].get(part["type"], ())
    if any(part.get(field) is None for field in wanted):
        yield f"{name}: a {part['type']} lacks {wanted}"
    if "modality" in part and part["modality"] not in TABLE["modalities"]["values"]:
        yield f"{name}: modality {part['modality']!r}"


def metric_faults(name: str, point: Point, version: str) -> Iterator[str]:
    """What is wrong with one data point."""
    rule = TABLE["metrics"].get(name)
    if rule is None or rule["only"] != version:
        yield f"{name} is not of {version}"
        return
    if point.unit != rule["unit"]:
        yield f"{name} in {point.unit}"
    if "buckets" in rule and list(point.bounds) != TABLE["buckets"][rule["buckets"]]:
        yield f"{name} has buckets {point.bounds}"
    required = rule.get("required", {})
    allowed = {*TABLE["metric_attributes"]["common"], *rule.get("more", ()), *required}
    if extra := point.attributes.keys() - allowed:
        yield f"{name} has {extra}"
    for each in TABLE["metric_attributes"]["required"]:
        if each not in point.attributes:
            yield f"{name} lacks {each}"
    for each, values in required.items():
        if point.attributes.get(each) not in values:
            yield f"{name}: {each} is {point.attributes.get(each)!r}"


def event_faults(event: Event, call: Call, version: str) -> Iterator[str]:
    """What is wrong with one event."""
    rule = TABLE["events"].get(event.name)
    if rule is None:
        yield f"event {event.name!r} is unknown"
    elif rule["attributes"] == "span":
        yield from attribute_faults(event.attributes, call, version, structured=True)
    else:
        if event.severity != rule["severity"]:
            yield f"severity {event.severity}"
        if not set(rule["required"]) <= event.attributes.keys() <= set(rule["attributes"]):
            yield f"{event.name} has {sorted(event.attributes)}"
