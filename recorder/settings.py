"""What a user can set, gathered in frozen values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_STORE = "sqlite:///recorder.db"
DEFAULT_QUEUE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RedactionRules:
    """One's own secrets, redacted besides those that recorder always knows.

    `headers`, `query` and `fields` are names (header, query parameter, JSON field), compared without
    regard to case; `patterns` are regular expressions for secrets that show by their shape. `keep`
    takes names out of the built-in lists.
    """

    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a Recorder.

    `providers` maps a host, or `host:port`, to a provider name. `record_paths` are path endings that
    are recorded besides chat completions (`"*"` for all). `queue_bytes` bounds the memory of records
    on their way to the store; what does not fit is counted as lost. `strict` raises recorder's own
    failures instead of logging them, for tests.
    """

    store: str = DEFAULT_STORE
    providers: Mapping[str, str] = field(default_factory=dict)
    record_paths: tuple[str, ...] = ()
    include_usage: bool = False
    redact: RedactionRules | None = field(default_factory=RedactionRules)
    queue_bytes: int = DEFAULT_QUEUE_BYTES
    strict: bool = False


def default_store() -> str:
    """`$RECORDER_STORE`, else a SQLite file in the working directory."""
    return os.environ.get("RECORDER_STORE") or DEFAULT_STORE
