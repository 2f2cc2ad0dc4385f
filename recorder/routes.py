"""Which requests are recorded, how they are read, and who answers them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from .dialects import Dialect, dialect_for, provider_for
from .exchange import endpoint
from .settings import Settings


class Route(NamedTuple):
    """How requests of one method and URL are read, and who answers them."""

    dialect: Dialect
    provider: str


class Routes:
    """The routes by the settings of one recorder; clients ask the same few URLs, whose routes are remembered."""

    def __init__(self, settings: Settings) -> None:
        self._providers = settings.providers
        self._record_paths = settings.record_paths
        self.find = lru_cache(maxsize=1024)(self._find)
        self.find_any = lru_cache(maxsize=1024)(self._find_any)

    def provider(self, url: str) -> str:
        """Who answers at a URL."""
        host, port, _ = endpoint(url)
        return provider_for(host, port, self._providers)

    def _find(self, method: str, url: str) -> Route | None:
        """How to read such a request, or None where it is to pass through unrecorded."""
        return self._route(method, url, self._record_paths)

    def _find_any(self, method: str, url: str) -> Route | None:
        """How to read a request that is recorded already, whatever its path."""
        return self._route(method, url, ("*",))

    def _route(self, method: str, url: str, record_paths: tuple[str, ...]) -> Route | None:
        dialect = dialect_for(method, unquote(endpoint(url)[2]), record_paths)
        return None if dialect is None else Route(dialect, self.provider(url))
