"""One call, found by what people type and made plain for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..audit.reading import Reading, Wire, read_body, read_call, read_chunks, read_wire
from ..errors import CallNotFound
from .calls import plain_call
from .money import exact_units, plain_cost_change

if TYPE_CHECKING:
    from ..exchange import Headers
    from ..ledger import Store

__all__ = [
    "Reading",
    "Wire",
    "find_call",
    "plain_reading",
    "read_body",
    "read_call",
    "read_chunks",
    "read_wire",
]


def find_call(store: Store, part: str) -> str:
    """The full id that a part of one, or `last`, means. Raises CallNotFound."""
    if part != "last":
        return store.find(part)
    newest = store.calls(limit=1)
    if not newest:
        raise CallNotFound("the store holds no call yet")
    return str(newest[0]["id"])


def plain_reading(reading: Reading, *, headers: bool, chunks: bool) -> dict[str, Any]:
    """The whole for JSON output: the columns of `v_calls` first."""
    plain = plain_call(reading.row)
    if reading.cost is not None:
        plain["cost_lines"] = [
            {"kind": line.kind, "count": line.count, "rate": line.rate, "cost": exact_units(line.pico)}
            for line in reading.cost.lines
        ]
    if reading.cost_changes:
        plain["cost_changes"] = [plain_cost_change(change) for change in reading.cost_changes]
    if (wire := reading.wire) is None:
        return {**plain, "missing": reading.missing}
    exchange = wire.exchange
    plain |= {
        "method": exchange.request.method,
        "url": exchange.request.url,
        "parameters": wire.request.parameters,
        "messages": msgspec.to_builtins(wire.messages),
        "tools": list(wire.tools),
        "choices": msgspec.to_builtins(wire.answer.choices),
        "ending": msgspec.to_builtins(exchange.ending),
    }
    if headers:
        plain["request_headers"] = _plain_headers(exchange.request.headers)
        plain["response_headers"] = None if exchange.head is None else _plain_headers(exchange.head.headers)
    if chunks:
        plain["chunks"] = [
            {"at_s": at, "bytes": size, "text": text} for at, size, text in read_chunks(exchange)
        ]
    return plain


def _plain_headers(headers: Headers) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
