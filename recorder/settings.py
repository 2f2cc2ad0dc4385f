"""What a user can set, gathered in frozen values."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_STORE = "sqlite:///recorder.db"
DEFAULT_QUEUE_BYTES = 256 * 1024 * 1024


Durability = Literal["process", "power"]
Drain = Literal["thread", "external"]


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
    are recorded besides chat completions (`"*"` for all). `queue_bytes` bounds what waits on its way to
    the store, on disk and in memory; what does not fit is counted as lost. `journal` is a directory for
    journals, False for none, None for the usual place. `durability` says what the journal survives: the
    end of the process, or also a loss of power. `drain` says who carries it into the store: a thread of
    this process, or an external `recorder drain`. Without `store_content` calls are stored as numbers alone;
    `sample_payloads` is the share of calls whose content is stored, or a function that gets a call and says
    whether its is; `keep_error_payloads` stores that of calls that did not go well all the same. `strict`
    raises recorder's own failures instead of logging them, for tests.
    """

    store: str = DEFAULT_STORE
    providers: Mapping[str, str] = field(default_factory=dict)
    record_paths: tuple[str, ...] = ()
    include_usage: bool = False
    redact: RedactionRules | None = field(default_factory=RedactionRules)
    queue_bytes: int = DEFAULT_QUEUE_BYTES
    journal: str | bool | None = None
    durability: Durability = "process"
    drain: Drain = "thread"
    store_content: bool = True
    sample_payloads: float | Callable[[Any], bool] = 1.0
    keep_error_payloads: bool = True
    strict: bool = False


def default_store() -> str:
    """`$RECORDER_STORE`, else a SQLite file in the working directory."""
    return os.environ.get("RECORDER_STORE") or DEFAULT_STORE
