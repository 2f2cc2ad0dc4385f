"""What goes wrong."""

from __future__ import annotations

from typing import Final

from .choices import CHOICES
from .panel import OUTCOMES, Dashboard, Panel
from .sql import sql

_RATE: Final = "1.0 * count(*) FILTER (WHERE outcome = 'error') / nullif(count(*), 0)"


def _count(title: str, question: str, condition: str) -> Panel:
    query = f"SELECT count(*) AS calls @calls AND {condition}"
    return Panel(title, question, "stat", (sql(query),), width=4, height=4)


ERRORS: Final = Dashboard(
    "errors",
    "Recorder: errors",
    "Which calls fail, how, where, and what retrying them does.",
    ("postgres", "sqlite"),
    (
        Panel(
            "Error rate",
            "What share of attempts failed?",
            "stat",
            (sql(f"SELECT {_RATE} AS rate @calls"),),
            "percentunit",
            width=4,
            height=4,
        ),
        _count("Errors", "How many attempts failed?", "outcome = 'error'"),
        _count(
            "Left or cut",
            "How many streams were left, dropped or cut before their end?",
            "outcome = 'incomplete'",
        ),
        _count("Cancelled", "How many tasks were cancelled while they waited?", "outcome = 'cancelled'"),
        _count("Interrupted", "How many calls ended with their process?", "outcome = 'interrupted'"),
        _count("Retried attempts", "How many attempts were not the first of their call?", "attempt > 1"),
        Panel(
            "Outcomes",
            "How did calls end over time?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, outcome AS metric, count(*) AS calls @calls GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
            colours=OUTCOMES,
        ),
        Panel(
            "Error rate by provider",
            "Is it one provider, or all of them?",
            "lines",
            (
                sql(
                    f"SELECT @time AS time, provider AS metric, {_RATE} AS rate @calls GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Errors by type",
            "What kind of error came when?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, coalesce(error_type, 'unknown') AS metric, count(*) AS calls @calls "
                    "AND outcome = 'error' GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
        ),
        Panel(
            "Retried attempts by model",
            "Whose calls must be tried again?",
            "bars",
            (
                sql(
                    "SELECT @time AS time, @model AS metric, count(*) AS calls @calls AND attempt > 1 "
                    "GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            ),
        ),
        Panel(
            "Types",
            "Which errors are there, from whom, and when was the last one?",
            "table",
            (
                sql(
                    "SELECT coalesce(error_type, 'unknown') AS error, http_status AS status, provider, "
                    "count(*) AS calls, max(@started) AS started @calls AND outcome = 'error' "
                    "GROUP BY 1, 2, 3 ORDER BY calls DESC, 1, 2, 3 LIMIT 20"
                ),
            ),
        ),
        Panel(
            "Providers",
            "How often does each provider and model fail?",
            "table",
            (
                sql(
                    "SELECT provider, @model AS model, count(*) AS calls, "
                    f"count(*) FILTER (WHERE outcome = 'error') AS errors, {_RATE} AS rate "
                    "@calls GROUP BY 1, 2 ORDER BY errors DESC, 1, 2 LIMIT 20"
                ),
            ),
            units=(("rate", "percentunit"),),
        ),
        Panel(
            "Does retrying help?",
            "Of the calls that were tried more than once, how many came to a good end?",
            "table",
            (
                sql(
                    "SELECT attempts, count(*) AS operations, sum(good) AS ended_well FROM ("
                    "SELECT operation_id, count(*) AS attempts, max(attempt) AS last, "
                    "max(CASE WHEN outcome = 'ok' THEN 1 ELSE 0 END) AS good @calls GROUP BY 1"
                    ") AS tried WHERE last > 1 GROUP BY 1 ORDER BY 1"
                ),
            ),
        ),
        Panel(
            "Latest failures",
            "Which calls failed last? `recorder show ID` has the whole of one.",
            "table",
            (
                sql(
                    "SELECT @started AS started, id, provider, @model AS model, outcome, error_type AS error, "
                    "http_status AS status, attempt @calls AND outcome <> 'ok' ORDER BY started_us DESC, id LIMIT 20"
                ),
            ),
        ),
    ),
    CHOICES,
)
