"""Queries on the views in the SQL of both databases, with the macros of Grafana's data sources for them.

Grafana's own macros for times work on `started_at`, which no index serves: here the range is compared with
`started_us`. What the viewer chose arrives as quoted texts; where that is everything, as one empty text.
"""

from __future__ import annotations

from typing import Final, Literal

from .panel import Query

MODEL: Final = "coalesce(response_model, request_model)"
"""The model that a call is counted under: the one that answered, else the one that was asked for."""

_CHOSEN: Final = " AND ".join(
    f"('' IN (${{{name}:sqlstring}}) OR {column} IN (${{{name}:sqlstring}}))"
    for name, column in (("provider", "provider"), ("model", MODEL), ("user", "user_id"))
)
# A server expands its macros itself, also for alerts; `$__from` and `$__interval_ms` are put in by Grafana.
_WORDS: Final = {
    "postgres": {
        "@range": "started_us BETWEEN $__unixEpochNanoFrom() / 1000 AND $__unixEpochNanoTo() / 1000",
        "@time": "$__unixEpochGroup(started_us / 1000000, '$__interval')",
        "@day": "$__unixEpochGroup(started_us / 1000000, '1d')",
        "@started": "to_timestamp(started_at)",
        "@each_tag": "CROSS JOIN LATERAL jsonb_each_text(tags::jsonb) AS tag",
    },
    "sqlite": {
        "@range": "started_us BETWEEN $__from * 1000 AND $__to * 1000",
        "@time": "started_us / ($__interval_ms * 1000) * $__interval_ms / 1000",
        "@day": "$__unixEpochGroupSeconds(started_us / 1000000, 86400)",
        "@started": "CAST(started_at AS INTEGER)",
        "@each_tag": "CROSS JOIN json_each(tags) AS tag",
    },
}
_SHARED: Final = {
    "@calls": "FROM v_calls WHERE @range AND replayed = 0 AND @chosen",
    "@replayed": "FROM v_calls WHERE @range AND replayed = 1 AND @chosen",
    "@chosen": _CHOSEN,
    "@paid": "currency = ${currency:sqlstring}",
    "@model": MODEL,
}
# As reports count: from its first token on where the answer is streamed, and that token is not counted then.
SPEED: Final = (
    "CASE WHEN output_tokens > stream THEN (output_tokens - stream) / nullif(duration_s - "
    "CASE WHEN stream = 0 THEN 0 ELSE coalesce(first_reasoning_s, first_token_s) END, 0) END"
)
"""Output tokens a second."""

Grouped = Literal["time", "model", "all"]
_GROUPS: Final[dict[Grouped, str]] = {"time": "@time", "model": "@model", "all": "1"}


def sql(text: str) -> Query:
    """One query for both databases; its words with an @ are what they say differently."""
    return Query(_written(text, "postgres"), _written(text, "sqlite"))


def percentiles(value: str, by: Grouped = "time", percents: tuple[int, ...] = (50, 95, 99)) -> Query:
    """What so many of 100 calls did not exceed, by nearest rank: p50, p95, p99; with `model` also how many calls.

    SQLite has no percentiles, and so numbers the calls of each group.
    """
    first = {"time": "time, ", "model": "model, calls, ", "all": ""}[by]
    last = " ORDER BY time" if by == "time" else " ORDER BY calls DESC LIMIT 20" if by == "model" else ""
    counted = ", count(*) AS calls"
    exact = "".join(
        f", percentile_disc(0.{percent:02}) WITHIN GROUP (ORDER BY value) AS p{percent}"
        for percent in percents
    )
    ranked = "".join(
        f", min(CASE WHEN rank * 100 >= {percent} * calls THEN value END) AS p{percent}"
        for percent in percents
    )
    names = first + ", ".join(f"p{percent}" for percent in percents)
    group = by if by != "all" else "everything"
    values = f"SELECT {_GROUPS[by]} AS {group}, {value} AS value @calls AND {value} IS NOT NULL"
    postgres = f"SELECT {group}{counted}{exact} FROM ({values}) AS answered GROUP BY {group}"
    numbered = (
        f"SELECT {group}, value, row_number() OVER (PARTITION BY {group} ORDER BY value) AS rank, "
        f"count(*) OVER (PARTITION BY {group}) AS calls FROM ({values})"
    )
    sqlite = f"SELECT {group}, max(calls) AS calls{ranked} FROM ({numbered}) GROUP BY {group}"
    return Query(
        _written(f"SELECT {names} FROM ({postgres}) AS grouped{last}", "postgres"),
        _written(f"SELECT {names} FROM ({sqlite}){last}", "sqlite"),
    )


def _written(text: str, dialect: Literal["postgres", "sqlite"]) -> str:
    for word, meaning in {**_SHARED, **_WORDS[dialect]}.items():
        text = text.replace(word, meaning)
    return " ".join(text.split())
