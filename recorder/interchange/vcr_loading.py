"""vcrpy's hooks on interactions that were loaded: values put back for placeholders, and a suite's own functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from ..exchange import Exchange
from .vcr_request import VcrRequest, from_vcr, response_dict, to_vcr, with_response

InteractionHook = Callable[..., Any]
"""Takes request and response, and maybe the cassette; gives both, or None for one that is not played."""


def load_hooks(options: Mapping[str, Any]) -> tuple[InteractionHook, ...]:
    """`filter_sensitive_data` first, then `after_load_interaction`, as vcrpy has them."""
    own = options.get("after_load_interaction")
    hooks = () if own is None else tuple(own) if isinstance(own, Iterable) else (own,)
    hidden = options.get("filter_sensitive_data")
    return (_restoring(hidden), *hooks) if hidden else hooks


def run_hooks(hooks: Iterable[InteractionHook], exchange: Exchange) -> Exchange | None:
    """The exchange as the hooks leave it; None where one of them drops it."""
    request: Any = to_vcr(exchange.request)
    response: Any = response_dict(exchange)
    for hook in hooks:
        made = hook(request, response, None) if _takes_cassette(hook) else hook(request, response)
        if made is None:
            return None
        request, response = made
    return with_response(replace(exchange, request=from_vcr(request)), response)


def _restoring(hidden: Any) -> InteractionHook:
    """Puts values back; `hidden` are placeholders and values, or functions of request and response."""
    pairs = list(hidden.items() if isinstance(hidden, Mapping) else hidden)

    def restore(request: VcrRequest, response: Any) -> tuple[VcrRequest, Any]:
        for placeholder, given in pairs:
            value = given(request, response) if callable(given) else given
            if value is not None and str(placeholder) and str(value):
                text = str(placeholder), str(value)
                request = VcrRequest._from_dict(_replaced(request._to_dict(), *text))
                response = _replaced(response, *text)
        return request, response

    return restore


def _replaced(value: Any, old: str, new: str) -> Any:
    """The value with every text in it changed, at any depth."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, bytes):
        return value.replace(old.encode(), new.encode())
    if isinstance(value, dict):
        return {_replaced(name, old, new): _replaced(item, old, new) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_replaced(item, old, new) for item in value)
    return value


def _takes_cassette(hook: InteractionHook) -> bool:
    try:
        inspect.signature(hook).bind(None, None, None)
    except (TypeError, ValueError):
        return False
    return True
