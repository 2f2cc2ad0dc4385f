"""What decides the price of a stored call: read from its row, and once from its payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from ..body import read_answer
from ..call import Usage
from ..dialects import dialect_for
from ..exchange import Exchange, endpoint
from ..guard import Guard
from ..pricing import Subject
from ..pricing.reported import reported_cost
from ..pricing.subject import total_tokens
from .content.reading import Reader
from .rows import name_text
from .tables import calls

COST = ("cost_pico", "currency", "cost_source", "price_id", "cost_note")
FACTS = ("total_tokens", "service_tier")
SAVED = "cache_saved_pico"
_c = calls.c
COLUMNS = (
    *(_c.seq, _c.id, _c.provider, _c.host, _c.response_model, _c.request_model, _c.model_id, _c.replayed),
    *(_c.started_us, _c.duration_us, _c.http_status, _c.usage_source, _c.total_tokens, _c.service_tier),
    *(_c.input_tokens, _c.cached_tokens, _c.cache_write_tokens, _c.output_tokens, _c.reasoning_tokens),
    *(_c[name] for name in (*COST, SAVED)),
)
"""The columns of a call that its price needs, and those that keep its cost."""


def subject_of_row(row: Mapping[Any, Any]) -> Subject:
    """What decides the price of a call, as far as its row knows."""
    usage = Usage(
        row["input_tokens"],
        row["cached_tokens"],
        row["cache_write_tokens"],
        row["output_tokens"],
        row["reasoning_tokens"],
    )
    status = row["http_status"]
    return Subject(
        provider=row["provider"],
        host=row["host"],
        served_model=row["response_model"],
        requested_model=row["request_model"],
        gateway_model=row["model_id"],
        usage=usage if row["usage_source"] == "provider" else None,
        total_tokens=row["total_tokens"],
        started_us=row["started_us"],
        ended_us=row["started_us"] + row["duration_us"],
        service_tier=row["service_tier"],
        succeeded=status is not None and status < 400,
    )


def read_wires(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the rows of calls that never were priced cannot tell: what the answers themselves say about cost."""
    found: dict[str, dict[str, Any]] = {}
    if not ids:
        return found
    guard = Guard()
    named = connection.execute(select(_c.id, _c.provider).where(_c.id.in_(ids)))
    providers = {row.id: row.provider for row in named}
    for id, payload in Reader(connection).read(ids).items():
        with guard:
            found[id] = _read_wire(payload.exchange(), providers[id])
    return found


def _read_wire(exchange: Exchange, provider: str) -> dict[str, Any]:
    """The fields of a subject that an exchange tells and a row does not."""
    dialect = dialect_for(exchange.request.method, endpoint(exchange.request.url)[2], ("*",))
    assert dialect is not None, "every path has a dialect where all are asked for"
    half = dialect.read_request(exchange.request, provider)
    answer = dialect.read_answer(exchange, read_answer(exchange), half)
    headers = exchange.head.headers if exchange.head is not None else ()
    return {
        "reported": reported_cost(provider, answer.raw_usage, headers),
        "total_tokens": total_tokens(answer.raw_usage),
        "service_tier": name_text(answer.service_tier),
    }
