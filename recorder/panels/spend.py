"""Where the money goes."""

from __future__ import annotations

from typing import Final

from .choices import CHOICES, CURRENCY
from .panel import Dashboard, Panel
from .sql import sql

_MONEY: Final = (("cost", "short"), ("per call", "short"), ("calls", "short"))


def _stat(title: str, question: str, query: str, unit: str = "short") -> Panel:
    return Panel(title, question, "stat", (sql(query),), unit, width=4, height=4)


def _ranking(title: str, question: str, name: str, column: str, more: str = "") -> Panel:
    query = (
        f'SELECT {column} AS {name}, count(*) AS calls, sum(cost) AS cost, avg(cost) AS "per call" '
        f"@calls AND @paid{more} GROUP BY 1 ORDER BY cost DESC, 1 LIMIT 20"
    )
    return Panel(title, question, "table", (sql(query),), units=_MONEY)


SPEND: Final = Dashboard(
    "spend",
    "Recorder: spend",
    "What calls cost, who and what they were for, and what replay and caching saved. Money is in one currency.",
    ("postgres", "sqlite"),
    (
        _stat("Spent", "What did all calls cost?", "SELECT sum(cost) AS cost @calls AND @paid"),
        _stat(
            "Saved by replay",
            "What would the calls have cost that were answered from cassettes?",
            "SELECT coalesce(sum(cost), 0) AS saved @replayed AND @paid",
        ),
        _stat(
            "Saved by caching",
            "What did cached tokens make cheaper, less what writing the cache cost more?",
            "SELECT sum(cache_saved) AS saved @calls AND @paid",
        ),
        _stat(
            "Spent on retries",
            "What did attempts after the first cost?",
            "SELECT coalesce(sum(cost), 0) AS cost @calls AND @paid AND attempt > 1",
        ),
        _stat(
            "Unpriced calls",
            "Of how many calls is no cost known?",
            "SELECT count(*) AS calls @calls AND cost IS NULL",
        ),
        _stat(
            "In other currencies",
            "How many calls cost something that is not in these sums?",
            "SELECT count(*) AS calls @calls AND currency IS NOT NULL AND NOT @paid",
        ),
        Panel(
            "Spend by model",
            "When was money spent, and on which model?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, @model AS metric, sum(cost) AS cost @calls AND @paid "
                    "GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
        ),
        Panel(
            "Spend by day (UTC)",
            "What did each day cost?",
            "bars",
            (sql("SELECT @day AS time, sum(cost) AS cost @calls AND @paid GROUP BY 1 ORDER BY 1"),),
        ),
        _ranking("Models", "Which models cost most, and what does one call of each?", "model", "@model"),
        _ranking("Users", "Who spends most?", '"user"', "user_id", " AND user_id IS NOT NULL"),
        _ranking(
            "Sessions",
            "Which conversations cost most?",
            "session",
            "session_id",
            " AND session_id IS NOT NULL",
        ),
        Panel(
            "Tags",
            "What was the money spent for?",
            "table",
            (
                sql(
                    "SELECT tag.key AS tag, tag.value AS value, count(*) AS calls, sum(cost) AS cost, "
                    'avg(cost) AS "per call" FROM v_calls @each_tag WHERE @range AND replayed = 0 AND @chosen '
                    "AND @paid GROUP BY 1, 2 ORDER BY cost DESC, 1, 2 LIMIT 20"
                ),
            ),
            units=_MONEY,
        ),
        Panel(
            "Unpriced",
            "Of which models is no price known? `recorder prices check` says what to do.",
            "table",
            (
                sql(
                    "SELECT provider, host, @model AS model, count(*) AS calls, sum(input_tokens) AS input, "
                    "sum(output_tokens) AS output @calls AND cost IS NULL "
                    "GROUP BY 1, 2, 3 ORDER BY calls DESC, 1, 2, 3 LIMIT 20"
                ),
            ),
        ),
        Panel(
            "Saved by caching, by model",
            "Where does the providers' cache pay?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, @model AS metric, sum(cache_saved) AS saved @calls AND @paid "
                    "AND cache_saved IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
        ),
    ),
    (*CHOICES, CURRENCY),
    since="now-7d",
)
