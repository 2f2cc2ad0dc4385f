"""The views `v_calls` and `v_calls_daily`: what a store promises to everyone's own queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Double,
    Text,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
)

from .tables import calls
from .whole_units import whole

VIEWS: Final = ("v_calls", "v_calls_daily")


def _divided(column: ColumnElement[Any], by: str) -> ColumnElement[float]:
    return cast(column, Double).op("/", return_type=Double())(literal_column(by))


def _seconds(column: ColumnElement[Any]) -> ColumnElement[float]:
    return _divided(column, "1000000.0")


_c = calls.c
model_name: Final = func.nullif(func.coalesce(func.nullif(_c.response_model, ""), _c.request_model), "")
"""The model that answered, else the one that was asked for; an empty name is none."""

_PICO: Final = "1000000000000.0"
_cost = _divided(_c.cost_pico, _PICO)

CALL_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "id": _c.id,
    "started_at": _seconds(_c.started_us),
    "duration_s": _seconds(_c.duration_us),
    "first_chunk_s": _seconds(_c.first_chunk_us),
    "first_token_s": _seconds(_c.first_token_us),
    "first_reasoning_s": _seconds(_c.first_reasoning_us),
    "operation": _c.operation,
    "provider": _c.provider,
    "host": _c.host,
    "request_model": _c.request_model,
    "response_model": _c.response_model,
    "stream": _c.stream,
    "http_status": _c.http_status,
    "outcome": _c.outcome,
    "error_type": _c.error_type,
    "finish_reasons": _c.finish_reasons,
    "input_tokens": _c.input_tokens,
    "cached_tokens": _c.cached_tokens,
    "cache_write_tokens": _c.cache_write_tokens,
    "output_tokens": _c.output_tokens,
    "reasoning_tokens": _c.reasoning_tokens,
    "usage_source": _c.usage_source,
    "cost": _cost,
    "currency": _c.currency,
    "cost_usd": case((_c.currency == "USD", _cost)),
    "cost_source": _c.cost_source,
    "operation_id": case((_c.operation_id == "", _c.id), else_=_c.operation_id),
    "attempt": _c.attempt,
    "trace_id": _c.trace_id,
    "span_id": _c.span_id,
    "session_id": _c.session_id,
    "user_id": _c.user_id,
    "tags": _c.tags,
    "replayed": _c.replayed,
    "response_id": _c.response_id,
    "model_id": _c.model_id,
    "cassette": _c.cassette,
    "cache_saved": _divided(_c.cache_saved_pico, _PICO),
    "started_us": _c.started_us,
}
"""The columns of `v_calls`, in order: name and expression over `calls`.

`started_us` is `started_at` in microseconds, as an index has it: queries over a part of the time should compare that.
"""

_DAY = {
    "sqlite": func.date(whole(_c.started_us, 1_000_000), literal("unixepoch")),
    "postgresql": func.to_char(
        func.timezone("UTC", func.to_timestamp(_seconds(_c.started_us))), literal("YYYY-MM-DD")
    ),
}


# Beyond 9 million units of a currency, SQLite's integers would overflow; floats it adds up with care.
_PICO_SUM: Final[dict[str, Callable[[ColumnElement[Any]], ColumnElement[float]]]] = {
    "sqlite": lambda pico: func.sum(cast(pico, Double)),
    "postgresql": func.sum,
}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    # PostgreSQL widens the sum of a BIGINT to NUMERIC.
    return cast(func.sum(column), BigInteger)


def _daily_columns(dialect: str) -> dict[str, ColumnElement[Any]]:
    # There is one row a day, provider and model: of several currencies it can give no sum but that of dollars.
    pico_sum = _PICO_SUM[dialect]
    one_currency = func.count(_c.currency.distinct()) <= 1
    return {
        "day": cast(_DAY[dialect], Text),
        "provider": _c.provider,
        "model": model_name,
        "calls": func.count(),
        "ok": _count(_c.outcome == "ok"),
        "errors": _count(_c.outcome == "error"),
        "cancelled": _count(_c.outcome == "cancelled"),
        "incomplete": _count(_c.outcome == "incomplete"),
        "interrupted": _count(_c.outcome == "interrupted"),
        "input_tokens": _sum(_c.input_tokens),
        "cached_tokens": _sum(_c.cached_tokens),
        "cache_write_tokens": _sum(_c.cache_write_tokens),
        "output_tokens": _sum(_c.output_tokens),
        "reasoning_tokens": _sum(_c.reasoning_tokens),
        "cost": case((one_currency, _divided(pico_sum(_c.cost_pico), _PICO))),
        "currency": case((one_currency, func.min(_c.currency))),
        "cost_usd": _divided(pico_sum(case((_c.currency == "USD", _c.cost_pico))), _PICO),
        "unpriced_calls": _count(_c.cost_pico.is_(None)),
    }


def drop_views(connection: Connection) -> None:
    """Drop both views; a migration cannot rebuild a table that a view names."""
    for name in reversed(VIEWS):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def view_queries(dialect: Dialect) -> dict[str, str]:
    """The query behind each view, in the SQL of one dialect."""
    daily = _daily_columns(dialect.name)
    by_day = (
        select(*(column.label(name) for name, column in daily.items()))
        .where(_c.replayed == 0)
        .group_by(*(literal_column(str(position)) for position in (1, 2, 3)))
    )
    each = select(*(column.label(name) for name, column in CALL_COLUMNS.items()))
    options = {"literal_binds": True}
    return {
        name: str(query.compile(dialect=dialect, compile_kwargs=options))
        for name, query in zip(VIEWS, (each, by_day), strict=True)
    }


def create_views(connection: Connection) -> None:
    """Create both views on the tables as they are now."""
    for name, query in view_queries(connection.dialect).items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
