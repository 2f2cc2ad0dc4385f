"""Reads the options that people give vcrpy (`vcr_config`, the arguments of `@pytest.mark.vcr`) as rules of replay."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..errors import CassetteError
from ..exchange import Exchange, Request
from .vcr_filters import (
    RequestHook,
    body_filter,
    decoded,
    header_filter,
    host_filter,
    query_filter,
    replacements,
)
from .vcr_loading import InteractionHook, hooks, load_hooks, run_hooks, save_hooks
from .vcr_matchers import DEFAULT, MATCHERS, VcrMatcher
from .vcr_request import VcrRequest, response_dict, to_vcr, with_request, with_response

ResponseHook = Callable[[dict[str, Any]], dict[str, Any] | None]

_READ = {
    "match_on", "additional_matchers", "filter_headers", "filter_query_parameters", "filter_post_data_parameters",
    "filter_nested_post_data_parameters", "before_record", "before_record_request", "before_record_response",
    "ignore_hosts", "ignore_localhost", "decode_compressed_response", "allow_playback_repeats", "path_transformer",
    "cassette_library_dir", "serializer", "filter_sensitive_data", "after_load_interaction", "before_save_interaction",
    "persister",
}  # fmt: skip
_NOTED = {
    "record_mode": "the cassette is only replayed",
    "custom_patches": "clients are covered by wrapping or installing",
}
_RECORDING = {
    "drop_unused_requests", "record_on_exception", "inject_cassette", "func_path_generator",
    "skip_patchers", "allowed_hosts", "path",
}  # fmt: skip
KEYWORDS = frozenset((*_READ, *_NOTED, *_RECORDING))
"""What vcrpy's `use_cassette` and pytest-recording's marker take."""


class VcrRegistry:
    """What `pytest_recording_configure(config, vcr)` gets as `vcr`: remembers what is registered and set.

    As with vcrpy's, options can be set as attributes (`vcr.match_on = [...]`); they count where nobody says otherwise.
    """

    def __init__(self) -> None:
        self.matchers: dict[str, VcrMatcher] = dict(MATCHERS)
        self.serializers: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        """An option that was not set, as vcrpy has it by default."""
        if name not in KEYWORDS:
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        if name == "match_on":
            return DEFAULT
        return () if name.startswith(("filter_", "ignore_hosts")) else None

    @property
    def options(self) -> dict[str, Any]:
        """The options that were set."""
        return {name: value for name, value in vars(self).items() if name in KEYWORDS}

    def register_matcher(self, name: str, matcher: VcrMatcher) -> None:
        """A matcher that `match_on` may then name."""
        self.matchers[name] = matcher

    def register_serializer(self, name: str, serializer: Any) -> None:
        """A reader that the option `serializer` may then name; its `deserialize` is used."""
        self.serializers[name] = serializer

    def register_persister(self, persister: Any) -> None:
        """A reader of whole cassettes; its `load_cassette` is used."""
        self.persister = persister


class VcrConfig(Struct, frozen=True):
    """vcrpy's options, as far as they bear on what is kept and compared; `notes` say what has no effect.

    `matchers` are the functions of `match_on`, by name.
    """

    matchers: tuple[tuple[str, VcrMatcher], ...] = tuple((name, MATCHERS[name]) for name in DEFAULT)
    load_hooks: tuple[InteractionHook, ...] = ()
    save_hooks: tuple[InteractionHook, ...] = ()
    request_hooks: tuple[RequestHook, ...] = ()
    response_hooks: tuple[ResponseHook, ...] = ()
    allow_playback_repeats: bool = False
    path_transformer: Callable[[Any], Any] | None = None
    library: str = ""
    serializer: Any = None
    persister: Any = None
    notes: tuple[str, ...] = ()

    @property
    def alters(self) -> bool:
        """Whether calls are kept or compared otherwise than they were."""
        return bool(self.load_hooks or self.save_hooks or self.request_hooks or self.response_hooks)

    @property
    def compares_headers(self) -> bool:
        """Whether all headers of requests are compared."""
        return any(matcher is MATCHERS["headers"] for _, matcher in self.matchers)

    def path(self, path: str | os.PathLike[str]) -> str:
        """Where a cassette of this name lies."""
        given = os.fspath(path)
        if self.path_transformer is not None:
            given = os.fspath(self.path_transformer(given))
        return (
            os.path.join(self.library, given)
            if self.library and not given.startswith(self.library)
            else given
        )

    def filtered(self, request: Request) -> VcrRequest | None:
        """A request as it is compared; None where the options ignore it, and it should go live."""
        made: Any = to_vcr(request)
        for hook in self.request_hooks:
            if made is None:
                break
            made = hook(made)
        return made or None

    def ignores(self, request: Request) -> bool:
        """Whether such a request is none of the cassette's business."""
        return bool(self.request_hooks) and self.filtered(request) is None

    def loaded(self, exchange: Exchange) -> Exchange | None:
        """A recording as the hooks on loading leave it; None where they drop it."""
        return run_hooks(self.load_hooks, exchange) if self.load_hooks else exchange

    def saved(self, exchange: Exchange) -> Exchange | None:
        """A recording as the hooks on saving leave it; None where they drop it."""
        return run_hooks(self.save_hooks, exchange) if self.save_hooks else exchange

    def request(self, request: Request) -> Request | None:
        """A request as it is kept and compared; None where the options ignore it."""
        if not self.request_hooks:
            return request
        return None if (made := self.filtered(request)) is None else with_request(request, made)

    def recorded(self, exchange: Exchange) -> Exchange | None:
        """A recording as it is kept and played; None where the options drop it."""
        if (request := self.request(exchange.request)) is None:
            return None
        if request is not exchange.request:
            exchange = _asked_by(exchange, request)
        if not self.response_hooks or exchange.head is None:
            return exchange
        response: dict[str, Any] | None = response_dict(exchange)
        for hook in self.response_hooks:
            if response is None:
                return None
            response = hook(response)
        return None if response is None else with_response(exchange, response)


def vcr_config(options: Mapping[str, Any], registry: VcrRegistry | None = None) -> VcrConfig:
    """The options read; `registry` knows matchers and serializers of one's own, and options where these say nothing.

    Raises CassetteError for a matcher that nobody registered.
    """
    registry = registry or VcrRegistry()
    options = {**registry.options, **options}
    names = (*_several(options.get("match_on", DEFAULT)), *_several(options.get("additional_matchers", ())))
    notes = [f"{name} has no effect: {why}" for name, why in _NOTED.items() if options.get(name)]
    unknown = sorted(options.keys() - _READ - _NOTED.keys() - _RECORDING)
    return VcrConfig(
        matchers=tuple(_matcher(name, registry) for name in names),
        load_hooks=load_hooks(options),
        save_hooks=save_hooks(options),
        request_hooks=tuple(_request_hooks(options)),
        response_hooks=(
            *((decoded,) if options.get("decode_compressed_response") else ()),
            *hooks(options.get("before_record_response")),
        ),
        allow_playback_repeats=bool(options.get("allow_playback_repeats")),
        path_transformer=options.get("path_transformer"),
        library=os.fspath(options.get("cassette_library_dir") or ""),
        serializer=registry.serializers.get(options.get("serializer", "yaml")),
        persister=options.get("persister"),
        notes=(*notes, *(f"{name} is not known, and has no effect" for name in unknown)),
    )


def _asked_by(exchange: Exchange, request: Request) -> Exchange:
    """The exchange with this request, whose URL stands also where an error's message quotes the former one."""
    asked, ending = exchange.request, exchange.ending
    if asked.url != request.url and ending.message is not None and asked.url in ending.message:
        ending = replace(ending, message=ending.message.replace(asked.url, request.url))
    return replace(exchange, request=request, ending=ending)


def _request_hooks(options: Mapping[str, Any]) -> Iterable[RequestHook]:
    """In vcrpy's order."""
    if names := options.get("filter_headers"):
        yield header_filter(replacements(names))
    if names := options.get("filter_query_parameters"):
        yield query_filter(replacements(names))
    if names := options.get("filter_post_data_parameters"):
        yield body_filter(replacements(names), bool(options.get("filter_nested_post_data_parameters")))
    if options.get("ignore_hosts") or options.get("ignore_localhost"):
        yield host_filter(_several(options.get("ignore_hosts", ())), bool(options.get("ignore_localhost")))
    yield from hooks(options.get("before_record_request", options.get("before_record")))


def _matcher(name: Any, registry: VcrRegistry) -> tuple[str, VcrMatcher]:
    if callable(name):
        return getattr(name, "__name__", repr(name)), name
    if name not in registry.matchers:
        raise CassetteError(
            f"match_on names {name!r}, which is no matcher; there are {', '.join(registry.matchers)}, "
            "and those registered with register_matcher"
        )
    return name, registry.matchers[name]


def _several(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
