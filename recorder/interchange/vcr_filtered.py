"""Cassettes of ours in a suite with vcrpy's options: its filters and hooks decide what is kept and compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from ..cassettes.file import FileCassette
from ..cassettes.source import Change, Recorded, Unread
from ..exchange import Exchange, Request
from ..redact import Redactor
from ..settings import RedactionRules
from .vcr_config import VcrConfig


class FilteredCassette:
    """A `CassetteSource` in a file of ours, whose calls are kept, compared and played as vcrpy's options leave them.

    The filters see calls without their secrets; `redact` is as the cassette has it that asks.
    """

    def __init__(
        self, file: FileCassette, config: VcrConfig, *, redact: RedactionRules | bool = True
    ) -> None:
        self._file = file
        self._config = config
        self._kept_headers: frozenset[bytes] = frozenset()
        self._redactor = Redactor(RedactionRules() if redact is True else redact or None)

    @property
    def name(self) -> str:
        return self._file.name

    def load(self) -> tuple[Recorded, ...] | None:
        """The recordings with all that the hooks on loading put back."""
        return self._loaded(self._file.load())

    def load_lazily(self) -> tuple[Recorded, ...] | None:
        """The same; where hooks on loading want to see them, all is read at once."""
        return self._loaded(self._file.load() if self._config.load_hooks else self._file.load_lazily())

    def save(self, recordings: Sequence[Recorded]) -> None:
        """Replace the file by these recordings, as the hooks on saving leave them."""
        self._file.save(self._saved(recordings))

    def update(self, change: Change) -> None:
        """Load, change and save, while other threads and processes wait."""
        self._file.update(lambda now: self._saved(change(self._loaded(now))))

    def reject(self, recordings: Sequence[Recorded]) -> Path:
        """Write the recordings beside the file; says where."""
        return self._file.reject(self._saved(recordings))

    def keep_headers(self, names: Collection[bytes]) -> None:
        """From now on write these request headers too, since they are compared."""
        self._kept_headers = frozenset(names)
        self._file.keep_headers(names)

    def ignores(self, request: Request) -> bool:
        """Whether the options leave such a request to the network."""
        return self._config.ignores(request)

    def kept_request(self, request: Request) -> Request:
        """A request as it is kept."""
        return self._config.request(request) or request

    def kept_exchange(self, exchange: Exchange) -> Exchange | None:
        """An exchange as it is kept; None where the options drop it."""
        return self._config.recorded(exchange)

    def _loaded(self, recordings: tuple[Recorded, ...] | None) -> tuple[Recorded, ...] | None:
        if recordings is None:
            return None
        if self._config.load_hooks:
            recordings = tuple(
                replace(each, content=self._cleaned(exchange))
                for each in recordings
                if (exchange := self._config.loaded(each.exchange)) is not None
            )
        return tuple(map(self._compared, recordings)) if self._config.request_hooks else recordings

    def _compared(self, recorded: Recorded) -> Recorded:
        """With the request as it is compared, which that of an imported or edited file need not be."""
        if (request := self.kept_request(recorded.request)) == recorded.request:
            return recorded
        content = recorded.content
        if isinstance(content, Unread):
            return replace(recorded, content=Unread(request, content.started_us, content.exchange))
        return replace(recorded, content=replace(content, request=request))

    def _cleaned(self, exchange: Exchange) -> Exchange:
        """With no secret in the request, which is compared with one that has none either."""
        request = self._redactor.request(exchange.request)
        return exchange if request is exchange.request else replace(exchange, request=request)

    def _saved(self, recordings: Iterable[Recorded]) -> list[Recorded]:
        saved = [
            replace(each, content=exchange)
            for each in recordings
            if (exchange := self._config.saved(each.exchange)) is not None
        ]
        if self._config.compares_headers:
            sent = (name.lower() for each in saved for name, _ in each.request.headers)
            self._file.keep_headers({*self._kept_headers, *sent})
        return saved
