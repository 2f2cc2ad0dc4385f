"""Where the seconds go."""

from __future__ import annotations

from typing import Final

from .choices import CHOICES
from .panel import Dashboard, Panel
from .sql import SPEED, percentiles, sql

_OVER_CALLS: Final = "seconds that 50, 95 and 99 of 100 calls did not exceed"


def _in_time(title: str, question: str, value: str, unit: str = "s") -> Panel:
    return Panel(title, question, "lines", (percentiles(value),), unit)


LATENCY: Final = Dashboard(
    "latency",
    "Recorder: latency",
    "How long calls take, when their first chunk and first token come, and how fast the rest does.",
    ("postgres", "sqlite"),
    (
        Panel(
            "Duration",
            f"How long do calls take? The {_OVER_CALLS}.",
            "stat",
            (percentiles("duration_s", "all"),),
            "s",
            height=4,
        ),
        Panel(
            "First token",
            f"How long do people look at nothing? The {_OVER_CALLS}.",
            "stat",
            (percentiles("first_token_s", "all"),),
            "s",
            height=4,
        ),
        _in_time(
            "Duration over time",
            "Did calls become slower, and was it all of them or the slowest?",
            "duration_s",
        ),
        _in_time(
            "First chunk", "How long until the first event of a stream that says anything?", "first_chunk_s"
        ),
        _in_time(
            "First token of the answer",
            "How long until the first text of the answer, after any reasoning?",
            "first_token_s",
        ),
        _in_time("Output tokens a second", "How fast do answers come, once they have begun?", SPEED, "short"),
        Panel(
            "Models",
            f"Which models are slow? The {_OVER_CALLS}.",
            "table",
            (percentiles("duration_s", "model"),),
            units=(("p50", "s"), ("p95", "s"), ("p99", "s")),
        ),
        Panel(
            "Models, tokens a second",
            "Which models write fast?",
            "table",
            (percentiles(SPEED, "model"),),
        ),
        Panel(
            "Slowest calls",
            "Which calls took longest? `recorder show ID` has the whole of one.",
            "table",
            (
                sql(
                    "SELECT @started AS started, id, provider, @model AS model, outcome, duration_s, first_token_s, "
                    "output_tokens @calls ORDER BY duration_s DESC, id LIMIT 20"
                ),
            ),
            units=(("duration_s", "s"), ("first_token_s", "s")),
            width=24,
        ),
    ),
    CHOICES,
)
