"""What a host is: this machine, or one that serves language models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address

from ..dialects import provider_for

_PARTLY = {
    "aws.bedrock": re.compile(r"[^/]*\bbedrock"),
    "cloudflare": re.compile(r"gateway\.ai\.|[^/]*/.*/ai/"),
    "databricks": re.compile(r"[^/]*/(serving-endpoints|ai-gateway)\b"),
    "snowflake": re.compile(r"[^/]*/.*/cortex/"),
    "volcengine": re.compile(r"ark\.|.*\.ark\."),
}
"""What of the hosts of those who serve much else besides is a language model's: host and path begin so."""

NO_CALLS = ("/v1/traces/ingest",)
"""Paths of these hosts that no model answers: where OpenAI Agents send their traces, from a thread and at any time."""


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine itself."""
    host = host.strip("[]").rstrip(".").lower()
    if host in ("", "localhost", "ip6-localhost") or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or address.is_unspecified or (mapped is not None and mapped.is_loopback)


def serves_models(host: str, port: int, path: str, named: Mapping[str, str]) -> bool:
    """Whether this is where a known provider, or one of the user's own `named` ones, serves language models."""
    host = host.rstrip(".")
    provider = provider_for(host, port, named)
    if provider == host.lower() and not named.keys() & {host, f"{host}:{port}"}:
        return False
    if provider_for(host, port, {}) != provider:
        return True
    partly = _PARTLY.get(provider)
    return partly is None or partly.match(f"{host}{path}") is not None
