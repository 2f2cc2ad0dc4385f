"""Whether a dashboard is what Grafana's own schema says, as the models that are generated from it have it.

The models read what they know and mind no value's type: what they lose is unknown to the schema, and what they kept is
compared with the types that they declare.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

_MODELS = "grafana_foundation_sdk.models."


def faults(dashboard: dict[str, Any]) -> list[str]:
    """What Grafana's schema does not know of a dashboard, or has with another type."""
    reason = "grafana-foundation-sdk is not installed"
    model = pytest.importorskip(f"{_MODELS}dashboard", reason=reason).Dashboard
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder").JSONEncoder
    pytest.importorskip("grafana_foundation_sdk.cog.plugins").register_default_plugins()
    read = model.from_json(dashboard)
    again = json.loads(encoder().encode(read))
    return [*_lost(dashboard, again, ""), *_wrong(read, "")]


def _lost(raw: Any, again: Any, place: str) -> Iterator[str]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key in again:
                yield from _lost(value, again[key], f"{place}/{key}")
            else:
                yield f"{place}/{key} is unknown"
    elif isinstance(raw, list):
        for number, (value, other) in enumerate(zip(raw, again, strict=True)):
            yield from _lost(value, other, f"{place}/{number}")
    elif raw != again:
        yield f"{place} is {again!r} when it is read"


def _wrong(value: Any, place: str) -> Iterator[str]:
    """The attributes of a model, and of those inside it, that are not of their declared type."""
    if type(value).__module__.startswith(_MODELS) and not isinstance(value, Enum):
        for name, hint in get_type_hints(type(value)).items():
            held = getattr(value, name)
            if _fits(held, hint):
                yield from _wrong(held, f"{place}/{name}")
            else:
                yield f"{place}/{name} is {held!r}, not {hint}"
    elif isinstance(value, dict | list):
        for key, held in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _wrong(held, f"{place}/{key}")


def _fits(value: Any, hint: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in inside)
    if origin is Literal:
        return value in inside
    if origin is list:
        return isinstance(value, list) and all(_fits(each, inside[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(each, inside[1]) for each in value.values())
    if issubclass(hint, Enum):
        return value in [each.value for each in hint]
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)
