"""What only the store knows: budgets, unpriced and lost calls, as `recorder dashboards metrics` tells Prometheus."""

from __future__ import annotations

from typing import Final

from .panel import OUTCOMES, Dashboard, Panel, Query


def _panel(
    title: str,
    question: str,
    *queries: tuple[str, str],
    unit: str = "short",
    colours: tuple[tuple[str, str], ...] = (),
) -> Panel:
    asked = tuple(Query(prometheus=text, legend=legend) for text, legend in queries)
    return Panel(title, question, "lines", asked, unit, colours=colours)


def _stat(title: str, question: str, query: str, unit: str = "short") -> Panel:
    return Panel(title, question, "stat", (Query(prometheus=query),), unit, width=6, height=4)


STORE: Final = Dashboard(
    "store",
    "Recorder: budgets and losses",
    "Budgets, calls without a price, and calls that could not be stored: from `recorder dashboards metrics`.",
    ("prometheus",),
    (
        _stat(
            "Budgets exceeded",
            "How many budgets are overspent?",
            "count(recorder_budget_spent > recorder_budget_limit) or vector(0)",
        ),
        _stat("Unpriced calls", "Of how many calls is no cost known?", "sum(recorder_unpriced_calls)"),
        _stat("Lost calls", "How many calls could not be stored?", "sum(recorder_lost_calls)"),
        _stat(
            "Age", "How old is what this page shows?", "time() - max(recorder_written_timestamp_seconds)", "s"
        ),
        _panel(
            "Budgets",
            "What share of each budget is spent?",
            ("recorder_budget_spent / recorder_budget_limit", "{{budget}}"),
            unit="percentunit",
        ),
        _panel(
            "Projected",
            "What share will be spent by the end of the period, if it goes on like this?",
            ("recorder_budget_projected / recorder_budget_limit", "{{budget}}"),
            unit="percentunit",
        ),
        _panel(
            "Calls",
            "How did calls end?",
            ("sum by (outcome) (recorder_calls)", "{{outcome}}"),
            colours=OUTCOMES,
        ),
        _panel(
            "Calls without a price or a row",
            "Does what nobody knows grow?",
            ("sum(recorder_unpriced_calls)", "unpriced"),
            ("sum(recorder_lost_calls)", "lost"),
        ),
    ),
    since="now-7d",
)
