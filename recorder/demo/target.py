"""The endpoint that the demo talks to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint with its models; without `gateway_url`, calls for the local upstream are left out."""

    base_url: str
    api_key: str
    model: str
    reasoning_model: str
    gateway_url: str | None = None

    @property
    def local(self) -> bool:
        """Whether this is the demo's own upstream."""
        return self.gateway_url is not None

    @property
    def providers(self) -> dict[str, str]:
        """Provider names for the upstream's two ports, which no one could tell from their hosts."""
        if self.gateway_url is None:
            return {}
        return {
            urlsplit(self.base_url).netloc: "deepseek",
            urlsplit(self.gateway_url).netloc: "deepseek-onprem",
        }
