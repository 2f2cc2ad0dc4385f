"""What is used: calls and tokens."""

from __future__ import annotations

from typing import Final

from .choices import CHOICES
from .panel import OUTCOMES, Dashboard, Panel
from .sql import sql

_TOKENS: Final = (
    "sum(input_tokens) AS input, sum(cached_tokens) AS cached, sum(output_tokens) AS output, "
    "sum(reasoning_tokens) AS reasoning"
)
_CACHED: Final = (
    "1.0 * sum(CASE WHEN cached_tokens IS NOT NULL THEN cached_tokens END) "
    "/ nullif(sum(CASE WHEN cached_tokens IS NOT NULL THEN input_tokens END), 0)"
)


def _stat(title: str, question: str, value: str, unit: str = "short") -> Panel:
    return Panel(title, question, "stat", (sql(f"SELECT {value} @calls"),), unit, width=4, height=4)


def _ranking(title: str, question: str, name: str, column: str, more: str = "") -> Panel:
    query = (
        f'SELECT {column} AS {name}, count(*) AS calls, {_TOKENS}, {_CACHED} AS "cached share" '
        f"@calls{more} GROUP BY 1 ORDER BY calls DESC, 1 LIMIT 20"
    )
    return Panel(title, question, "table", (sql(query),), units=(("cached share", "percentunit"),))


USAGE: Final = Dashboard(
    "usage",
    "Recorder: usage",
    "How many calls there are, and how many tokens go in (cached ones too) and come out (reasoning too).",
    ("postgres", "sqlite"),
    (
        _stat("Calls", "How many attempts were there?", "count(*) AS calls"),
        _stat("Input tokens", "How many tokens were sent?", "sum(input_tokens) AS tokens"),
        _stat(
            "Cached share",
            "What share of input came from the provider's cache, where that is told?",
            f"{_CACHED} AS share",
            "percentunit",
        ),
        _stat("Output tokens", "How many tokens came back?", "sum(output_tokens) AS tokens"),
        _stat("Reasoning tokens", "How many of these were reasoning?", "sum(reasoning_tokens) AS tokens"),
        _stat(
            "Without usage",
            "Of how many calls are no tokens known?",
            "count(*) FILTER (WHERE usage_source = 'none') AS calls",
        ),
        Panel(
            "Tokens",
            "How many tokens went in, plain and cached, and came out, as answer and reasoning?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, sum(input_tokens - coalesce(cached_tokens, 0)) AS input, "
                    "sum(cached_tokens) AS cached, sum(output_tokens - coalesce(reasoning_tokens, 0)) AS output, "
                    "sum(reasoning_tokens) AS reasoning @calls GROUP BY 1 ORDER BY 1"
                ),
            ),
        ),
        Panel(
            "Calls by model",
            "Which models are called when?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, @model AS metric, count(*) AS calls @calls GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
        ),
        Panel(
            "Cached share over time",
            "Does the provider's cache hold?",
            "lines",
            (sql(f"SELECT @time AS time, {_CACHED} AS share @calls GROUP BY 1 ORDER BY 1"),),
            "percentunit",
        ),
        Panel(
            "Tokens a call",
            "Do prompts grow?",
            "lines",
            (
                sql(
                    "SELECT @time AS time, avg(input_tokens) AS input, avg(output_tokens) AS output "
                    "@calls GROUP BY 1 ORDER BY 1"
                ),
            ),
        ),
        _ranking("Models", "Which models use how many tokens?", "model", "@model"),
        _ranking("Users", "Who uses how many tokens?", '"user"', "user_id", " AND user_id IS NOT NULL"),
        Panel(
            "Calls by day (UTC)",
            "How many calls did each day bring, and how did they end?",
            "bars",
            (
                sql(
                    "SELECT @day AS time, outcome AS metric, count(*) AS calls @calls GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
            colours=OUTCOMES,
            width=24,
        ),
    ),
    CHOICES,
)
