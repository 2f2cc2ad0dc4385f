"""Imported exchanges without their secrets, redacted as a call that is recorded would be."""

from __future__ import annotations

from msgspec.structs import replace

from ..body import read_answer
from ..dialects import dialect_for, provider_for
from ..exchange import Exchange, endpoint
from ..redact import Redactor


def without_secrets(exchange: Exchange, redactor: Redactor) -> Exchange:
    """The exchange as it may be stored; the same object where it held no secret."""
    asked = exchange.request
    request = redactor.request(asked)
    if request is not asked:
        changed = request.body != asked.body or request.url != asked.url
        exchange = replace(exchange, request=request, redacted=exchange.redacted or changed)
    exchange, answer = redactor.exchange(exchange, read_answer(exchange))
    host, port, path = endpoint(request.url)
    dialect = dialect_for(request.method, path, ("*",))
    if dialect is None:
        return exchange
    half = dialect.read_answer(exchange, answer, dialect.read_request(request, provider_for(host, port, {})))
    if (half.streamed and redactor.suspicious(half.texts())) or (
        not half.choices and redactor.splits(answer)
    ):
        exchange, _ = redactor.deltas(exchange, answer)
    return exchange
