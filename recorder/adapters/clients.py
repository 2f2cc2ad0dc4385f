"""Wrap clients in place: their transports, those of mounted proxies, and clients that SDK objects hold."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from ..capture import qualified_name
from ..cassettes import Session
from ..errors import WrapError
from ..recording import Recording
from .transport import RecordingTransport

_LIBRARIES = ("httpx", "httpx2")

# Where SDK objects keep their clients: openai, anthropic, groq, together, ollama (_client); mistral
# (sdk_configuration.client, .async_client); langchain (root_client, root_async_client, client, async_client);
# llama-index (_client, _aclient); google-genai (_api_client._httpx_client, ._async_httpx_client); cohere
# (_client_wrapper.httpx_client).
_HOLDERS = (
    "_client",
    "_async_client",
    "_aclient",
    "client",
    "async_client",
    "root_client",
    "root_async_client",
    "sdk_configuration",
    "_api_client",
    "_client_wrapper",
    "_httpx_client",
    "_async_httpx_client",
    "httpx_client",
    "async_httpx_client",
    "http_client",
    "http_async_client",
    "_http_client",
    "provider",
    "_provider",
)
_DEPTH = 5
_BASES = ("BaseTransport", "AsyncBaseTransport", "Client", "AsyncClient")

_classes: dict[type, Any] = {}


def wrap_clients(holder: Any, recording: Recording, session: Session | None = None) -> list[Any]:
    """Put a recording transport into every client that `holder` is or holds; those that have one stay as they are.

    Gives the clients. Raises WrapError where there is none.
    """
    return _each_transport(holder, lambda transport: wrap_transport(transport, recording, session))


def unwrap_clients(holder: Any, recording: Recording, session: Session | None = None) -> None:
    """Take out what `wrap_clients` put in; clients that were never wrapped stay as they are."""
    _each_transport(holder, lambda transport: _without(transport, recording, session))


def wrap_transport(transport: Any, recording: Recording, session: Session | None = None) -> Any:
    """A recording transport around this one, sync or async as it is, both if it is both."""
    if _holds(transport, recording, session):
        return transport
    kind = type(transport)
    if (wrapping := _classes.get(kind)) is None:
        wrapping = _classes[kind] = _transport_class(kind)
    return wrapping(transport, recording, session)


def keeps_store(transport: Any, store: str) -> bool:
    """Whether calls through this transport are recorded in a store already, by whichever recorder."""
    return any(each.recording.active and each.recording.settings.store == store for each in _chain(transport))


def belongs_to_cassette(transport: Any) -> bool:
    """Whether this transport was made for a cassette, by `cassette.wrap` or `cassette.transport`."""
    return any(each.session is not None for each in _chain(transport))


def find_clients(holder: Any) -> list[Any]:
    """Every httpx and httpx2 client that an object is or holds, each once."""
    found: list[Any] = []
    seen: set[int] = set()
    level = [holder]
    for _ in range(_DEPTH):
        deeper: list[Any] = []
        for each in level:
            if id(each) in seen:
                continue
            seen.add(id(each))
            if is_client(each):
                found.append(each)
            else:
                deeper += _held(each)
        level = deeper
    return found


def is_client(candidate: Any) -> bool:
    """Whether this is a client of either library, told from its class, since `import httpx` can be httpx2."""
    return (
        _library_of(type(candidate)) is not None
        and hasattr(candidate, "_transport")
        and hasattr(candidate, "_mounts")
    )


def _held(holder: Any) -> Iterator[Any]:
    if isinstance(holder, (str, bytes, int, float, ModuleType, type)) or holder is None:
        return
    for name in _HOLDERS:
        try:
            value = getattr(holder, name, None)
        except Exception:  # noqa: BLE001 - a property of a stranger's object
            continue
        if value is not None:
            yield value


def _each_transport(holder: Any, change: Callable[[Any], Any]) -> list[Any]:
    clients = find_clients(holder)
    if not clients:
        raise WrapError(
            f"{qualified_name(type(holder))} holds no httpx or httpx2 client that recorder can find; "
            "pass its client itself, give the SDK http_client=rec.wrap(httpx2.Client()), or use rec.install()"
        )
    for client in clients:
        client._transport = change(client._transport)
        for pattern, transport in client._mounts.items():
            if transport is not None:  # None means: no proxy here
                client._mounts[pattern] = change(transport)
    return clients


def _chain(transport: Any) -> Iterator[RecordingTransport]:
    """Our transports, from the outside in."""
    while isinstance(transport, RecordingTransport):
        yield transport
        transport = transport.inner


def _holds(transport: Any, recording: Recording, session: Session | None) -> bool:
    return any(each.recording is recording and each.session is session for each in _chain(transport))


def _without(transport: Any, recording: Recording, session: Session | None) -> Any:
    outer: RecordingTransport | None = None
    for each in _chain(transport):
        if each.recording is recording and each.session is session:
            if outer is None:
                return each.inner
            outer.inner = each.inner
            return transport
        outer = each
    return transport


def _transport_class(inner: type) -> Any:
    library = _library_of(inner)
    if library is None:  # a transport by its methods alone: bind to the one library that is there
        loaded = [name for name in _LIBRARIES if name in sys.modules]
        if len(loaded) != 1:
            raise WrapError(
                f"{inner.__qualname__} is a transport of neither httpx nor httpx2; derive it from BaseTransport"
            )
        library = loaded[0]
    binding = import_module(f".for_{library}", __package__)
    is_sync, is_async = hasattr(inner, "handle_request"), hasattr(inner, "handle_async_request")
    if is_sync and is_async:
        return binding.DualTransport
    if not is_sync and not is_async:
        raise WrapError(
            f"{inner.__qualname__} is no transport: it has neither handle_request nor handle_async_request"
        )
    return binding.AsyncTransport if is_async else binding.SyncTransport


def _library_of(kind: type) -> str | None:
    """The library that a client or transport belongs to, by its bases: openai claims some of their names for itself."""
    for name in _LIBRARIES:
        library = sys.modules.get(name)
        bases = tuple(base for each in _BASES if isinstance(base := getattr(library, each, None), type))
        if library is not None and issubclass(kind, bases):
            return library.__name__  # `httpx2.alias_httpx()` puts httpx2 under both names
    return None
