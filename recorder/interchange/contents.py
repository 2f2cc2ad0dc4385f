"""What a cassette holds, in a line an entry and in a line altogether."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ..call import Call, Outcome, Usage
from ..cassettes import Recorded
from ..exchange import EndingKind, endpoint
from .meaning import read_ended


class Entry(Struct, frozen=True):
    """One recording: what was asked and how it went. `number` counts from 1; unknown is None."""

    number: int
    method: str
    url: str
    recorded_us: int | None
    request_model: str | None
    response_model: str | None
    stream: bool
    http_status: int | None
    outcome: Outcome
    error_type: str | None
    ending: EndingKind
    finish_reasons: tuple[str | None, ...]
    chunks: int
    bytes: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    duration_s: float | None
    lane: int
    credential: int
    call_id: str

    @property
    def model(self) -> str | None:
        """The model that answered, else the one that was asked for."""
        return self.response_model or self.request_model

    @property
    def path(self) -> str:
        """The path of the URL, or all of it where it has none."""
        return endpoint(self.url)[2] or self.url

    def plain(self) -> dict[str, Any]:
        """For JSON output: times in seconds, as everywhere."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        started_us = plain.pop("recorded_us")
        return {"number": plain.pop("number"), "recorded_at": _seconds(started_us), **plain}


class Contents(Struct, frozen=True):
    """All entries of a cassette in a few figures; `bytes` are those of bodies, or of its file."""

    entries: int
    first_us: int | None
    last_us: int | None
    bytes: int
    models: tuple[str, ...]
    outcomes: dict[str, int]

    def plain(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "entries": self.entries,
            "first_recorded_at": _seconds(self.first_us),
            "last_recorded_at": _seconds(self.last_us),
            "bytes": self.bytes,
            "models": list(self.models),
            "outcomes": self.outcomes,
        }


def read_entry(number: int, recorded: Recorded) -> tuple[Entry, Call]:
    """One recording as an entry, and the call that it was."""
    exchange = recorded.exchange
    call = read_ended(exchange).call
    usage = call.answer.usage or Usage()
    entry = Entry(
        number,
        exchange.request.method,
        exchange.request.url,
        exchange.started_us or None,
        call.request.model,
        call.answer.model,
        call.answer.streamed,
        call.http_status,
        call.outcome,
        call.error.type if call.error is not None else None,
        exchange.ending.kind,
        call.answer.finish_reasons,
        len(exchange.chunks),
        len(exchange.request.body) + sum(map(len, exchange.chunks)),
        usage.input,
        usage.cached,
        usage.output,
        exchange.ending.at_ns / 1e9 if exchange.ending.at_ns else None,
        recorded.lane,
        recorded.credential,
        recorded.call_id,
    )
    return entry, call


def read_entries(recordings: Sequence[Recorded]) -> list[Entry]:
    """All recordings as entries, in order."""
    return [read_entry(number, recorded)[0] for number, recorded in enumerate(recordings, 1)]


def summarize(entries: Iterable[Entry], size: int | None = None) -> Contents:
    """The figures; `size` is that of the file, where there is one."""
    entries = list(entries)
    times = [entry.recorded_us for entry in entries if entry.recorded_us is not None]
    models = Counter(entry.model for entry in entries if entry.model is not None)
    return Contents(
        len(entries),
        min(times, default=None),
        max(times, default=None),
        sum(entry.bytes for entry in entries) if size is None else size,
        tuple(name for name, _ in models.most_common()),
        dict(Counter(entry.outcome for entry in entries).most_common()),
    )


def _seconds(epoch_us: int | None) -> float | None:
    return None if epoch_us is None else epoch_us / 1e6
