"""vcrpy's hooks on interactions that are saved or loaded: placeholders for values, and a suite's own functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from ..body import decode_request
from ..exchange import Exchange
from .vcr_request import VcrRequest, response_dict, to_vcr, with_request, with_response

InteractionHook = Callable[..., Any]
"""Takes request and response, and maybe the cassette; gives both, or None for one that is not played."""


def load_hooks(options: Mapping[str, Any]) -> tuple[InteractionHook, ...]:
    """`filter_sensitive_data` first, then `after_load_interaction`, as vcrpy has them."""
    return (*_sensitive(options, hide=False), *hooks(options.get("after_load_interaction")))


def save_hooks(options: Mapping[str, Any]) -> tuple[InteractionHook, ...]:
    """`before_save_interaction` first, then `filter_sensitive_data`, as vcrpy has them."""
    return (*hooks(options.get("before_save_interaction")), *_sensitive(options, hide=True))


def hooks(given: Any) -> tuple[Any, ...]:
    """The functions that an option names: one, several or none."""
    return () if given is None else tuple(given) if isinstance(given, Iterable) else (given,)


def run_hooks(hooks: Iterable[InteractionHook], exchange: Exchange) -> Exchange | None:
    """The exchange as the hooks leave it; None where one of them drops it.

    Of one that failed they get the error's message too, as the response's `error`.
    """
    request: Any = to_vcr(exchange.request)
    response: Any = response_dict(exchange)
    if (message := exchange.ending.message) is not None:
        response["error"] = message
    for hook in hooks:
        made = hook(request, response, None) if _takes_cassette(hook) else hook(request, response)
        if made is None:
            return None
        request, response = made
    changed = with_request(exchange.request, request)
    if changed != exchange.request:
        exchange = replace(exchange, request=changed)
    if (told := response.get("error", message)) != message:
        exchange = replace(exchange, ending=replace(exchange.ending, message=told))
    return with_response(exchange, response)


def _sensitive(options: Mapping[str, Any], *, hide: bool) -> tuple[InteractionHook, ...]:
    """What puts placeholders for values, or the values back; given are both, or functions of request and response."""
    given = options.get("filter_sensitive_data")
    if not given:
        return ()
    pairs = list(given.items() if isinstance(given, Mapping) else given)

    def swap(request: VcrRequest, response: Any) -> tuple[VcrRequest, Any]:
        for placeholder, value in pairs:
            value = value(request, response) if callable(value) else value
            if value is not None and str(placeholder) and str(value):
                old, new = (value, placeholder) if hide else (placeholder, value)
                request, response = _readable(request, response, str(old).encode())
                request = VcrRequest._from_dict(_replaced(request._to_dict(), str(old), str(new)))
                response = _replaced(response, str(old), str(new))
        return request, response

    return (swap,)


def _readable(request: VcrRequest, response: Any, text: bytes) -> tuple[VcrRequest, Any]:
    """Both, without the content encoding of a body that holds this text: files show bodies decoded."""
    if isinstance(request.body, bytes):
        headers, body = _decoded(request.headers, request.body, text)
        if body is not request.body:
            request = VcrRequest(request.method, request.uri, body, headers)
    if isinstance(sent := response["body"]["string"], bytes):
        headers, body = _decoded(response["headers"], sent, text)
        if body is not sent:
            response = {**response, "headers": headers, "body": {**response["body"], "string": body}}
    return request, response


def _decoded(headers: Mapping[str, Any], body: bytes, text: bytes) -> tuple[dict[str, Any], bytes]:
    known = {name.lower(): value for name, value in headers.items()}
    given = known.get("content-encoding")
    encoding = ",".join(given) if isinstance(given, (list, tuple)) else str(given or "")
    plain = decode_request(body, encoding.encode("latin-1", "replace"))
    if plain == body or text not in plain:
        return dict(headers), body
    kept = {name: value for name, value in headers.items() if name.lower() != "content-encoding"}
    for name in kept:
        if name.lower() == "content-length":
            kept[name] = [str(len(plain))]
    return kept, plain


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
