"""Calls as rows of `calls`."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any

import msgspec

from ..call import Call, Usage
from ..exchange import Exchange
from ..pricing.cost import Cost
from ..pricing.subject import total_tokens

# PostgreSQL cannot index a text of more than 2,704 bytes.
_LONGEST_NAME = 500
_LONGEST_MESSAGE = 8_000
_LARGEST_INTEGER = 2**31 - 1
_LARGEST_BIGINT = 2**63 - 1
# No call has that many tokens, and sums of smaller counts stay within 64 bits.
_LARGEST_COUNT = 2**48
_AWKWARD = re.compile("[\x00\ud800-\udfff]")

_encode = msgspec.json.Encoder(enc_hook=str).encode


def call_row(call: Call, exchange: Exchange) -> dict[str, Any]:
    """The row that keeps a call; all columns of `calls` but `seq`, which the database gives. It has no cost yet."""
    request, answer, error = call.request, call.answer, call.error
    usage = answer.usage or Usage()
    row: dict[str, Any] = {
        "id": call.id,
        "operation_id": name_text(call.operation_id),
        "started_us": call.started_us,
        "duration_us": _microseconds(call.duration_ns),
        "first_byte_us": _microseconds(call.first_byte_ns),
        "first_chunk_us": _microseconds(answer.first_chunk_ns),
        "first_reasoning_us": _microseconds(answer.first_reasoning_ns),
        "first_token_us": _microseconds(answer.first_token_ns),
        "dialect": name_text(request.dialect),
        "operation": name_text(request.operation),
        "provider": name_text(request.provider),
        "host": name_text(request.host),
        "request_model": name_text(request.model) or None,
        "response_model": name_text(answer.model) or None,
        "stream": int(request.stream),
        "http_status": _integer(call.http_status),
        "outcome": call.outcome,
        "ending": exchange.ending.kind,
        "error_type": None if error is None else name_text(error.type),
        "error_message": None if error is None else _text(error.message, _LONGEST_MESSAGE),
        "finish_reasons": _json(answer.finish_reasons),
        "input_tokens": _count(usage.input),
        "cached_tokens": _count(usage.cached),
        "cache_write_tokens": _count(usage.cache_write),
        "output_tokens": _count(usage.output),
        "reasoning_tokens": _count(usage.reasoning),
        "usage_source": "none" if answer.usage is None else "provider",
        "cost_pico": None,
        "currency": None,
        "cost_source": "none",
        "attempt": _integer(call.request.attempt) or 1,
        "trace_id": name_text(call.trace_id),
        "span_id": name_text(call.span_id),
        "session_id": name_text(call.session_id),
        "user_id": name_text(call.user_id),
        "tags": _json(call.tags),
        "replayed": int(call.replayed),
        "response_id": name_text(answer.response_id),
        "model_id": name_text(request.model_id),
        "cassette": name_text(call.cassette),
        "notes": _json(call.notes),
        "redacted": int(exchange.redacted),
        "total_tokens": total_tokens(answer.raw_usage),
        "service_tier": name_text(answer.service_tier),
        "price_id": None,
        "cost_note": None,
        "content": "kept",
        "cache_saved_pico": None,
    }
    return narrow_row(row)


def narrow_row(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what it would say twice: an empty operation is the call's own id."""
    return {**row, "operation_id": ""} if row["operation_id"] == row["id"] else row


def cost_columns(cost: Cost) -> dict[str, Any]:
    """What a row says of the cost of its call, besides what `call_row` says of the call."""
    return {
        "cost_pico": cost.pico,
        "currency": cost.currency,
        "cost_source": cost.source,
        "price_id": cost.price_id,
        "cost_note": _text(cost.note, _LONGEST_MESSAGE),
        "cache_saved_pico": cost.cache_saved_pico,
    }


def name_text(value: str | None) -> str | None:
    """A name in text that every database takes; of a longer one the beginning, and what tells it from others."""
    if value is None:
        return None
    # Most are; a call less for each of a dozen names a row.
    if isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isascii() and "\x00" not in value:
        return value
    text = value if isinstance(value, str) else str(value)
    if len(text) > _LONGEST_NAME:
        mark = f"…{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
        text = text[: _LONGEST_NAME - len(mark)] + mark
    return storable(text)


def _text(value: str, longest: int) -> str:
    """Text that every database takes; what a provider sent may be no text at all."""
    text = value if isinstance(value, str) else str(value)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return text if text.isascii() and "\x00" not in text else storable(text)


def storable(text: str) -> str:
    """Text without what no database takes: NUL, and lone surrogates."""
    return _AWKWARD.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text)


def _microseconds(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else _within(nanoseconds // 1000, -_LARGEST_BIGINT, _LARGEST_BIGINT)


def _integer(value: int | None) -> int | None:
    return _within(value, -_LARGEST_INTEGER, _LARGEST_INTEGER)


def _count(value: int | None) -> int | None:
    """A number of tokens; None for what cannot be one, such as the -1 that some servers send."""
    return _within(value, 0, _LARGEST_COUNT)


def _within(value: int | None, smallest: int, largest: int) -> int | None:
    return value if isinstance(value, int) and smallest <= value <= largest else None


def _json(value: tuple[str | None, ...] | dict[str, Any]) -> str:
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    try:
        text = _encode(value).decode()
        if "\\u0000" not in text:
            return text
    except (UnicodeEncodeError, TypeError):
        pass
    return json.dumps(_cleaned(value), default=str, ensure_ascii=False, separators=(",", ":"))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, (list, tuple)) else value
