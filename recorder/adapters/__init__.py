"""Adapters: the transport, written once over what httpx and httpx2 share and bound to each."""

from .clients import unwrap_clients, wrap_clients, wrap_transport
from .install import install, uninstall

__all__ = ["install", "uninstall", "unwrap_clients", "wrap_clients", "wrap_transport"]
