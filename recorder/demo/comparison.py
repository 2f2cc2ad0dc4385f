"""Compare recorded exchanges with their replays, byte by byte, as the store kept both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..exchange import Exchange
    from ..ledger import Store


@dataclass(frozen=True, slots=True)
class Replayed:
    """One recorded call, and whether its replay was equal in status, headers, chunks and ending."""

    title: str
    status: int | None
    chunks: int
    size: int
    ended: str
    equal: bool


def compare_calls(store: Store, cassette: str, replayed_since_us: int) -> list[Replayed]:
    """Every recording of a cassette beside its replay since then; none where their numbers differ."""
    recorded = store.cassette(cassette).load() or ()
    replayed = store.calls(
        limit=None,
        newest_first=False,
        since_us=replayed_since_us,
        where={"cassette": cassette, "replayed": 1},
    )
    if len(recorded) != len(replayed):
        return []
    return [
        _compare(f"{call['request_model']} · {call['provider']}", each.exchange, store.exchange(call["id"]))
        for each, call in zip(recorded, _by_start(replayed), strict=True)
    ]


def _by_start(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(calls, key=lambda call: (call["started_at"], call["seq"]))


def _compare(title: str, exchange: Exchange, again: Exchange) -> Replayed:
    ending = exchange.ending
    ended = ending.exception or ending.kind.replace("_", " ")
    return Replayed(
        title,
        exchange.head.status if exchange.head is not None else None,
        len(exchange.chunks),
        len(exchange.body),
        ended,
        _essence(exchange) == _essence(again),
    )


def _essence(exchange: Exchange) -> tuple[object, ...]:
    """All but the times, and whether the reader or the stream came to the end first."""
    head, ending = exchange.head, exchange.ending
    return (
        exchange.request.method,
        exchange.request.url,
        exchange.request.body,
        (head.status, head.headers, head.http_version, head.reason) if head is not None else None,
        exchange.chunks,
        ending.exception,
        ending.message,
    )
